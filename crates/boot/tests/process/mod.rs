//! This test file, run again as a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

/// Tells the process under test which file its settings are in.
pub(crate) const CHILD: &str = "BOOT_TEST_CHILD";

pub(crate) fn start(file: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "-q"])
        .env(CHILD, file)
        .env("RUST_LOG", "info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in variables {
        command.env(name, value);
    }
    command.spawn().unwrap()
}

/// Waits for the line, and gives what stands after it.
pub(crate) fn until(child: &mut Child, wanted: &str) {
    let stdout = BufReader::new(child.stdout.as_mut().unwrap());
    let found = stdout.lines().any(|line| line.unwrap().contains(wanted));
    assert!(found, "{wanted} was not printed");
}

pub(crate) fn signal(child: &Child) {
    let sent = Command::new("kill")
        .arg("-TERM")
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
}

/// All that it still printed, to stdout and to stderr.
pub(crate) fn end(mut child: Child) -> (String, String) {
    let (mut out, mut errors) = (String::new(), String::new());
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    child.wait().unwrap();
    (out, errors)
}

pub(crate) fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("poolshift.toml");
    fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}
