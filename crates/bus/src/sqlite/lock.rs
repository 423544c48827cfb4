use std::fs::{self, File as OsFile, TryLockError};
use std::io::Write;

use super::file::File;
use crate::Error;

/// Takes the lock beside the log. The operating system drops it with the file handle, so a killed
/// process leaves none.
pub(super) fn take(file: &File) -> Result<OsFile, Error> {
    let path = file.lock_path();
    let mut lock = OsFile::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| file.storage(&format!("its lock {}: {error}", path.display())))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            return Err(Error::InUse {
                path: file.path().to_owned(),
                holder: if holder.is_empty() {
                    "unknown".to_owned()
                } else {
                    holder
                },
            });
        }
        Err(TryLockError::Error(error)) => return Err(file.storage(&error)),
    }
    // Only for the message that the next one gets: a full disk must not keep us from starting.
    if let Err(error) = lock
        .set_len(0)
        .and_then(|()| write!(lock, "{}", std::process::id()))
    {
        tracing::warn!(lock = %path.display(), %error, "cannot write the process id into the lock");
    }
    Ok(lock)
}
