//! What a watch has seen, and what it makes of it: pure. Counters of each HAProxy come in, and what
//! probes came to, with the time since the watch began; a verdict comes out.

use std::collections::BTreeMap;

use events::{
    Answer, BalancerName, Basis, CommandId, FailedBecause, Failure, Regressed, Requests, Steady,
    TooFew, Watch, WatchFailed, WatchSeen, cut,
};

use super::chance::{beside_limit, beside_others};
use super::response::{Reply, Timing, Turn};
use super::text::part;

/// A server that is as good as what it is held against is called worse by chance in one of 100,000
/// watches at their end,
const CHANCE_AT_THE_END: f64 = 1e-5;

/// and in one of 10,000,000 at each look before it.
const CHANCE_BEFORE: f64 = 1e-7;

/// A server must be seen DOWN in so many looks in a row: one look may fall into a restart of HAProxy.
const LOOKS_DOWN: u32 = 3;

/// A balancer that could not be read in so many looks in a row is not counted at present: its
/// HAProxy may restart in less.
const LOOKS_UNREAD: u32 = 3;

/// The longest list of peers in a text for people, in bytes.
const PEERS_BYTES_MAX: usize = 200;

/// How a line of the online pool stands on one HAProxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Its check is good, or it has none.
    Up,
    /// Its check says that it is dead.
    Down,
    /// Somebody took it out.
    Out,
}

/// One line of the online pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How it stands.
    pub stands: Stands,
    /// All that was ever counted there by this process of HAProxy.
    pub counted: Requests,
}

/// The online pool as one HAProxy says it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The process that says so: another one counts from zero.
    pub process: u32,
    /// Its lines, by name.
    pub lines: BTreeMap<String, Line>,
}

/// What a watch comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does no worse than it must.
    Steady(Basis),
    /// It does.
    Regressed(Basis, Failure),
    /// Too little could be seen to say so: no verdict at all.
    Unseen(Failure),
}

impl Verdict {
    /// As it is reported, with what was seen.
    #[must_use]
    pub fn answer(self, command: CommandId, seen: WatchSeen) -> Answer {
        match self {
            Self::Steady(basis) => Answer::Steady(Steady {
                command,
                basis,
                seen,
            }),
            Self::Regressed(basis, failure) => Answer::Regressed(Regressed {
                command,
                failure,
                basis,
                seen,
            }),
            Self::Unseen(failure) => Answer::WatchFailed(WatchFailed {
                command,
                failure,
                seen,
            }),
        }
    }
}

/// One watch.
#[derive(Debug, Clone)]
pub struct Window {
    watch: Watch,
    line: String,
    balancers: BTreeMap<BalancerName, Counters>,
    timing: Option<Timing>,
    resets: u32,
    is_down: bool,
    looks_down: u32,
}

#[derive(Debug, Clone, Default)]
struct Counters {
    process: Option<u32>,
    lines: BTreeMap<String, Counter>,
    /// How often in a row it could not be read, and why the last time.
    unread: u32,
    why: String,
}

impl Counters {
    const fn is_unread(&self) -> bool {
        self.process.is_none() || self.unread >= LOOKS_UNREAD
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    last: Requests,
    sum: Requests,
}

impl Window {
    /// Of the server on this line, behind these balancers.
    #[must_use]
    pub fn new(watch: Watch, line: String, balancers: Vec<BalancerName>) -> Self {
        let balancers = balancers.into_iter();
        Self {
            timing: watch.response.clone().map(Timing::new),
            watch,
            line,
            balancers: balancers.map(|name| (name, Counters::default())).collect(),
            resets: 0,
            is_down: false,
            looks_down: 0,
        }
    }

