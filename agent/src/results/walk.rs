//! One pass over the XML: no tree, no entities, bounded depth.

use events::cut;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::tally::Tally;
use super::{Format, RESULTS_CASES_MAX, Unreadable, junit, nunit, trx, xunit};

const DEPTH_MAX: usize = 100;

/// Each is compared with all before it.
const ATTRIBUTES_MAX: usize = 256;

/// An element that begins.
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A total that the file claims; 0 when it claims none.
    ///
    /// # Errors
    /// It is no plain number: nobody knows what it would say of failures.
    pub(super) fn count(&self, name: &str) -> Result<u32, Unreadable> {
        let Some(value) = self.get(name) else {
            return Ok(0);
        };
        let value = value.trim();
        value.parse().map_err(|_| Unreadable::NoNumber {
            name: format!("{} of {}", name, self.name),
            value: cut(value, 64),
        })
    }

    /// Whether one of these totals is above 0; all of them are read.
    pub(super) fn any(&self, names: &[&str]) -> Result<bool, Unreadable> {
        let mut any = false;
        for name in names {
            any |= self.count(name)? > 0;
        }
        Ok(any)
    }

    pub(super) fn label(&self) -> String {
        self.get("fullname")
            .or_else(|| self.get("name"))
            .unwrap_or("(no name)")
            .to_owned()
    }
}

/// Reads the whole file.
pub(super) fn walk(text: &str) -> Result<Tally, Unreadable> {
    let mut reader = Reader::from_str(text);
    let mut tally: Option<Tally> = None;
    let mut path: Vec<String> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| Unreadable::Malformed {
            at: reader.error_position(),
            why: error.to_string(),
        })?;
        let at = reader.buffer_position();
        match event {
            Event::Start(start) => open(&mut tally, &mut path, &start, at)?,
            Event::Empty(start) => {
                open(&mut tally, &mut path, &start, at)?;
                close(tally.as_mut(), &mut path);
            }
            Event::End(_) => close(tally.as_mut(), &mut path),
            Event::Text(text) => say(tally.as_mut(), &path, &text.xml10_content(), at)?,
            Event::CData(text) => say(tally.as_mut(), &path, &text.xml10_content(), at)?,
            Event::GeneralRef(name) => {
                // Only a character's number stands for a text; names are never looked up.
                let char = name.resolve_char_ref().ok().flatten();
                let text = char.map_or_else(|| format!("&{};", &*name), String::from);
                say(tally.as_mut(), &path, &text, at)?;
            }
            Event::DocType(_) => return Err(Unreadable::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
        if tally
            .as_ref()
            .is_some_and(|tally| tally.total() > RESULTS_CASES_MAX)
        {
            return Err(Unreadable::TooMany);
        }
    }
    let malformed = |why: String| Unreadable::Malformed {
        at: reader.buffer_position(),
        why,
    };
    if let Some(name) = path.last() {
        return Err(malformed(format!("the file ends inside `{name}`")));
    }
    tally.ok_or_else(|| malformed("there is no element in it".to_owned()))
}

fn open(
    tally: &mut Option<Tally>,
    path: &mut Vec<String>,
    start: &BytesStart<'_>,
    at: u64,
) -> Result<(), Unreadable> {
    let element = element(start, at)?;
    if path.len() >= DEPTH_MAX {
        return Err(Unreadable::TooDeep(DEPTH_MAX, at));
    }
    if path.is_empty() && tally.is_some() {
        return Err(Unreadable::Malformed {
            at,
            why: format!("a second root element `{}`", element.name),
        });
    }
    path.push(element.name.clone());
    let tally = match tally {
        Some(tally) => tally,
        None => tally.insert(Tally::new(format_of(&element.name)?)),
    };
    match tally.format() {
        Format::JUnit => junit::open(tally, &element)?,
        Format::NUnit2 => nunit::open_2(tally, &element)?,
        Format::NUnit3 => nunit::open_3(tally, &element)?,
        Format::Trx => trx::open(tally, &element)?,
        Format::XUnit => xunit::open(tally, &element)?,
    }
    Ok(())
}

fn close(tally: Option<&mut Tally>, path: &mut Vec<String>) {
    if let (Some(tally), Some(name)) = (tally, path.pop()) {
        match tally.format() {
            Format::JUnit => junit::close(tally, &name),
            Format::NUnit2 | Format::NUnit3 => nunit::close(tally, &name),
            Format::Trx => trx::close(tally, &name),
            Format::XUnit => xunit::close(tally, &name),
        }
    }
}

fn say(tally: Option<&mut Tally>, path: &[String], text: &str, at: u64) -> Result<(), Unreadable> {
    if path.is_empty() && !text.trim().is_empty() {
        return Err(Unreadable::Malformed {
            at,
            why: format!("text outside the root element: {:?}", cut(text.trim(), 64)),
        });
    }
    if let Some(tally) = tally {
        tally.say(text);
    }
    Ok(())
}

fn format_of(root: &str) -> Result<Format, Unreadable> {
    match root {
        "testsuites" | "testsuite" => Ok(Format::JUnit),
        "test-results" => Ok(Format::NUnit2),
        "test-run" => Ok(Format::NUnit3),
        "TestRun" => Ok(Format::Trx),
        "assemblies" | "assembly" => Ok(Format::XUnit),
        other => Err(Unreadable::UnknownRoot(other.chars().take(64).collect())),
    }
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        if attributes.len() == ATTRIBUTES_MAX {
            return Err(Unreadable::TooBroad(ATTRIBUTES_MAX, at));
        }
        let attribute = attribute.map_err(|error| Unreadable::Malformed {
            at,
            why: error.to_string(),
        })?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.to_string(), |value| value.into_owned());
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value));
    }
    Ok(Element {
        name: start.local_name().as_ref().to_owned(),
        attributes,
    })
}
