//! Unpacking `.tar.gz` artifacts. An archive is looked through whole before its first byte is
//! written, and nothing in it may reach out of its folder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use events::{FailedBecause, Failure};
use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::{disk, platform};

/// The most entries that an archive may have.
const ENTRIES_MAX: u64 = 200_000;
/// Names and other headers longer than this are refused.
const HEADER_BYTES_MAX: u64 = 64 * 1024;
/// What must stay free on the disk for everybody else.
pub(crate) const FREE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// What an archive may become.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes that come out of it.
    pub bytes: u64,
    /// Give up then.
    pub until: Instant,
}

impl Limits {
    /// How much larger than an artifact's greatest size the files in it may be together.
    pub const GROWTH: u64 = 20;
}

/// Unpacks an archive into a folder that does not exist yet.
///
/// # Errors
/// `bad_archive` when it is broken or unsafe, `disk_full`, `timed_out`.
pub fn unpack(archive: &Path, into: &Path, limits: Limits) -> Result<(), Failure> {
    let bytes = look_through(archive, limits)?;
    let parent = into.parent().unwrap_or(into);
    let free = platform::free_bytes(parent)
        .map_err(|error| disk::failure("look at", parent, &error, FailedBecause::ProgramFailed))?;
    if bytes.saturating_add(FREE_BYTES_MIN) > free {
        return Err(Failure::new(
            FailedBecause::DiskFull,
            &format!(
                "unpacking needs {bytes} bytes, {} has {free} free",
                parent.display()
            ),
        ));
    }
    write_out(archive, into, limits)
}

/// First pass: headers only. Gives the bytes that the files take.
fn look_through(path: &Path, limits: Limits) -> Result<u64, Failure> {
    let mut archive = open(path, limits)?;
    let entries = archive.entries().map_err(|error| broken(&error))?.raw(true);
    let mut bytes: u64 = 0;
    for (count, entry) in (1..).zip(entries) {
        let mut entry = entry.map_err(|error| broken(&error))?;
        in_time(limits)?;
        if count > ENTRIES_MAX {
            return Err(bad(&format!("more than {ENTRIES_MAX} entries")));
        }
        let size = entry
            .header()
            .entry_size()
            .map_err(|error| broken(&error))?;
        if is_header(entry.header().entry_type()) {
            if size > HEADER_BYTES_MAX {
                return Err(bad(&format!("a header of {size} bytes")));
            }
            let mut header = Vec::new();
            entry
                .read_to_end(&mut header)
                .map_err(|error| broken(&error))?;
            // Such a size would move the border between entries for some readers only.
            if entry.header().entry_type() != EntryType::GNULongName
                && header.windows(6).any(|at| at == b" size=")
            {
                return Err(bad("a size in an extended header"));
            }
        }
        // An entry takes at least a block of the disk.
        bytes = bytes.saturating_add(size.max(512));
        if bytes > limits.bytes {
            return Err(bad(&format!(
                "it unpacks to more than {} bytes",
                limits.bytes
            )));
        }
    }
    // To the very end, so that the last checksum is looked at too.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn is_header(kind: EntryType) -> bool {
    kind == EntryType::XHeader
        || kind == EntryType::XGlobalHeader
        || kind == EntryType::GNULongName
        || kind == EntryType::GNULongLink
}

/// Second pass.
fn write_out(path: &Path, into: &Path, limits: Limits) -> Result<(), Failure> {
    let io = |at: &Path, error: &io::Error| {
        // A broken stream shows here too: then it is the archive that is at fault.
        let is_broken = matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
        );
        let otherwise = if is_broken {
            FailedBecause::BadArchive
        } else {
            FailedBecause::ProgramFailed
        };
        disk::failure("unpack", at, error, otherwise)
    };
    std::fs::create_dir(into).map_err(|error| io(into, &error))?;
    let mut archive = open(path, limits)?;
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let mut entry = entry.map_err(|error| broken(&error))?;
        in_time(limits)?;
        let name = entry.path().map_err(|error| broken(&error))?.into_owned();
        let inside = below(&name)?;
        if inside.as_os_str().is_empty() {
            continue;
        }
        make_parents(into, &inside).map_err(|error| {
            if error.kind() == io::ErrorKind::NotADirectory {
                bad(&format!(
                    "{}: its folder is a link or a file",
                    name.display()
                ))
            } else {
                io(&into.join(&inside), &error)
            }
        })?;
        write_entry(&mut entry, into, &inside, &io)?;
    }
    Ok(())
}

