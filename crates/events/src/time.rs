//! Points in time, as the contract writes them: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::shown;

/// Milliseconds since 1970-01-01T00:00:00Z. Arithmetic saturates: a deadline far in the future is
/// far in the future, never a wrapped one in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid time: write it like 2026-11-24T20:30:00.000Z")]
pub struct ParseTimeError {
    text: String,
}

impl Timestamp {
    /// The beginning: before anything was recorded.
    pub const ZERO: Self = Self(0);

    /// The latest time that can be written (year 9999): a wait that only an event ends.
    pub const FAR: Self = Self(253_402_207_200_000);

    /// From milliseconds since the epoch, held within what RFC 3339 can write.
    #[must_use]
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, Self::FAR.0))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This time and `ms` milliseconds more.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self::from_ms(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this time; 0 when `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => f.write_str("9999-12-30T22:00:00.000Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self::from_ms(time.as_millisecond()))
            .map_err(|_| ParseTimeError { text: shown(text) })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds_and_reads_back() {
        let time = Timestamp::from_ms(1_795_552_200_007);
        assert_eq!(time.to_string(), "2026-11-24T20:30:00.007Z");
        assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Timestamp::FAR.plus_ms(u64::MAX), Timestamp::FAR);
        assert_eq!(Timestamp::from_ms(5).ms_since(Timestamp::from_ms(9)), 0);
        assert_eq!(
            Timestamp::FAR.to_string().parse::<Timestamp>(),
            Ok(Timestamp::FAR)
        );
    }
}
