//! One line of a backup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{Ownership, Record};

/// The layout of the lines.
pub(super) const LAYOUT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Log(Head),
    Record(Kept),
    End(End),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) layout: u32,
    pub(super) written_by: String,
    /// By partition.
    pub(super) owners: Vec<Owned>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Owned {
    pub(super) epoch: u64,
    pub(super) consumed: Option<u64>,
}

/// A record. Its value stands as text where it is text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) stream: String,
    pub(super) partition: u32,
    pub(super) offset: u64,
    pub(super) key: String,
    pub(super) headers: Vec<(String, String)>,
    #[serde(flatten)]
    pub(super) value: Value,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Text(String),
    Base64(String),
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    /// All lines before this one.
    pub(super) lines: u64,
    /// Of all bytes before this line, hexadecimal.
    pub(super) sha256: String,
}

impl From<Option<Ownership>> for Owned {
    fn from(ownership: Option<Ownership>) -> Self {
        let Ownership { epoch, consumed } = ownership.unwrap_or_default();
        Self { epoch, consumed }
    }
}

impl From<Record> for Kept {
    fn from(record: Record) -> Self {
        let value = match String::from_utf8(record.value) {
            Ok(text) => Value::Text(text),
            Err(bytes) => Value::Base64(STANDARD.encode(bytes.as_bytes())),
        };
        Self {
            stream: record.stream.name().to_owned(),
            partition: record.partition,
            offset: record.offset,
            key: record.key,
            headers: record.headers,
            value,
        }
    }
}

impl Kept {
    /// The record, or what is wrong with it.
    pub(super) fn record(self) -> Result<Record, String> {
        let stream = super::STREAMS
            .into_iter()
            .find(|stream| stream.name() == self.stream)
            .ok_or_else(|| format!("has a record of `{}`, which no backup holds", self.stream))?;
        let value = match self.value {
            Value::Text(text) => text.into_bytes(),
            Value::Base64(text) => STANDARD
                .decode(text)
                .map_err(|error| format!("has a value that is no base64: {error}"))?,
        };
        Ok(Record {
            stream,
            partition: self.partition,
            offset: self.offset,
            key: self.key,
            headers: self.headers,
            value,
        })
    }
}

/// A line's bytes, with the newline. Strings and numbers always make JSON.
pub(super) fn bytes(line: &Line) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A SHA-256 as hexadecimal digits.
pub(super) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
