//! Trouble of the disk as answers.

use std::io::{self, ErrorKind};
use std::path::Path;

use events::{FailedBecause, Failure};

/// Whether an error means that there is no room: disk, quota, or the size that files may have.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// `disk_full` for want of room, else `otherwise`, with what was done to which path.
pub(crate) fn failure(
    doing: &str,
    path: &Path,
    error: &io::Error,
    otherwise: FailedBecause,
) -> Failure {
    let reason = if is_full(error) {
        FailedBecause::DiskFull
    } else {
        otherwise
    };
    Failure::new(reason, &format!("{doing} {}: {error}", path.display()))
}
