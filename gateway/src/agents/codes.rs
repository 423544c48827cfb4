//! One-time codes: in memory, as digests. After a restart a new one is asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use events::{Digest, EnrolmentCode, MachineName, Timestamp, sha256};
use subtle::ConstantTimeEq as _;

use crate::problem::Problem;

/// How long a code is good, in milliseconds.
const LIFE_MS: u64 = 15 * 60 * 1000;

/// The codes that are out.
#[derive(Default)]
pub(crate) struct Codes {
    out: Mutex<BTreeMap<MachineName, Out>>,
}

/// A code that was taken for use; it can be given back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    code: Digest,
    until: Timestamp,
}

impl Codes {
    /// A new code, which takes the place of an earlier one.
    pub(crate) fn make(
        &self,
        machine: &MachineName,
        now: Timestamp,
    ) -> Result<EnrolmentCode, Problem> {
        let mut bytes = [0; 16];
        random(&mut bytes).map_err(|error| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-random",
                "no random numbers",
                error.to_string(),
            )
        })?;
        let mut code = String::new();
        for byte in bytes {
            // Writing into a string cannot fail.
            write!(code, "{byte:02x}").unwrap_or_default();
        }
        let until = now.plus_ms(LIFE_MS);
        let mut out = self.lock();
        out.retain(|_, code| code.until > now);
        out.insert(
            machine.clone(),
            Out {
                code: sha256(code.as_bytes()),
                until,
            },
        );
        Ok(EnrolmentCode {
            machine: machine.clone(),
            code,
            expires_at: until,
        })
    }

    /// Uses a code up, if it is the one of this machine.
    pub(crate) fn take(&self, machine: &MachineName, code: &str, now: Timestamp) -> Option<Out> {
        let given = sha256(code.as_bytes());
        let mut out = self.lock();
        let known = out.get(machine)?;
        let same: bool = known.code.as_bytes().ct_eq(given.as_bytes()).into();
        if same && known.until > now {
            out.remove(machine)
        } else {
            None
        }
    }

    /// Gives a code back whose use came to nothing, unless there is a new one.
    pub(crate) fn give_back(&self, machine: &MachineName, code: Out) {
        self.lock().entry(machine.clone()).or_insert(code);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MachineName, Out>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills with random bytes of the system.
pub(crate) fn random(bytes: &mut [u8]) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(bytes)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))
}
