//! The files of a configuration, as `haproxy -f` takes them.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::haproxy::config::Config;
use crate::stored;

/// The largest file that is read, in bytes.
const BYTES_MAX: u64 = 16 << 20;

/// Reads files in their order; a folder stands for its `*.cfg`, by name.
///
/// # Errors
/// What cannot be read, and why.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Config, Failure> {
    let mut config = Config::default();
    for path in paths {
        for file in files(path)? {
            let text = text(&file)?;
            config.add(&file.display().to_string(), &text)?;
        }
    }
    Ok(config)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let file = entry.map_err(|error| unreadable(path, &error))?.path();
        let hidden = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && file.is_file() && file.extension().is_some_and(|end| end == "cfg") {
            found.push(file);
        }
    }
    found.sort();
    if found.is_empty() {
        let what = format!("there is no *.cfg in {}", path.display());
        return Err(Failure::refused(what).mend("name HAProxy's configuration"));
    }
    Ok(found)
}

/// A configuration file as it is.
///
/// # Errors
/// It cannot be read, is no file, or is larger than any configuration.
pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    stored::read(file, BYTES_MAX).map_err(|why| {
        Failure::refused(format!("{} {why}", file.display()))
            .mend("name HAProxy's configuration: a file, several in their order, or a folder")
    })
}

fn text(file: &Path) -> Result<String, Failure> {
    let bytes = bytes(file)?;
    // A comment may be in any old encoding; a directive is plain ASCII.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format!("cannot read {}: {error}", path.display()))
        .mend("name HAProxy's configuration: a file, several in their order, or a folder")
}
