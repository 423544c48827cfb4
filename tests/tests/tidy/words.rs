//! Words that may not stand in a file, and what to write in their place.
//!
//! Forbidden words are put together from halves here, so that this file keeps its own rules.

use crate::finding::{Finding, none};
use crate::scrub;
use crate::workspace::{Text, root, rust, texts};

#[test]
fn nothing_is_left_for_later() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
        concat!("todo", "!"),
        concat!("unimple", "mented!"),
    ];
    none(
        written().iter().flat_map(|text| find_words(text, &words)),
        "do it, or open an issue and take the note out",
    );
}

#[test]
fn every_test_runs() {
    let word = concat!("#[ign", "ore");
    none(
        rust()
            .iter()
            .flat_map(|text| find(text, &text.content, &[word])),
        "mend the test or take it out; one that never runs proves nothing",
    );
}

#[test]
fn the_brain_knows_no_clock_no_runtime_and_no_hash_order() {
    let words = [
        "HashMap",
        "HashSet",
        "SystemTime",
        "Instant",
        "async fn",
        "async move",
        ".await",
    ];
    let brain = |text: &&Text| text.path.starts_with("crates/rollout/src/");
    let texts = rust();
    none(
        texts
            .iter()
            .filter(brain)
            .flat_map(|text| find(text, &scrub::code(&text.content), &words)),
        "take time as an argument (`at`), use BTreeMap and BTreeSet, keep functions synchronous",
    );
    assert!(
        texts.iter().any(|text| brain(&text)),
        "crates/rollout/src is gone"
    );
}

#[test]
fn no_file_speaks_of_the_machine_it_was_written_on() {
    let here = root().to_string_lossy().trim_matches('/').to_owned();
    let words = [here.as_str(), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    none(
        written()
            .iter()
            .flat_map(|text| find(text, &text.content, &words)),
        "use a path from the root of the workspace, or a temporary folder",
    );
}

#[test]
fn no_file_names_a_registry() {
    let words = [
        concat!("crates", ".io"),
        concat!("npm", "js"),
        concat!("maven", ".org"),
        concat!("repo1", ".maven"),
        concat!("pypi", ".org"),
        concat!("rubygems", ".org"),
        concat!("nuget", ".org"),
        concat!("docker", ".io"),
        concat!("ghcr", ".io"),
        concat!("proxy.golang", ".org"),
    ];
    none(
        written()
            .iter()
            .flat_map(|text| find(text, &text.content, &words)),
        "leave the place to the tool's own configuration",
    );
}

/// What people wrote: samples that other programs wrote keep their own words, and cargo's lock
/// names the registry it locks.
fn written() -> Vec<Text> {
    let others = |text: &Text| text.path == "Cargo.lock" || text.path.contains("/samples/");
    let ours = |text: &Text| !others(text) || text.is_rust();
    texts().into_iter().filter(ours).collect()
}

fn find(text: &Text, content: &str, words: &[&str]) -> Vec<Finding> {
    places(text, content, words, |_, _| true)
}

/// Finds whole words only: the hack of a hackney is none.
fn find_words(text: &Text, words: &[&str]) -> Vec<Finding> {
    let whole = |before: Option<char>, after: Option<char>| {
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !joins(before) && !joins(after)
    };
    places(text, &text.content, words, whole)
}

fn places(
    text: &Text,
    content: &str,
    words: &[&str],
    fits: impl Fn(Option<char>, Option<char>) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in content.lines().enumerate() {
        for word in words {
            let hit = line.match_indices(word).any(|(begin, _)| {
                let before = line[..begin].chars().next_back();
                fits(before, line[begin + word.len()..].chars().next())
            });
            if hit {
                found.push(Finding::new(
                    &text.path,
                    at + 1,
                    format!("`{word}` stands here"),
                ));
            }
        }
    }
    found
}

#[test]
fn a_word_is_found_on_its_line_and_only_whole() {
    let path = "a.rs".to_owned();
    let content = "one\nthe twofold two\ntwos".to_owned();
    let found = find_words(&Text { path, content }, &["two"]);
    assert_eq!(found, [Finding::new("a.rs", 2, "`two` stands here")]);
}
