//! One value of a service file, read as what its key wants or refused at its place.

mod share;

use std::str::FromStr;

use events::NameError;
use toml::de::{DeTable, DeValue};

use super::defaults::{MARGIN_MS, SHORTEST_PACE_MS};
use super::forms::Form;
use super::nearest::nearest;
use super::page::{Page, shown};
use super::section::Section;
use super::units::{duration_ms, duration_text, size_bytes};

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    page: &'a Page<'a>,
    name: &'static str,
    example: &'static str,
    value: &'a DeValue<'a>,
    /// Where it begins.
    pub(super) at: usize,
}

/// Stands for what is still to be written: no value may be this. `poolshift import` leaves it where
/// nobody but a person knows what belongs there.
pub const PLACEHOLDER: &str = "?";

/// The least that a duration may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Least {
    /// Nothing at all.
    Zero,
    /// A pace that a server can bear.
    Pace,
    /// A deadline: as long as the margin that the orchestrator waits longer.
    Deadline,
}

impl<'a> Value<'a> {
    /// The value of a key.
    pub(super) const fn new(
        page: &'a Page<'a>,
        name: &'static str,
        example: &'static str,
        value: &'a DeValue<'a>,
        at: usize,
    ) -> Self {
        Self {
            page,
            name,
            example,
            value,
            at,
        }
    }

    /// Notes a problem at its place.
    pub(super) fn refuse(&self, what: impl Into<String>, mend: impl Into<String>) {
        self.page.refuse(self.at, what, mend);
    }

