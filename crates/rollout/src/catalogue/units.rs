//! Durations and sizes as people write them. A number without a unit is never taken: nobody
//! should have to guess whether 30 means seconds.

const DURATIONS: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// The longest duration that is taken: 365 days, in milliseconds. A wait beyond it is a slip of
/// the pen, and sums of such waits cannot overflow.
pub const LONGEST_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// The largest size that is taken: 1 TiB, in bytes.
pub const LARGEST_BYTES: u64 = 1 << 40;

/// A text that is not a duration or not a size. Its message says how to write one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a whole number and a unit of time.
    #[error("write a whole number and a unit (ms, s, m, h or d), such as \"90s\"")]
    Duration,
    /// Longer than [`LONGEST_MS`].
    #[error("write at most \"365d\"")]
    TooLong,
    /// Not a whole number and a unit of size.
    #[error("write a whole number and a unit (B, KiB, MiB or GiB), such as \"200 MiB\"")]
    Size,
    /// Larger than [`LARGEST_BYTES`].
    #[error("write at most \"1024 GiB\"")]
    TooLarge,
}

/// Reads a duration such as `500ms`, `30s`, `2m`, `4h` or `14d`, in milliseconds.
///
/// # Errors
/// Without a unit, with another unit, with a fraction, or beyond [`LONGEST_MS`].
pub fn duration_ms(text: &str) -> Result<u64, UnitError> {
    let (digits, unit) = parts(text);
    amount(
        digits,
        unit,
        &DURATIONS,
        LONGEST_MS,
        [UnitError::Duration, UnitError::TooLong],
    )
}

/// Writes a duration the way [`duration_ms`] reads it, in the largest unit that leaves no rest.
#[must_use]
pub fn duration_text(ms: u64) -> String {
    written(ms, "s", "", &DURATIONS)
}

/// Reads a size such as `200 MiB`, in bytes. The space may be left out.
///
/// # Errors
/// Without a unit, with a decimal unit such as `MB`, with a fraction, or beyond
/// [`LARGEST_BYTES`].
pub fn size_bytes(text: &str) -> Result<u64, UnitError> {
    let (digits, unit) = parts(text);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    amount(
        digits,
        unit,
        &SIZES,
        LARGEST_BYTES,
        [UnitError::Size, UnitError::TooLarge],
    )
}

/// Writes a size the way [`size_bytes`] reads it, in the largest unit that leaves no rest.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    written(bytes, "B", " ", &SIZES)
}

fn parts(text: &str) -> (&str, &str) {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn amount(
    digits: &str,
    unit: &str,
    units: &[(&str, u64)],
    most: u64,
    [malformed, beyond]: [UnitError; 2],
) -> Result<u64, UnitError> {
    let (_, factor) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or(malformed)?;
    if digits.is_empty() {
        return Err(malformed);
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor))
        .filter(|amount| *amount <= most)
        .ok_or(beyond)
}

fn written(amount: u64, zero: &str, space: &str, units: &[(&str, u64)]) -> String {
    let whole = units
        .iter()
        .find(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor));
    let (unit, factor) = whole.copied().unwrap_or((zero, 1));
    format!("{}{space}{unit}", amount / factor)
}
