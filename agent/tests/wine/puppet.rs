//! What the tests under wine install and run: a small service of Windows, and programs that wait,
//! fail, hold a file or start others.

fn main() -> std::process::ExitCode {
    system::main()
}

#[cfg(not(windows))]
mod system {
    use std::process::ExitCode;

    pub(crate) fn main() -> ExitCode {
        eprintln!("this plays on Windows only");
        ExitCode::FAILURE
    }
}

#[cfg(windows)]
#[path = "puppet/windows.rs"]
mod system;
