//! What is answered to a drain, with the row of `show stat` that it rests on.

use events::{Answer, BalancerName, Command, DrainFailed, DrainRefused, Drained};
use events::{FailedBecause, Failure};

use crate::mark::Mark;
use crate::observed::Row;

use super::{Case, floor};

/// `cut_now`: requests that were ended since it was marked as out.
pub(super) fn drained(case: Case<'_>, mark: &Mark, cut_now: u32) -> Answer {
    let Case {
        command,
        work,
        lines,
    } = case;
    let process = &lines.view.haproxy.process;
    let up_now = floor::up_now(lines.place, &work.members, lines.view);
    Answer::Drained(Drained {
        command: command.id.clone(),
        balancer: lines.view.name.clone(),
        haproxy_pid: process.pid,
        haproxy_version: process.version.clone(),
        running: lines.online.running,
        queued: lines.online.queued,
        cut: mark.cut.max(cut_now),
        pinned_seen: mark.pinned_seen,
        state_saved: true,
        waited_ms: mark.waited_ms,
        up_before: mark.up_before,
        up_after: up_now,
        floor: work.floor,
        was_up: mark.was_up,
        by_person: mark.by_person(),
        row: lines.online.text.clone(),
    })
}

pub(super) fn refused(case: Case<'_>) -> Answer {
    let Case {
        command,
        work,
        lines,
    } = case;
    Answer::DrainRefused(DrainRefused {
        command: command.id.clone(),
        balancer: lines.view.name.clone(),
        up: floor::up_now(lines.place, &work.members, lines.view),
        floor: work.floor,
        row: lines.online.text.clone(),
    })
}

/// Why it was not out at its deadline.
pub(super) fn overdue(case: Case<'_>, is_through: bool) -> Answer {
    let (lines, online) = (case.lines, case.lines.online);
    let name = lines.name();
    let (why, detail) = if is_through {
        let detail = format!("{name} was out, but HAProxy's state file could not be written");
        (FailedBecause::StateNotSaved, detail)
    } else if online.is_idle() {
        let word = online.admin.word();
        (
            FailedBecause::NotObeyed,
            format!("{name} is still in `{word}`"),
        )
    } else {
        let (running, queued) = (online.running, online.queued);
        let detail = format!("{name}: {running} requests still ran and {queued} waited");
        (FailedBecause::StillBusy, detail)
    };
    failed(case.command, lines.view.name, why, &detail, Some(online))
}

pub(super) fn failed(
    command: &Command,
    name: &BalancerName,
    why: FailedBecause,
    detail: &str,
    online: Option<&Row>,
) -> Answer {
    Answer::DrainFailed(DrainFailed {
        command: command.id.clone(),
        balancer: name.clone(),
        failure: Failure::new(why, detail),
        running: online.map_or(0, |row| row.running),
        queued: online.map_or(0, |row| row.queued),
        row: online.map_or_else(String::new, |row| row.text.clone()),
    })
}
