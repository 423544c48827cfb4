//! The program `poolshift`.

use std::process::ExitCode;

fn main() -> ExitCode {
    poolshift::main()
}
