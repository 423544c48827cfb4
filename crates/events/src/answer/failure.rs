//! Why a piece of work failed.

use serde::{Deserialize, Serialize};

use crate::open::open_enum;

open_enum! {
    /// Why a piece of work failed.
    FailedBecause {
        /// The worker was killed in the middle; says nothing about the version.
        Interrupted = "interrupted",
        /// It did not end in its time.
        TimedOut = "timed_out",
        /// The bytes are not those that were asked for.
        WrongDigest = "wrong_digest",
        /// Larger than allowed.
        TooLarge = "too_large",
        /// Not enough room on the disk.
        DiskFull = "disk_full",
        /// The other side could not be reached, or answered with an error.
        Unreachable = "unreachable",
        /// The archive is broken or unsafe.
        BadArchive = "bad_archive",
        /// A program ended with an error.
        ProgramFailed = "program_failed",
        /// Another version runs than was installed.
        WrongVersion = "wrong_version",
        /// Another server answered than was asked.
        WrongServer = "wrong_server",
        /// Results are missing, unreadable, empty or fewer than `at_least`.
        NoResults = "no_results",
        /// At least one test failed.
        CasesFailed = "cases_failed",
        /// Requests still ran at the deadline.
        StillBusy = "still_busy",
        /// HAProxy refused, or did not do what was asked.
        NotObeyed = "not_obeyed",
        /// The state file could not be written.
        StateNotSaved = "state_not_saved",
        /// Customers get more errors than before, and more than is borne.
        TooManyErrors = "too_many_errors",
        /// It is not UP any more.
        NotUp = "not_up",
        /// Too few requests came, or too few probes ended, to show anything.
        TooFewRequests = "too_few_requests",
        /// It takes longer to answer than before, and longer than is borne.
        TooSlow = "too_slow",
    }
}

/// Why and how a piece of work failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Why.
    pub reason: FailedBecause,
    /// What a person needs to know, at most 1 KiB.
    pub detail: String,
}

impl Failure {
    /// The longest `detail`, in bytes.
    pub const DETAIL_BYTES_MAX: usize = 1024;

    /// With the detail cut to its longest.
    #[must_use]
    pub fn new(reason: FailedBecause, detail: &str) -> Self {
        Self {
            reason,
            detail: cut(detail, Self::DETAIL_BYTES_MAX),
        }
    }
}

/// The beginning of a text, at most `bytes_max` bytes, cut between characters.
#[must_use]
pub fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
