//! The machine of one balancer: takes commands, looks, says what to do.

mod draft;
mod drain;
mod floor;
mod hold;
mod idle;
mod pools;
mod restore;
mod server;

use std::collections::BTreeMap;

use events::RefusedBecause;
use events::{Answer, BalancerName, CommandId, CommandRecord, CommandRefused, Fence};
use events::{ServerName, Target, Work};

use crate::mark::{Known, Marks};
use crate::step::{Now, Seen, Step};

use draft::{Draft, View};
use pools::Pools;
use server::{Place, Server};

/// Which server: the order in which several drains are judged.
type Key = (Target, ServerName);

/// The second line behind the state file: for so long customers may reach a held server at most, when
/// HAProxy forgot it all.
const LOOK_MS: u64 = 250;
const BUSY_LOOK_MS: u64 = 50;

/// What must be true on one HAProxy, and how far that is. Everything it must not forget lies in
/// [`Marks`]; a fresh one that is given the same records goes on where the former one stopped.
#[derive(Debug, Clone)]
pub struct Controller {
    name: BalancerName,
    servers: BTreeMap<Key, Server>,
    pools: Pools,
    refusals: Vec<crate::step::Reply>,
}

impl Controller {
    /// Of the balancer that commands call `name`.
    #[must_use]
    pub const fn new(name: BalancerName) -> Self {
        Self {
            name,
            servers: BTreeMap::new(),
            pools: Pools::new(),
            refusals: Vec::new(),
        }
    }

    /// Takes a record of the stream of commands. Look only after all records up to the end that was
    /// found at the start were taken: an old `Install` obeyed half-way takes a live server out.
    ///
    /// A lower fence than the highest one seen, or an equal one with another id, is refused. Gives the
    /// command that this one supersedes: nobody waits for its answer any more.
    pub fn take(&mut self, record: CommandRecord, now: Now) -> Option<CommandId> {
        let key = (record.target().clone(), record.server().clone());
        // A record that names no balancer does not say whose it is.
        let mine = record.balancers().is_empty()
            || record.balancers().iter().any(|one| one.name == self.name);
        let Some(server) = self.servers.get_mut(&key) else {
            // What was never here is not ours to keep out; its records elsewhere are not either.
            if mine {
                self.servers.insert(key, Server::of(record, true, now));
            }
            return None;
        };
        match server.fits(&record) {
            Fits::Newer => return server.renew(record, mine, now),
            Fits::Same => {}
            Fits::Stale(highest) => {
                if let Some(command) = record.command()
                    && server.refused.insert((command.id.clone(), command.fence()))
                {
                    self.refusals.push(crate::step::Reply {
                        target: command.target.clone(),
                        answer: refusal(&command.id, RefusedBecause::Stale, highest),
                    });
                }
            }
        }
        None
    }

    /// Compares what must be true with what is. Call it again after its actions were done, until it
    /// has none, and then within [`Self::look_within_ms`].
    #[must_use]
    pub fn look(&mut self, seen: Seen<'_>, now: Now) -> Step {
        let mut draft = Draft::new(seen.marks, std::mem::take(&mut self.refusals));
        self.learn(seen.marks, &mut draft.marks);
        if let Some(haproxy) = seen.haproxy {
            let view = View {
                name: &self.name,
                haproxy,
                saved: seen.saved,
                marks: seen.marks,
                now,
            };
            for server in self.servers.values_mut() {
                all_but_drain(server, view, &mut draft);
            }
            for server in self.servers.values_mut() {
                drain::keep(server, view, &mut draft);
            }
            for server in self.servers.values_mut().rev() {
                drain::judge_begun(server, view, &mut draft);
            }
            // One after another, each judged by what the former leave.
            for server in self.servers.values_mut() {
                drain::judge_new(server, view, &mut draft);
            }
            self.pools.report(view, &mut draft);
        } else {
            for server in self.servers.values_mut() {
                unreachable(server, &self.name, now, &mut draft);
            }
        }
        draft.finish(seen)
    }

