//! The hash chain: each event of a subject names the digest of the one before, over the bytes as
//! they are stored. A changed, dropped or reordered past event is found.

use sha2::Digest as _;

use crate::digest::Digest;
use crate::envelope::{Envelope, HeaderError};

/// One stored event as the chain sees it.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Headers, in the order they are stored.
    pub headers: &'a [(String, String)],
    /// The value as stored.
    pub value: &'a [u8],
}

/// Where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// The event does not follow the one before it.
    #[error("event {found} of `{subject}` stands where event {wanted} belongs")]
    Gap {
        /// Of which subject.
        subject: String,
        /// The number that belongs here.
        wanted: u64,
        /// The number that stands here.
        found: u64,
    },
    /// The event before it is not the one that was there when this one was written.
    #[error("event {n} of `{subject}` names another event before it than the one stored")]
    Changed {
        /// Of which subject.
        subject: String,
        /// The event whose `prev` does not fit.
        n: u64,
    },
    /// The headers are not those of an event.
    #[error("not an event: {0}")]
    NotAnEvent(#[from] HeaderError),
}

/// The digest that the next event of the subject must name.
#[must_use]
pub fn link(stored: Link<'_>) -> Digest {
    let mut hasher = sha2::Sha256::new();
    let mut put = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    for (name, value) in stored.headers {
        put(name.as_bytes());
        put(value.as_bytes());
    }
    put(stored.value);
    Digest::from_bytes(hasher.finalize().into())
}

/// Checks that `stored` follows the event whose number and digest are given (none: it is the
/// first), and returns its own number and digest.
///
/// # Errors
/// [`ChainBreak`] says what does not fit.
pub fn verify_link(
    before: Option<(u64, Digest)>,
    stored: Link<'_>,
) -> Result<(u64, Digest), ChainBreak> {
    let envelope = Envelope::from_headers(stored.headers)?;
    let subject = envelope.subject.to_string();
    let n = envelope.n.ok_or(HeaderError::Missing("ce_n"))?;
    let wanted = before.map_or(1, |(n, _)| n + 1);
    if n != wanted {
        return Err(ChainBreak::Gap {
            subject,
            wanted,
            found: n,
        });
    }
    if envelope.prev != before.map(|(_, digest)| digest) {
        return Err(ChainBreak::Changed { subject, n });
    }
    Ok((n, link(stored)))
}
