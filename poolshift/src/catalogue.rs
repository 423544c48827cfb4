//! Service files on disk: found, read, and compared with each other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use events::{Digest, Target, sha256};
use rollout::catalogue::{Entry, Problem, Service, read};

use crate::failure::Failure;

/// Folders below the one that was named, at most so deep.
const DEPTH_MAX: u32 = 8;

/// A service file that is good.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// As it is.
    pub(crate) text: String,
    /// What it says.
    pub(crate) service: Service,
}

impl File {
    /// The digest of its text, by which the log knows it.
    pub(crate) fn sha256(&self) -> Digest {
        sha256(self.text.as_bytes())
    }
}

/// One thing that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            what,
            mend,
        } = self;
        write!(f, "{file}:{line}:{column}: {what}; {mend}")
    }
}

/// Good files, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) files: Vec<File>,
    pub(crate) found: Vec<Found>,
}

/// Reads all service files under these paths and checks each, and all together.
///
/// # Errors
/// When a path cannot be read, or there is no service file at all.
pub(crate) fn check(paths: &[PathBuf]) -> Result<Checked, Failure> {
    let mut files = Vec::new();
    for path in paths {
        find(path, DEPTH_MAX, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let named: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(
            Failure::refused(format!("there is no service file in {}", named.join(", ")))
                .mend("name a folder with one file NAME.toml for each service, or such files"),
        );
    }
    let mut checked = Checked::default();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        match read(&text) {
            Ok(service) => {
                checked.found.extend(misnamed(&path, &text, &service));
                checked.files.push(File {
                    path,
                    text,
                    service,
                });
            }
            Err(problems) => {
                let problems = problems.0.into_iter();
                checked
                    .found
                    .extend(problems.map(|problem| found(&path, problem)));
            }
        }
    }
    let twice = duplicates(&checked.files);
    checked.found.extend(twice);
    checked.found.sort();
    Ok(checked)
}

/// As [`check`], when anything that is wrong is an error.
///
/// # Errors
/// As [`check`]; and every problem, one a line.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Vec<File>, Failure> {
    let checked = check(paths)?;
    if checked.found.is_empty() {
        return Ok(checked.files);
    }
    let lines: Vec<String> = checked.found.iter().map(Found::to_string).collect();
    Err(Failure::refused(lines.join("\n")))
}

/// The entry of one target.
///
/// # Errors
/// When no file has it; names the targets that are there.
pub(crate) fn entry<'a>(files: &'a [File], target: &Target) -> Result<&'a Entry, Failure> {
    let entries = || files.iter().flat_map(|file| &file.service.entries);
    let known: Vec<String> = entries().map(|entry| entry.target.to_string()).collect();
    entries()
        .find(|entry| entry.target == *target)
        .ok_or_else(|| {
            Failure::refused(format!("{target} is in none of these files"))
                .note("known", known.join(", "))
        })
}

fn find(path: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(path, &error))?.path();
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_toml = entry.extension().is_some_and(|end| end == "toml");
        if !hidden && (is_toml || entry.is_dir()) && depth > 0 {
            find(&entry, depth - 1, files)?;
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format!("cannot read {}: {error}", path.display()))
        .mend("name a folder of service files, or such files")
}

fn found(path: &Path, problem: Problem) -> Found {
    Found {
        file: path.display().to_string(),
        line: problem.line,
        column: problem.column,
        what: problem.what,
        mend: problem.mend,
    }
}

/// A file is found by its name: two services never share one, and a file never has two names.
fn misnamed(path: &Path, text: &str, service: &Service) -> Option<Found> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    if name == service.name.as_str() {
        return None;
    }
    let (line, column) = place(text, "name", service.name.as_str());
    Some(Found {
        file: path.display().to_string(),
        line,
        column,
        what: format!(
            "the file is called `{name}`, but its service `{}`",
            service.name
        ),
        mend: format!("call the file {}.toml", service.name),
    })
}

/// What two files say of the same thing: a service, an address of one environment, or a folder of
/// one machine. Within a file the catalogue itself refuses it.
fn duplicates(files: &[File]) -> Vec<Found> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let mut take = |key: String, index: usize, holder: String, file: &File, at: (&str, &str)| {
        let Some(other) = taken.get(&key) else {
            taken.insert(key, index);
            return;
        };
        let Some(other) = files.get(*other).filter(|_| *other != index) else {
            return;
        };
        let (line, column) = place(&file.text, at.0, at.1);
        found.push(Found {
            file: file.path.display().to_string(),
            line,
            column,
            what: format!("{holder} is in {} already", other.path.display()),
            mend: "remove one of the two, or give this one its own".to_owned(),
        });
    };
    for (index, file) in files.iter().enumerate() {
        let name = file.service.name.as_str();
        let holder = format!("service `{name}`");
        take(
            format!("service {name}"),
            index,
            holder,
            file,
            ("name", name),
        );
        for entry in &file.service.entries {
            let environment = entry.target.environment();
            for server in &entry.servers {
                let address = server.address.to_ascii_lowercase();
                let key = format!("address {environment} {address}");
                let holder = format!("address `{}` of {environment}", server.address);
                take(key, index, holder, file, ("address", &server.address));
                let machine = server.machine.as_str();
                let into = entry.install.on(&server.name).into;
                let key = format!("folder {machine} {into}").to_ascii_lowercase();
                let holder = format!("folder `{into}` of machine `{machine}`");
                take(key, index, holder, file, ("machine", machine));
            }
        }
    }
    found
}

/// Line and column of the value of `key` that is `value`, both from 1.
fn place(text: &str, key: &str, value: &str) -> (u32, u32) {
    for (index, line) in text.lines().enumerate() {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|rest| rest.find(value)) {
            let start = from + at;
            from = start + value.len();
            let before = line.get(..start).unwrap_or_default();
            let opened = before.trim_end_matches(['"', '\'']);
            let closed = line
                .get(from..)
                .is_some_and(|rest| rest.starts_with(['"', '\'']));
            let named = opened.trim_end().strip_suffix('=').map(str::trim_end);
            if closed && named.is_some_and(|named| named.ends_with(key)) {
                let column = opened.chars().count() + 1;
                let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                return (number(index + 1), number(column));
            }
        }
    }
    (1, 1)
}
