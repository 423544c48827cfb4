//! The workspace as it lies on the disk.

use cargo_metadata::{Metadata, MetadataCommand};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the workspace that is text.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) content: String,
}

impl Text {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

/// Every text file that git tracks, or would track if it were added.
pub(crate) fn texts() -> Vec<Text> {
    let root = root();
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output()
        .expect("git is needed to know which files count: install git");
    assert!(output.status.success(), "`git ls-files` failed in {root:?}");
    let list = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let texts: Vec<Text> = paths
        .into_iter()
        .filter_map(|path| read(&root, path))
        .collect();
    assert!(texts.iter().any(Text::is_rust), "no Rust file in {root:?}");
    texts
}

/// Every Rust file among them.
pub(crate) fn rust() -> Vec<Text> {
    texts().into_iter().filter(Text::is_rust).collect()
}

/// What cargo knows of the workspace and of everything it depends on.
pub(crate) fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(root())
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("`cargo metadata --locked` answers: if Cargo.lock is behind, run `cargo check`")
}

fn read(root: &Path, path: &str) -> Option<Text> {
    // A file that was deleted but not yet committed, or that is not text, is none of ours.
    let content = fs::read_to_string(root.join(path)).ok()?;
    Some(Text {
        path: path.to_owned(),
        content,
    })
}
