//! A plan: everything that can be decided before the first server is touched.

use events::{
    Artifact, Gate, GateKind, PLAN_BYTES_MAX, Plan, PlannedServer, RolloutRequested, Sealed,
    ServerName, Timeouts, Timestamp, Trust, Unreadable,
};

use crate::BRAIN;
use crate::catalogue::defaults::APPROVALS_EXPIRE_MS;
use crate::catalogue::{Entry, LowTrust, NoWayBack, ServerRule};
use crate::gate;
use crate::state::{Server, State};

/// How much longer than a worker the orchestrator waits: twice the clock skew that is borne, and
/// the time an answer may travel.
pub(crate) const MARGIN_MS: u64 = 5_000;

/// How much longer a watch may take than it watches: a health-checker that starts anew in its first
/// seconds can still begin it, and has its answer in time.
pub(crate) const WATCH_SLACK_MS: u64 = 15_000;

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The target has no catalogue entry.
    #[error("there is no catalogue entry; add one with `poolshift apply`")]
    NoEntry,
    /// The entry has no servers.
    #[error("the catalogue entry has no servers")]
    NoServers,
    /// Nobody knows what some servers run now.
    #[error(
        "nobody knows what {servers} run now, so there is no way back; say it with \
         `poolshift adopt`, or allow it with `no_way_back = \"allow\"`"
    )]
    NoWayBack {
        /// Which servers.
        servers: String,
    },
    /// The windows of the entry cannot be computed.
    #[error(
        "the windows of the catalogue entry cannot be computed: {0}; write zones that this version \
         knows"
    )]
    NoWindow(String),
    /// A package of suites came with the artifact, and the entry has none to run.
    #[error(
        "a package of tests came with the artifact, and the catalogue entry has no `[[tests]]` to \
         run from it; add them, or ask without `tests`"
    )]
    NoSuites,
    /// The plan is larger than a record of the log may be.
    #[error(
        "the plan has {bytes} bytes and at most {PLAN_BYTES_MAX} can be kept; split the service's \
         environments into files of their own, or shorten names"
    )]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// The plan cannot be written.
    #[error("the plan cannot be written: {0}")]
    Unwritable(Unreadable),
}

/// Makes the plan of a request, from the entry and what is known of the servers now.
///
/// # Errors
/// [`PlanError`] says what is missing and how to mend it.
pub fn plan(
    state: &State,
    asked: &RolloutRequested,
    at: Timestamp,
) -> Result<Sealed<Plan>, PlanError> {
    let entry = state.entry.as_deref().ok_or(PlanError::NoEntry)?;
    if entry.servers.is_empty() {
        return Err(PlanError::NoServers);
    }
    if asked.tests.is_some() && entry.tests.is_empty() {
        return Err(PlanError::NoSuites);
    }
    let order = Order::of(state, entry);
    let servers = order.planned(state, entry);
    let no_way_back: Vec<ServerName> = servers
        .iter()
        .filter(|server| server.previous.is_none())
        .map(|server| server.server.clone())
        .collect();
    if !no_way_back.is_empty() && entry.rollout.no_way_back == NoWayBack::Refuse {
        let names: Vec<&str> = no_way_back.iter().map(ServerName::as_str).collect();
        return Err(PlanError::NoWayBack {
            servers: names.join(", "),
        });
    }
    let mut others =
        gate::planned(state, entry, at).map_err(|error| PlanError::NoWindow(error.to_string()))?;
    let votes_from = gate::votes_count_from(state, entry, &others, at);
    let mut gates = gates(entry, asked, votes_from);
    gates.append(&mut others);
    let plan = Plan {
        rollout: asked.rollout,
        target: state.target.clone(),
        version: asked.version.clone(),
        artifact: artifact(entry, asked),
        tests: tests(entry, asked),
        entry: state.entry_text.to_string(),
        entry_sha256: events::sha256(state.entry_text.as_bytes()),
        batches: order.batches(entry),
        servers,
        floor: entry.rollout.floor.floor_of(entry.total()),
        before: Vec::new(),
        after: Vec::new(),
        gates,
        timeouts_ms: timeouts(entry),
        baseline: state.baseline.filter(|_| entry.rollout.watch.is_some()),
        no_way_back,
        brain: BRAIN,
    };
    let plan = Sealed::new(plan).map_err(PlanError::Unwritable)?;
    if plan.bytes() > PLAN_BYTES_MAX {
        return Err(PlanError::TooLarge {
            bytes: plan.bytes(),
        });
    }
    Ok(plan)
}

fn artifact(entry: &Entry, asked: &RolloutRequested) -> Artifact {
    Artifact {
        url: asked
            .artifact
            .url
            .clone()
            .unwrap_or_else(|| entry.artifact.url_of(&asked.version)),
        sha256: asked.artifact.sha256,
        max_bytes: entry.artifact.max_bytes,
    }
}

/// A package of tests has the artifact's limits.
fn tests(entry: &Entry, asked: &RolloutRequested) -> Option<Artifact> {
    asked.tests.as_ref().map(|tests| Artifact {
        url: tests.url.clone(),
        sha256: tests.sha256,
        max_bytes: entry.artifact.max_bytes,
    })
}

