//! Artifacts of the shop, and the place from which agents fetch them.

mod place;

pub use place::Place;

use crate::shop::{Release, digest};
use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use std::path::Path;

/// One release as a `.tar.gz` with `release.toml` at its top: the same release, the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The version in it.
    pub version: String,
    /// The file's own name, `shop-VERSION.tar.gz`.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its digest, as `sha256:<hex>`.
    pub sha256: String,
}

impl Artifact {
    /// Packs a release, with other files beside it (path in the archive, content).
    ///
    /// # Errors
    /// When a path cannot stand in an archive.
    pub fn build(release: &Release, others: &[(&str, &[u8])]) -> Result<Self> {
        let text = toml::to_string(release).context("cannot write the release as TOML")?;
        // Neither the time nor the system of the packing may show in the bytes.
        let gzip = GzBuilder::new().mtime(0).operating_system(255);
        let mut archive = tar::Builder::new(gzip.write(Vec::new(), Compression::new(6)));
        let own = [("release.toml", text.as_bytes())];
        for (path, content) in own.iter().chain(others) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive
                .append_data(&mut header, path, *content)
                .with_context(|| format!("cannot pack {path}"))?;
        }
        let bytes = archive
            .into_inner()
            .and_then(flate2::write::GzEncoder::finish)
            .context("cannot end the archive")?;
        Ok(Self {
            version: release.version.clone(),
            name: format!("shop-{}.tar.gz", release.version),
            sha256: digest(&bytes),
            bytes,
        })
    }

    /// Writes the file into this folder, under its own name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(&self.name);
        std::fs::write(&path, &self.bytes)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
