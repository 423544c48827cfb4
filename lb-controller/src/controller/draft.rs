//! What a look may see, and the step it puts together.

use std::collections::BTreeMap;

use events::BalancerName;

use crate::mark::{Baseline, Marks};
use crate::observed::{Admin, Observed, Row, Saved};
use crate::step::{Action, Now, Reply, Seen, Step};

use super::server::Place;

#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) name: &'a BalancerName,
    pub(super) haproxy: &'a Observed,
    pub(super) saved: &'a Saved,
    /// As they are on disk.
    pub(super) marks: &'a Marks,
    pub(super) now: Now,
}

impl<'a> View<'a> {
    pub(super) fn online(self, place: &Place) -> Option<&'a Row> {
        self.haproxy.row(&place.online, &place.line)
    }

    /// Both lines of a server; none when one of them is not there.
    pub(super) fn lines(self, place: &'a Place) -> Option<Lines<'a>> {
        Some(Lines {
            place,
            online: self.online(place)?,
            maintenance: self.haproxy.row(&place.maintenance, &place.line)?,
            view: self,
        })
    }
}

/// A server as HAProxy has it now: its line in both pools.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) place: &'a Place,
    pub(super) online: &'a Row,
    pub(super) maintenance: &'a Row,
    pub(super) view: View<'a>,
}

impl Lines<'_> {
    /// Customers cannot reach it, testers can.
    pub(super) fn is_out(self) -> bool {
        self.online.admin == Admin::Maint && self.maintenance.admin == Admin::Ready
    }

    /// Whether the state file holds what HAProxy says of both.
    pub(super) fn is_saved(self) -> bool {
        let place = self.place;
        let saved = |backend: &String, row: &Row| {
            let key = (backend.clone(), place.line.clone());
            self.view.saved.get(&key) == Some(&row.admin)
        };
        saved(&place.online, self.online) && saved(&place.maintenance, self.maintenance)
    }

    /// HAProxy's counter of customers' requests now.
    pub(super) fn baseline(self) -> Baseline {
        Baseline {
            pid: self.view.haproxy.process.pid,
            requests: self.online.requests,
        }
    }

    /// `shop/web1`, for people.
    pub(super) fn name(self) -> String {
        format!("{}/{}", self.place.online, self.place.line)
    }
}

/// A step in the making.
pub(super) struct Draft {
    /// The marks as they must become.
    pub(super) marks: Marks,
    pub(super) replies: Vec<Reply>,
    /// By backend and line.
    sets: BTreeMap<(String, String), (Order, Admin)>,
    cuts: Vec<Action>,
}

/// When something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// First, even when the disk is full: what keeps a server out, or puts it back.
    AtOnce,
    /// Only once its mark is on disk: what takes a server out anew.
    AfterMarks,
}

impl Draft {
    pub(super) fn new(marks: &Marks, replies: Vec<Reply>) -> Self {
        Self {
            marks: marks.clone(),
            replies,
            sets: BTreeMap::new(),
            cuts: Vec::new(),
        }
    }

    /// Asks for a state of the online line, where it is another now.
    pub(super) fn set_online(&mut self, lines: Lines<'_>, to: Admin, order: Order) {
        self.set(
            lines.online,
            &lines.place.online,
            &lines.place.line,
            to,
            order,
        );
    }

    /// The same of the maintenance line.
    pub(super) fn set_maintenance(&mut self, lines: Lines<'_>, to: Admin, order: Order) {
        let place = lines.place;
        self.set(
            lines.maintenance,
            &place.maintenance,
            &place.line,
            to,
            order,
        );
    }

    fn set(&mut self, row: &Row, backend: &str, line: &str, to: Admin, order: Order) {
        if row.admin != to {
            self.sets
                .insert((backend.to_owned(), line.to_owned()), (order, to));
        }
    }

    pub(super) fn cut(&mut self, place: &Place) {
        self.cuts.push(Action::CutSessions {
            backend: place.online.clone(),
            line: place.line.clone(),
        });
    }

    /// What this step asks of a line, if anything.
    pub(super) fn asked(&self, backend: &str, line: &str) -> Option<Admin> {
        self.sets
            .get(&(backend.to_owned(), line.to_owned()))
            .map(|(_, to)| *to)
    }

    pub(super) fn finish(self, seen: Seen<'_>) -> Step {
        let save = seen
            .haproxy
            .is_some_and(|haproxy| self.must_save(haproxy, seen.saved));
        let mut actions = Vec::new();
        self.push_sets(Order::AtOnce, &mut actions);
        if self.marks != *seen.marks {
            actions.push(Action::WriteMarks(self.marks.clone()));
        }
        self.push_sets(Order::AfterMarks, &mut actions);
        actions.extend(self.cuts);
        if save {
            actions.push(Action::SaveState);
        }
        Step {
            actions,
            replies: self.replies,
        }
    }

    fn push_sets(&self, order: Order, actions: &mut Vec<Action>) {
        let chosen = self.sets.iter().filter(|(_, (when, _))| *when == order);
        actions.extend(chosen.map(|((backend, line), (_, to))| Action::SetState {
            backend: backend.clone(),
            line: line.clone(),
            to: *to,
        }));
    }

    /// Whether the state file will be out of date after this step, for any line that we know.
    fn must_save(&self, haproxy: &Observed, saved: &Saved) -> bool {
        self.marks.known.values().any(|known| {
            known.lines.values().any(|line| {
                [&known.online, &known.maintenance].iter().any(|backend| {
                    let place = ((*backend).clone(), line.clone());
                    haproxy.rows.get(&place).is_some_and(|row| {
                        let will_be = self.asked(backend, line).unwrap_or(row.admin);
                        saved.get(&place) != Some(&will_be)
                    })
                })
            })
        })
    }
}
