//! A service's folder on the machine: `releases/VERSION`, each with a marker of the artifact it was
//! made from, `current`, which points at one of them or is one of them, and `.fetch/` with
//! artifacts by their digest.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use events::{Digest, FailedBecause, Failure, Release, Version};
use tokio::time::Instant;

use crate::{disk, platform};

const MARKER: &str = ".poolshift-sha256";

/// The folder of one service on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    into: PathBuf,
}

impl Home {
    /// The folder at an absolute path; made if it is not there.
    pub(crate) fn open(into: &str) -> Result<Self, Failure> {
        let into = PathBuf::from(into);
        if !into.is_absolute() {
            return Err(Failure::new(
                FailedBecause::ProgramFailed,
                &format!("`into` is `{}`; write an absolute path", into.display()),
            ));
        }
        let home = Self { into };
        for folder in [home.releases(), home.fetched_folder()] {
            std::fs::create_dir_all(&folder).map_err(|error| {
                disk::failure("create", &folder, &error, FailedBecause::ProgramFailed)
            })?;
        }
        Ok(home)
    }

    /// Where the packages of tests of these releases are kept, in the same way.
    pub(crate) fn tests(&self) -> Result<Self, Failure> {
        let folder = self.tests_folder();
        Self::open(&folder.to_string_lossy())
    }

    fn tests_folder(&self) -> PathBuf {
        self.into.join(".tests")
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.into
    }

    /// Where artifacts are kept.
    pub(crate) fn fetched_folder(&self) -> PathBuf {
        self.into.join(".fetch")
    }

    /// Where the artifact of this digest is kept.
    pub(crate) fn fetched(&self, sha256: &Digest) -> PathBuf {
        self.fetched_folder().join(hex(sha256))
    }

    /// The folder of a release.
    pub(crate) fn release(&self, version: &Version) -> PathBuf {
        platform::release_folder(&self.into, version.as_str())
    }

    /// Where a release is unpacked before it gets its name.
    pub(crate) fn draft(&self, version: &Version) -> PathBuf {
        let folder = platform::folder_of(version.as_str());
        self.releases().join(format!(".{folder}.tmp"))
    }

    /// The release that `current` is.
    pub(crate) fn current(&self) -> Option<Version> {
        platform::current_release(&self.into)?.parse().ok()
    }

    /// The path of `current`.
    pub(crate) fn current_path(&self) -> PathBuf {
        self.into.join("current")
    }

    /// The digest that a release was made from; none when it is not there, or not whole.
    pub(crate) fn digest_of(&self, version: &Version) -> Option<Digest> {
        let marker = self.release(version).join(MARKER);
        std::fs::read_to_string(marker).ok()?.trim().parse().ok()
    }

    /// Gives an unpacked draft its marker and its name.
    pub(crate) fn adopt_draft(&self, version: &Version, sha256: &Digest) -> Result<(), Failure> {
        let draft = self.draft(version);
        let release = self.release(version);
        let make = || -> io::Result<()> {
            platform::label_release(&draft, version.as_str())?;
            platform::sync_tree(&draft)?;
            let marker = draft.join(MARKER);
            let mut file = std::fs::File::create(&marker)?;
            file.write_all(format!("{sha256}\n").as_bytes())?;
            file.sync_all()?;
            drop(file);
            platform::sync_folder(&draft)?;
            remove_all(&release)?;
            std::fs::rename(&draft, &release)?;
            platform::sync_folder(&self.releases())
        };
        make().map_err(|error| {
            disk::failure("finish", &release, &error, FailedBecause::ProgramFailed)
        })
    }

    /// Makes a release `current`; where its files are in use that waits until `until`.
    pub(crate) async fn switch_to(&self, version: &Version, until: Instant) -> Result<(), Failure> {
        if self.current().as_ref() == Some(version) {
            return self.mend(until).await;
        }
        let switched = platform::switch(&self.into, version.as_str(), until).await;
        switched.map_err(|error| self.not_switched(&error))
    }

    /// Ends a switch that a crash left in the middle.
    pub(crate) async fn mend(&self, until: Instant) -> Result<(), Failure> {
        let mended = platform::mend_switch(&self.into, until).await;
        mended.map_err(|error| self.not_switched(&error))
    }

    fn not_switched(&self, error: &io::Error) -> Failure {
        let current = self.current_path();
        disk::failure("switch", &current, error, FailedBecause::ProgramFailed)
    }

    /// Removes all but the `keep` youngest releases and their artifacts; never the current one,
    /// nor that of `previous`. What cannot be removed stays.
    pub(crate) fn prune(&self, keep: u32, previous: Option<&Release>) {
        let current = self.current();
        let is_needed = |name: &str| {
            current
                .as_ref()
                .is_some_and(|version| version.as_str() == name)
                || previous.is_some_and(|release| release.version.as_str() == name)
        };
        let mut releases = self.all();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX).max(1);
        // Those that are needed count among those that are kept.
        releases.sort_by_key(|(name, _)| !is_needed(name));
        for draft in drafts(&self.releases()) {
            let _stays = remove_all(&draft);
        }
        for (name, path) in releases.iter().skip(keep) {
            if !is_needed(name) {
                let _stays = remove_all(path);
            }
        }
        let kept: Vec<String> = self
            .all()
            .iter()
            .filter_map(|(name, _)| self.digest_of(&name.parse().ok()?))
            .map(|digest| hex(&digest))
            .collect();
        for (name, path) in youngest_first(&self.fetched_folder()) {
            if !kept.contains(&name) {
                let _stays = remove_all(&path);
            }
        }
    }

    /// Versions and folders of all releases, the youngest first. `current` may lie beside the
    /// others.
    fn all(&self) -> Vec<(String, PathBuf)> {
        let mut found: Vec<_> = youngest_first(&self.releases())
            .into_iter()
            .map(|(folder, path)| (platform::version_of(&folder), path))
            .collect();
        if let Some(current) = self.current() {
            let path = self.release(&current);
            if path.is_dir() && !found.iter().any(|(_, known)| known == &path) {
                found.push((current.to_string(), path));
            }
        }
        found
    }

    /// The same for the packages of tests. No link says which of them is current, so that of the
    /// version that was installed last and that of `previous` both stay.
    pub(crate) fn prune_tests(&self, keep: u32, previous: Option<&Release>) {
        if self.tests_folder().exists()
            && let Ok(tests) = self.tests()
        {
            tests.prune(keep.max(2), previous);
        }
    }

    fn releases(&self) -> PathBuf {
        self.into.join("releases")
    }
}

/// The digest's digits: a file name.
fn hex(digest: &Digest) -> String {
    digest.to_string().replace("sha256:", "")
}

/// Removes a file or a whole folder; gone already is good.
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if found.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// What an interrupted unpacking left.
fn drafts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .collect()
}

/// Names and paths in a folder, the youngest first, drafts left out.
fn youngest_first(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let born = entry.metadata().and_then(|found| found.modified()).ok()?;
            (!name.starts_with('.')).then_some((born, name, entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found
        .into_iter()
        .map(|(_, name, path)| (name, path))
        .collect()
}
