//! Licences of everything we build with.

use super::spdx;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, Package};
use serde::Deserialize;
use std::fs;
use std::path::Path;

const LIST: &str = "xtask/licences.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    allowed: Vec<String>,
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    licence: String,
    reason: String,
}

/// Every crate can be had under an allowed licence.
pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<()> {
    let text =
        fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let list: List = toml::from_str(&text).with_context(|| format!("{LIST} is wrong"))?;
    let mut bad: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|it| judge(it, &list))
        .collect();
    bad.extend(
        list.exception
            .iter()
            .filter_map(|exception| in_vain(exception, metadata)),
    );
    if bad.is_empty() {
        println!(
            "{} crates, all under allowed licences",
            metadata.packages.len()
        );
        return Ok(());
    }
    bail!("\n{}", bad.join("\n"));
}

fn judge(package: &Package, list: &List) -> Option<String> {
    let name = &package.name;
    let Some(licence) = &package.license else {
        return Some(format!(
            "{name} {}: names no licence; take another crate, or ask its authors",
            package.version
        ));
    };
    let excepted = |licence: &str| {
        let mut exceptions = list.exception.iter();
        exceptions.any(|it| it.name == name.as_str() && it.licence == licence)
    };
    let allowed = |one: &str| list.allowed.iter().any(|it| it == one) || excepted(one);
    match spdx::allows(licence, &allowed) {
        Some(true) => None,
        Some(false) => Some(format!(
            "{name} {}: `{licence}` is not allowed; take another crate, or add the licence to {LIST} \
             with a reason",
            package.version
        )),
        None => Some(format!(
            "{name} {}: `{licence}` is no SPDX expression; read its licence, then add an \
             [[exception]] to {LIST}",
            package.version
        )),
    }
}

fn in_vain(exception: &Exception, metadata: &Metadata) -> Option<String> {
    let Exception { name, reason, .. } = exception;
    let there = metadata
        .packages
        .iter()
        .any(|package| package.name.as_str() == name);
    if reason.trim().is_empty() {
        return Some(format!("{LIST}: the exception for {name} has no reason"));
    }
    (!there).then(|| format!("{LIST}: {name} is gone; take its exception out"))
}
