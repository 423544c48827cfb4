//! One kept state as records: compressed, and in parts where it would be too large for one.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use bus::{Outgoing, Record};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The most that one record holds, in bytes: well below what the log takes.
const PART_BYTES_MAX: usize = 512 * 1024;

/// The digest of the whole, which all its parts bear: parts of two writings do not mix.
const WHOLE: &str = "poolshift-whole";
const PARTS: &str = "poolshift-parts";

/// Appends the records of a state to `to`. Parts of an older and larger one may stay behind them.
pub(super) fn pack(key: &str, json: &[u8], to: &mut Vec<Outgoing>) -> anyhow::Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(json)
        .and_then(|()| encoder.finish())
        .with_context(|| format!("cannot compress the state of {key}"))
        .map(|bytes| {
            let whole = events::sha256(&bytes).to_string();
            let parts = bytes.chunks(PART_BYTES_MAX);
            let count = parts.len().to_string();
            to.extend(parts.enumerate().map(|(index, part)| Outgoing {
                key: part_key(key, index),
                headers: vec![
                    ("content-type".to_owned(), "application/json".to_owned()),
                    ("content-encoding".to_owned(), "gzip".to_owned()),
                    (WHOLE.to_owned(), whole.clone()),
                    (PARTS.to_owned(), count.clone()),
                ],
                value: part.to_vec(),
            }));
        })
}

/// The state that was packed under `key`.
pub(super) fn unpacked(key: &str, records: &[Record]) -> Result<Vec<u8>, String> {
    let lost = || format!("the kept state of {key} is not whole");
    let first = find(&part_key(key, 0), records).ok_or_else(lost)?;
    let whole = header(first, WHOLE).ok_or_else(lost)?;
    let count: usize = header(first, PARTS)
        .and_then(|count| count.parse().ok())
        .ok_or_else(lost)?;
    let mut bytes = Vec::new();
    for index in 0..count {
        let part = find(&part_key(key, index), records).ok_or_else(lost)?;
        bytes.extend_from_slice(&part.value);
    }
    if events::sha256(&bytes).to_string() != whole {
        return Err(lost());
    }
    let mut json = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut json)
        .map_err(|error| format!("the kept state of {key} cannot be unpacked: {error}"))?;
    Ok(json)
}

fn part_key(key: &str, index: usize) -> String {
    format!("{key}#{index}")
}

fn find<'a>(key: &str, records: &'a [Record]) -> Option<&'a Record> {
    records.iter().find(|record| record.key == key)
}

fn header<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    let mut headers = record.headers.iter();
    headers
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}
