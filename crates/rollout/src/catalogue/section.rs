//! One section of a service file: its keys are known, its values have places.

use toml::de::DeTable;

use super::forms::{self, Form, Key};
use super::nearest::nearest;
use super::page::{Page, shown};
use super::value::{Least, Value};

/// A section whose keys have been held against its form.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    page: &'a Page<'a>,
    form: &'static Form,
    title: String,
    table: &'a DeTable<'a>,
    /// Where it begins.
    pub(super) at: usize,
}

impl<'a> Section<'a> {
    /// Opens a section and refuses the keys that its form does not know.
    pub(super) fn open(
        page: &'a Page<'a>,
        form: &'static Form,
        title: String,
        table: &'a DeTable<'a>,
        at: usize,
    ) -> Self {
        let section = Self {
            page,
            form,
            title,
            table,
            at,
        };
        for key in table.keys() {
            section.refuse_unknown(key.get_ref(), key.span().start);
        }
        section
    }

    /// Notes a problem at the section's beginning.
    pub(super) fn refuse(&self, what: impl Into<String>, mend: impl Into<String>) {
        self.page.refuse(self.at, what, mend);
    }

    /// Notes a problem at a place within the section.
    pub(super) fn refuse_at(&self, at: usize, what: impl Into<String>, mend: impl Into<String>) {
        self.page.refuse(at, what, mend);
    }

    /// How many problems there are on the whole page so far.
    pub(super) fn found(&self) -> usize {
        self.page.found()
    }

    /// What people call it.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// A value, if the key is there.
    pub(super) fn maybe(&self, name: &'static str) -> Option<Value<'a>> {
        let (key, value) = self.table.get_key_value(name)?;
        let span = value.span();
        let at = if span.is_empty() {
            key.span().start
        } else {
            span.start
        };
        let example = self.key(name).map_or("", |key| key.example);
        Some(Value::new(self.page, name, example, value.get_ref(), at))
    }

    /// A value that must be there.
    pub(super) fn need(&self, name: &'static str) -> Option<Value<'a>> {
        let value = self.maybe(name);
        if value.is_none() && !self.has_misspelt(name) {
            let example = self.key(name).map_or(name, |key| key.example);
            self.refuse(
                format!("`{name}` is missing in {}", self.title),
                format!("add {example}"),
            );
        }
        value
    }

    /// A duration in milliseconds, or what is meant when nothing is said.
    pub(super) fn duration_ms(&self, name: &'static str, default: u64, least: Least) -> u64 {
        self.maybe(name)
            .and_then(|value| value.duration_ms(least))
            .unwrap_or(default)
    }

    /// A whole number between two bounds, or what is meant when nothing is said.
    pub(super) fn whole(&self, name: &'static str, default: u32, bounds: (u32, u32)) -> u32 {
        self.maybe(name)
            .and_then(|value| value.whole(bounds))
            .unwrap_or(default)
    }

    /// One word of several, or what is meant when nothing is said.
    pub(super) fn choice<T: Clone>(
        &self,
        name: &'static str,
        default: T,
        words: &[(&'static str, T)],
    ) -> T {
        self.maybe(name)
            .and_then(|value| value.choice(words))
            .unwrap_or(default)
    }

    /// All keys and values in the order of the text, for sections whose keys are names.
    pub(super) fn named(
        page: &'a Page<'a>,
        name: &'static str,
        table: &'a DeTable<'a>,
    ) -> Vec<(&'a str, usize, Value<'a>)> {
        let mut named: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let (key_at, span) = (key.span().start, value.span());
                let at = if span.is_empty() { key_at } else { span.start };
                let value = Value::new(page, name, "", value.get_ref(), at);
                (key.get_ref().as_ref(), key_at, value)
            })
            .collect();
        named.sort_by_key(|(_, at, _)| *at);
        named
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.form.keys.iter().find(|key| key.name == name)
    }

    /// Whether a key that nobody knows was meant to be this one: then that is the only problem.
    fn has_misspelt(&self, name: &str) -> bool {
        self.table.keys().any(|key| {
            let key = key.get_ref();
            self.key(key).is_none() && self.meant(key) == Some(name)
        })
    }

    fn meant(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.form.keys.iter().map(|key| key.name))
    }

    fn refuse_unknown(&self, name: &str, at: usize) {
        if self.key(name).is_some() {
            return;
        }
        let title = &self.title;
        if let Some((_, mend)) = forms::LATER.iter().find(|(later, _)| *later == name) {
            self.page.refuse(
                at,
                format!("`{name}` in {title} is not supported yet"),
                *mend,
            );
            return;
        }
        let what = format!("`{}` is not a key of {title}", shown(name));
        self.page.refuse(at, what, self.mend_of_unknown(name));
    }

    fn mend_of_unknown(&self, name: &str) -> String {
        let home = forms::ALL
            .iter()
            .find(|form| form.keys.iter().any(|key| key.name == name));
        match (self.meant(name), home) {
            (Some(meant), _) => format!("write `{meant}`"),
            (None, Some(home)) => format!("move it to {}", home.title),
            (None, None) => {
                let known: Vec<_> = self.form.keys.iter().map(|key| key.name).collect();
                format!("remove it; the keys here are {}", known.join(", "))
            }
        }
    }
}
