//! Nothing is longer than what a reader keeps in mind.

use crate::finding::{Finding, none};
use crate::scrub;
use crate::workspace::{Text, rust};

const FILE: usize = 400;
const MAIN: usize = 15;
const FUNCTION: usize = 70;

#[test]
fn a_file_fits_into_a_readers_mind() {
    none(
        rust().iter().filter_map(too_long),
        "split the file by noun, one concept a file; a main.rs only calls the library, or lists the modules of a test",
    );
}

#[test]
fn a_function_fits_on_a_screen() {
    none(
        rust().iter().flat_map(long_functions),
        "give each paragraph of the function its own name",
    );
}

fn too_long(text: &Text) -> Option<Finding> {
    let lines = text.content.lines().count();
    let limit = if text.path.ends_with("/main.rs") {
        MAIN
    } else {
        FILE
    };
    (lines > limit).then(|| {
        Finding::new(
            &text.path,
            limit + 1,
            format!("{lines} lines, {limit} are allowed"),
        )
    })
}

fn long_functions(text: &Text) -> Vec<Finding> {
    let code = scrub::code(&text.content);
    let lines: Vec<&str> = code.lines().collect();
    let begins = (0..lines.len()).filter(|&at| begins_function(lines[at]));
    begins
        .filter_map(|at| {
            let length = length(&lines[at..])?;
            (length > FUNCTION).then(|| {
                let what = format!("a function of {length} lines, {FUNCTION} are allowed");
                Finding::new(&text.path, at + 1, what)
            })
        })
        .collect()
}

fn begins_function(line: &str) -> bool {
    line.split_whitespace()
        .take_while(|word| is_modifier(word) || *word == "fn")
        .any(|word| word == "fn")
}

fn is_modifier(word: &str) -> bool {
    word.starts_with("pub") || ["const", "async", "unsafe", "extern", "default"].contains(&word)
}

/// Lines from the signature to the closing brace; `None` for a function without a body.
fn length(lines: &[&str]) -> Option<usize> {
    let mut depth = 0_i32;
    let mut opened = false;
    for (at, line) in lines.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => {
                    depth += 1;
                    opened = true;
                }
                '}' => depth -= 1,
                ';' if !opened && depth == 0 => return None,
                _ => {}
            }
        }
        if opened && depth <= 0 {
            return Some(at + 1);
        }
    }
    None
}

#[test]
fn a_function_that_is_too_long_is_found_where_it_begins() {
    let body = "    let brace = '{';\n".repeat(70);
    let content = format!("trait T {{ fn f(&self); }}\n\npub(crate) async fn g() {{\n{body}}}\n");
    let path = "a.rs".to_owned();
    let found = long_functions(&Text { path, content });
    assert_eq!(
        found,
        [Finding::new(
            "a.rs",
            3,
            "a function of 72 lines, 70 are allowed"
        )]
    );
}
