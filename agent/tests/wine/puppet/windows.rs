//! The plays.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

mod service;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match play(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("puppet {}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn play(words: &[&str]) -> Result<()> {
    match words {
        ["serve"] => service::serve(),
        // Says that it ran, and waits until it may go on.
        ["wait", log, go] => {
            append(Path::new(log), "ran\n")?;
            wait_for(Path::new(go));
            println!("done");
            Ok(())
        }
        // Keeps a file from all who would write or move it.
        ["hold", file, held, go] => {
            let mut options = OpenOptions::new();
            let _kept = options.read(true).share_mode(1).open(file)?;
            append(Path::new(held), "held\n")?;
            wait_for(Path::new(go));
            Ok(())
        }
        // A child that starts one of its own, which beats as long as it lives.
        ["tree", beats] => run_own(&["branch", beats]),
        ["branch", beats] => run_own(&["beat", beats]),
        ["beat", beats] => {
            while !Path::new(&format!("{beats}.end")).exists() {
                append(Path::new(beats), ".")?;
                std::thread::park_timeout(LOOK);
            }
            Ok(())
        }
        // What a program leaves running when it ends by itself.
        ["leave", beats] => {
            Command::new(std::env::current_exe()?)
                .args(["beat", beats])
                .spawn()?;
            Ok(())
        }
        ["end", code] => std::process::exit(code.parse::<u32>()?.cast_signed()),
        ["results", file] => {
            let results = "<testsuite tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\
                           <testcase name=\"it answers\" classname=\"smoke\"/></testsuite>";
            Ok(std::fs::write(file, results)?)
        }
        _ => Err("no such play".into()),
    }
}

fn run_own(words: &[&str]) -> Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .args(words)
        .status()?;
    println!("{words:?} {status}");
    Ok(())
}

fn wait_for(file: &Path) {
    while !file.exists() {
        std::thread::park_timeout(LOOK);
    }
}

fn append(file: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    Ok(file.write_all(text.as_bytes())?)
}
