//! How long probes of a watch took, and what that shows: pure. A server that is too slow is found
//! by the share of its late answers, never by an average: one long pause says nothing about the rest.

use events::{Basis, Probes, ResponseTime, Responses};

use super::chance::{Share, beside_limit, beside_others};
use super::text::part;

/// Whom one round of probes asks, both at the same moment: the server, and one of its peers in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    peer: Option<usize>,
}

/// What one probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was answered as it should be, after so many milliseconds.
    Good(u64),
    /// It was answered otherwise, or not in its time: why.
    Bad(String),
    /// Nobody was there: why.
    Unreached(String),
}

/// All probes of one watch.
#[derive(Debug, Clone)]
pub(super) struct Timing {
    rule: ResponseTime,
    server: Replies,
    peers: Vec<Replies>,
    turns: usize,
}

#[derive(Debug, Clone, Default)]
struct Replies {
    probes: Probes,
    /// How long those took that were answered well, in milliseconds.
    took_ms: Vec<u64>,
    is_reached: bool,
    /// What was wrong the last time.
    wrong: Option<String>,
}

impl Replies {
    fn take(&mut self, reply: Reply, max_ms: u64) {
        self.probes.probes += 1;
        self.is_reached |= !matches!(reply, Reply::Unreached(_));
        match reply {
            Reply::Good(took_ms) => {
                self.probes.slow += u64::from(took_ms > max_ms);
                self.took_ms.push(took_ms);
            }
            Reply::Bad(why) | Reply::Unreached(why) => {
                self.probes.failed += 1;
                self.wrong = Some(why);
            }
        }
    }
}

impl Turn {
    /// The addresses that are asked.
    #[must_use]
    pub fn asked(self, rule: &ResponseTime) -> (&str, Option<&str>) {
        let peer = self.peer.and_then(|number| rule.peers.get(number));
        (&rule.server, peer.map(String::as_str))
    }
}

impl Timing {
    pub(super) fn new(rule: ResponseTime) -> Self {
        Self {
            server: Replies::default(),
            peers: vec![Replies::default(); rule.peers.len()],
            turns: 0,
            rule,
        }
    }

    pub(super) fn turn(&mut self) -> Turn {
        let peer = self.turns.checked_rem(self.peers.len());
        self.turns = self.turns.wrapping_add(1);
        Turn { peer }
    }

    pub(super) fn take(&mut self, turn: Turn, server: Reply, peer: Option<Reply>) {
        self.server.take(server, self.rule.max_ms);
        let asked = turn.peer.and_then(|number| self.peers.get_mut(number));
        if let (Some(asked), Some(reply)) = (asked, peer) {
            asked.take(reply, self.rule.max_ms);
        }
    }

    pub(super) fn seen(&self) -> Responses {
        Responses {
            server: self.server.probes,
            peers: self
                .reached()
                .fold(Probes::default(), |sum, peer| sum.plus(peer.probes)),
        }
    }

    pub(super) fn is_enough(&self) -> bool {
        self.server.probes.probes >= u64::from(self.rule.min_probes)
    }

    /// Why these probes say nothing about the server; none: they do. Without a way to it, or when
    /// nobody ever gave a good answer, the question was wrong: it passed its check, and customers
    /// reach it.
    pub(super) fn unseen(&self) -> Option<String> {
        let Replies { probes, wrong, .. } = &self.server;
        let why = wrong
            .as_deref()
            .filter(|_| probes.failed == probes.probes)?;
        let is_lost = !self.server.is_reached || !self.is_answered_by_peers();
        let (url, path) = (&self.rule.server, &self.rule.path);
        is_lost.then(|| format!("no good answer to GET {url}{path}: {why}"))
    }

    /// Why the server is too slow: later than is borne more often than is borne, and more often
    /// than its peers are now. These only ever excuse it: when all are slow it is not its fault.
    pub(super) fn too_slow(&self, chance: f64) -> Option<(Basis, String)> {
        let (basis, peers) = self.comparison();
        let late = |probes: Probes| Share::new(probes.late(), probes.probes);
        let server = late(self.server.probes);
        let is_slow = self.is_enough()
            && self.unseen().is_none()
            && beside_limit(server, self.rule.max_late_ppm) < chance
            && peers.is_none_or(|peers| beside_others(server, late(peers)) < chance);
        is_slow.then(|| (basis, self.text(peers)))
    }

    pub(super) fn too_few(&self) -> String {
        let (seen, min) = (self.server.probes.probes, self.rule.min_probes);
        format!("{seen} probes ended, at least {min} are wanted")
    }

    fn reached(&self) -> impl Iterator<Item = &Replies> {
        self.peers.iter().filter(|peer| peer.is_reached)
    }

    /// What no peer ever answers well is no question for the old version.
    fn is_answered_by_peers(&self) -> bool {
        self.peers.iter().any(|peer| !peer.took_ms.is_empty())
    }

    fn comparison(&self) -> (Basis, Option<Probes>) {
        let peers = self.seen().peers;
        if self.is_answered_by_peers() {
            (Basis::Peers, Some(peers))
        } else {
            (Basis::Limit, None)
        }
    }

    fn text(&self, peers: Option<Probes>) -> String {
        let max_ms = self.rule.max_ms;
        let borne = part(u64::from(self.rule.max_late_ppm), 1_000_000);
        let mut text = format!(
            "{} were not answered within {max_ms} ms{}",
            share(self.server.probes),
            half(self.server.took_ms.clone())
        );
        if let Some(peers) = peers {
            let took_ms = self.reached().flat_map(|peer| &peer.took_ms);
            let half = half(took_ms.copied().collect());
            text += &format!("; of its peers {}{half}", share(peers));
        }
        text += &format!("; {borne} is borne");
        if let Some(wrong) = &self.server.wrong {
            let failed = self.server.probes.failed;
            text += &format!("; {failed} had no good answer, the last: {wrong}");
        }
        text
    }
}

fn share(probes: Probes) -> String {
    let late = part(probes.late(), probes.probes);
    format!("{late} of {} probes", probes.probes)
}

/// The median, for people: nothing is decided by it.
fn half(mut took_ms: Vec<u64>) -> String {
    took_ms.sort_unstable();
    let middle = took_ms.get(took_ms.len() / 2);
    middle.map_or_else(String::new, |ms| format!(", half took {ms} ms or more"))
}
