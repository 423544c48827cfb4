//! `cargo xtask`: what is done to this workspace, and shown of it.
mod bench;
mod check;
mod cli;
mod crash;
mod demo;
mod interrupt;
mod part;
mod test;
mod walk;
mod windows;

fn main() -> anyhow::Result<()> {
    cli::run()
}
