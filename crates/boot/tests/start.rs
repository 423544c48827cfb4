//! How a process starts and ends. Each test runs this very file again as a process of its own.

#[cfg(test)]
mod process;

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use process::{CHILD, end, file, signal, start, until};
use tokio::sync::watch;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    port: u16,
    door: Door,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Door {
    name: String,
}

async fn main(settings: Settings, mut shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
    println!("open {} {}", settings.port, settings.door.name);
    if settings.door.name == "broken" {
        anyhow::bail!("the door is broken");
    }
    if settings.door.name == "stubborn" {
        std::future::pending::<()>().await;
    }
    shutdown.wait_for(|asked| *asked).await?;
    println!("closed");
    Ok(())
}

/// The process under test; nothing at all when the tests themselves run.
#[test]
fn child() {
    if let Ok(file) = std::env::var(CHILD) {
        let file = (!file.is_empty()).then(|| Path::new(&file));
        let code = poolshift_boot::run("tester", file, main);
        println!("code {code:?}");
    }
}

const GOOD: &str = "port = 1\n[door]\nname = \"front\"\n";

#[test]
fn a_signal_ends_a_process_politely() {
    let (_folder, path) = file(GOOD);
    let mut child = start(&path, &[]);
    until(&mut child, "open 1 front");
    signal(&child);
    let (out, errors) = end(child);
    assert!(out.contains("closed"), "{out}");
    assert!(out.contains("unix_exit_status(0)"), "{out}");
    assert!(errors.contains("\"message\":\"asked to end\""), "{errors}");
}

#[test]
fn a_second_signal_ends_one_that_does_not() {
    let (_folder, path) = file("port = 1\n[door]\nname = \"stubborn\"\n");
    let mut child = start(&path, &[]);
    until(&mut child, "open");
    signal(&child);
    let mut line = String::new();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    while !line.contains("asked to end") {
        line.clear();
        assert_ne!(errors.read_line(&mut line).unwrap(), 0);
    }
    signal(&child);
    until(&mut child, "unix_exit_status(1)");
    child.wait().unwrap();
}

#[test]
fn the_environment_goes_above_the_file() {
    let (_folder, path) = file(GOOD);
    let mut child = start(
        &path,
        &[("POOLSHIFT__PORT", "2"), ("POOLSHIFT__DOOR__NAME", "back")],
    );
    until(&mut child, "open 2 back");
    signal(&child);
    end(child);
}

#[test]
fn settings_may_come_from_the_environment_alone() {
    let variables = [("POOLSHIFT__PORT", "3"), ("POOLSHIFT__DOOR__NAME", "7")];
    let mut child = start("", &variables);
    until(&mut child, "open 3 7");
    signal(&child);
    end(child);
}

#[test]
fn an_error_is_written_once_and_is_the_exit_code() {
    let (_folder, path) = file("port = 1\n[door]\nname = \"broken\"\n");
    let (out, errors) = end(start(&path, &[]));
    assert!(out.contains("unix_exit_status(1)"), "{out}");
    assert_eq!(errors.matches("the door is broken").count(), 1, "{errors}");
}

#[test]
fn wrong_settings_say_what_where_and_how_to_mend_it() {
    let texts = [
        "port = 1",
        "port = 1\n[door]",
        "port = \"many\"\n[door]\nname = \"a\"",
        "port = 1\n[door]\nname = \"a\"\ncolour = \"red\"",
        "port = 1\nport = 2",
        "port = ",
    ];
    let mut said = String::new();
    for text in texts {
        let (_folder, path) = file(text);
        let error = poolshift_boot::settings::<Settings>(Some(Path::new(&path)));
        let error = error.err().unwrap().to_string();
        said += &format!("--- {text:?}\n{}\n", error.replace(&path, "FILE"));
    }
    let gone = poolshift_boot::settings::<Settings>(Some(Path::new("/nowhere/poolshift.toml")));
    said += &gone.err().unwrap().to_string();
    insta::assert_snapshot!(said);
}
