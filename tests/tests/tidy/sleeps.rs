//! Tests await events. A test that sleeps is slow on a good day and wrong on a bad one.
//!
//! Allowed: a pause inside a `while` or `loop` that looks again, because nothing tells when it
//! happens; and the places below, each with its reason.

use crate::finding::{Finding, none};
use crate::scrub;
use crate::workspace::{Text, rust};

/// File, function, and why time itself is what the test is about.
const ALLOWED: &[(&str, &str, &str)] = &[
    (
        "tests/tests/rollouts/mailer.rs",
        "work",
        "the pace of the jobs is the input",
    ),
    (
        "agent/tests/agent/journal/crash.rs",
        "killed_at_any_moment_the_installer_runs_at_most_once_for_each_id",
        "the moment of the kill is the input",
    ),
    (
        "agent/tests/wine/programs.rs",
        "killed_at_any_moment_the_installer_runs_at_most_once_for_each_id",
        "the moment of the kill is the input",
    ),
];

#[test]
fn a_test_awaits_events_and_never_sleeps() {
    let found: Vec<Sleep> = rust().iter().filter(is_test).flat_map(sleeps).collect();
    none(
        found
            .iter()
            .filter(|sleep| !sleep.is_allowed())
            .map(Sleep::finding),
        "await the event, or look again in a loop with a deadline; if time is what the test is \
         about, say so in ALLOWED of tests/tests/tidy/sleeps.rs",
    );
    let unused = ALLOWED
        .iter()
        .filter(|allowed| !found.iter().any(|sleep| sleep.is(allowed)));
    none(
        unused.map(|(file, function, _)| {
            Finding::new(file, 1, format!("`{function}` sleeps no more"))
        }),
        "take it out of ALLOWED of tests/tests/tidy/sleeps.rs",
    );
}

#[derive(Debug, PartialEq, Eq)]
struct Sleep {
    file: String,
    line: usize,
    function: String,
}

impl Sleep {
    fn is(&self, (file, function, _): &(&str, &str, &str)) -> bool {
        self.file == *file && self.function == *function
    }

    fn is_allowed(&self) -> bool {
        ALLOWED.iter().any(|allowed| self.is(allowed))
    }

    fn finding(&self) -> Finding {
        Finding::new(&self.file, self.line, format!("`{}` sleeps", self.function))
    }
}

fn is_test(text: &&Text) -> bool {
    text.path.contains("/tests/") || text.path.ends_with("/tests.rs")
}

/// Sleeps that stand in no `while` and no `loop`.
fn sleeps(text: &Text) -> Vec<Sleep> {
    let mut found = Vec::new();
    let mut function = String::new();
    // For each open brace: whether it opened a loop.
    let mut open: Vec<bool> = Vec::new();
    let mut head = String::new();
    for (at, line) in scrub::code(&text.content).lines().enumerate() {
        if let Some(name) = function_name(line) {
            function = name;
        }
        let mut sleeping = line
            .match_indices("sleep(")
            .map(|(column, _)| column)
            .peekable();
        for (column, c) in line.char_indices() {
            if sleeping.next_if_eq(&column).is_some() && !open.contains(&true) {
                let function = function.clone();
                found.push(Sleep {
                    file: text.path.clone(),
                    line: at + 1,
                    function,
                });
            }
            match c {
                '{' => open.push(is_loop(&std::mem::take(&mut head))),
                '}' => {
                    open.pop();
                    head.clear();
                }
                ';' => head.clear(),
                _ => head.push(c),
            }
        }
        head.push('\n');
    }
    found
}

fn is_loop(head: &str) -> bool {
    head.split_whitespace()
        .any(|word| word == "while" || word == "loop")
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "fn");
    let name = words.nth(1)?;
    let end = name.find(['(', '<']).unwrap_or(name.len());
    Some(name[..end].to_owned())
}

#[test]
fn a_sleep_is_found_unless_it_looks_again() {
    let content = "async fn a() {\n    sleep(X).await;\n}\nfn b() {\n    while no() {\n        sleep(X);\n    }\n}\n";
    let file = "a/tests/b.rs".to_owned();
    let text = Text {
        path: file.clone(),
        content: content.to_owned(),
    };
    assert_eq!(
        sleeps(&text),
        [Sleep {
            file,
            line: 2,
            function: "a".to_owned()
        }]
    );
}
