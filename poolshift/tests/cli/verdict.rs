//! Stored test results get the verdict that an agent would give, and no other exit code than 0
//! and 1.

use std::path::{Path, PathBuf};

use crate::support::{poolshift, run, write};

/// The agent's samples: one set of fixtures for one set of rules.
fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/tests/samples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "xml" || end == "trx")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_sample_gets_its_verdict() {
    let mut table = String::new();
    for file in samples() {
        let said = run(&["verdict", &file.display().to_string()]);
        assert_eq!(
            (said.code == 0),
            said.out.contains(": success: "),
            "{said:?}"
        );
        let line = said.out.rsplit('/').next().unwrap();
        table += &format!("{} {line}", said.code);
    }
    insta::assert_snapshot!(table);
}

#[test]
fn one_file_that_is_no_success_spoils_the_rest() {
    let good = "<testsuite><testcase name='a'/></testsuite>";
    let folder = tempfile::tempdir().unwrap();
    let good = write(&folder, "good.xml", good).display().to_string();
    let empty = write(&folder, "empty.xml", "").display().to_string();
    assert_eq!(run(&["verdict", &good, &good]).code, 0);
    let said = run(&["verdict", &good, &empty, &good]);
    assert_eq!((said.code, said.out.lines().count()), (1, 3), "{said:?}");
    assert_eq!(run(&["verdict", "--at-least", "2", &good]).code, 1);
}

#[test]
fn whatever_lies_there_gets_a_line_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("rubbish"), [0, 159, 146, 150, 255]).unwrap();
    std::fs::write(at("huge"), vec![b' '; 32 * 1024 * 1024 + 1]).unwrap();
    write(
        &folder,
        "two\nlines.xml",
        "<testsuite><testcase name='a&#10;b'><failure/></testcase></testsuite>",
    );
    write(&folder, "html", "<html></html>");
    write(
        &folder,
        "bomb",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><testsuite name='&b;'/>",
    );
    write(&folder, "cut", "<testsuite><testcase name='a'/>");
    write(
        &folder,
        "many",
        &format!("<testsuite{}/>", " a='1'".repeat(300)),
    );
    let status = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(status.unwrap().success());
    let folder_itself = folder.path().display().to_string();
    let mut told = String::new();
    let names = [
        "rubbish",
        "huge",
        "two\nlines.xml",
        "html",
        "bomb",
        "cut",
        "many",
        "pipe",
        "none",
    ];
    for file in names.map(at).iter().chain([&folder_itself]) {
        let said = run(&["verdict", file]);
        assert_eq!((said.code, said.out.lines().count()), (1, 1), "{said:?}");
        told += &said.out.replace(&folder_itself, "FOLDER");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn whatever_is_asked_of_it_no_exit_code_but_0_and_1_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let good = "<testsuite><testcase name='a'/></testsuite>";
    let good = write(&folder, "good.xml", good).display().to_string();
    for asked in [
        &["verdict", ""][..],
        &["verdict"],
        &["verdict", "--at-least", "-1", &good],
        &["verdict", "--at-least", "99999999999", &good],
        &["--json", "verdict", "--nonsense", &good],
    ] {
        let said = run(asked);
        assert_eq!(said.code, 1, "{asked:?}: {said:?}");
        assert!(said.out.is_empty() && !said.errors.is_empty(), "{said:?}");
    }
    assert_eq!(run(&["verdict", "--help"]).code, 0);
    assert_eq!(run(&["status", "--nonsense", "verdict"]).code, 2);
}

#[test]
fn no_server_is_needed_and_none_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(
        &folder,
        "good.xml",
        "<testsuite><testcase name='a'/></testsuite>",
    );
    let output = poolshift(&["verdict", "--json", &good.display().to_string()])
        .env("POOLSHIFT_SERVER", "nonsense")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&said["success"], &said["format"]),
        (&true.into(), &"junit".into())
    );
}
