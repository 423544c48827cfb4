//! What a walk is about: a fleet, its policy, what is wrong with the versions, and which faults
//! may strike.

use std::fmt::Write as _;

use events::{BalancerName, Digest, MachineName, PersonId, Release, ServerName, Target, Version};

use crate::dice::Dice;

/// What is wrong with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// It is not healthy.
    Check,
    /// Only its suites find it.
    Test,
    /// Only customers find it.
    Watch,
    /// It takes long to answer.
    Slow,
}

/// One walk's setting.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) target: Target,
    pub(crate) servers: Vec<ServerName>,
    pub(crate) balancers: Vec<BalancerName>,
    pub(crate) entry: String,
    pub(crate) floor: usize,
    pub(crate) gated: bool,
    pub(crate) old: Release,
    pub(crate) old_flaw: Flaw,
    pub(crate) new_flaw: Flaw,
    /// Faults strike so many times in a hundred steps.
    pub(crate) fault_percent: u32,
    pub(crate) hand_moves: bool,
    /// HAProxy loads its state file.
    pub(crate) loads_state: bool,
    /// A machine whose agent dies in the middle and never comes back.
    pub(crate) lost_machine: Option<MachineName>,
    /// People steer.
    pub(crate) people: bool,
    /// A person aborts in the middle.
    pub(crate) aborts: bool,
    /// How many rollouts are asked for.
    pub(crate) requests: u64,
    /// A rollout must have succeeded in staging.
    pub(crate) requires: bool,
}

/// Names in this crate are literals that parse; one that does not is a bug of the walk and ends
/// in a name that every check refuses.
pub(crate) fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub(crate) fn person(name: &str) -> Option<PersonId> {
    parsed(&format!("p_{name}"))
}

pub(crate) fn release(version: &str) -> Option<Release> {
    let sha256: Digest = events::sha256(version.as_bytes());
    Some(Release {
        version: parsed::<Version>(version)?,
        sha256,
    })
}

pub(crate) fn machine_of(index: usize) -> String {
    format!("m{}", index / 2 + 1)
}

impl Scenario {
    pub(crate) fn of(dice: &mut Dice) -> Option<Self> {
        let count = 3 + dice.index(4);
        let names: Vec<String> = (1..=count).map(|n| format!("s{n}")).collect();
        let floor = 1 + dice.index(count - 1);
        let halts = dice.percent(40);
        let gated = dice.percent(30);
        let chance = |dice: &mut Dice, check, test| match dice.index(100) {
            n if n < check => Flaw::Check,
            n if n < check + test => Flaw::Test,
            _ => Flaw::None,
        };
        let lost = dice.percent(15);
        let lost_index = dice.index(count);
        let calm = dice.percent(15);
        let fault_percent = if calm {
            0
        } else {
            5 + u32::try_from(dice.index(25)).ok()?
        };
        let new_flaw = chance(dice, 12, 16);
        let old_flaw = chance(dice, 7, 8);
        let mut entry = entry(dice, &names, floor, halts, gated);
        let watched = dice.percent(50);
        if watched {
            entry = entry.replace("[environments.", &format!("{WATCH}[environments."));
        }
        let only_customers = new_flaw == Flaw::None && watched && dice.percent(40);
        let new_flaw = match only_customers {
            true if count.is_multiple_of(2) => Flaw::Slow,
            true => Flaw::Watch,
            false => new_flaw,
        };
        let (windows, requires) = (dice.percent(25), dice.percent(20));
        let gates = gates(windows, requires);
        Some(Self {
            target: parsed("production/shop")?,
            servers: names
                .iter()
                .map(|name| parsed(name))
                .collect::<Option<_>>()?,
            balancers: vec![parsed("lb1")?, parsed("lb2")?],
            entry: entry + &gates,
            floor,
            gated,
            old: release("1.0.0")?,
            old_flaw,
            new_flaw,
            fault_percent,
            hand_moves: dice.percent(30),
            loads_state: true,
            lost_machine: if lost {
                parsed(&machine_of(lost_index))
            } else {
                None
            },
            people: dice.percent(60),
            aborts: dice.percent(12),
            requests: 1 + u64::from(dice.percent(40)) + u64::from(dice.percent(20)),
            requires,
        })
    }

    pub(crate) fn flaw(&self, release: &Release) -> Flaw {
        if *release == self.old {
            self.old_flaw
        } else {
            self.new_flaw
        }
    }
}

