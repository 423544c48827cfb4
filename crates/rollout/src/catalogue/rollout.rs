//! `[rollout]`: how fast, how careful, and what then.

use events::Then;

use super::defaults as default;
use super::entry::{Late, NoWayBack, OnFailure, RolloutRule, SecondRequest, Size};
use super::forms;
use super::page::shown;
use super::section::Section;
use super::units::duration_text;
use super::value::{Least, Value};
use super::watch;

/// `[rollout]`, and where its floor stands when it is written.
pub(super) fn rollout(section: &Section<'_>) -> (RolloutRule, Option<usize>) {
    let floor = section.maybe("floor");
    let rule = RolloutRule {
        batches: section
            .maybe("batches")
            .and_then(|value| batches(&value))
            .unwrap_or_else(|| default::BATCHES.to_vec()),
        // A floor that has been refused must not be held against the number of servers as well.
        floor: floor.map_or(default::FLOOR, |value| {
            size(&value, 0).unwrap_or(Size::Count(0))
        }),
        on_failure: section.choice(
            "on_failure",
            default::ON_FAILURE,
            &[
                ("roll-back", OnFailure::RollBack),
                ("halt", OnFailure::Halt),
            ],
        ),
        second_request: section.choice(
            "second_request",
            default::SECOND_REQUEST,
            &[
                ("supersede", SecondRequest::Supersede),
                ("queue", SecondRequest::Queue),
            ],
        ),
        no_way_back: section.choice(
            "no_way_back",
            default::NO_WAY_BACK,
            &[("refuse", NoWayBack::Refuse), ("allow", NoWayBack::Allow)],
        ),
        late: section.choice(
            "late",
            default::LATE,
            &[("leave", Late::Leave), ("join", Late::Join)],
        ),
        restore_timeout_ms: deadline(section, "restore_timeout", default::RESTORE_TIMEOUT_MS),
        start_within_ms: deadline(section, "start_within", default::START_WITHIN_MS),
        person_wait_ms: deadline(section, "person_wait", default::PERSON_WAIT_MS),
        gate_expire_ms: deadline(section, "gate_expire", default::GATE_EXPIRE_MS),
        queue_expire_ms: deadline(section, "queue_expire", default::QUEUE_EXPIRE_MS),
        watch: section
            .maybe("watch")
            .and_then(|value| watch::watch(&value)),
        ..by_default()
    };
    let rule = match section.maybe("drain") {
        Some(value) => drain(&value, rule),
        None => rule,
    };
    (rule, floor.map(|value| value.at))
}

/// What is meant by a service file without `[rollout]`.
pub(super) fn by_default() -> RolloutRule {
    RolloutRule {
        batches: default::BATCHES.to_vec(),
        floor: default::FLOOR,
        pinned_ms: default::DRAIN_PINNED_MS,
        drain_timeout_ms: default::DRAIN_TIMEOUT_MS,
        drain_then: default::DRAIN_THEN,
        restore_timeout_ms: default::RESTORE_TIMEOUT_MS,
        on_failure: default::ON_FAILURE,
        second_request: default::SECOND_REQUEST,
        no_way_back: default::NO_WAY_BACK,
        late: default::LATE,
        start_within_ms: default::START_WITHIN_MS,
        person_wait_ms: default::PERSON_WAIT_MS,
        gate_expire_ms: default::GATE_EXPIRE_MS,
        queue_expire_ms: default::QUEUE_EXPIRE_MS,
        watch: None,
    }
}

fn deadline(section: &Section<'_>, name: &'static str, default: u64) -> u64 {
    section.duration_ms(name, default, Least::Deadline)
}

fn drain(value: &Value<'_>, rule: RolloutRule) -> RolloutRule {
    let Some(section) = value.section(&forms::DRAIN) else {
        return rule;
    };
    let found = section.found();
    let pinned_ms = section.duration_ms("pinned", default::DRAIN_PINNED_MS, Least::Zero);
    let drain_timeout_ms = deadline(&section, "timeout", default::DRAIN_TIMEOUT_MS);
    let words = [("fail", Then::Fail), ("cut", Then::Cut)];
    let drain_then = section.choice("then", default::DRAIN_THEN, &words);
    if pinned_ms > drain_timeout_ms && section.found() == found {
        let at = section.maybe("pinned").map_or(section.at, |value| value.at);
        section.refuse_at(
            at,
            "`pinned` is longer than the whole drain",
            format!(
                "write at most \"{}\", or a longer `timeout`: it includes `pinned`",
                duration_text(drain_timeout_ms)
            ),
        );
    }
    RolloutRule {
        pinned_ms,
        drain_timeout_ms,
        drain_then,
        ..rule
    }
}

fn batches(value: &Value<'_>) -> Option<Vec<Size>> {
    let items = value.list()?;
    if items.is_empty() {
        value.refuse("`batches` is empty", format!("write {}", value.example()));
        return None;
    }
    let sizes: Vec<Option<Size>> = items.iter().map(|item| size(item, 1)).collect();
    sizes.into_iter().collect()
}

fn size(value: &Value<'_>, least: u32) -> Option<Size> {
    if let Some(count) = value.as_whole() {
        let count = u32::try_from(count)
            .ok()
            .filter(|count| (least..=1_000).contains(count));
        if count.is_none() {
            let mend = format!("write a number from {least} to 1000, or a percent such as \"25%\"");
            value.refuse("so many servers cannot be meant", mend);
        }
        return count.map(Size::Count);
    }
    let text = value.as_text();
    let digits = text.and_then(|text| text.strip_suffix('%'));
    let percent = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let percent = percent.and_then(|digits| digits.parse().ok());
    if let Some(percent) = percent.filter(|percent| (1..=100).contains(percent)) {
        return Some(Size::Percent(percent));
    }
    let what = match text {
        Some(text) => format!("`{}` is not a number of servers", shown(text)),
        None => "neither a number of servers nor a percent".to_owned(),
    };
    let mend = match text.and_then(|text| text.trim().parse::<u32>().ok()) {
        Some(count) => format!("write {count} without quotes, or \"{count}%\""),
        None => "write a number such as 1, or a percent from \"1%\" to \"100%\"".to_owned(),
    };
    value.refuse(what, mend);
    None
}
