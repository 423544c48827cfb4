//! Keeping a server out while a command wants it out. Never judged by the floor: an unproven server
//! stays out, whatever else falls.

use events::{Answer, Command, Held, HoldBroken, Work};

use crate::mark::{Baseline, Mark};
use crate::observed::Admin;
use crate::step::Reply;

use super::draft::{Draft, Lines, Order, View};
use super::server::{Place, Server};

/// `Install`, `Check`, `Test` and `Hold`.
pub(super) fn look(
    server: &mut Server,
    place: &Place,
    command: &Command,
    view: View<'_>,
    draft: &mut Draft,
) {
    let Some(lines) = view.lines(place) else {
        return;
    };
    if server.mark(draft).is_none_or(|mark| !mark.out) {
        let mark = taken_without_drain(server, command, lines, draft);
        draft.marks.taken.insert(server.text_key.clone(), mark);
    }
    if let Some(mark) = server.mark(draft) {
        mark.unproven = true;
    }
    keep_out(server, lines, draft);
    let on_disk = view.marks.taken.get(&server.text_key);
    let is_held = lines.is_out() && lines.is_saved() && on_disk.is_some_and(|mark| mark.out);
    if is_held && matches!(command.work, Work::Hold(_)) && server.work.answer.is_none() {
        server.work.answer = Some(Answer::Held(Held {
            command: command.id.clone(),
            balancer: view.name.clone(),
            state_saved: true,
            row: lines.online.text.clone(),
        }));
    }
    server.tell(command, draft);
}

/// Asks for a server that is marked as out to be out, and reports customers who reached it since it
/// was last seen out.
pub(super) fn keep_out(server: &mut Server, lines: Lines<'_>, draft: &mut Draft) {
    draft.set_online(lines, Admin::Maint, Order::AtOnce);
    draft.set_maintenance(lines, Admin::Ready, Order::AtOnce);
    let last = last_out(server, lines, draft);
    if lines.online.admin != Admin::Maint {
        server.kept.last = last;
        server.kept.broken = last.is_some();
        return;
    }
    let (now, now_ms) = (lines.baseline(), lines.view.now.ms);
    let reached = last
        .map(|(before, since_ms)| (before.requests_until(now), now_ms.saturating_sub(since_ms)))
        .filter(|(requests, _)| *requests > 0 || server.kept.broken);
    if let Some((requests, ms)) = reached {
        draft.replies.push(Reply {
            target: server.key.0.clone(),
            answer: Answer::HoldBroken(HoldBroken {
                server: server.key.1.clone(),
                balancer: lines.view.name.clone(),
                requests,
                ms,
                row: lines.online.text.clone(),
            }),
        });
    }
    if let Some(mark) = server.mark(draft)
        && (reached.is_some() || mark.baseline.is_none())
    {
        mark.baseline = Some(now);
    }
    server.kept.broken = false;
    server.kept.last = Some((now, now_ms));
}

/// The counter when it was last seen out, and when that was. If only our former life saw it, its mark
/// has the counter; the time is known only when HAProxy is younger than that, as the time of its start.
fn last_out(server: &Server, lines: Lines<'_>, draft: &mut Draft) -> Option<(Baseline, u64)> {
    server.kept.last.or_else(|| {
        let marked = server.mark(draft)?.baseline?;
        let process = &lines.view.haproxy.process;
        let gone_ms = if marked.pid == process.pid {
            0
        } else {
            process.uptime_ms
        };
        Some((marked, lines.view.now.ms.saturating_sub(gone_ms)))
    })
}

/// A command that keeps a server out came without a drain that we know of, or in the middle of one
/// that was not reported: it is ours from here on.
fn taken_without_drain(
    server: &Server,
    command: &Command,
    lines: Lines<'_>,
    draft: &mut Draft,
) -> Mark {
    let begun = server.mark(draft).cloned();
    let mark = begun.unwrap_or_else(|| Mark {
        command: command.id.clone(),
        fence: command.fence(),
        out: true,
        unproven: true,
        online_before: Admin::Ready,
        maintenance_before: Admin::Maint,
        was_up: lines.online.serves(),
        up_before: 0,
        began_at: lines.view.now.wall,
        cut: 0,
        pinned_seen: 0,
        waited_ms: 0,
        baseline: None,
    });
    Mark { out: true, ..mark }
}
