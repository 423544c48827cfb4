//! What the version before this one said on the agents' wire: transcripts in `tests/former`.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The version whose words they are.
pub const VERSION: &str = "0.1";

/// Every transcript.
pub const PARTS: [&str; 8] = [
    "enrolment",
    "forward",
    "held",
    "not-installed",
    "not-fetched",
    "refused",
    "renewal-in-a-poll",
    "renewal-by-signature",
];

/// One request of an agent, and what its gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `GET`.
    pub method: String,
    /// `/agents/v1/commands`.
    pub path: String,
    /// Of the request, in their order; tokens are replaced by `token-1` and so on.
    pub headers: Vec<(String, String)>,
    /// Of the request; null when it had none.
    pub body: Value,
    /// Of the answer.
    pub status: u16,
    /// Of the answer; null when it had none.
    pub answer: Value,
}

/// The exchanges of one transcript.
///
/// # Errors
/// When it is not there, or not as it should be.
pub fn wire(part: &str) -> Result<Vec<Exchange>> {
    let path = folder().join("wire").join(format!("{part}.http"));
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let blocks: Vec<&str> = text.split("### ").skip(1).collect();
    let pairs = blocks.chunks_exact(2);
    let read = pairs.map(|pair| exchange(pair[0], pair[1]));
    read.collect::<Option<_>>()
        .with_context(|| format!("{} is no transcript", path.display()))
}

/// Everything that was recorded of that version.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("former")
        .join(VERSION)
}

/// Where `now` lacks something that a reader of `recorded` finds there, or has another kind of value
/// there. What `now` has beside it is passed over by such a reader.
#[must_use]
pub fn gap(recorded: &Value, now: &Value) -> Option<String> {
    match (recorded, now) {
        (Value::Object(recorded), Value::Object(now)) => {
            recorded.iter().find_map(|(key, value)| {
                let found = now
                    .get(key)
                    .map_or(Some(String::new()), |now| gap(value, now));
                found.map(|inside| format!(".{key}{inside}"))
            })
        }
        (Value::Array(recorded), Value::Array(now)) => recorded
            .first()
            .zip(now.first())
            .and_then(|(recorded, now)| gap(recorded, now))
            .map(|inside| format!("[0]{inside}")),
        (Value::Null, _)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => None,
        _ => Some(format!(" is {now}, and was {recorded}")),
    }
}

fn exchange(request: &str, answer: &str) -> Option<Exchange> {
    let (first, headers, body) = parts(request)?;
    let (method, path) = first.split_once(' ')?;
    let (status, _, answer) = parts(answer)?;
    Some(Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body,
        status: status.parse().ok()?,
        answer,
    })
}

type Parts<'a> = (&'a str, Vec<(String, String)>, Value);

fn parts(block: &str) -> Option<Parts<'_>> {
    let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
    let mut lines = head.lines();
    let first = lines.next()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = match body.trim() {
        "" => Value::Null,
        body => serde_json::from_str(body).ok()?,
    };
    Some((first, headers.collect(), body))
}
