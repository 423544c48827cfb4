//! A guide as a person follows it: what it says to type, to write and to expect.

use std::fs;
use std::path::Path;

/// One thing that the guide says, in its order.
#[derive(Debug)]
pub(crate) enum Step {
    /// Type this.
    Command(String),
    /// Write this into that file.
    Write { file: String, text: String },
    /// See these words in what the last command said.
    See(Vec<String>),
}

/// Reads the fenced blocks of a guide: `sh`, `text`, and all that name a file behind their language.
pub(crate) fn steps(guide: &str) -> Vec<Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(guide);
    let text = fs::read_to_string(path).unwrap();
    let mut steps = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(' ') {
            Some((_, file)) => steps.push(Step::Write {
                file: file.to_owned(),
                text: block.join("\n") + "\n",
            }),
            None if info == "sh" => {
                let commands = block.iter().map(|line| Step::Command((*line).to_owned()));
                steps.extend(commands);
            }
            None => {
                let words = block.iter().flat_map(|line| line.split('…'));
                let words = words.map(|words| words.trim().to_owned());
                steps.push(Step::See(words.collect()));
            }
        }
    }
    steps
}
