//! All that differs between operating systems, by name. Nothing outside this module may assume
//! one.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(any(windows, test))]
mod names;
#[cfg(any(windows, test))]
mod swap;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    Born, Group, KEPT_ENVIRONMENT, Verb, become_program, born, end_group, free_bytes, is_alive,
    is_safe_path, keep_apart, lead_own_group, make_link, own, private_file, set_mode, sync_folder,
    sync_tree,
};
pub(crate) use system::{
    current_release, folder_of, is_safe_file_name, label_release, mend_switch, release_folder,
    switch, version_of,
};

/// Takes the lock on this file for as long as the file stays open; none when another process has
/// it.
///
/// # Errors
/// What the file system says.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