const WATCH: &str = "watch = { for = \"5s\", max_5xx_share = 0.02, min_requests = 200, \
    if_too_few = \"extend\", max_response = \"300ms\" }\n";

fn entry(dice: &mut Dice, names: &[String], floor: usize, halts: bool, gated: bool) -> String {
    let mut text = String::new();
    let on_failure = if halts { "halt" } else { "roll-back" };
    let second = if dice.percent(50) {
        "supersede"
    } else {
        "queue"
    };
    let then = if dice.percent(30) { "cut" } else { "fail" };
    let late = if dice.percent(50) { "join" } else { "leave" };
    let pinned = if dice.percent(30) { "2s" } else { "0s" };
    let in_a_row = 1 + dice.index(3);
    let batches = batches(dice);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        r#"name = "shop"
owner = "team"
[artifact]
url = "https://artifacts.example/shop/{{version}}/shop.tar.gz"
max_size = "10 MiB"
timeout = "30s"
[install]
kind = "archive"
into = "/srv/{{server}}"
restart = ["true"]
prove = {{ http = "/version" }}
timeout = "20s"
[[tests]]
name = "smoke"
command = ["suite"]
results = "result.xml"
at_least = 1
timeout = "20s"
[check]
http = {{ path = "/health", status = 200, body = "{{version}}" }}
in_a_row = {in_a_row}
interval = "200ms"
timeout = "20s"
[rollout]
batches = {batches}
floor = {floor}
drain = {{ pinned = "{pinned}", timeout = "20s", then = "{then}" }}
restore_timeout = "20s"
on_failure = "{on_failure}"
second_request = "{second}"
late = "{late}"
start_within = "20s"
person_wait = "10m"
queue_expire = "2h"
[environments.production]
balancers = [
  {{ name = "lb1", testers = "http://10.0.0.11:8081" }},
  {{ name = "lb2", testers = "http://10.0.0.12:8081" }},
]
online = "shop"
maintenance = "shop_maintenance"
"#
    );
    if gated {
        text.push_str("approvals = { count = 1, from = [\"managers\"], expire = \"30m\" }\n");
    }
    text.push_str(&servers(names));
    text
}

/// What a rollout waits for besides votes, in the section of production; and the other environment.
/// Walks begin on a Friday at 09:00 in Berlin and last some minutes, then days of calm.
fn gates(windows: bool, requires: bool) -> String {
    let mut text = "overrides = [\"managers\"]\n".to_owned();
    if windows {
        let days = "days = [\"mon-sun\"]";
        let hours = [
            ("08:30", "09:03"),
            ("09:05", "09:09"),
            ("09:30", "10:15"),
            ("23:00", "03:00"),
        ];
        let windows = hours.map(|(from, to)| {
            format!("{{ {days}, from = \"{from}\", to = \"{to}\", zone = \"Europe/Berlin\" }}")
        });
        text += &format!("windows = [{}]\n", windows.join(", "));
    }
    if requires {
        text += "requires = { succeeded_in = \"staging\", within = \"14d\" }\n";
    }
    text + r#"[environments.staging]
balancers = [{ name = "lb9", testers = "http://10.9.0.11:8081" }]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  { name = "t1", machine = "n1", address = "10.9.0.1:8080" },
  { name = "t2", machine = "n2", address = "10.9.0.2:8080" },
  { name = "t3", machine = "n3", address = "10.9.0.3:8080" },
  { name = "t4", machine = "n4", address = "10.9.0.4:8080" },
  { name = "t5", machine = "n5", address = "10.9.0.5:8080" },
  { name = "t6", machine = "n6", address = "10.9.0.6:8080" },
]
"#
}

fn batches(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "[1, 2]",
        "[1]",
        "[2]",
        "[1, \"50%\"]",
        "[1, \"34%\", \"67%\"]",
    ])
    .copied()
    .unwrap_or("[1]")
}

/// The server at an address of production.
pub(crate) fn server_at(url: &str) -> Option<ServerName> {
    let number = url.strip_prefix("http://10.1.0.")?.strip_suffix(":8080")?;
    parsed(&format!("s{number}"))
}

fn servers(names: &[String]) -> String {
    let mut text = "servers = [\n".to_owned();
    for (index, name) in names.iter().enumerate() {
        let machine = machine_of(index);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {{ name = \"{name}\", machine = \"{machine}\", address = \"10.1.0.{}:8080\" }},",
            index + 1
        );
    }
    text.push_str("]\n");
    text
}
