//! What a rollout waits for besides votes: `requires`, `windows`, and who may override them.

use events::EnvironmentName;

use super::defaults::{PROMOTION_WITHIN_MOST_MS, WINDOWS_MOST};
use super::entry::{GateRules, Requires, WindowRule};
use super::environment::Environment;
use super::forms;
use super::nearest::nearest;
use super::page::{Page, shown};
use super::section::Section;
use super::units::duration_text;
use super::value::{Least, Value};
use crate::calendar::{is_zone, zone_names};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day.
const MIDNIGHT: u16 = 24 * 60;

/// Reads them; `voters` are the roles that may override when nothing else is said.
pub(super) fn gates(section: &Section<'_>, voters: &[String]) -> Option<GateRules> {
    let requires = section.maybe("requires").map(|value| requires(&value));
    let windows = section
        .maybe("windows")
        .map_or(Some(Vec::new()), |value| windows(&value));
    let overrides = section
        .maybe("overrides")
        .map_or_else(|| Some(voters.to_vec()), |value| value.roles());
    Some(GateRules {
        requires: match requires {
            Some(requires) => Some(requires?),
            None => None,
        },
        windows: windows?,
        overrides: overrides?,
    })
}

fn requires(value: &Value<'_>) -> Option<Requires> {
    let section = value.section(&forms::REQUIRES)?;
    let succeeded_in = section.need("succeeded_in").and_then(|value| value.name());
    let within = section.need("within").and_then(|value| {
        let within_ms = value.duration_ms(Least::Deadline)?;
        if within_ms > PROMOTION_WITHIN_MOST_MS {
            value.refuse(
                "successes elsewhere are not remembered for so long",
                format!(
                    "write at most \"{}\"",
                    duration_text(PROMOTION_WITHIN_MOST_MS)
                ),
            );
            return None;
        }
        Some(within_ms)
    });
    Some(Requires {
        succeeded_in: succeeded_in?,
        within_ms: within?,
    })
}

/// Refuses a promotion from an environment that could never tell of a success: the environments of
/// a service tell each other, and a service file holds all of them.
pub(super) fn refuse_unknown_source(page: &Page<'_>, places: &[(EnvironmentName, Environment)]) {
    for (name, place) in places {
        let Some(requires) = &place.gates.requires else {
            continue;
        };
        let from = &requires.succeeded_in;
        if from == name {
            page.refuse(
                place.requires_at,
                "it requires a success of itself",
                "name the environment that comes before it",
            );
        } else if !places.iter().any(|(other, _)| other == from) {
            let known: Vec<&str> = places
                .iter()
                .map(|(other, _)| other.as_str())
                .filter(|other| *other != name.as_str())
                .collect();
            let mend = match nearest(from.as_str(), known.iter().copied()) {
                Some(meant) => format!("write \"{meant}\""),
                None => format!("add the section [environments.{from}] to this file"),
            };
            page.refuse(
                place.requires_at,
                format!("this file has no environment `{from}`"),
                mend,
            );
        }
    }
}

fn windows(value: &Value<'_>) -> Option<Vec<WindowRule>> {
    let items = value.list()?;
    if items.is_empty() || items.len() > WINDOWS_MOST {
        value.refuse(
            format!("`windows` has {} entries", items.len()),
            format!("write 1 to {WINDOWS_MOST}, or remove it: then rollouts begin at any time"),
        );
        return None;
    }
    let windows: Vec<Option<WindowRule>> = items.iter().map(window).collect();
    windows.into_iter().collect()
}

fn window(item: &Value<'_>) -> Option<WindowRule> {
    let section = item.section(&forms::WINDOW)?;
    let days = section.need("days").and_then(|value| days(&value));
    let from_value = section.need("from");
    let from = from_value.and_then(|value| minute(&value, MIDNIGHT - 1));
    let to_value = section.need("to");
    let to = to_value.and_then(|value| minute(&value, MIDNIGHT));
    let zone = section.need("zone").and_then(|value| zone(&value));
    if let (Some(value), true) = (to_value, from.is_some() && from == to) {
        value.refuse(
            "`to` is the same as `from`",
            "write \"24:00\" for the end of the day, or an earlier time for one of the next day",
        );
        return None;
    }
    Some(WindowRule {
        days: days?,
        from_minute: from?,
        to_minute: to?,
        zone: zone?,
    })
}

/// Days from Monday, 1, to Sunday, 7; in order, each once.
fn days(value: &Value<'_>) -> Option<Vec<u8>> {
    let items = value.list()?;
    let mut days = Vec::new();
    for item in &items {
        days.extend(span(item)?);
    }
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        value.refuse("`days` is empty", format!("write {}", value.example()));
        return None;
    }
    Some(days)
}

/// `mon`, or `fri-mon`.
fn span(item: &Value<'_>) -> Option<Vec<u8>> {
    let text = item.text()?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |word: &str| -> Option<u8> {
        let at = DAYS.iter().position(|day| *day == word)?;
        u8::try_from(at + 1).ok()
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else {
        item.refuse(
            format!("`{}` is neither a day nor days", shown(text)),
            format!("write {}, or a span such as \"mon-thu\"", DAYS.join(", ")),
        );
        return None;
    };
    let mut days = vec![first];
    while let Some(day) = days.last().copied().filter(|day| *day != last) {
        days.push(day % 7 + 1);
    }
    Some(days)
}

/// `09:00` as minutes of the day.
fn minute(value: &Value<'_>, most: u16) -> Option<u16> {
    let text = value.text()?;
    let parts = text.split_once(':').filter(|(hours, minutes)| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits(hours) && digits(minutes)
    });
    let parsed = parts.and_then(|(hours, minutes)| {
        let minutes: u16 = minutes.parse().ok().filter(|minutes| *minutes < 60)?;
        let hours: u16 = hours.parse().ok()?;
        Some(hours * 60 + minutes)
    });
    let minute = parsed.filter(|minute| *minute <= most);
    if minute.is_none() {
        value.refuse(
            format!("`{}` is not a time of the day", shown(text)),
            format!(
                "write it from \"00:00\" to \"{:02}:{:02}\"",
                most / 60,
                most % 60
            ),
        );
    }
    minute
}

fn zone(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if is_zone(text) {
        return Some(text.to_owned());
    }
    let names = zone_names();
    let mend = match nearest(text, names.iter().map(String::as_str)) {
        Some(meant) => format!("write \"{meant}\""),
        None => "write a name of the time zone database, such as \"Europe/Berlin\"".to_owned(),
    };
    value.refuse(format!("`{}` is not a time zone", shown(text)), mend);
    None
}
