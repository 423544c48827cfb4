//! Linux and its kin.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal};
use tokio::time::Instant;

/// Which process this is, so that a later one with the same number is not taken for it: the boot,
/// and the start in clock ticks since then.
pub type Born = String;

/// Variables of the agent's own environment that every program gets; all others are kept from it.
pub const KEPT_ENVIRONMENT: &[&str] = &["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// What only this system's command line has: nothing.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {}

impl Verb {
    /// Does it.
    ///
    /// # Errors
    /// Never: there is none.
    pub const fn obey(self) -> anyhow::Result<()> {
        match self {}
    }
}

/// A process with all that it starts: here its number says it all.
#[derive(Debug)]
pub struct Group;

/// Makes this process the leader of its own session, so that no signal meant for the agent
/// reaches it.
///
/// # Errors
/// When it leads a group already.
pub fn lead_own_group() -> io::Result<Group> {
    rustix::process::setsid()?;
    Ok(Group)
}

/// Keeps a launcher from what is meant for the agent alone: here it sees to that itself, by
/// [`lead_own_group`].
pub const fn keep_apart(_launcher: &mut tokio::process::Command) {}

/// Turns this process into the program; returns only when it cannot.
#[must_use]
pub fn become_program(program: &str, arguments: &[String], _group: &Group) -> io::Error {
    std::process::Command::new(program).args(arguments).exec()
}

/// When the process was born; none when there is no such process, or only its remains.
#[must_use]
pub fn born(pid: u32) -> Option<Born> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, blanks and `)` too.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let state = *fields.first()?;
    let start = *fields.get(19)?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{}:{start}", boot.trim()))
}

/// This process's number and birth.
#[must_use]
pub fn own() -> Option<(u32, Born)> {
    let pid = std::process::id();
    Some((pid, born(pid)?))
}

/// Whether that very process still runs.
#[must_use]
pub fn is_alive(pid: u32, birth: &Born) -> bool {
    born(pid).as_ref() == Some(birth)
}

/// Ends the process and all of its group. Harmless when it is gone, or when its number has gone
/// to another.
pub fn end_group(pid: u32, birth: &Born) {
    if let (true, Some(pid)) = (is_alive(pid, birth), pid_of(pid)) {
        let group = rustix::process::kill_process_group(pid, Signal::KILL);
        if group.is_err() {
            // It does not lead a group yet: it was born a moment ago.
            let _gone = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

/// The system's form of a process number.
#[must_use]
fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// The release that `current` points at; none when there is no such link.
#[must_use]
pub(crate) fn current_release(into: &Path) -> Option<String> {
    let folder = std::fs::read_link(into.join("current")).ok()?;
    Some(folder.file_name()?.to_str()?.to_owned())
}

/// Where a release lies.
#[must_use]
pub(crate) fn release_folder(into: &Path, version: &str) -> PathBuf {
    into.join("releases").join(folder_of(version))
}

/// The name of a version's folder: the version.
#[must_use]
pub(crate) fn folder_of(version: &str) -> String {
    version.to_owned()
}

/// The version that a folder is named after.
#[must_use]
pub(crate) fn version_of(folder: &str) -> String {
    folder.to_owned()
}

/// Writes into a draft which release it will be: here its place says so.
///
/// # Errors
/// Never.
pub(crate) const fn label_release(_draft: &Path, _version: &str) -> io::Result<()> {
    Ok(())
}

/// Points `current` at a release, in one step: whoever follows it sees the old folder or the new
/// one. Nothing has to be waited for.
///
/// # Errors
/// What the file system says.
pub(crate) fn switch(
    into: &Path,
    version: &str,
    _until: Instant,
) -> impl Future<Output = io::Result<()>> {
    let to = Path::new("releases").join(folder_of(version));
    std::future::ready(link_folder(into, &to))
}

/// Ends what a crash left of a switch: one step leaves nothing.
///
/// # Errors
/// Never.
pub(crate) fn mend_switch(_into: &Path, _until: Instant) -> impl Future<Output = io::Result<()>> {
    std::future::ready(Ok(()))
}

fn link_folder(folder: &Path, to: &Path) -> io::Result<()> {
    let fresh = folder.join(".current.new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    make_link(to, &fresh)?;
    std::fs::rename(&fresh, folder.join("current"))?;
    sync_folder(folder)
}

/// A symbolic link at `at` with this text.
///
/// # Errors
/// What the file system says.
pub fn make_link(text: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(text, at)
}

/// Bytes that this agent may still write where `path` lies.
///
/// # Errors
/// What the file system says.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Names made or renamed in this folder are on the disk when this returns.
///
/// # Errors
/// What the file system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// All files in this folder are on the disk when this returns. One call for the whole file system:
/// thousands of files would need a flush each.
///
/// # Errors
/// What the file system says.
pub fn sync_tree(folder: &Path) -> io::Result<()> {
    rustix::fs::syncfs(File::open(folder)?)?;
    Ok(())
}

/// Sets the permission bits of a file or folder.
///
/// # Errors
/// What the file system says.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Opens a new file that nobody but the agent's own user may read.
///
/// # Errors
/// What the file system says.
pub fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Whether a name out of an archive means one file here and nothing else.
#[must_use]
pub(crate) fn is_safe_file_name(name: &OsStr) -> bool {
    !name.is_empty()
}

/// Whether a path out of an archive is parted here as the archive meant it.
#[must_use]
pub const fn is_safe_path(_path: &Path) -> bool {
    true
}
