//! Counting tests by what their runner says.

use std::fmt;
use std::ops::Add;

/// Tests that passed, and tests that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    /// One failure: of a program that failed before it could count.
    pub(crate) const FAILURE: Self = Self {
        passed: 0,
        failed: 1,
    };

    /// Reads `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let number = |what: &str| {
            let mut counts = counts.split("; ");
            counts.find_map(|count| count.strip_suffix(what)?.trim().parse().ok())
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
        })
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn the_runners_own_words_are_counted() {
        let line = "test result: FAILED. 25 passed; 3 failed; 0 ignored; 0 measured; 0 filtered \
                    out; finished in 9.02s";
        let count = Count {
            passed: 25,
            failed: 3,
        };
        assert_eq!(Count::read(line), Some(count));
        assert_eq!(count.to_string(), "25 passed, 3 failed");
        assert_eq!(Count::read("test a ... ok"), None);
        assert_eq!(Count::read("test result: ok."), None);
    }
}
