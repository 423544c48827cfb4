//! The file's bytes as text.

use std::borrow::Cow;

use super::Unreadable;

/// UTF-8 with or without its mark, or UTF-16 with one (.NET writes both).
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return utf16(rest, u16::from_le_bytes).map(Cow::Owned);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest, u16::from_be_bytes).map(Cow::Owned);
    }
    let rest = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    std::str::from_utf8(rest)
        .map(Cow::Borrowed)
        .map_err(|error| Unreadable::NotText(error.valid_up_to()))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Unreadable> {
    let units = bytes.chunks(2).map(|pair| match pair {
        [first, second] => unit([*first, *second]),
        // Half a unit is no character.
        _ => 0xD800,
    });
    char::decode_utf16(units)
        .enumerate()
        .map(|(at, char)| char.map_err(|_| Unreadable::NotText(at * 2)))
        .collect()
}
