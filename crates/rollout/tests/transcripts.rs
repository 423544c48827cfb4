//! What the brain decides, as people read it: a script of commands goes in, and under each stands
//! what became of it. The files in `transcripts/` are checked in; `UPDATE=1 cargo test -p
//! poolshift-rollout --test transcripts` writes them anew, and the difference is to be read.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a script that cannot be played fails its test at once, and says where"
)]

mod stage;

use std::path::{Path, PathBuf};

use stage::Stage;

/// Comments and commands stay as they are; what stands below each command is written anew.
fn played(script: &str) -> String {
    let mut stage = Stage::new();
    let mut text = String::new();
    for line in script.lines() {
        let is_script = line.starts_with('#') || line.starts_with("> ") || line.is_empty();
        if !is_script {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if let Some(command) = line.strip_prefix("> ") {
            for said in stage.play(command) {
                text.push_str(&format!("    {said}\n"));
            }
        }
    }
    text
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let entries = std::fs::read_dir(folder).expect("the folder of transcripts");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn each_script_is_decided_as_its_transcript_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 12, "only {} scripts", scripts.len());
    let mut wrong = Vec::new();
    for path in scripts {
        let before = std::fs::read_to_string(&path).expect("a script");
        let now = played(&before);
        if now == before {
            continue;
        }
        if update {
            std::fs::write(&path, now).expect("write the transcript");
        } else {
            wrong.push(format!(
                "{}:\n{}",
                path.display(),
                first_difference(&before, &now)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nif this is meant, run with UPDATE=1 and read the difference",
        wrong.join("\n")
    );
}

fn first_difference(before: &str, now: &str) -> String {
    let mut lines = before.lines().zip(now.lines()).enumerate();
    lines.find(|(_, (old, new))| old != new).map_or_else(
        || "one is longer than the other".to_owned(),
        |(index, (old, new))| format!("line {}\n  was {old}\n  is  {new}", index + 1),
    )
}
