//! Which servers are UP in which pool: reported on change.

use std::collections::BTreeMap;

use events::{Answer, Pool, PoolMember, PoolSeen, Target};

use crate::mark::Known;
use crate::observed::Admin;
use crate::step::Reply;

use super::draft::{Draft, View};

/// The least time between two reports of one target.
const EVERY_MS: u64 = 1_000;

/// What was reported last, and when.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    told: BTreeMap<Target, (u64, Vec<PoolMember>)>,
}

impl Pools {
    pub(super) const fn new() -> Self {
        Self {
            told: BTreeMap::new(),
        }
    }

    pub(super) fn report(&mut self, view: View<'_>, draft: &mut Draft) {
        let now_ms = view.now.ms;
        for (target, known) in draft.marks.known.clone() {
            let servers = members(&target, &known, view);
            let is_due = self.told.get(&target).is_none_or(|(told_ms, told)| {
                *told != servers && now_ms.saturating_sub(*told_ms) >= EVERY_MS
            });
            if is_due {
                self.told.insert(target.clone(), (now_ms, servers.clone()));
                draft.replies.push(Reply {
                    target,
                    answer: Answer::PoolSeen(PoolSeen {
                        balancer: view.name.clone(),
                        servers,
                    }),
                });
            }
        }
    }
}

fn members(target: &Target, known: &Known, view: View<'_>) -> Vec<PoolMember> {
    let member = |(server, line): (&events::ServerName, &String)| {
        let online = view.haproxy.row(&known.online, line);
        let tested = view.haproxy.row(&known.maintenance, line);
        let is_marked = view.marks.taken.contains_key(&format!("{target}/{server}"));
        let pool = match online.map(|row| row.admin) {
            None => Pool::Gone,
            Some(Admin::Ready) => Pool::Online,
            Some(Admin::Drain | Admin::Maint) if is_marked => Pool::Maintenance,
            Some(Admin::Drain | Admin::Maint) => Pool::ByPerson,
        };
        PoolMember {
            server: server.clone(),
            pool,
            up: [online, tested].iter().flatten().any(|row| row.checked_up),
        }
    };
    known.lines.iter().map(member).collect()
}