    /// Takes what a balancer says. Its first word is where counting begins.
    pub fn take(&mut self, balancer: &BalancerName, reading: &Reading) {
        let own = reading.lines.get(&self.line);
        let mut peers = self.watch.peers.iter();
        let others = self.watch.peers.is_empty()
            || peers.any(|peer| {
                let line = reading.lines.get(peer);
                line.is_some_and(|line| line.stands == Stands::Up)
            });
        // When nobody is UP it is not this server's fault.
        self.is_down |= others && own.is_some_and(|line| line.stands == Stands::Down);
        let Some(counters) = self.balancers.get_mut(balancer) else {
            return;
        };
        let known = self.watch.peers.iter().chain([&self.line]);
        let known = known.filter_map(|name| Some((name, reading.lines.get(name)?)));
        let is_new = counters.process.is_some_and(|one| one != reading.process);
        counters.process = Some(reading.process);
        counters.unread = 0;
        let mut is_reset = is_new;
        let zero = Requests::default();
        for (name, line) in known {
            let begins = Counter {
                last: if is_new { zero } else { line.counted },
                sum: zero,
            };
            let counter = counters.lines.entry(name.clone()).or_insert(begins);
            let fell = fell(line.counted, counter.last);
            is_reset |= fell;
            // All that a new count holds was counted within this watch.
            let from = if fell || is_new { zero } else { counter.last };
            counter.sum = counter.sum.plus(minus(line.counted, from));
            counter.last = line.counted;
        }
        self.resets += u32::from(is_reset);
    }

    /// Takes why a balancer could not be read at this look.
    pub fn miss(&mut self, balancer: &BalancerName, why: &str) {
        if let Some(counters) = self.balancers.get_mut(balancer) {
            counters.unread = counters.unread.saturating_add(1);
            why.clone_into(&mut counters.why);
        }
    }

    /// Whom the next round of probes asks; none: how long answers take is not looked at.
    pub fn turn(&mut self) -> Option<Turn> {
        self.timing.as_mut().map(Timing::turn)
    }

    /// Takes what a round of probes came to.
    pub fn replied(&mut self, turn: Turn, server: Reply, peer: Option<Reply>) {
        if let Some(timing) = &mut self.timing {
            timing.take(turn, server, peer);
        }
    }

