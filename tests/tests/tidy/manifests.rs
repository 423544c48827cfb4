//! One list of versions, one list of lints, one licence: every crate takes them from the root.

use crate::finding::{Finding, none};
use crate::workspace::{Text, texts};
use toml::{Table, Value};

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

#[test]
fn every_crate_inherits_from_the_workspace() {
    none(
        members().iter().flat_map(not_inherited),
        "write `KEY.workspace = true` under [package], and `workspace = true` under [lints]",
    );
}

#[test]
fn every_version_stands_in_the_root() {
    none(
        members().iter().flat_map(own_versions),
        "write `NAME.workspace = true`, and the version with its reason in the root's Cargo.toml",
    );
}

#[test]
fn every_dependency_has_a_reason() {
    let texts = texts();
    let root = texts
        .iter()
        .find(|text| text.path == "Cargo.toml")
        .expect("the root's manifest");
    none(
        without_reason(root),
        "end the line with `# why this crate is here`, or take the crate out",
    );
}

fn members() -> Vec<Text> {
    let member = |text: &Text| text.path.ends_with("/Cargo.toml");
    let members: Vec<Text> = texts().into_iter().filter(member).collect();
    assert!(!members.is_empty(), "no crate in the workspace");
    members
}

fn not_inherited(manifest: &Text) -> Vec<Finding> {
    let table = parse(manifest);
    let inherits = |section: &str, key: &str| {
        let section = table.get(section).and_then(Value::as_table);
        let value = section.and_then(|section| section.get(key));
        value
            .and_then(|value| value.get("workspace"))
            .and_then(Value::as_bool)
            == Some(true)
    };
    let lints = table
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(Value::as_bool);
    let mut found: Vec<Finding> = INHERITED
        .iter()
        .filter(|key| !inherits("package", key))
        .map(|key| at(manifest, key, format!("`{key}` is not the workspace's")))
        .collect();
    if lints != Some(true) {
        found.push(at(
            manifest,
            "[lints]",
            "the lints are not the workspace's".to_owned(),
        ));
    }
    found
}

fn own_versions(manifest: &Text) -> Vec<Finding> {
    let table = parse(manifest);
    let mut lists: Vec<&Table> = dependency_lists(&table);
    if let Some(Value::Table(targets)) = table.get("target") {
        lists.extend(
            targets
                .values()
                .filter_map(Value::as_table)
                .flat_map(dependency_lists),
        );
    }
    let own = lists
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("workspace").and_then(Value::as_bool) != Some(true));
    own.map(|(name, _)| at(manifest, name, format!("`{name}` has a version of its own")))
        .collect()
}

fn dependency_lists(table: &Table) -> Vec<&Table> {
    let lists = ["dependencies", "dev-dependencies", "build-dependencies"];
    lists
        .iter()
        .filter_map(|list| table.get(*list)?.as_table())
        .collect()
}

fn without_reason(root: &Text) -> Vec<Finding> {
    let lines = root.content.lines().enumerate();
    let list = lines
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['));
    let entries = list.filter(|(_, line)| line.contains('=') && !line.starts_with('#'));
    // A path leads to a crate of ours, which says itself why it is there.
    let bare = entries.filter(|(_, line)| !line.contains("path = ") && !line.contains(" # "));
    bare.map(|(at, line)| Finding::new(&root.path, at + 1, format!("no reason: {line}")))
        .collect()
}

fn parse(manifest: &Text) -> Table {
    let table = manifest.content.parse();
    table.unwrap_or_else(|error| panic!("{}: {error}", manifest.path))
}

fn at(manifest: &Text, key: &str, what: String) -> Finding {
    let line = manifest
        .content
        .lines()
        .position(|line| line.starts_with(key));
    Finding::new(&manifest.path, line.map_or(1, |line| line + 1), what)
}

#[test]
fn a_crate_with_rules_of_its_own_is_found() {
    let text = |content: &str| Text {
        path: "a/Cargo.toml".to_owned(),
        content: content.to_owned(),
    };
    let lonely =
        text("[package]\nname = \"a\"\nversion = \"1.0.0\"\n\n[dependencies]\nserde = \"1\"\n");
    assert_eq!(not_inherited(&lonely).len(), INHERITED.len() + 1);
    assert_eq!(not_inherited(&lonely)[0].line, 3);
    assert_eq!(own_versions(&lonely)[0].line, 6);
    let root = text("[workspace.dependencies]\na = { path = \"a\" }\nb = \"1\"\nc = \"1\" # why\n");
    assert_eq!(without_reason(&root)[0].line, 3);
}
