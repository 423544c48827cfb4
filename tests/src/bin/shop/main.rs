//! The shop: a small real HTTP service that the demo and the whole-system tests roll out.

mod cli;
mod counter;
mod junit;
mod serve;
mod suite;

fn main() -> std::process::ExitCode {
    cli::run()
}
