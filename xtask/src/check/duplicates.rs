//! Crates that the tree holds more than once.

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, semver::Version};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const LIST: &str = "xtask/duplicates.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    because: Vec<Because>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: String,
    /// Name and the beginning of the older version: `sha2 0.10`.
    crates: Vec<String>,
}

/// Every older version of a crate has a reason, and every reason has its crate.
pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<()> {
    let text =
        fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let list: List = toml::from_str(&text).with_context(|| format!("{LIST} is wrong"))?;
    let older = older(
        metadata
            .packages
            .iter()
            .map(|it| (it.name.as_str(), &it.version)),
    );
    let bad = judge(&older, &list);
    if bad.is_empty() {
        println!("{} older versions, each with a reason", older.len());
        return Ok(());
    }
    bail!("\n{}", bad.join("\n"));
}

/// All versions of each crate but its newest.
fn older<'a>(all: impl Iterator<Item = (&'a str, &'a Version)>) -> Vec<(&'a str, &'a Version)> {
    let mut versions: BTreeMap<&str, BTreeSet<&Version>> = BTreeMap::new();
    for (name, version) in all {
        versions.entry(name).or_default().insert(version);
    }
    let older = versions.into_iter().flat_map(|(name, mut versions)| {
        versions.pop_last();
        versions.into_iter().map(move |version| (name, version))
    });
    older.collect()
}

fn judge(older: &[(&str, &Version)], list: &List) -> Vec<String> {
    let allowed: Vec<&String> = list
        .because
        .iter()
        .flat_map(|because| &because.crates)
        .collect();
    let mut bad: Vec<String> = older
        .iter()
        .filter(|it| !allowed.iter().any(|entry| is(entry, it)))
        .map(|(name, version)| {
            format!(
                "{name} {version} is an older version beside a newer one: see \
                 `cargo tree --workspace --target all -i {name}@{version}`; update who wants it, or \
                 add it to {LIST} with a reason"
            )
        })
        .collect();
    let vain = allowed
        .iter()
        .filter(|entry| !older.iter().any(|it| is(entry, it)));
    bad.extend(vain.map(|entry| format!("{LIST}: `{entry}` is in vain; take it out")));
    let mute = list
        .because
        .iter()
        .filter(|because| because.reason.trim().is_empty());
    bad.extend(mute.map(|because| format!("{LIST}: {:?} have no reason", because.crates)));
    bad
}

fn is(entry: &str, (name, version): &(&str, &Version)) -> bool {
    let Some((wanted, beginning)) = entry.split_once(' ') else {
        return false;
    };
    wanted == *name && format!("{version}.").starts_with(&format!("{beginning}."))
}

#[cfg(test)]
mod tests {
    use super::{Because, List, judge, older};
    use cargo_metadata::semver::Version;

    fn list(crates: &[&str]) -> List {
        let crates = crates.iter().map(|it| (*it).to_owned()).collect();
        let reason = "so it is".to_owned();
        List {
            because: vec![Because { reason, crates }],
        }
    }

    #[test]
    fn an_older_version_needs_a_reason_and_a_reason_needs_its_version() {
        let old = Version::new(0, 10, 9);
        let new = Version::new(0, 11, 1);
        let all = [("sha2", &old), ("sha2", &new), ("tar", &new)];
        let older = older(all.into_iter());
        assert_eq!(older, [("sha2", &old)]);
        assert!(judge(&older, &list(&["sha2 0.10"])).is_empty());
        assert_eq!(judge(&older, &list(&["sha2 0.1"])).len(), 2);
        assert_eq!(judge(&older, &list(&["sha2 0.10", "tar 0.11"])).len(), 1);
    }
}
