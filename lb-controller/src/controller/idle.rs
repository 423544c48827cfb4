//! Nothing is outstanding: the pools are left alone, and what is odd is reported.

use events::{Answer, DriftSeen, Strayed};

use crate::mark::Mark;
use crate::observed::{Admin, Row};
use crate::step::Reply;

use super::draft::{Draft, View};
use super::server::{Kept, Place, Server};

/// Commands overlap for a moment while an owner goes from one to the next.
const STRAY_AFTER_MS: u64 = 2_000;
const STRAY_AGAIN_MS: u64 = 60_000;

pub(super) fn look(server: &mut Server, place: &Place, view: View<'_>, draft: &mut Draft) {
    server.kept = Kept::default();
    let Some(online) = view.online(place) else {
        return;
    };
    let mark = server.mark(draft).cloned();
    match (mark, online.admin) {
        (Some(_), Admin::Ready) => {
            // A person put it back, or we stopped between mark and act.
            draft.marks.taken.remove(&server.text_key);
            server.stray = None;
        }
        (Some(mark), Admin::Drain | Admin::Maint) => strayed(server, &mark, online, view, draft),
        (None, admin) => {
            server.stray = None;
            drifted(server, place, online, view, draft);
            server.drift = (admin != Admin::Ready).then_some(admin);
        }
    }
}

/// `Fetch` and `Watch`: the same, but something is outstanding, so nothing is odd.
pub(super) fn look_away(server: &mut Server, place: &Place, view: View<'_>, draft: &mut Draft) {
    server.kept = Kept::default();
    server.stray = None;
    if view
        .online(place)
        .is_some_and(|row| row.admin == Admin::Ready)
    {
        draft.marks.taken.remove(&server.text_key);
    }
}

fn strayed(server: &mut Server, mark: &Mark, online: &Row, view: View<'_>, draft: &mut Draft) {
    // A record that names other balancers only says nothing about this one.
    if server.record.command().is_some() {
        return;
    }
    let now_ms = view.now.ms;
    let (since_ms, told_ms) = server.stray.unwrap_or((now_ms, None));
    let is_long = now_ms.saturating_sub(since_ms) >= STRAY_AFTER_MS;
    let is_due = told_ms.is_none_or(|told| now_ms.saturating_sub(told) >= STRAY_AGAIN_MS);
    if is_long && is_due {
        draft.replies.push(Reply {
            target: server.key.0.clone(),
            answer: Answer::Strayed(Strayed {
                server: server.key.1.clone(),
                balancer: view.name.clone(),
                mark: mark.command.clone(),
                row: online.text.clone(),
            }),
        });
        server.stray = Some((since_ms, Some(now_ms)));
    } else {
        server.stray = Some((since_ms, told_ms));
    }
}

fn drifted(server: &Server, place: &Place, online: &Row, view: View<'_>, draft: &mut Draft) {
    if online.admin == Admin::Ready || server.drift == Some(online.admin) {
        return;
    }
    draft.replies.push(Reply {
        target: server.key.0.clone(),
        answer: Answer::DriftSeen(DriftSeen {
            server: server.key.1.clone(),
            balancer: Some(view.name.clone()),
            wanted: format!("ready in {}", place.online),
            found: format!("{} in {}, by a person", online.admin.word(), place.online),
        }),
    });
}
