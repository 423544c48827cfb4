//! The agent's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    poolshift_agent::main()
}
