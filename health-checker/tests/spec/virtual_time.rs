//! A shop behind two balancers whose customers come by dice, a second at a time.

use std::collections::BTreeMap;

use events::{Requests, ResponseTime, TooFew, Watch, WatchSeen};
use poolshift_health_checker::{Line, Reading, Reply, Stands, Verdict, Window};

const LOOK_MS: u64 = 500;

/// Of the first server, beside all others; as the catalogue's defaults have it.
pub(crate) fn watch() -> Watch {
    Watch {
        peers: (1..8).map(line).collect(),
        for_ms: 60_000,
        longest_ms: 60_000,
        max_5xx_ppm: 10_000,
        min_requests: 200,
        if_too_few: TooFew::Pass,
        must_be_up: true,
        baseline: None,
        response: None,
    }
}

/// The same, and no more than one in twenty may need longer than 300 ms.
pub(crate) fn timed() -> Watch {
    let itself = |number| format!("http://{}", line(number));
    Watch {
        response: Some(ResponseTime {
            max_ms: 300,
            max_late_ppm: 50_000,
            min_probes: 20,
            interval_ms: 1_000,
            timeout_ms: 5_000,
            path: "/".to_owned(),
            status: 200,
            server: itself(0),
            peers: (1..8).map(itself).collect(),
        }),
        ..watch()
    }
}

/// What a probe comes to: of which server, at what time of the watch, by a number below a million.
pub(crate) type Manner = fn(usize, u64, u64) -> Reply;

pub(crate) struct Shop {
    dice: u64,
    manner: Manner,
    /// Requests that come at each look, in thousandths, and what is left of one.
    load: (u64, u64),
    /// Of each server: failures in a million, and what each balancer has counted.
    servers: Vec<(u64, [Requests; 2])>,
    process: u32,
    restart_ms: Option<u64>,
    clear_ms: Option<u64>,
    /// Since when each balancer cannot be read.
    deaf_ms: [Option<u64>; 2],
    stands: (Stands, Stands),
    sent: u64,
    window: Option<Window>,
    pub(crate) elapsed_ms: u64,
}

fn line(number: usize) -> String {
    format!("web{}", number + 1)
}

impl Shop {
    /// So many requests a second over so many servers, which all fail once in a hundred times.
    pub(crate) fn new(seed: u64, per_second: u64, servers: usize) -> Self {
        Self {
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            manner: |_, _, _| Reply::Good(40),
            load: (per_second * LOOK_MS, 0),
            servers: vec![(10_000, [Requests::default(); 2]); servers],
            process: 1,
            restart_ms: None,
            clear_ms: None,
            deaf_ms: [None; 2],
            stands: (Stands::Up, Stands::Up),
            sent: 0,
            window: None,
            elapsed_ms: 0,
        }
    }

    pub(crate) fn failing(mut self, server: usize, ppm: u64) -> Self {
        self.servers[server].0 = ppm;
        self
    }

    pub(crate) fn all_failing(mut self, ppm: u64) -> Self {
        self.servers.iter_mut().for_each(|server| server.0 = ppm);
        self
    }

    pub(crate) fn answering(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// Both balancers restart then.
    pub(crate) fn restarting_at(mut self, ms: u64) -> Self {
        self.restart_ms = Some(ms);
        self
    }

    /// Somebody clears the counters of both.
    pub(crate) fn cleared_at(mut self, ms: u64) -> Self {
        self.clear_ms = Some(ms);
        self
    }

    /// A balancer cannot be read from then on.
    pub(crate) fn deaf(mut self, balancer: usize, ms: u64) -> Self {
        self.deaf_ms[balancer] = Some(ms);
        self
    }

    /// How the first server stands from now on, and the others.
    pub(crate) fn standing(mut self, own: Stands, others: Stands) -> Self {
        self.stands = (own, others);
        self
    }

    /// Watches the first server to the verdict.
    pub(crate) fn watch(&mut self, watch: &Watch) -> Verdict {
        let names = ["lb1", "lb2"].map(|name| name.parse().unwrap());
        let mut window = Window::new(watch.clone(), line(0), names.to_vec());
        // Customers were there before.
        self.customers();
        self.sent = 0;
        let verdict = loop {
            for (balancer, name) in names.iter().enumerate() {
                if self.deaf_ms[balancer].is_some_and(|ms| self.elapsed_ms >= ms) {
                    window.miss(name, "nobody is there");
                } else {
                    window.take(name, &self.reading(balancer));
                }
            }
            self.probe(watch, &mut window);
            if let Some(verdict) = window.look(self.elapsed_ms, false) {
                break verdict;
            }
            self.elapsed_ms += LOOK_MS;
            self.customers();
        };
        self.window = Some(window);
        verdict
    }

    pub(crate) fn seen(&self) -> WatchSeen {
        self.window.as_ref().unwrap().seen(self.elapsed_ms)
    }

    /// What was really sent to the first server while it was watched.
    pub(crate) fn sent(&self, server: usize) -> u64 {
        assert_eq!(server, 0, "only the first is counted");
        self.sent
    }

    fn probe(&mut self, watch: &Watch, window: &mut Window) {
        let due = |rule: &&ResponseTime| self.elapsed_ms.is_multiple_of(rule.interval_ms);
        let Some(rule) = watch.response.as_ref().filter(due) else {
            return;
        };
        let turn = window.turn().unwrap();
        let mut reply = |url: &str| {
            let server = url.trim_start_matches("http://web").parse::<usize>();
            let roll = self.next(1_000_000);
            (self.manner)(server.unwrap() - 1, self.elapsed_ms, roll)
        };
        let (server, peer) = turn.asked(rule);
        let (server, peer) = (reply(server), peer.map(reply));
        window.replied(turn, server, peer);
    }

    fn customers(&mut self) {
        let due = self.load.0 + self.load.1;
        self.load.1 = due % 1_000;
        for _ in 0..due / 1_000 {
            let count = u64::try_from(self.servers.len()).unwrap();
            let server = usize::try_from(self.next(count)).unwrap();
            let balancer = usize::try_from(self.next(2)).unwrap();
            let fails = self.next(1_000_000) < self.servers[server].0;
            let counted = &mut self.servers[server].1[balancer];
            counted.requests += 1;
            counted.errors_5xx += u64::from(fails);
            self.sent += u64::from(server == 0);
        }
        let restarts = self.restart_ms == Some(self.elapsed_ms);
        if restarts || self.clear_ms == Some(self.elapsed_ms) {
            self.process += u32::from(restarts);
            for server in &mut self.servers {
                server.1 = [Requests::default(); 2];
            }
        }
    }

    fn reading(&self, balancer: usize) -> Reading {
        let lines = self.servers.iter().enumerate();
        let lines = lines.map(|(number, server)| {
            let stands = if number == 0 {
                self.stands.0
            } else {
                self.stands.1
            };
            let counted = server.1[balancer];
            (line(number), Line { stands, counted })
        });
        Reading {
            process: self.process,
            lines: lines.collect::<BTreeMap<_, _>>(),
        }
    }

    fn next(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}
