//! Another process: this test program again, told by its environment to play one part.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PART: &str = "BUS_TEST_PART";
const LOG: &str = "BUS_TEST_LOG";

/// A process that plays `part` on the log at `path`.
pub(crate) fn command(part: &str, path: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    play(&mut command, part, path).args(["--exact", "child::plays_its_part", "--nocapture"]);
    command
}

/// As [`command`], after a shell that gets this program and its arguments as `"$@"`.
pub(crate) fn command_after(mut shell: Command, part: &str, path: &Path) -> Command {
    let inner = command(part, path);
    shell
        .arg("sh")
        .arg(inner.get_program())
        .args(inner.get_args());
    play(&mut shell, part, path);
    shell
}

fn play<'a>(command: &'a mut Command, part: &str, path: &Path) -> &'a mut Command {
    command.env(PART, part).env(LOG, path).stdin(Stdio::null())
}

/// Does nothing unless this is the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plays_its_part() {
    let (Ok(part), Some(path)) = (env::var(PART), env::var_os(LOG)) else {
        return;
    };
    let path = PathBuf::from(path);
    match part.as_str() {
        "write" => crate::kill::write_until_killed(&path).await,
        "fill" => crate::room::fill_the_disk(&path).await,
        "open" => println!("{}", poolshift_bus::Bus::open(&path).unwrap_err()),
        other => panic!("no such part: {other}"),
    }
}