    /// How long the next look may wait, in milliseconds: short while somebody waits for an answer that
    /// HAProxy's counters will give.
    #[must_use]
    pub fn look_within_ms(&self) -> u64 {
        let is_awaited = self.servers.values().any(|server| {
            let work = server.asked().map(|(command, _)| command.work);
            matches!(work, Some(Work::Drain(_) | Work::Restore(_))) && server.work.answer.is_none()
        });
        if is_awaited { BUSY_LOOK_MS } else { LOOK_MS }
    }

    /// Keeps what records say about places, for the time after them.
    fn learn(&mut self, on_disk: &Marks, marks: &mut Marks) {
        for server in self.servers.values_mut() {
            if server.place.is_none() {
                server.place = Place::known(on_disk, &server.key);
            }
            let Some(record) = server.record.get().filter(|_| server.mine) else {
                continue;
            };
            let (online, ..) = record.place();
            if !online.is_empty() {
                let known = marks.known.entry(record.target().clone()).or_default();
                learn_lines(known, record);
            }
        }
        for (target, known) in &marks.known {
            for name in known.lines.keys() {
                let key = (target.clone(), name.clone());
                self.servers
                    .entry(key)
                    .or_insert_with_key(|key| Server::unasked(key, Place::known(marks, key)));
            }
        }
    }
}

/// How a record stands to what was taken before.
enum Fits {
    Newer,
    Same,
    Stale(Fence),
}

fn learn_lines(known: &mut Known, record: &CommandRecord) {
    let (online, maintenance, line) = record.place();
    online.clone_into(&mut known.online);
    maintenance.clone_into(&mut known.maintenance);
    known.lines.insert(record.server().clone(), line.to_owned());
    if let Some(Work::Drain(drain)) = record.command().map(|command| &command.work) {
        // A server's short name is its line.
        let names = drain.members.iter().filter_map(|line| {
            let name: ServerName = line.parse().ok()?;
            Some((name, line.clone()))
        });
        for (name, line) in names {
            known.lines.entry(name).or_insert(line);
        }
    }
}

fn all_but_drain(server: &mut Server, view: View<'_>, draft: &mut Draft) {
    let Some(place) = server.place.clone() else {
        return;
    };
    let Some((command, _)) = server.asked() else {
        idle::look(server, &place, view, draft);
        return;
    };
    match &command.work {
        Work::Drain(_) => {}
        Work::Fetch(_) | Work::Watch(_) => idle::look_away(server, &place, view, draft),
        Work::Install(_) | Work::Check(_) | Work::Test(_) | Work::Hold(_) => {
            hold::look(server, &place, &command, view, draft);
        }
        Work::Restore(work) => restore::look(server, &place, &command, work, view, draft),
    }
}

fn unreachable(server: &mut Server, name: &BalancerName, now: Now, draft: &mut Draft) {
    let Some(command) = server.record.command().filter(|_| server.mine).cloned() else {
        return;
    };
    match &command.work {
        Work::Drain(_) => drain::unreachable(server, &command, name, now, draft),
        Work::Restore(_) => restore::unreachable(server, &command, name, now, draft),
        Work::Install(_)
        | Work::Check(_)
        | Work::Test(_)
        | Work::Hold(_)
        | Work::Fetch(_)
        | Work::Watch(_) => {}
    }
}

fn no_lines(command: &events::Command, place: &Place) -> String {
    format!(
        "this HAProxy has no server `{}` in both `{}` and `{}`: add the lines that `poolshift \
         haproxy-config {}` prints",
        place.line, place.online, place.maintenance, command.target
    )
}

fn refusal(command: &CommandId, reason: RefusedBecause, highest: Fence) -> Answer {
    CommandRefused {
        command: command.clone(),
        reason,
        highest,
    }
    .into()
}
