//! What programs printed, as an answer may have it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use events::{Output, sha256};

use crate::mask::Masks;
use crate::program::OUTPUT_BYTES_MAX;

/// The longest tail of an output, in bytes.
pub(crate) const TAIL_BYTES_MAX: usize = 2048;

/// Reads a program's output: masked first, then hashed and cut, so that no secret is left half.
pub(crate) fn collect(path: &Path, masks: &Masks) -> Output {
    let bytes = read_end(path).unwrap_or_default();
    if bytes.is_empty() {
        return Output::default();
    }
    let (text, masked) = masks.mask(&String::from_utf8_lossy(&bytes));
    let tail = tail(&text);
    Output {
        sha256: Some(sha256(text.as_bytes())),
        bytes: text.len() as u64,
        truncated: tail.len() < text.len(),
        tail: tail.to_owned(),
        masked,
    }
}

fn read_end(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(OUTPUT_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TAIL_BYTES_MAX);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}
