//! HAProxy's configuration as sections of lines. What is not known is kept, and means nothing here.

use std::collections::BTreeMap;
use std::fmt;

use crate::failure::Failure;
use crate::haproxy::condition::{Conditions, Turn};
use crate::haproxy::words::split;

/// A whole configuration, in the order in which HAProxy reads it.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) sections: Vec<Section>,
    /// What only HAProxy itself can tell, and how it was read here.
    pub(crate) notes: Vec<String>,
    variables: BTreeMap<String, String>,
}

/// A section with its lines.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) kind: Kind,
    /// Its name; `defaults` and `global` may have none.
    pub(crate) name: String,
    /// The `defaults` that it names.
    pub(crate) from: Option<String>,
    pub(crate) place: Place,
    pub(crate) lines: Vec<Line>,
}

/// What a section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Global,
    Defaults,
    Frontend,
    Backend,
    Listen,
    /// Any that has no servers that are rolled out.
    Other,
}

/// A line as words; never empty.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) place: Place,
    pub(crate) words: Vec<String>,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Place {
    fn refuse(&self, what: &str, mend: &str) -> Failure {
        Failure::refused(format!("{self}: {what}")).mend(mend)
    }
}

impl Line {
    /// Its words from this one on, when it begins with `begin`.
    pub(crate) fn after(&self, begin: &[&str]) -> Option<&[String]> {
        let rest = self.words.get(begin.len()..)?;
        let mut same = self.words.iter().zip(begin);
        same.all(|(word, wanted)| word == wanted).then_some(rest)
    }

    /// The word at this place.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }
}

/// Sections that have nothing to do with pools.
const OTHERS: [&str; 15] = [
    "userlist",
    "peers",
    "mailers",
    "resolvers",
    "cache",
    "program",
    "http-errors",
    "ring",
    "log-forward",
    "log-profile",
    "fcgi-app",
    "crt-store",
    "traces",
    "acme",
    "dynamic-update",
];

impl Kind {
    fn of(word: &str) -> Option<Self> {
        match word {
            "global" => Some(Self::Global),
            "defaults" => Some(Self::Defaults),
            "frontend" => Some(Self::Frontend),
            "backend" => Some(Self::Backend),
            "listen" => Some(Self::Listen),
            other => OTHERS.contains(&other).then_some(Self::Other),
        }
    }
}

impl Config {
    /// Reads one more file; a section may go on in the next one, as HAProxy reads them.
    ///
    /// # Errors
    /// What HAProxy would not read either, with its place.
    pub(crate) fn add(&mut self, file: &str, text: &str) -> Result<(), Failure> {
        let mut conditions = Conditions::default();
        let mut place = Place {
            file: file.to_owned(),
            line: 0,
        };
        for line in text.lines() {
            place.line += 1;
            self.line(&mut conditions, &place, line)?;
        }
        if conditions.is_open() {
            return Err(place.refuse("an `.if` is never ended", "add `.endif`"));
        }
        Ok(())
    }

    fn line(
        &mut self,
        conditions: &mut Conditions,
        place: &Place,
        text: &str,
    ) -> Result<(), Failure> {
        if text.contains('\0') {
            return Err(place.refuse("this is no text", "name HAProxy's configuration"));
        }
        let variable = |name: &str| self.variable(name);
        let words = split(text, &variable).map_err(|what| place.refuse(what, "mend the line"))?;
        let Some(first) = words.first() else {
            return Ok(());
        };
        if first.starts_with('.') {
            let defined = |name: &str| self.variable(name).is_some();
            let turn = conditions.take(&words, &defined);
            let turn = turn.map_err(|what| place.refuse(what, "mend the block"))?;
            if turn == Turn::Open {
                let condition = words.join(" ");
                self.notes.push(format!(
                    "{place}: only HAProxy can tell `{condition}`: read as if it held"
                ));
            }
            return Ok(());
        }
        if !conditions.is_read() {
            return Ok(());
        }
        match Kind::of(first) {
            Some(kind) => self.open(kind, place, &words),
            None => self.keep(place, words),
        }
    }

    fn open(&mut self, kind: Kind, place: &Place, words: &[String]) -> Result<(), Failure> {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let named = word(1);
        let is_pool = matches!(kind, Kind::Frontend | Kind::Backend | Kind::Listen);
        if is_pool && named.is_empty() {
            let what = format!("`{}` has no name", word(0));
            return Err(place.refuse(&what, "write its name behind it"));
        }
        let from = words.iter().position(|word| word == "from");
        let from = from.and_then(|at| words.get(at + 1)).cloned();
        if let Some(from) = &from {
            let known = |one: &Section| one.kind == Kind::Defaults && one.name == *from;
            if !self.sections.iter().any(known) {
                let what = format!("there is no `defaults {from}` above it");
                let mend = "add it, or name the file that has it before this one";
                return Err(place.refuse(&what, mend));
            }
        }
        self.sections.push(Section {
            kind,
            name: if named == "from" { "" } else { named }.to_owned(),
            from,
            place: place.clone(),
            lines: Vec::new(),
        });
        Ok(())
    }

    fn keep(&mut self, place: &Place, words: Vec<String>) -> Result<(), Failure> {
        let line = Line {
            place: place.clone(),
            words,
        };
        let Some(section) = self.sections.last_mut() else {
            let what = format!("`{}` stands in no section", line.word(0));
            return Err(place.refuse(&what, "name HAProxy's configuration, its first file first"));
        };
        if line.word(0) == "server" && line.word(2).is_empty() {
            return Err(place.refuse(
                "a server without an address",
                "write `server NAME HOST:PORT`",
            ));
        }
        let is_global = section.kind == Kind::Global;
        section.lines.push(line.clone());
        if is_global {
            self.set_variable(&line);
        }
        Ok(())
    }

    /// `global` may set variables for all that follows.
    fn set_variable(&mut self, line: &Line) {
        let (name, value) = (line.word(1), line.word(2));
        let is_set = match line.word(0) {
            "setenv" => true,
            "presetenv" => self.variable(name).is_none(),
            _ => false,
        };
        if is_set {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
    }

    /// What a variable stands for.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let set = self.variables.get(name).cloned();
        set.or_else(|| std::env::var(name).ok())
    }

    /// All lines of `global`.
    pub(crate) fn global(&self) -> impl Iterator<Item = &Line> {
        let global = self.sections.iter().filter(|one| one.kind == Kind::Global);
        global.flat_map(|one| &one.lines)
    }

    /// A section's lines, those of its `defaults` first, and of what these take theirs from.
    pub(crate) fn lines(&self, at: usize) -> Vec<&Line> {
        let mut chain = Vec::new();
        let mut next = Some(at);
        // Each is further up: it ends.
        while let Some((at, section)) = next.and_then(|at| Some((at, self.sections.get(at)?))) {
            chain.push(section);
            next = self.defaults_of(at, section);
        }
        chain.iter().rev().flat_map(|one| &one.lines).collect()
    }

    /// Which `defaults` a section takes: the one that it names, or the last one above it. A
    /// `defaults` takes from another only what it names.
    fn defaults_of(&self, at: usize, section: &Section) -> Option<usize> {
        if section.from.is_none() && matches!(section.kind, Kind::Defaults | Kind::Global) {
            return None;
        }
        let wanted = section.from.as_ref();
        let before = self.sections.get(..at)?;
        before.iter().rposition(|one| {
            one.kind == Kind::Defaults && wanted.is_none_or(|name| one.name == *name)
        })
    }
}
