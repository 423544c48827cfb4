//! Where one server of the shop lives on disk: its settings, its releases, its process.

use super::Release;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The folder of one server.
///
/// It holds `shop.toml` (the settings, which outlive all releases), `releases/VERSION/`,
/// `current` (a link to one of them), `shop.pid`, `shop.log` and `restarts.log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

/// The file `shop.toml`: what differs from server to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server's short name.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// A file that gets one line for each request; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log: Option<PathBuf>,
}

impl Home {
    /// The home in this folder, which may not exist yet.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Makes the folder and writes its settings.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(folder: &Path, settings: &Settings) -> Result<Self> {
        let home = Self::at(folder);
        fs::create_dir_all(home.releases())
            .with_context(|| format!("cannot make {}", home.releases().display()))?;
        let text = toml::to_string(settings).context("cannot write the settings as TOML")?;
        write(&folder.join("shop.toml"), &text)?;
        Ok(home)
    }

    /// Puts a release there and makes it the current one, as an installer would; the process that
    /// runs goes on with its old one until it is restarted.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn install(&self, release: &Release) -> Result<()> {
        let folder = self.releases().join(&release.version);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let text = toml::to_string(release).context("cannot write the release as TOML")?;
        write(&folder.join("release.toml"), &text)?;
        let fresh = self.0.join("current.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", fresh.display()));
            }
            Ok(()) | Err(_) => {}
        }
        symlink(Path::new("releases").join(&release.version), &fresh)
            .and_then(|()| fs::rename(&fresh, self.0.join("current")))
            .with_context(|| format!("cannot switch {} to {}", self.0.display(), release.version))
    }

    /// Its settings.
    ///
    /// # Errors
    /// When `shop.toml` is missing or not as it should be.
    pub fn settings(&self) -> Result<Settings> {
        read(&self.0.join("shop.toml"))
    }

    /// The release that a start would run now.
    ///
    /// # Errors
    /// When there is no current release, or its `release.toml` is not as it should be.
    pub fn release(&self) -> Result<Release> {
        read(&self.0.join("current").join("release.toml"))
    }

    /// The versions that were current at each restart so far, the first start included.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restarts(&self) -> Result<Vec<String>> {
        let path = self.restarts_file();
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Adds a line to [`Self::restarts`]; it is there even if the restart then fails or is killed.
    pub(super) fn note_restart(&self) -> Result<()> {
        let line = format!("{}\n", self.release()?.version);
        let path = self.restarts_file();
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn restarts_file(&self) -> PathBuf {
        self.0.join("restarts.log")
    }

    /// The folder itself: what `into` is to an installer.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The folder of all releases.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.0.join("releases")
    }

    /// The file that names the running process, which keeps a lock on it while it lives.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.0.join("shop.pid")
    }

    /// Where the process says why it ended.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.0.join("shop.log")
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}: install a release first", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not as it should be", path.display()))
}