fn write_entry<R: Read>(
    entry: &mut Entry<'_, R>,
    into: &Path,
    inside: &Path,
    io: &dyn Fn(&Path, &io::Error) -> Failure,
) -> Result<(), Failure> {
    let at = into.join(inside);
    let shown = inside.display();
    let mode = entry.header().mode().map_err(|error| broken(&error))?;
    let kind = entry.header().entry_type();
    if kind.is_file() || kind.is_contiguous() {
        if mode & 0o6000 != 0 {
            return Err(bad(&format!("{shown} is setuid or setgid")));
        }
        return write_file(entry, &at, mode).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                bad(&format!("{shown} is in it twice"))
            } else {
                io(&at, &error)
            }
        });
    }
    if kind.is_dir() {
        return match std::fs::create_dir(&at) {
            Err(_) if is_real_folder(&at) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(bad(&format!("{shown} is a folder and something else")))
            }
            other => other.map_err(|error| io(&at, &error)),
        };
    }
    if kind.is_symlink() {
        let text = link_text(entry)?;
        if !stays_inside(inside, &text) {
            return Err(bad(&format!("{shown} links out: {}", text.display())));
        }
        return platform::make_link(&text, &at).map_err(|error| io(&at, &error));
    }
    if kind.is_hard_link() {
        let text = link_text(entry)?;
        let target = into.join(below(&text)?);
        let is_file = has_real_parents(into, &text)
            && std::fs::symlink_metadata(&target).is_ok_and(|found| found.is_file());
        if !is_file {
            return Err(bad(&format!(
                "{shown} links to no file in it: {}",
                text.display()
            )));
        }
        return std::fs::hard_link(target, &at).map_err(|error| io(&at, &error));
    }
    if kind.is_pax_global_extensions() {
        return Ok(());
    }
    Err(bad(&format!(
        "{shown} is a device, a pipe or the like: {kind:?}"
    )))
}

fn write_file<R: Read>(entry: &mut Entry<'_, R>, at: &Path, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(at)?;
    let size = entry.size();
    let copied = io::copy(entry, &mut file)?;
    if copied != size {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    platform::set_mode(at, 0o600 | (mode & 0o755))
}

fn link_text<R: Read>(entry: &Entry<'_, R>) -> Result<PathBuf, Failure> {
    let text = entry.link_name().map_err(|error| broken(&error))?;
    let text = text.ok_or_else(|| bad("a link without a target"))?;
    Ok(text.into_owned())
}

/// The path below the archive's folder: plain names only.
fn below(name: &Path) -> Result<PathBuf, Failure> {
    let mut inside = PathBuf::new();
    if !platform::is_safe_path(name) {
        return Err(bad(&format!(
            "{} has a `\\`, which parts names here",
            name.display()
        )));
    }
    for part in name.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) if platform::is_safe_file_name(part) => inside.push(part),
            Component::Normal(part) => {
                return Err(bad(&format!(
                    "{}: `{}` cannot be a name here",
                    name.display(),
                    part.display()
                )));
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(bad(&format!("{} leads out of its folder", name.display())));
            }
        }
    }
    Ok(inside)
}

/// Whether a link's text stays in the tree: `..` only at its beginning (after a name it could
/// climb out of a folder that is itself a link), and no more often than the link lies deep.
fn stays_inside(link: &Path, text: &Path) -> bool {
    let depth = link.components().count().saturating_sub(1);
    let mut climbed = 0;
    let mut has_name = false;
    for part in text.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if has_name => return false,
            Component::ParentDir => climbed += 1,
            Component::Normal(part) => {
                has_name = true;
                if !platform::is_safe_file_name(part) {
                    return false;
                }
            }
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    climbed <= depth && !text.as_os_str().is_empty()
}

fn make_parents(into: &Path, inside: &Path) -> io::Result<()> {
    let mut at = into.to_path_buf();
    for part in inside.parent().unwrap_or(Path::new("")).components() {
        at.push(part);
        match std::fs::create_dir(&at) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_real_folder(&at) {
                    return Err(io::Error::from(io::ErrorKind::NotADirectory));
                }
            }
            other => other?,
        }
    }
    Ok(())
}

fn has_real_parents(into: &Path, inside: &Path) -> bool {
    let mut at = into.to_path_buf();
    inside
        .parent()
        .unwrap_or(Path::new(""))
        .components()
        .all(|part| {
            at.push(part);
            is_real_folder(&at)
        })
}

fn is_real_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// The archive's bytes, never more than allowed, however well they were pressed together.
fn open(path: &Path, limits: Limits) -> Result<Archive<impl Read>, Failure> {
    let file = File::open(path)
        .map_err(|error| disk::failure("open", path, &error, FailedBecause::BadArchive))?;
    let bytes = MultiGzDecoder::new(io::BufReader::new(file));
    // Headers and padding come on top of the files themselves.
    let most = limits.bytes.saturating_add(ENTRIES_MAX * 1536);
    Ok(Archive::new(bytes.take(most)))
}

fn in_time(limits: Limits) -> Result<(), Failure> {
    if Instant::now() < limits.until {
        return Ok(());
    }
    Err(Failure::new(
        FailedBecause::TimedOut,
        "unpacking did not end in its time",
    ))
}

fn broken(error: &io::Error) -> Failure {
    disk::failure(
        "read",
        Path::new("archive"),
        error,
        FailedBecause::BadArchive,
    )
}

fn bad(what: &str) -> Failure {
    Failure::new(
        FailedBecause::BadArchive,
        &format!("the archive is unsafe: {what}"),
    )
}
