//! `poolshift check`: every problem with its place and its mend.

use std::path::Path;

use crate::support::{CHECKOUT, run, write};

/// The files that the catalogue refuses, each for a reason of its own.
fn broken() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/rollout/tests/broken");
    folder.display().to_string()
}

#[test]
fn every_broken_file_is_named_with_line_column_and_mend() {
    let folder = broken();
    let said = run(&["check", &folder]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.out.replace(&folder, "broken"));
}

#[test]
fn problems_are_data_too() {
    let said = run(&["check", "--json", &broken()]);
    assert_eq!(said.code, 1);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.len() >= 20);
    for problem in problems {
        assert!(problem["line"].as_u64().unwrap() > 0, "{problem}");
        assert!(problem["column"].as_u64().unwrap() > 0, "{problem}");
        assert!(!problem["mend"].as_str().unwrap().is_empty(), "{problem}");
    }
}

#[test]
fn the_example_is_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let said = run(&["check", &folder.display().to_string()]).good();
    assert!(said.starts_with("good: "), "{said}");
}

#[test]
fn files_are_compared_with_each_other() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "checkout.toml", CHECKOUT);
    let cart = CHECKOUT
        .replace("name = \"checkout\"", "name = \"cart\"")
        .replace("10.1.0.2:8080", "10.1.0.3:8080");
    write(&folder, "cart.toml", &cart);
    write(&folder, "basket.toml", &CHECKOUT.replace("10.", "11."));
    let path = folder.path().display().to_string();
    let said = run(&["check", &path]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.out.replace(&path, "services"));
}

#[test]
fn nothing_to_check_is_not_good() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["check", &folder.path().display().to_string()]);
    assert_eq!(said.code, 1);
    assert!(
        said.errors.contains("there is no service file in"),
        "{said:?}"
    );
    assert!(said.errors.contains("mend: name a folder"), "{said:?}");
}