    /// What its key says as an example, fit to follow "write".
    pub(super) const fn example(&self) -> &'static str {
        self.example
    }

    /// Its text, when it is one; anything else is no problem yet.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        }
    }

    /// Its number, when it is a whole one; anything else is no problem yet.
    pub(super) fn as_whole(&self) -> Option<i64> {
        let number = self.value.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// A text on one line that is not empty.
    pub(super) fn text(&self) -> Option<&'a str> {
        let Some(text) = self.as_text() else {
            return self.refuse_kind("a text");
        };
        if self.is_open() {
            return None;
        }
        if text.trim().is_empty() {
            self.refuse(
                format!("`{}` is empty", self.name),
                format!("write {}", self.example),
            );
            return None;
        }
        if text.chars().any(char::is_control) {
            let what = format!(
                "`{}` holds a line break or another control character",
                self.name
            );
            self.refuse(
                what,
                format!("write it on one line, such as {}", self.example),
            );
            return None;
        }
        Some(text)
    }

    /// A name of one of the contract's kinds.
    pub(super) fn name<T: FromStr<Err = NameError>>(&self) -> Option<T> {
        let text = self.text()?;
        text.parse()
            .inspect_err(|error| refuse_name(self.page, self.at, text, error))
            .ok()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            return self.refuse_kind("true or false");
        }
        flag
    }

    /// A whole number between two bounds, both included.
    pub(super) fn whole(&self, (least, most): (u32, u32)) -> Option<u32> {
        if !self.value.is_integer() {
            return self.refuse_kind("a whole number");
        }
        let number = self
            .as_whole()
            .and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let what = format!("`{}` is out of bounds", self.name);
            self.refuse(what, format!("write a whole number from {least} to {most}"));
        }
        number
    }

    /// A duration in milliseconds.
    pub(super) fn duration_ms(&self, least: Least) -> Option<u64> {
        let Some(text) = self.as_text() else {
            return self.refuse_bare("a duration", "s");
        };
        if self.is_open() {
            return None;
        }
        let ms = match duration_ms(text) {
            Ok(ms) => ms,
            Err(error) => {
                let what = format!("`{}` is not a duration here: `{}`", self.name, shown(text));
                self.refuse(what, error.to_string());
                return None;
            }
        };
        let (shortest, why) = match least {
            Least::Zero => (0, ""),
            Least::Pace => (SHORTEST_PACE_MS, "anything faster only loads the server"),
            Least::Deadline => (
                MARGIN_MS,
                "the orchestrator waits that much longer than a worker, and no deadline is shorter",
            ),
        };
        if ms < shortest {
            let what = format!("`{}` is too short: `{}`", self.name, shown(text));
            self.refuse(
                what,
                format!("write at least \"{}\": {why}", duration_text(shortest)),
            );
            return None;
        }
        Some(ms)
    }

    /// A size in bytes, at least 1.
    pub(super) fn bytes(&self) -> Option<u64> {
        let Some(text) = self.as_text() else {
            return self.refuse_bare("a size", " MiB");
        };
        let what = || format!("`{}` is not a size here: `{}`", self.name, shown(text));
        match size_bytes(text) {
            Ok(0) => self.refuse(what(), format!("write {}", self.example)),
            Ok(bytes) => return Some(bytes),
            Err(error) => self.refuse(what(), error.to_string()),
        }
        None
    }

    /// One word of several.
    pub(super) fn choice<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(meaning.clone());
        }
        let mend = match nearest(text, words.iter().map(|(word, _)| *word)) {
            Some(meant) => format!("write \"{meant}\""),
            None => {
                let words: Vec<_> = words
                    .iter()
                    .map(|(word, _)| format!("\"{word}\""))
                    .collect();
                format!("write {}", words.join(" or "))
            }
        };
        self.refuse(format!("`{}` cannot be `{}`", self.name, shown(text)), mend);
        None
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let Some(items) = self.value.as_array() else {
            return self.refuse_kind("a list");
        };
        let item = |item: &'a toml::Spanned<DeValue<'a>>| Self {
            value: item.get_ref(),
            at: item.span().start,
            ..*self
        };
        Some(items.iter().map(item).collect())
    }

    /// The names of roles.
    pub(super) fn roles(&self) -> Option<Vec<String>> {
        let items = self.list()?;
        let roles = items.iter().map(|item| item.text().map(str::to_owned));
        let roles: Vec<Option<String>> = roles.collect();
        roles.into_iter().collect()
    }

    /// A program and its arguments; never a shell string.
    pub(super) fn argv(&self) -> Option<Vec<String>> {
        if let Some(text) = self.as_text() {
            let what = format!(
                "`{}` is one text: commands are lists, never a shell string",
                self.name
            );
            self.refuse(what, format!("write {}", self.as_list(text)));
            return None;
        }
        let items = self.list()?;
        if items
            .first()
            .is_none_or(|first| first.as_text() == Some(""))
        {
            self.refuse(
                format!("`{}` names no program", self.name),
                format!("write {}", self.example),
            );
            return None;
        }
        if items.iter().any(Self::is_open) {
            return None;
        }
        let argument = |item: &Self| match item.as_text() {
            Some(text) if text.contains('\0') => {
                item.refuse(
                    "an argument holds a NUL character",
                    "remove it: no program can get it",
                );
                None
            }
            Some(text) => Some(text.to_owned()),
            None => {
                let what = format!(
                    "an argument of `{}` is {}, not a text",
                    self.name,
                    item.kind()
                );
                item.refuse(what, "write it in quotes");
                None
            }
        };
        let arguments: Vec<Option<String>> = items.iter().map(argument).collect();
        arguments.into_iter().collect()
    }

    /// A section, by its form's own title.
    pub(super) fn section(&self, form: &'static Form) -> Option<Section<'a>> {
        self.titled(form, form.title.to_owned())
    }

    /// A section with a title of its own.
    pub(super) fn titled(&self, form: &'static Form, title: String) -> Option<Section<'a>> {
        let table = self.table()?;
        Some(Section::open(self.page, form, title, table, self.at))
    }

    /// A table, its keys as they are.
    pub(super) fn table(&self) -> Option<&'a DeTable<'a>> {
        let table = self.value.as_table();
        if table.is_none() {
            return self.refuse_kind("a section");
        }
        table
    }

    /// Whether it is still to be completed, which is noted.
    fn is_open(&self) -> bool {
        let is_open = self.as_text() == Some(PLACEHOLDER);
        if is_open {
            self.refuse(
                format!("`{}` is still to be completed", self.name),
                format!("write {}", self.example),
            );
        }
        is_open
    }

    fn as_list(&self, text: &str) -> String {
        let needs_a_shell = |letter: char| "'\"`|&;<>$(){}*\\".contains(letter);
        if text.trim().is_empty() || text.contains(needs_a_shell) {
            return format!(
                "each argument as a text of its own, such as {}",
                self.example
            );
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        format!("{} = {words:?}", self.name)
    }

    fn refuse_bare<T>(&self, wanted: &str, unit: &str) -> Option<T> {
        let Some(number) = self.as_whole().filter(|number| *number >= 0) else {
            return self.refuse_kind(wanted);
        };
        let what = format!("`{}` is a number without a unit, not {wanted}", self.name);
        self.refuse(
            what,
            format!("write it with its unit and in quotes, such as \"{number}{unit}\""),
        );
        None
    }

    fn refuse_kind<T>(&self, wanted: &str) -> Option<T> {
        let what = format!("`{}` is {}, not {wanted}", self.name, self.kind());
        self.refuse(what, format!("write {}", self.example));
        None
    }

    const fn kind(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        }
    }
}

/// Notes that a text is not a name of its kind; the contract's rule is the mend.
pub(super) fn refuse_name(page: &Page<'_>, at: usize, text: &str, error: &NameError) {
    let message = error.to_string();
    let (what, rule) = message.rsplit_once(" name: ").unwrap_or(("", &message));
    let kind = what
        .rsplit_once("is not a ")
        .map_or("valid", |(_, kind)| kind);
    page.refuse(at, format!("`{}` is not a {kind} name", shown(text)), rule);
}
