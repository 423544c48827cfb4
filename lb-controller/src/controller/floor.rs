//! How many servers are UP for customers, now.

use crate::observed::{Admin, Row};

use super::draft::{Draft, View};
use super::server::Place;

/// Members of the online pool that are UP, as HAProxy says.
pub(super) fn up_now(place: &Place, members: &[String], view: View<'_>) -> u32 {
    count(members, |line| is_up(place, line, view))
}

/// Those without this line, and without those that this step takes out already: what a new drain
/// would leave.
pub(super) fn up_without(place: &Place, members: &[String], view: View<'_>, draft: &Draft) -> u32 {
    count(members, |line| {
        let asked = draft.asked(&place.online, line);
        let stays = !matches!(asked, Some(Admin::Drain | Admin::Maint));
        *line != place.line && stays && is_up(place, line, view)
    })
}

/// Those without this line, and as this step leaves them: what is left when the drain that was begun
/// goes on. One that is put back is in the pool at once if its check is good.
pub(super) fn up_beside(place: &Place, members: &[String], view: View<'_>, draft: &Draft) -> u32 {
    let is_good = |line: &str| {
        [&place.online, &place.maintenance].iter().any(|backend| {
            let row = view.haproxy.row(backend, line);
            row.is_some_and(|row| row.checked_up)
        })
    };
    count(members, |line| {
        let stays = match draft.asked(&place.online, line) {
            Some(Admin::Ready) => is_good(line),
            Some(Admin::Drain | Admin::Maint) => false,
            None => is_up(place, line, view),
        };
        *line != place.line && stays
    })
}

fn is_up(place: &Place, line: &str, view: View<'_>) -> bool {
    view.haproxy
        .row(&place.online, line)
        .is_some_and(Row::is_up)
}

fn count(members: &[String], counts: impl Fn(&String) -> bool) -> u32 {
    let up = members.iter().filter(|line| counts(line)).count();
    u32::try_from(up).unwrap_or(u32::MAX)
}
