//! `[[tests]]`: what must pass before customers come back.

use std::collections::BTreeSet;

use events::Suite;

use super::defaults::{TESTS_AT_LEAST, TESTS_TIMEOUT_MS};
use super::forms;
use super::page::shown;
use super::section::Section;
use super::value::{Least, Value};

/// What the agent sets for every suite.
const SET_BY_US: [&str; 4] = [
    "TARGET_URL",
    "TARGET_HEADER",
    "EXPECT_SERVER",
    "EXPECT_VERSION",
];

/// All suites in order. None at all is allowed: the checks remain.
pub(super) fn suites(value: &Value<'_>) -> Option<Vec<Suite>> {
    let mut names = BTreeSet::new();
    let read = |item: &Value<'_>| suite(&item.section(&forms::SUITE)?, &mut names);
    let suites: Vec<Option<Suite>> = value.list()?.iter().map(read).collect();
    suites.into_iter().collect()
}

fn suite(section: &Section<'_>, names: &mut BTreeSet<String>) -> Option<Suite> {
    let name = section.need("name").and_then(|value| {
        let name = value.text()?.to_owned();
        if !names.insert(name.clone()) {
            value.refuse(
                format!("another suite is called `{}` too", shown(&name)),
                "give each suite a name of its own",
            );
        }
        Some(name)
    });
    let argv = section.need("command").and_then(|value| value.argv());
    let results = section.need("results").and_then(|value| results(&value));
    let at_least = section.maybe("at_least").and_then(|value| at_least(&value));
    let timeout_ms = section.duration_ms("timeout", TESTS_TIMEOUT_MS, Least::Deadline);
    let env_names = section
        .maybe("env")
        .map_or(Some(Vec::new()), |value| env_names(&value));
    Some(Suite {
        name: name?,
        argv: argv?,
        results: results?,
        at_least: at_least.unwrap_or(TESTS_AT_LEAST),
        timeout_ms,
        env_names: env_names?,
    })
}

fn at_least(value: &Value<'_>) -> Option<u32> {
    if value.as_whole() == Some(0) {
        value.refuse(
            "`at_least` is 0: a suite that ran nothing would pass",
            "write at least 1, better the number of tests that there are",
        );
        return None;
    }
    value.whole((1, u32::MAX))
}

/// A file in the installed version's folder.
fn results(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let outside = text.starts_with(['/', '\\'])
        || text.contains(':')
        || text.split(['/', '\\']).any(|name| name == "..");
    if outside {
        value.refuse(
            format!("`{}` lies outside the version's folder", shown(text)),
            "write it relative to that folder, where suites run, such as \"result.xml\"",
        );
        return None;
    }
    Some(text.to_owned())
}

fn env_names(value: &Value<'_>) -> Option<Vec<String>> {
    let read = |item: &Value<'_>| {
        let text = item.text()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !text.bytes().all(plain) || text.starts_with(|letter: char| letter.is_ascii_digit()) {
            let name = text.split('=').next().unwrap_or(text);
            item.refuse(
                format!("`{}` is not the name of an environment variable", shown(name)),
                "write the name alone, such as \"SHOP_TEST_ACCOUNT\": its value stays with the agent",
            );
            return None;
        }
        if SET_BY_US.contains(&text) {
            item.refuse(format!("`{text}` is set for every suite"), "remove it");
            return None;
        }
        Some(text.to_owned())
    };
    let names: Vec<Option<String>> = value.list()?.iter().map(read).collect();
    names.into_iter().collect()
}
