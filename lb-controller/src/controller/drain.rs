//! Taking a server out: judged by the floor now, and again at every look until it is reported.

mod answers;

use events::{Answer, BalancerName, Command, Drain, FailedBecause, RefusedBecause, Then, Work};

use crate::mark::Mark;
use crate::observed::Admin;
use crate::step::Now;

use super::draft::{Draft, Lines, Order, View};
use super::server::Server;
use super::{floor, hold, no_lines, refusal};

/// How long the last steps may take after the deadline: HAProxy ends sessions a moment after it was
/// told to, the disk has to be asked, and one lost answer is not yet silence. The orchestrator waits 5 s
/// longer than the deadline.
pub(super) const GRACE_MS: u64 = 1_000;

/// One outstanding drain and what HAProxy says of its server.
#[derive(Clone, Copy)]
struct Case<'a> {
    command: &'a Command,
    work: &'a Drain,
    lines: Lines<'a>,
}

/// Takes back what others' fall has made too much, the last by name first; before anything new is
/// begun.
pub(super) fn judge_begun(server: &mut Server, view: View<'_>, draft: &mut Draft) {
    let Some((command, place)) = server.asked() else {
        return;
    };
    let (Work::Drain(work), Some(lines)) = (&command.work, view.lines(&place)) else {
        return;
    };
    // Whichever try began it: what was not reported yet is judged until it is.
    let is_judged = server
        .mark(draft)
        .is_some_and(|mark| !mark.out && mark.was_up && !mark.by_person());
    if !is_judged || server.is_decided() || lines.online.admin == Admin::Ready {
        return;
    }
    if floor::up_beside(&place, &work.members, view, draft) < work.floor {
        let case = Case {
            command: &command,
            work,
            lines,
        };
        server.work.undoing = Some((answers::refused(case), view.now.ms));
        undo(server, lines, draft);
    }
}

/// What is out already stays out, before anything is judged by what is UP.
pub(super) fn keep(server: &mut Server, view: View<'_>, draft: &mut Draft) {
    let Some((command, place)) = server.asked() else {
        return;
    };
    let (Work::Drain(work), Some(lines)) = (&command.work, view.lines(&place)) else {
        return;
    };
    let case = Case {
        command: &command,
        work,
        lines,
    };
    if is_taken_anew(server, case, draft)
        && let Some(mark) = server.mark(draft)
    {
        mark.out = false;
    }
    if server.mark(draft).is_some_and(|mark| mark.out) {
        adopt(server, case, draft);
        hold::keep_out(server, lines, draft);
        report_out(server, case, draft);
        server.tell(&command, draft);
    }
}

/// Those that are not out yet.
pub(super) fn judge_new(server: &mut Server, view: View<'_>, draft: &mut Draft) {
    let Some((command, place)) = server.asked() else {
        return;
    };
    let Work::Drain(work) = &command.work else {
        return;
    };
    let is_out = server.mark(draft).is_some_and(|mark| mark.out);
    match view.lines(&place) {
        Some(_) if is_out => return,
        Some(lines) if server.is_decided() => undo(server, lines, draft),
        Some(lines) => {
            let case = Case {
                command: &command,
                work,
                lines,
            };
            judge(server, case, draft);
        }
        None if server.is_decided() => {}
        None => {
            let (why, detail) = (FailedBecause::NotObeyed, no_lines(&command, &place));
            let answer = answers::failed(&command, view.name, why, &detail, None);
            server.work.answer = Some(answer);
        }
    }
    server.tell(&command, draft);
}

/// HAProxy says nothing: its drains end with their deadline. What was begun is undone when it is back.
pub(super) fn unreachable(
    server: &mut Server,
    command: &Command,
    name: &BalancerName,
    now: Now,
    draft: &mut Draft,
) {
    if !server.is_decided() && now.ms >= server.deadline_ms.saturating_add(GRACE_MS) {
        server.work.answer = Some(if server.late && server.mark(draft).is_none() {
            refusal(&command.id, RefusedBecause::Late, command.fence())
        } else {
            let detail = "HAProxy's admin socket did not answer until the deadline";
            answers::failed(command, name, FailedBecause::Unreachable, detail, None)
        });
    }
    server.tell(command, draft);
}