/// Nobody proven and nobody claimed behind a request: one approval more, since nobody is then
/// kept from approving their own.
fn gates(entry: &Entry, asked: &RolloutRequested, at: Timestamp) -> Vec<Gate> {
    let Some(approvals) = &entry.approvals else {
        return low_trust_gate(entry, asked, at).into_iter().collect();
    };
    let nobody = !asked.proven && asked.claims.iter().all(|claim| claim.person.is_none());
    vec![Gate {
        id: "approval".to_owned(),
        kind: GateKind::Approval,
        count: approvals.count + u32::from(nobody),
        from: approvals.from.clone(),
        until: at.plus_ms(approvals.expire_ms),
        promotion: None,
        windows: Vec::new(),
    }]
}

/// Where nobody else is asked, a request whose sender proved little waits for one person: whoever
/// is known and has a role.
fn low_trust_gate(entry: &Entry, asked: &RolloutRequested, at: Timestamp) -> Option<Gate> {
    let wanted = asked.trust != Trust::Full && entry.low_trust == LowTrust::Approve;
    wanted.then(|| Gate {
        id: "approval".to_owned(),
        kind: GateKind::Approval,
        count: 1,
        from: Vec::new(),
        until: at.plus_ms(APPROVALS_EXPIRE_MS),
        promotion: None,
        windows: Vec::new(),
    })
}

fn timeouts(entry: &Entry) -> Timeouts {
    let tests = entry
        .tests
        .iter()
        .map(|suite| suite.timeout_ms)
        .fold(0, u64::saturating_add);
    Timeouts {
        start_within: entry.rollout.start_within_ms,
        fetch: entry.artifact.timeout_ms,
        drain: entry.rollout.drain_timeout_ms,
        install: entry.install.timeout_ms,
        check: entry.check.timeout_ms,
        test: tests,
        restore: entry.rollout.restore_timeout_ms,
        watch: entry
            .rollout
            .watch
            .as_ref()
            .map_or(0, |watch| watch.longest_ms.saturating_add(WATCH_SLACK_MS)),
        margin: MARGIN_MS,
        person_wait: entry.rollout.person_wait_ms,
    }
}

/// A server as a plan has it.
pub(crate) fn planned(rule: &ServerRule, server: Option<&Server>, entry: &Entry) -> PlannedServer {
    PlannedServer {
        server: rule.name.clone(),
        machine: rule.machine.clone(),
        address: rule.address.clone(),
        balancers: entry
            .balancers
            .iter()
            .map(|balancer| balancer.name.clone())
            .collect(),
        previous: server.and_then(|server| server.proven.clone()),
        previous_tests: server.and_then(|server| server.proven_by.clone()),
        up: server.is_none_or(Server::is_up),
    }
}

/// The order in which servers are taken on. Unproven ones first and together: they are out
/// already, and at most one batch may be unproven. Then those that are DOWN now: they cost
/// nothing, and a bad old version never blocks its fix. Then those that are UP, beginning with a
/// canary.
struct Order<'a> {
    unproven: Vec<&'a ServerRule>,
    down: Vec<&'a ServerRule>,
    up: Vec<&'a ServerRule>,
}

impl<'a> Order<'a> {
    fn of(state: &State, entry: &'a Entry) -> Self {
        let mut order = Self {
            unproven: Vec::new(),
            down: Vec::new(),
            up: Vec::new(),
        };
        for rule in &entry.servers {
            match state.servers.get(&rule.name) {
                Some(server) if server.unproven => order.unproven.push(rule),
                Some(server) if !server.is_up() => order.down.push(rule),
                Some(_) | None => order.up.push(rule),
            }
        }
        order
    }

    fn planned(&self, state: &State, entry: &Entry) -> Vec<PlannedServer> {
        let all = self.unproven.iter().chain(&self.down).chain(&self.up);
        all.map(|rule| planned(rule, state.servers.get(&rule.name), entry))
            .collect()
    }

    fn batches(&self, entry: &Entry) -> Vec<Vec<ServerName>> {
        let total = entry.total();
        let leaves = total
            .saturating_sub(entry.rollout.floor.floor_of(total))
            .max(1);
        let size = |index: usize| {
            let sizes = &entry.rollout.batches;
            let size = sizes
                .get(index)
                .or(sizes.last())
                .map_or(1, |size| size.batch_of(total));
            usize::try_from(size.min(leaves))
                .unwrap_or(usize::MAX)
                .max(1)
        };
        let names = |rules: &[&ServerRule]| -> Vec<ServerName> {
            rules.iter().map(|rule| rule.name.clone()).collect()
        };
        let mut batches = Vec::new();
        if !self.unproven.is_empty() {
            batches.push(names(&self.unproven));
        }
        for group in [&self.down, &self.up] {
            let mut rest = group.as_slice();
            let mut index = 0;
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(size(index).min(rest.len()));
                batches.push(names(batch));
                rest = after;
                index += 1;
            }
        }
        batches
    }
}
