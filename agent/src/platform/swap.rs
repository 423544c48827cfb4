//! `current` as a real folder, for systems where a link needs rights that a service does not have.
//!
//! A release is put in its place by two renames: `current` goes back to `releases/OLD`, then
//! `releases/NEW` becomes `current`. A plan of both lies on the disk before the first, and goes
//! after the second; so whoever finds a plan knows what a crash left, and ends it. Each folder
//! says itself, in a label, which release it is.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::names::folder_of;
#[cfg(windows)]
use super::windows::{file_in_use, may_pass, sync_folder};
use crate::releases::remove_all;

const LABEL: &str = ".poolshift-release";
const PLAN: &str = ".switch.json";
/// How often it is looked whether a file is still in use.
const LOOK: Duration = Duration::from_millis(100);
/// How long the former release may take to go back when the new one cannot come.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// The two renames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    from: Option<String>,
    to: String,
}

/// The release that `current` is; none when there is no `current`, or none that we made.
#[must_use]
pub(crate) fn current_release(into: &Path) -> Option<String> {
    let label = std::fs::read_to_string(current(into).join(LABEL)).ok()?;
    Some(label.trim().to_owned()).filter(|version| !version.is_empty())
}

/// Where a release lies: `current` is the release itself.
#[must_use]
pub(crate) fn release_folder(into: &Path, version: &str) -> PathBuf {
    if current_release(into).as_deref() == Some(version) {
        current(into)
    } else {
        stored(into, version)
    }
}

/// Writes into a draft which release it will be.
///
/// # Errors
/// What the file system says.
pub(crate) fn label_release(draft: &Path, version: &str) -> io::Result<()> {
    let mut file = File::create(draft.join(LABEL))?;
    file.write_all(version.as_bytes())?;
    file.sync_all()
}

/// Makes a release `current`. Files in use are waited for until `until`; then all is as before.
///
/// # Errors
/// What the file system says, with the name of a file that is in use.
pub(crate) async fn switch(into: &Path, version: &str, until: Instant) -> io::Result<()> {
    mend_switch(into, until).await?;
    let from = current_release(into);
    if from.as_deref() == Some(version) {
        return Ok(());
    }
    if from.is_none() && exists(&current(into)) {
        return Err(io::Error::other(
            "this folder is no release of Poolshift's; move it away, so that a release can take its \
             place",
        ));
    }
    let plan = Plan {
        from,
        to: version.to_owned(),
    };
    plan.write(into)?;
    if let Some(from) = &plan.from {
        let back = stored(into, from);
        // `current` is that release; what lies here too is what a crash left of it.
        remove_all(&back)?;
        if let Err(error) = move_folder(&current(into), &back, until).await {
            forget_plan(into, Instant::now()).await;
            return Err(error);
        }
    }
    match move_folder(&stored(into, version), &current(into), until).await {
        Ok(()) => {
            forget_plan(into, until).await;
            Ok(())
        }
        Err(error) => Err(go_back(into, &plan, error).await),
    }
}

/// Ends what a crash left in the middle: forward where the former release had gone back already,
/// else nothing had happened yet.
///
/// # Errors
/// What the file system says, with the name of a file that is in use.
pub(crate) async fn mend_switch(into: &Path, until: Instant) -> io::Result<()> {
    let Some(plan) = Plan::read(into)? else {
        return Ok(());
    };
    if !exists(&current(into)) {
        let new = stored(into, &plan.to);
        let old = plan.from.as_ref().map(|from| stored(into, from));
        if exists(&new) {
            move_folder(&new, &current(into), until).await?;
        } else if let Some(old) = old.filter(|old| exists(old)) {
            move_folder(&old, &current(into), until).await?;
        }
    }
    forget_plan(into, until).await;
    Ok(())
}

/// The new release cannot come: the former one takes its place again.
async fn go_back(into: &Path, plan: &Plan, error: io::Error) -> io::Error {
    if let Some(from) = &plan.from {
        let until = Instant::now() + BACK_WITHIN;
        if let Err(worse) = move_folder(&stored(into, from), &current(into), until).await {
            // The plan stays: the next switch begins with ending it.
            return io::Error::other(format!("{error}; nor can the former release: {worse}"));
        }
    }
    forget_plan(into, Instant::now()).await;
    error
}

/// Renames a folder as soon as nobody uses a file in it.
async fn move_folder(from: &Path, to: &Path, until: Instant) -> io::Result<()> {
    loop {
        let error = match file_in_use(from) {
            // The system itself would only refuse the folder, and not say why.
            Some(file) => in_use(&file),
            None => match std::fs::rename(from, to) {
                Ok(()) => {
                    for moved in [from, to] {
                        sync_folder(moved.parent().unwrap_or(moved))?;
                    }
                    return Ok(());
                }
                Err(error) if may_pass(&error) => io::Error::new(
                    error.kind(),
                    format!("{} is in use, or a folder in it: {error}", from.display()),
                ),
                Err(error) => return Err(error),
            },
        };
        if Instant::now() >= until {
            return Err(error);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn in_use(file: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::ResourceBusy,
        format!(
            "{} is in use by another program; end it, or write what stops the service into `stop`",
            file.display()
        ),
    )
}

/// A plan that stays is harmless: `current` says that it is done.
async fn forget_plan(into: &Path, until: Instant) {
    loop {
        match std::fs::remove_file(into.join(PLAN)) {
            Err(error) if may_pass(&error) && Instant::now() < until => {
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => {
                tracing::warn!(%error, "the plan of a switch that is done cannot be removed");
                return;
            }
            Ok(()) => return,
        }
    }
}

impl Plan {
    fn write(&self, into: &Path) -> io::Result<()> {
        let draft = into.join(".switch.new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(draft, into.join(PLAN))?;
        sync_folder(into)
    }

    fn read(into: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(into.join(PLAN)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => Ok(Some(serde_json::from_slice(&bytes?)?)),
        }
    }
}

fn current(into: &Path) -> PathBuf {
    into.join("current")
}

/// Where a release lies while it is not `current`.
fn stored(into: &Path, version: &str) -> PathBuf {
    into.join("releases").join(folder_of(version))
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[cfg(not(windows))]
use elsewhere::{file_in_use, may_pass, sync_folder};

/// The renames are the same anywhere; so are their tests.
#[cfg(not(windows))]
mod elsewhere {
    use std::io;
    use std::path::{Path, PathBuf};

    pub(super) use crate::platform::unix::sync_folder;

    pub(super) const fn file_in_use(_folder: &Path) -> Option<PathBuf> {
        None
    }

    pub(super) const fn may_pass(_error: &io::Error) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
