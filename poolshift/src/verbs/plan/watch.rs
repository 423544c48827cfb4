//! What a plan will watch: how long each server that is back, and what it is held against.

use events::{Plan, ResponseTime, ServerName, TooFew};
use rollout::catalogue::units::duration_text;
use rollout::catalogue::{Entry, WatchRule};
use rollout::response_time;

use super::names;

/// A few lines of text.
pub(super) fn lines(entry: &Entry, plan: &Plan) -> Vec<String> {
    let Some(rule) = &entry.rollout.watch else {
        return vec!["  watch: nothing; a server that is back is not looked at again".to_owned()];
    };
    let limit = percent(rule.max_5xx_ppm);
    let mut lines = vec![
        format!(
            "  watch: each server that is back, for {}; regressed when more than {limit} fail, and more \
             than of what it is held against, both beyond chance",
            duration_text(rule.for_ms)
        ),
        format!(
            "    with fewer than {} requests: {}",
            rule.min_requests,
            too_few(rule)
        ),
    ];
    lines.extend(answers(entry, rule));
    for (index, _) in plan.batches.iter().enumerate() {
        let beside = match peers(plan, index) {
            none if none.is_empty() => alone(rule, plan, index),
            peers => format!("beside {}", names(&peers)),
        };
        lines.push(format!("    batch {}: {beside}", index + 1));
    }
    lines
}

/// How long answers may take.
fn answers(entry: &Entry, rule: &WatchRule) -> Option<String> {
    let server = entry.servers.first()?;
    let ResponseTime {
        max_ms,
        max_late_ppm,
        interval_ms,
        path,
        ..
    } = response_time(entry, rule, server)?;
    Some(format!(
        "    GET {path} of each itself, every {}; regressed when more than {} are not answered in {}, and \
         more than of the servers on the old version, both beyond chance",
        duration_text(interval_ms),
        percent(max_late_ppm),
        duration_text(max_ms),
    ))
}

/// Those that still run the old version while this batch is watched, and that customers reach.
fn peers(plan: &Plan, batch: usize) -> Vec<ServerName> {
    let later = plan.batches.iter().skip(batch + 1).flatten();
    let is_up = |name: &&ServerName| {
        let mut servers = plan.servers.iter();
        servers.any(|server| server.server == **name && server.up)
    };
    later.filter(is_up).cloned().collect()
}

fn alone(rule: &WatchRule, plan: &Plan, batch: usize) -> String {
    let enough = |requests| requests >= u64::from(rule.min_requests);
    let known = plan.baseline.filter(|known| enough(known.requests));
    let planned = known.map_or_else(
        || "nothing but the limit".to_owned(),
        |known| {
            format!(
                "the planned baseline, {} of {} requests failed",
                known.errors(),
                known.requests
            )
        },
    );
    if (0..batch).any(|before| !peers(plan, before).is_empty()) {
        format!(
            "beside nobody; against what the old version did in the batches before, else {planned}"
        )
    } else {
        format!("beside nobody; against {planned}")
    }
}

fn too_few(rule: &WatchRule) -> String {
    let most = match rule.longest_ms {
        longest_ms if longest_ms > rule.for_ms => {
            format!("watched up to {}, then ", duration_text(longest_ms))
        }
        _ => String::new(),
    };
    let then = match rule.if_too_few {
        TooFew::Pass => "steady",
        TooFew::Fail => "regressed",
        TooFew::Other(_) => "as a newer poolshift says",
    };
    format!("{most}{then}")
}

/// Millionths as people write them.
fn percent(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_without_what_says_nothing() {
        let written = [0, 100, 15_000, 10_000, 1_000_000].map(percent);
        assert_eq!(written, ["0 %", "0.01 %", "1.5 %", "1 %", "100 %"]);
    }
}
