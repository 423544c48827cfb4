//! What a newcomer reads first is there.

use crate::finding::{Finding, none};
use crate::workspace::{Text, texts};

const PAPERS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/extending.md",
    "docs/runbook.md",
];

#[test]
fn every_paper_is_there() {
    let texts = texts();
    let there = |path: &&&str| texts.iter().any(|text| text.path == **path);
    none(
        PAPERS
            .iter()
            .filter(|path| !there(path))
            .map(|path| Finding::new(path, 1, "is missing")),
        "write it",
    );
}

#[test]
fn a_crate_says_first_what_it_is() {
    let texts = texts();
    let root = |text: &&Text| {
        let end = ["src/lib.rs", "src/main.rs", "tests/main.rs"];
        end.iter().any(|end| text.path.ends_with(end))
    };
    none(
        texts
            .iter()
            .filter(root)
            .filter(|text| !text.content.starts_with("//! "))
            .map(|text| Finding::new(&text.path, 1, "does not begin with `//! `")),
        "begin with what the crate is, and what it must never do",
    );
}

#[test]
fn files_that_papers_name_exist() {
    let texts = texts();
    let paper = |text: &&Text| text.path.ends_with(".md");
    let lost = texts
        .iter()
        .filter(paper)
        .flat_map(|text| lost(text, &texts));
    none(
        lost,
        "name the file by its path from the root, as it is now",
    );
}

/// Paths in backticks that name no file and no folder.
fn lost(paper: &Text, texts: &[Text]) -> Vec<Finding> {
    let exists = |path: &str| {
        let folder = format!("{}/", path.trim_end_matches('/'));
        texts
            .iter()
            .any(|text| text.path == path || text.path.starts_with(&folder))
    };
    let mut found = Vec::new();
    for (at, line) in paper.content.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2) {
            if is_path(quoted) && !exists(quoted) {
                found.push(Finding::new(
                    &paper.path,
                    at + 1,
                    format!("`{quoted}` does not exist"),
                ));
            }
        }
    }
    found
}

fn is_path(quoted: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let known = [".rs", ".toml", ".md"]
        .iter()
        .any(|end| quoted.ends_with(end));
    quoted.contains('/') && !quoted.starts_with('/') && known && quoted.chars().all(plain)
}

#[test]
fn a_path_that_leads_nowhere_is_found() {
    let text = |path: &str, content: &str| Text {
        path: path.to_owned(),
        content: content.to_owned(),
    };
    let paper = text("a.md", "one\n`src/a.rs` and `src/b.rs`");
    let found = lost(&paper, &[text("src/a.rs", "")]);
    assert_eq!(
        found,
        [Finding::new("a.md", 2, "`src/b.rs` does not exist")]
    );
}
