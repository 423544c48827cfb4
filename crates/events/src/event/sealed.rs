//! A value together with the bytes that a digest was taken of.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, sha256};
use crate::payload::{Unreadable, why_not};

/// A value and the exact bytes it was written as, which a digest may be taken of.
#[derive(Debug, Clone)]
pub struct Sealed<T> {
    raw: Box<serde_json::value::RawValue>,
    value: T,
}

impl<T: Serialize> Sealed<T> {
    /// Seals a value.
    ///
    /// # Errors
    /// [`Unreadable`] when it cannot be written as JSON.
    pub fn new(value: T) -> Result<Self, Unreadable> {
        let raw =
            serde_json::value::to_raw_value(&value).map_err(|error| Unreadable::Malformed {
                kind: "sealed".to_owned(),
                why: error.to_string(),
            })?;
        Ok(Self { raw, value })
    }
}

impl<T> Sealed<T> {
    /// The value.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// How many bytes it is written as.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.raw.get().len()
    }

    /// Digest of the bytes as written.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(self.raw.get().as_bytes())
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(|error| {
            let why = why_not::<T>(raw.get().as_bytes()).unwrap_or_else(|| error.to_string());
            serde::de::Error::custom(why)
        })?;
        Ok(Self { raw, value })
    }
}
