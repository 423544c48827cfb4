//! Settings: one TOML file, and the environment above it.

use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};
use serde::de::DeserializeOwned;

const PREFIX: &str = "POOLSHIFT";
const SEPARATOR: &str = "__";

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there, or is not TOML.
    #[error("{} cannot be read ({why}): mend it, or name another file", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A setting is missing, unknown or of the wrong kind.
    #[error(
        "setting `{key}` in {place} is wrong ({why}): mend it there, or set {variable} in the environment"
    )]
    Setting {
        /// Which one: `gateway.public`.
        key: String,
        /// The file, or the environment.
        place: String,
        /// What is wrong with it.
        why: String,
        /// The variable that goes above the file.
        variable: String,
    },
}

/// Reads settings: from `file` if one is named, and above it from variables like
/// `POOLSHIFT__GATEWAY__PUBLIC`, which is the key `gateway.public`.
///
/// # Errors
/// [`Error`] names file, key and the mend. A file that is named must be there.
pub fn settings<S: DeserializeOwned>(file: Option<&Path>) -> Result<S, Error> {
    let place = file.map_or_else(
        || "the environment".to_owned(),
        |file| file.display().to_string(),
    );
    let mut sources = Config::builder();
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        sources = sources.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .try_parsing(true);
    let read = sources.add_source(environment).build();
    let whole = match (read, file) {
        (Ok(whole), _) => whole,
        (Err(error), Some(file)) => return Err(unreadable(file, &error)),
        (Err(error), None) => return Err(wrong("", &place, &error.to_string())),
    };
    serde_path_to_error::deserialize(whole).map_err(|error| {
        wrong(
            &error.path().to_string(),
            &place,
            &error.inner().to_string(),
        )
    })
}

fn unreadable(file: &Path, error: &dyn std::error::Error) -> Error {
    Error::File {
        file: file.to_owned(),
        why: error.to_string().trim().to_owned(),
    }
}

/// A missing key has no path of its own: it is named in the words of the error, in quotes.
fn wrong(path: &str, place: &str, why: &str) -> Error {
    let named = why.split(['`', '"']).nth(1).unwrap_or_default();
    let missing = why.starts_with("missing ") || why.starts_with("unknown ");
    let key = match (path, missing) {
        ("" | ".", true) => named.to_owned(),
        ("" | ".", false) => "?".to_owned(),
        (path, true) if named.starts_with(&format!("{path}.")) => named.to_owned(),
        (path, true) if !path.ends_with(named) => format!("{path}.{named}"),
        (path, _) => path.to_owned(),
    };
    let variable = format!(
        "{PREFIX}{SEPARATOR}{}",
        key.to_uppercase().replace('.', SEPARATOR)
    );
    Error::Setting {
        key,
        place: place.to_owned(),
        why: why.to_owned(),
        variable,
    }
}