    /// Judges after each balancer was asked once more. None: it goes on. At `is_over` it does not.
    pub fn look(&mut self, elapsed_ms: u64, is_over: bool) -> Option<Verdict> {
        let is_down = std::mem::take(&mut self.is_down) && self.watch.must_be_up;
        self.looks_down = if is_down { self.looks_down + 1 } else { 0 };
        let enough = self.server().requests >= self.watch.min_requests;
        let is_over = is_over || elapsed_ms >= self.watch.longest_ms;
        // Requests and answers that nobody sees are not waited for.
        let timed = self.timing.as_ref().is_none_or(Timing::is_enough);
        let untimed = self.timing.as_ref().and_then(Timing::unseen);
        let may_end = (enough || self.none_is_read()) && (timed || untimed.is_some());
        let is_end = is_over || (may_end && elapsed_ms >= self.watch.for_ms);
        let chance = if is_end {
            CHANCE_AT_THE_END
        } else {
            CHANCE_BEFORE
        };
        if self.looks_down >= LOOKS_DOWN {
            let why = "its health check says DOWN while customers could reach it";
            Some(self.regressed(FailedBecause::NotUp, why))
        } else if enough && self.is_worse(chance) {
            let why = self.compared();
            Some(self.regressed(FailedBecause::TooManyErrors, &why))
        } else if let Some((basis, why)) = self.too_slow(chance) {
            let failure = Failure::new(FailedBecause::TooSlow, &why);
            Some(Verdict::Regressed(basis, failure))
        } else if !is_end {
            None
        } else if self.none_is_read() || (!enough && self.unread().next().is_some()) {
            Some(self.unseen())
        } else if let Some(why) = untimed {
            let failure = Failure::new(FailedBecause::Unreachable, &why);
            Some(Verdict::Unseen(failure))
        } else if enough && timed {
            Some(Verdict::Steady(self.comparison().0))
        } else {
            Some(self.too_few())
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn seen(&self, elapsed_ms: u64) -> WatchSeen {
        WatchSeen {
            server: self.server(),
            peers: self.peers(),
            watched_ms: elapsed_ms,
            resets: self.resets,
            unread: self.unread().map(|(name, _)| name.clone()).collect(),
            response: self.timing.as_ref().map(Timing::seen),
        }
    }

    fn too_slow(&self, chance: f64) -> Option<(Basis, String)> {
        self.timing.as_ref()?.too_slow(chance)
    }

    fn unread(&self) -> impl Iterator<Item = (&BalancerName, &Counters)> {
        self.balancers.iter().filter(|(_, one)| one.is_unread())
    }

    fn none_is_read(&self) -> bool {
        self.unread().count() == self.balancers.len() && !self.balancers.is_empty()
    }

    /// Through a balancer that nobody reads many requests may come, and many errors.
    fn unseen(&self) -> Verdict {
        let unread = self
            .unread()
            .map(|(name, one)| format!("{name}: {}", one.why));
        let why = format!("not counted by {}", unread.collect::<Vec<_>>().join("; "));
        Verdict::Unseen(Failure::new(FailedBecause::Unreachable, &why))
    }

    fn sum(&self, of: impl Fn(&str) -> bool) -> Requests {
        let lines = self.balancers.values().flat_map(|one| &one.lines);
        lines
            .filter(|(name, _)| of(name))
            .fold(Requests::default(), |sum, (_, counter)| {
                sum.plus(counter.sum)
            })
    }

    fn server(&self) -> Requests {
        self.sum(|name| name == self.line)
    }

    fn peers(&self) -> Requests {
        self.sum(|name| name != self.line)
    }

    /// What the server is held against beside the limit: the best that has enough requests.
    fn comparison(&self) -> (Basis, Option<Requests>) {
        let min = self.watch.min_requests;
        let (peers, baseline) = (self.peers(), self.watch.baseline);
        if peers.requests >= min && peers.requests > 0 {
            (Basis::Peers, Some(peers))
        } else if let Some(baseline) = baseline.filter(|one| one.requests >= min) {
            (Basis::Baseline, Some(baseline))
        } else {
            (Basis::Limit, None)
        }
    }

    /// Worse than is borne, and worse than what it replaces. What it is compared with only ever
    /// excuses it: nobody minds a share of errors that is borne.
    fn is_worse(&self, chance: f64) -> bool {
        let server = self.server();
        let (_, others) = self.comparison();
        beside_limit(server.into(), self.watch.max_5xx_ppm) < chance
            && others.is_none_or(|others| beside_others(server.into(), others.into()) < chance)
    }

    fn too_few(&self) -> Verdict {
        if self.watch.if_too_few == TooFew::Pass {
            return Verdict::Steady(Basis::NotEnoughData);
        }
        let (seen, min) = (self.server().requests, self.watch.min_requests);
        let why = match &self.timing {
            Some(timing) if seen >= min => timing.too_few(),
            Some(_) | None => format!("{seen} requests came, at least {min} are wanted"),
        };
        let failure = Failure::new(FailedBecause::TooFewRequests, &why);
        Verdict::Regressed(Basis::NotEnoughData, failure)
    }

    fn regressed(&self, reason: FailedBecause, why: &str) -> Verdict {
        Verdict::Regressed(self.comparison().0, Failure::new(reason, why))
    }

    fn compared(&self) -> String {
        let server = share(self.server());
        let limit = part(u64::from(self.watch.max_5xx_ppm), 1_000_000);
        match self.comparison() {
            (Basis::Peers, Some(peers)) => {
                let names = cut(&self.watch.peers.join(", "), PEERS_BYTES_MAX);
                format!(
                    "{server} failed, {} on {names}; {limit} is borne",
                    share(peers)
                )
            }
            (_, Some(before)) => {
                format!(
                    "{server} failed, {} before; {limit} is borne",
                    share(before)
                )
            }
            (_, None) => format!("{server} failed; {limit} is borne"),
        }
    }
}

/// HAProxy counts upwards only; less means that it counts anew.
const fn fell(now: Requests, last: Requests) -> bool {
    now.requests < last.requests || now.errors_5xx < last.errors_5xx || now.broken < last.broken
}

const fn minus(now: Requests, last: Requests) -> Requests {
    Requests {
        requests: now.requests.saturating_sub(last.requests),
        errors_5xx: now.errors_5xx.saturating_sub(last.errors_5xx),
        broken: now.broken.saturating_sub(last.broken),
    }
}

fn share(seen: Requests) -> String {
    let errors = part(seen.errors(), seen.requests);
    format!("{errors} of {} requests", seen.requests)
}
