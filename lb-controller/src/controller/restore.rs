//! Putting a server back: the one thing that puts it online, and only before its deadline.

use events::{Answer, BalancerName, Command, FailedBecause, Failure, RefusedBecause, Restore};
use events::{RestoreFailed, Restored};

use crate::observed::{Admin, Row};
use crate::step::Now;

use super::draft::{Draft, Lines, Order, View};
use super::drain::GRACE_MS;
use super::server::{Kept, Place, Server};
use super::{no_lines, refusal};

pub(super) fn look(
    server: &mut Server,
    place: &Place,
    command: &Command,
    work: &Restore,
    view: View<'_>,
    draft: &mut Draft,
) {
    server.kept = Kept::default();
    if server.work.answer.is_none() {
        server.work.answer = if server.late {
            let late = RefusedBecause::Late;
            Some(refusal(&command.id, late, command.fence()))
        } else if let Some(lines) = view.lines(place) {
            put_back(server, command, work, lines, draft)
        } else {
            let detail = no_lines(command, place);
            Some(failed(
                command,
                view.name,
                FailedBecause::NotObeyed,
                &detail,
                None,
            ))
        };
    }
    server.tell(command, draft);
}

/// HAProxy says nothing: what it does with the server is unknown when the deadline comes.
pub(super) fn unreachable(
    server: &mut Server,
    command: &Command,
    name: &BalancerName,
    now: Now,
    draft: &mut Draft,
) {
    let over_ms = now.ms.saturating_sub(server.deadline_ms);
    if server.work.answer.is_none() && over_ms >= GRACE_MS {
        server.work.answer = Some(if server.late {
            refusal(&command.id, RefusedBecause::Late, command.fence())
        } else {
            let detail = "HAProxy's admin socket did not answer until the deadline";
            failed(command, name, FailedBecause::Unreachable, detail, None)
        });
    }
    server.tell(command, draft);
}

/// The answer, once there is one.
fn put_back(
    server: &mut Server,
    command: &Command,
    work: &Restore,
    lines: Lines<'_>,
    draft: &mut Draft,
) -> Option<Answer> {
    let Lines {
        online,
        maintenance,
        view,
        ..
    } = lines;
    server.work.began.get_or_insert((view.now.ms, 0));
    if let Some(mark) = server.mark(draft) {
        // Only a proven one is put back: a drain that comes in the middle is judged by the floor.
        mark.unproven = false;
    }
    let mark = server.mark(draft).cloned();
    // What is out without our mark is out by a person, and stays as it is.
    let (wanted, tested) = mark
        .as_ref()
        .map_or((online.admin, maintenance.admin), |mark| {
            (mark.online_before, Admin::Maint)
        });
    let is_back = online.admin == wanted && maintenance.admin == tested && lines.is_saved();
    let is_needed = work.must_be_up && wanted == Admin::Ready;
    if is_back && mark.is_none() && (online.is_up() || !is_needed) {
        return Some(restored(command, lines));
    }
    if view.now.ms >= server.deadline_ms {
        return Some(overdue(command, lines, wanted, is_back));
    }
    if is_back {
        draft.marks.taken.remove(&server.text_key);
    } else {
        draft.set_online(lines, wanted, Order::AtOnce);
        draft.set_maintenance(lines, tested, Order::AtOnce);
    }
    None
}

fn restored(command: &Command, lines: Lines<'_>) -> Answer {
    Answer::Restored(Restored {
        command: command.id.clone(),
        balancer: lines.view.name.clone(),
        up: lines.online.is_up(),
        check_age_ms: lines.online.unchanged_ms,
        state_saved: true,
        row: lines.online.text.clone(),
    })
}

fn overdue(command: &Command, lines: Lines<'_>, wanted: Admin, is_back: bool) -> Answer {
    let (name, online) = (lines.name(), lines.online);
    let (why, detail) = if online.admin != wanted {
        let (is, want) = (online.admin.word(), wanted.word());
        let detail = format!("{name} is in `{is}`, though `{want}` was asked for");
        (FailedBecause::NotObeyed, detail)
    } else if is_back {
        let detail = format!("{name} is `{}`: its check is not good", online.status);
        (FailedBecause::TimedOut, detail)
    } else {
        let detail = format!("{name} is back, but HAProxy's state file could not be written");
        (FailedBecause::StateNotSaved, detail)
    };
    failed(command, lines.view.name, why, &detail, Some(online))
}

fn failed(
    command: &Command,
    name: &BalancerName,
    why: FailedBecause,
    detail: &str,
    online: Option<&Row>,
) -> Answer {
    Answer::RestoreFailed(RestoreFailed {
        command: command.id.clone(),
        balancer: name.clone(),
        failure: Failure::new(why, detail),
        row: online.map_or_else(String::new, |row| row.text.clone()),
    })
}