/// Whether a server that an earlier command had taken out is back in the pool, unchanged: this drain
/// takes it out anew, and the floor is judged anew.
fn is_taken_anew(server: &Server, case: Case<'_>, draft: &mut Draft) -> bool {
    let is_other = server
        .mark(draft)
        .is_some_and(|mark| mark.out && !mark.unproven && mark.command != case.command.id);
    is_other && case.lines.online.admin == Admin::Ready
}

/// From here on it is this command that has it out, and had nothing to do for it.
fn adopt(server: &Server, case: Case<'_>, draft: &mut Draft) {
    let Case {
        command,
        work,
        lines,
    } = case;
    let up_now = floor::up_now(lines.place, &work.members, lines.view);
    if let Some(mark) = server.mark(draft)
        && mark.command != command.id
    {
        mark.command = command.id.clone();
        mark.fence = command.fence();
        mark.began_at = lines.view.now.wall;
        mark.up_before = up_now;
        (mark.cut, mark.pinned_seen, mark.waited_ms) = (0, 0, 0);
    }
}

fn judge(server: &mut Server, case: Case<'_>, draft: &mut Draft) {
    let Case {
        command,
        work,
        lines,
    } = case;
    let is_begun = server
        .mark(draft)
        .is_some_and(|mark| mark.command == command.id);
    if server.late && !is_begun {
        server.work.answer = Some(refusal(&command.id, RefusedBecause::Late, command.fence()));
        return;
    }
    let view = lines.view;
    let serves = lines.online.serves() && lines.online.admin == Admin::Ready;
    if serves && floor::up_without(lines.place, &work.members, view, draft) < work.floor {
        server.work.undoing = Some((answers::refused(case), view.now.ms));
        undo(server, lines, draft);
        return;
    }
    begin(server, case, draft);
    let is_through = lines.is_out() && lines.online.is_idle();
    if is_through && lines.is_saved() {
        mark_out(server, lines, draft);
        return;
    }
    if let Some(answer) = given_up(server, case) {
        server.work.undoing = Some((answer, view.now.ms));
        undo(server, lines, draft);
        return;
    }
    drive(server, case, draft);
    cut_when_due(server, case, draft);
}

/// The answer when its time is over and it is not out.
fn given_up(server: &Server, case: Case<'_>) -> Option<Answer> {
    let now_ms = case.lines.view.now.ms;
    let is_late = now_ms.saturating_sub(server.deadline_ms) >= GRACE_MS;
    let is_through = case.lines.is_out() && case.lines.online.is_idle();
    let may_take_longer = case.work.then == Then::Cut || is_through;
    let is_over = server.is_over(now_ms) && (is_late || !may_take_longer);
    is_over.then(|| answers::overdue(case, is_through))
}

/// Ends what still runs at the deadline, where that is asked for.
fn cut_when_due(server: &mut Server, case: Case<'_>, draft: &mut Draft) {
    let lines = case.lines;
    let is_due = case.work.then == Then::Cut && server.is_over(lines.view.now.ms);
    if is_due && lines.online.admin == Admin::Maint && lines.online.running > 0 {
        // In maint none come: the first count is all of them.
        server.work.cut = server.work.cut.max(lines.online.running);
        draft.cut(lines.place);
    }
}

