//! `cargo xtask`: what is done to this workspace, and shown of it.

mod cli;
mod demo;

fn main() -> anyhow::Result<()> {
    cli::run()
}
