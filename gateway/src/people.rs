//! People: who stands behind a `p_` id, and what they may do. The only place with names.

use std::path::Path;

use anyhow::{Context as _, bail};
use events::{Claim, Digest, PersonId, sha256};
use serde::Deserialize;

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// What the log calls this person.
    pub(crate) id: PersonId,
    /// What build servers and command lines call this person.
    pub(crate) name: String,
    /// What this person may do.
    pub(crate) roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    person: Vec<Person>,
}

/// All people, and which file says so.
#[derive(Debug)]
pub(crate) struct People {
    people: Vec<Person>,
    /// Digest of the file.
    pub(crate) sha256: Digest,
}

impl People {
    /// Reads the file; without one there are no people.
    ///
    /// # Errors
    /// When the file cannot be read, or names an id or a name twice.
    pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::nobody());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the people file {}", path.display()))?;
        let file: File = toml::from_str(&text)
            .with_context(|| format!("the people file {} is wrong", path.display()))?;
        for (index, person) in file.person.iter().enumerate() {
            let twice = |other: &Person| other.id == person.id || same(&other.name, &person.name);
            if file.person.iter().skip(index + 1).any(twice) {
                bail!(
                    "the people file {} has {} or {} twice: give everybody one entry",
                    path.display(),
                    person.id,
                    person.name
                );
            }
        }
        Ok(Self {
            people: file.person,
            sha256: sha256(text.as_bytes()),
        })
    }

    /// Where nobody is known.
    pub(crate) fn nobody() -> Self {
        Self {
            people: Vec::new(),
            sha256: sha256(b""),
        }
    }

    /// Who is said to be behind something, each once: known people by their ids, others by a digest.
    pub(crate) fn claims<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<Claim> {
        let mut claims: Vec<Claim> = names
            .map(|name| Claim {
                person: self.find(name).map(|person| person.id.clone()),
                name_sha256: sha256(name.trim().as_bytes()),
            })
            .collect();
        claims.sort();
        claims.dedup();
        claims
    }

    /// A person by id or by name, whose case does not count.
    pub(crate) fn find(&self, text: &str) -> Option<&Person> {
        self.people
            .iter()
            .find(|person| person.id.as_str() == text || same(&person.name, text))
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> anyhow::Result<People> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.toml");
        std::fs::write(&path, text).unwrap();
        People::load(Some(&path))
    }

    const ANN: &str = "[[person]]\nid = \"p_ann1\"\nname = \"ann\"\nroles = [\"dev\"]\n";

    #[test]
    fn a_person_is_found_by_id_and_by_name() {
        let people = load(ANN).unwrap();
        assert_eq!(people.find("p_ann1"), people.find("Ann"));
        assert_eq!(people.find("bob"), None);
        assert_eq!(people.sha256, sha256(ANN.as_bytes()));
    }

    #[test]
    fn nobody_is_there_twice() {
        let twice = format!("{ANN}{}", ANN.replace("p_ann1", "p_ann2"));
        let error = load(&twice).unwrap_err().to_string();
        assert!(error.ends_with("has p_ann1 or ann twice: give everybody one entry"));
    }

    #[test]
    fn a_wrong_file_is_named_with_the_place() {
        let error = format!("{:#}", load("[[person]]\nid = \"ann\"").unwrap_err());
        assert!(error.contains("people.toml is wrong"), "{error}");
        assert!(error.contains("line 2, column 6"), "{error}");
    }
}