/// Marks it as ours before it is touched.
fn begin(server: &mut Server, case: Case<'_>, draft: &mut Draft) {
    let Case {
        command,
        work,
        lines,
    } = case;
    let now = lines.view.now;
    if server.mark(draft).is_none() {
        let mark = Mark {
            command: command.id.clone(),
            fence: command.fence(),
            out: false,
            unproven: false,
            online_before: lines.online.admin,
            maintenance_before: lines.maintenance.admin,
            was_up: lines.online.serves(),
            up_before: floor::up_now(lines.place, &work.members, lines.view),
            began_at: now.wall,
            cut: 0,
            pinned_seen: 0,
            waited_ms: 0,
            baseline: None,
        };
        draft.marks.taken.insert(server.text_key.clone(), mark);
    }
    if let Some(mark) = server.mark(draft) {
        if mark.command != command.id {
            // An earlier try that was not ended: what was before it is still what was before.
            mark.command = command.id.clone();
            mark.began_at = now.wall;
        }
        mark.fence = command.fence();
        mark.was_up |= lines.online.serves();
        let ago_ms = now.wall.ms_since(mark.began_at);
        server.work.began.get_or_insert((now.ms, ago_ms));
    }
}

/// `drain` while pinned customers may come, then `maint`.
fn drive(server: &mut Server, case: Case<'_>, draft: &mut Draft) {
    let Case { work, lines, .. } = case;
    if lines.online.admin == Admin::Drain {
        server.work.pinned_from.get_or_insert(lines.baseline());
    }
    let is_pinned = server.work.took_ms(lines.view.now.ms) < work.pinned_ms;
    let has_customers = lines.online.serves() || lines.online.status.starts_with("DRAIN");
    if is_pinned && has_customers && !server.is_over(lines.view.now.ms) {
        draft.set_online(lines, Admin::Drain, Order::AfterMarks);
    } else {
        draft.set_online(lines, Admin::Maint, Order::AfterMarks);
        draft.set_maintenance(lines, Admin::Ready, Order::AfterMarks);
    }
}

/// It is out, idle and saved: from this mark on only a `Restore` puts it back.
fn mark_out(server: &Server, lines: Lines<'_>, draft: &mut Draft) {
    let now = lines.baseline();
    let work = &server.work;
    let pinned_seen = work.pinned_from.map_or(0, |from| from.requests_until(now));
    let waited_ms = work.took_ms(lines.view.now.ms);
    let cut = work.cut;
    if let Some(mark) = server.mark(draft) {
        mark.out = true;
        mark.cut = cut;
        mark.pinned_seen = pinned_seen;
        mark.waited_ms = waited_ms;
        mark.baseline = Some(now);
    }
}

/// It was out already, or is now: said only when HAProxy, its state file and our mark on disk say so.
/// One that is still busy at the deadline stays out all the same.
fn report_out(server: &mut Server, case: Case<'_>, draft: &mut Draft) {
    if server.is_decided() {
        return;
    }
    let lines = case.lines;
    let on_disk = lines.view.marks.taken.get(&server.text_key);
    let is_through = lines.is_out() && lines.online.is_idle() && lines.is_saved();
    let is_ours = |mark: &&Mark| mark.out && mark.command == case.command.id;
    if let Some(mark) = on_disk.filter(is_ours).filter(|_| is_through) {
        server.work.answer = Some(answers::drained(case, mark, server.work.cut));
        return;
    }
    cut_when_due(server, case, draft);
    server.work.answer = given_up(server, case);
}

/// Puts back what was begun, and gives the answer once HAProxy says so.
fn undo(server: &mut Server, lines: Lines<'_>, draft: &mut Draft) {
    let mut is_back = true;
    if let Some(mark) = server.mark(draft).cloned() {
        // Only ever less than now: a wish that HAProxy forgot meanwhile is not renewed by us.
        let before = mark.online_before.min(lines.online.admin);
        is_back =
            lines.online.admin == before && lines.maintenance.admin == mark.maintenance_before;
        draft.set_online(lines, before, Order::AtOnce);
        draft.set_maintenance(lines, mark.maintenance_before, Order::AtOnce);
        if is_back && lines.is_saved() {
            draft.marks.taken.remove(&server.text_key);
        }
    }
    let now_ms = lines.view.now.ms;
    let is_told = |since_ms: u64| is_back || now_ms.saturating_sub(since_ms) >= GRACE_MS;
    if let Some((answer, since_ms)) = server.work.undoing.take() {
        if is_told(since_ms) {
            server.work.answer = Some(answer);
        } else {
            server.work.undoing = Some((answer, since_ms));
        }
    }
}
