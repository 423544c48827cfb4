//! `[rollout] watch`: how a server is watched when customers reach it again.

use events::{Probe, TooFew};

use super::check::VERSION_HOLE;
use super::defaults as default;
use super::entry::{CheckRule, ResponseRule, WatchRule};
use super::forms;
use super::net;
use super::page::shown;
use super::section::Section;
use super::units::duration_text;
use super::value::{Least, Value};

/// `watch`.
pub(super) fn watch(value: &Value<'_>) -> Option<WatchRule> {
    let section = value.section(&forms::WATCH)?;
    let for_ms = section.duration_ms("for", default::WATCH_FOR_MS, Least::Deadline);
    let words = [
        ("pass", (1, TooFew::Pass)),
        ("extend", (default::WATCH_LONGEST, TooFew::Pass)),
        ("fail", (1, TooFew::Fail)),
    ];
    let (times, if_too_few) = section.choice("if_too_few", (1, TooFew::Pass), &words);
    Some(WatchRule {
        for_ms,
        longest_ms: for_ms.saturating_mul(times),
        max_5xx_ppm: section
            .maybe("max_5xx_share")
            .and_then(|value| value.share_ppm())
            .unwrap_or(default::WATCH_MAX_5XX_PPM),
        min_requests: section.whole("min_requests", default::WATCH_MIN_REQUESTS, (1, 1_000_000)),
        if_too_few,
        response: response(&section),
    })
}

fn response(section: &Section<'_>) -> Option<ResponseRule> {
    let path = section.maybe("probe_path").map(|value| {
        let path = net::path(&value).map(str::to_owned);
        (value, path)
    });
    let max = section.maybe("max_response");
    let (Some(max), path) = (max, &path) else {
        if let Some((value, Some(_))) = path {
            value.refuse(
                "`probe_path` is asked for nothing: no `max_response` says what is too slow",
                "add max_response = \"300ms\", or remove it",
            );
        }
        return None;
    };
    let max_ms = max.duration_ms(Least::Zero)?;
    if max_ms == 0 {
        max.refuse(
            "`max_response` is nothing: every answer would be too slow",
            format!("write {}", max.example()),
        );
        return None;
    }
    Some(ResponseRule {
        max_ms,
        path: path.as_ref().and_then(|(_, path)| path.clone()),
    })
}

/// Refuses a response time that no probe of the service could show.
pub(super) fn refuse_unseen(root: &Section<'_>, check: &CheckRule, watch: Option<&WatchRule>) {
    let Some(response) = watch.and_then(|watch| watch.response.as_ref()) else {
        return;
    };
    let rollout = root.maybe("rollout").and_then(|value| value.table());
    let table = rollout.and_then(|rollout| rollout.get("watch"));
    let table = table.and_then(|watch| watch.get_ref().as_table());
    let key = table.and_then(|table| table.get_key_value("max_response"));
    let at = key.map_or(root.at, |(_, value)| value.span().start);
    let own = response.path.as_deref();
    let path = own.or_else(|| http(check).map(|(path, _)| path));
    let add = "add probe_path = \"/search?q=tea\" to `watch`";
    match path {
        None => root.refuse_at(
            at,
            "no request is known whose answer could be timed: [check] has no `http`",
            format!("{add}, or `http` to [check]"),
        ),
        // Its peers run another one, and are asked the same.
        Some(path) if path.contains(VERSION_HOLE) => root.refuse_at(
            at,
            format!("`{}` is another request for each version", shown(path)),
            format!("{add}, a path without {VERSION_HOLE}"),
        ),
        Some(_) => {}
    }
    if response.max_ms >= check.probe_timeout_ms {
        let longest = duration_text(check.probe_timeout_ms);
        root.refuse_at(
            at,
            format!("nobody waits so long for an answer: `probe_timeout` of [check] is {longest}"),
            format!("write less than \"{longest}\", or a longer `probe_timeout`"),
        );
    }
}

/// The path and the good status of the check's own request.
pub(crate) fn http(check: &CheckRule) -> Option<(&str, u16)> {
    check.probes.iter().find_map(|probe| match probe {
        Probe::Http { path, status, .. } => Some((path.as_str(), *status)),
        Probe::Tcp { .. } | Probe::Command { .. } => None,
    })
}
