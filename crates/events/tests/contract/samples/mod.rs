//! One sample, and more where a type has several forms, of everything that the contract writes.

mod answers;
mod asks;
mod base;
mod commands;
mod decisions;
mod envelopes;
mod fleet;
mod gates;
mod requests;
mod verdicts;
mod watches;
mod wire;

use std::path::PathBuf;

use poolshift_events::{Answer, Ask, Decision, Unreadable};

pub(crate) use envelopes::event_envelope;

/// Something that is written, the golden file that holds its bytes, and how it is read.
pub(crate) struct Sample {
    /// The golden file's name without `.json`: the wire name, `.v` and the version, and a word
    /// for each form after the first.
    pub(crate) name: String,
    /// As this build writes it.
    pub(crate) bytes: Vec<u8>,
    read: Box<Reader>,
}

type Reader = dyn Fn(&[u8]) -> Result<Read, Unreadable>;

/// What became of bytes that were read.
#[derive(Debug)]
pub(crate) struct Read {
    /// Whether they mean what the sample means.
    pub(crate) same: bool,
    /// The same value written again.
    pub(crate) bytes: Vec<u8>,
}

impl Sample {
    fn new<T, W, R>(name: String, value: T, write: W, read: R) -> Self
    where
        T: PartialEq + 'static,
        W: Fn(&T) -> Vec<u8> + 'static,
        R: Fn(&[u8]) -> Result<T, Unreadable> + 'static,
    {
        Self {
            name,
            bytes: write(&value),
            read: Box::new(move |bytes| {
                let found = read(bytes)?;
                Ok(Read {
                    same: found == value,
                    bytes: write(&found),
                })
            }),
        }
    }

    /// Reads bytes as this sample's type.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Read, Unreadable> {
        (self.read)(bytes)
    }

    /// Where its golden bytes lie.
    pub(crate) fn path(&self) -> PathBuf {
        golden_dir().join(format!("{}.json", self.name))
    }

    /// Its golden bytes as a JSON value.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

/// The folder of golden files.
pub(crate) fn golden_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// All samples.
pub(crate) fn all() -> Vec<Sample> {
    let answers = answers::all()
        .into_iter()
        .chain(verdicts::all())
        .chain(watches::all())
        .chain(fleet::answers());
    let decisions = decisions::all()
        .into_iter()
        .chain(requests::all())
        .chain(fleet::decisions());
    let asks = asks::all().into_iter().chain(fleet::asks());
    let mut samples = Vec::new();
    samples.extend(numbered(answers, Answer::kind).map(answer));
    samples.extend(numbered(decisions, Decision::kind).map(decision));
    samples.extend(numbered(asks, Ask::kind).map(ask));
    samples.extend(commands::samples());
    samples.extend(envelopes::samples());
    samples.extend(wire::samples());
    samples
}

/// The sample of this name.
pub(crate) fn one(name: &str) -> Sample {
    all()
        .into_iter()
        .find(|sample| sample.name == name)
        .unwrap_or_else(|| panic!("no sample is called {name}"))
}

/// Each value with its form: none for the first of a kind, then `form-2`, `form-3`.
fn numbered<T>(
    values: impl IntoIterator<Item = T>,
    kind: fn(&T) -> &'static str,
) -> impl Iterator<Item = (String, T)> {
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    values.into_iter().map(move |value| {
        let form = seen.entry(kind(&value)).or_default();
        *form += 1;
        let form = if *form == 1 {
            String::new()
        } else {
            format!(".form-{form}")
        };
        (form, value)
    })
}

fn answer((form, value): (String, Answer)) -> Sample {
    let (kind, version) = (value.kind(), value.version());
    let name = format!("{kind}.v{version}{form}");
    Sample::new(name, value, Answer::to_bytes, move |bytes| {
        Answer::from_bytes(kind, version, bytes)
    })
}

fn decision((form, value): (String, Decision)) -> Sample {
    let (kind, version) = (value.kind(), value.version());
    let name = format!("{kind}.v{version}{form}");
    Sample::new(name, value, Decision::to_bytes, move |bytes| {
        Decision::from_bytes(kind, version, bytes)
    })
}

fn ask((form, value): (String, Ask)) -> Sample {
    let (kind, version) = (value.kind(), value.version());
    let name = format!("{kind}.v{version}{form}");
    Sample::new(name, value, Ask::to_bytes, move |bytes| {
        Ask::from_bytes(kind, version, bytes)
    })
}
