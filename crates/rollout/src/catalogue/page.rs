//! The text being read, and what has been found wrong with it so far.

use std::cell::RefCell;

use super::problem::{Problem, Problems};

/// The text of one service file and the problems found in it.
#[derive(Debug)]
pub(super) struct Page<'a> {
    text: &'a str,
    found: RefCell<Vec<Found>>,
}

#[derive(Debug)]
struct Found {
    at: usize,
    what: String,
    mend: String,
}

impl<'a> Page<'a> {
    /// A page without problems.
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            found: RefCell::new(Vec::new()),
        }
    }

    /// The text.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Notes a problem at a byte of the text.
    pub(super) fn refuse(&self, at: usize, what: impl Into<String>, mend: impl Into<String>) {
        self.found.borrow_mut().push(Found {
            at,
            what: what.into(),
            mend: mend.into(),
        });
    }

    /// How many problems there are so far.
    pub(super) fn found(&self) -> usize {
        self.found.borrow().len()
    }

    /// All problems in order of place.
    pub(super) fn problems(self) -> Problems {
        let mut found = self.found.into_inner();
        found.sort_by_key(|problem| problem.at);
        let problems = found.into_iter().map(|Found { at, what, mend }| {
            let (line, column) = place(self.text, at);
            Problem {
                line,
                column,
                what,
                mend,
            }
        });
        Problems(problems.collect())
    }
}

/// What a person wrote, fit to be shown on one line.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut letters = text.chars();
    let mut short: String = letters
        .by_ref()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if letters.next().is_some() {
        short.push_str("...");
    }
    short
}

/// Line and column of a byte, both from 1; a byte outside the text counts as its end.
fn place(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    (narrow(line), narrow(column))
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
