//! Files. Paths longer than 260 characters need nothing: they are absolute, and the standard
//! library then asks in the form that has no limit.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The codes of "access is denied", "in use by another process" and "another process has locked a
/// portion": an open file below a folder that is moved gives the first.
const MAY_PASS: [i32; 3] = [5, 32, 33];
/// What only a file in use gives.
const IN_USE: [i32; 2] = [32, 33];
/// A folder is opened with this flag or not at all (`FILE_FLAG_BACKUP_SEMANTICS`).
const FOLDER: u32 = 0x0200_0000;

/// Whether an error may go by itself, when another program lets go.
pub(in crate::platform) fn may_pass(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| MAY_PASS.contains(&code))
}

/// A file in this folder, however deep, that another program has open or runs; the first that is
/// found. Files that may not be looked at are passed over.
pub(in crate::platform) fn file_in_use(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let kind = entry.file_type().ok()?;
        let path = entry.path();
        if kind.is_dir() {
            file_in_use(&path)
        } else {
            is_in_use(&path).then_some(path)
        }
    })
}

/// Nobody else may have the file open while it is opened for writing: nor can a program that runs
/// from it.
fn is_in_use(path: &Path) -> bool {
    let open = |write: bool| {
        let opened = OpenOptions::new()
            .read(true)
            .write(write)
            .share_mode(0)
            .open(path);
        opened.err().and_then(|error| error.raw_os_error())
    };
    let refused = match open(true) {
        // It may be read-only.
        Some(5) => open(false),
        other => other,
    };
    refused.is_some_and(|code| IN_USE.contains(&code))
}

/// Links are not made: a service's account may not, and not every tool knows them.
///
/// # Errors
/// Always.
pub fn make_link(text: &Path, at: &Path) -> io::Result<()> {
    Err(io::Error::new(
        ErrorKind::InvalidInput,
        format!(
            "{} is a link to {}, and links are not made on Windows; pack what it leads to",
            at.display(),
            text.display()
        ),
    ))
}

/// Bytes that this agent may still write where `path` lies.
///
/// # Errors
/// What the file system says.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let mut free = 0;
    let text = path
        .to_str()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "a path that is no text"))?;
    winsafe::GetDiskFreeSpaceEx(Some(text), Some(&mut free), None, None)
        .map_err(super::process::system)?;
    Ok(free)
}

/// Names made or renamed in this folder are on the disk when this returns, where the file system
/// lets that be asked for; else it keeps them in order by its own journal.
///
/// # Errors
/// What the file system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags(FOLDER)
        .open(folder);
    match opened.and_then(|folder| folder.sync_all()) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// All files in this folder are on the disk when this returns.
///
/// # Errors
/// What the file system says.
pub fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            OpenOptions::new()
                .write(true)
                .open(entry.path())?
                .sync_all()?;
        }
    }
    sync_folder(folder)
}

/// Permission bits mean nothing here: who may read is inherited from the folder above.
///
/// # Errors
/// Never.
pub const fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Opens a new file. Who may read it is inherited from its folder, which the installation gives to
/// the agent alone.
///
/// # Errors
/// What the file system says.
pub fn private_file(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Whether a path out of an archive is parted here as the archive meant it: with `/` alone.
#[must_use]
pub fn is_safe_path(path: &Path) -> bool {
    !path.as_os_str().as_encoded_bytes().contains(&b'\\')
}
