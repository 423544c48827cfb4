//! What the catalogue says of one target, as types: a service file read for one environment.

use events::{
    Balancer, EnvironmentName, InstallKind, MachineName, Own, Probe, Prove, ServerName, Suite,
    Target, Then, TooFew, Version,
};
use serde::{Deserialize, Serialize};

/// One target's entry. Everything a plan is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The target.
    pub target: Target,
    /// Who answers for the service.
    pub owner: String,
    /// Whose builds may ask for it.
    pub jenkins: Option<Jenkins>,
    /// Where its artifacts lie.
    pub artifact: ArtifactRule,
    /// How a version gets onto a machine.
    pub install: InstallRule,
    /// What must pass before customers come back.
    pub tests: Vec<Suite>,
    /// When a server counts as healthy.
    pub check: CheckRule,
    /// How fast, how careful, and what then.
    pub rollout: RolloutRule,
    /// The load balancers in front, in order; none: `own` takes servers out of work.
    pub balancers: Vec<Balancer>,
    /// The service's own commands, where no load balancer is in front.
    pub own: Option<OwnRule>,
    /// HAProxy backend that customers reach.
    pub online: String,
    /// HAProxy backend that only testers reach.
    pub maintenance: String,
    /// HAProxy backend that owns the health checks, tracked by the other two.
    pub probe: String,
    /// Whose votes it needs.
    pub approvals: Option<Approvals>,
    /// What a request needs whose sender proved little.
    pub low_trust: LowTrust,
    /// What else it waits for.
    pub gates: GateRules,
    /// All environments of its service, this one too: they tell each other of their successes.
    pub environments: Vec<EnvironmentName>,
    /// Its servers, by name.
    pub servers: Vec<ServerRule>,
}

/// Whose builds may ask for a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jenkins {
    /// The job's URL.
    pub job: String,
    /// The build parameter that holds the version.
    pub version_parameter: Option<String>,
    /// The build parameter that holds the artifact's digest.
    pub sha256_parameter: Option<String>,
    /// The environment that a notification asks for, which names none itself.
    pub environment: Option<String>,
    /// The build parameter that names the environment instead.
    pub environment_parameter: Option<String>,
}

/// Where artifacts lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRule {
    /// URL with `{version}` in it.
    pub url: String,
    /// The largest that is downloaded.
    pub max_bytes: u64,
    /// How long a download may take.
    pub timeout_ms: u64,
}

impl ArtifactRule {
    /// The URL of one version.
    #[must_use]
    pub fn url_of(&self, version: &Version) -> String {
        self.url.replace("{version}", version.as_str())
    }
}

/// How a version gets onto a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallRule {
    /// By archive or by the service's own installer.
    pub method: InstallKind,
    /// The service's folder on the machine.
    pub into: String,
    /// The installer (method `command`), as an argument list.
    pub argv: Vec<String>,
    /// What ends the service before its files are switched, as an argument list; mostly empty.
    pub stop: Vec<String>,
    /// How the service is restarted, as an argument list.
    pub restart: Vec<String>,
    /// How the agent knows what runs. `http` has only a path here; see [`ProveRule::of`].
    pub prove: ProveRule,
    /// How long an installation may take.
    pub timeout_ms: u64,
    /// How many releases stay on disk.
    pub keep: u32,
}

/// How a service is taken out of work, and put back, where no load balancer is in front. What
/// `drain` does must outlast a restart of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRule {
    /// Takes a server out of work.
    pub drain: Vec<String>,
    /// Puts it back.
    pub restore: Vec<String>,
}

/// How the agent knows what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProveRule {
    /// A path on the server's own address.
    Http(String),
    /// A program that prints the version.
    Command(Vec<String>),
}

impl ProveRule {
    /// How the agent of `server` proves what runs there.
    #[must_use]
    pub fn of(&self, server: &ServerRule) -> Prove {
        match self {
            Self::Http(path) => Prove::Http {
                url: format!("http://{}{path}", server.address),
            },
            Self::Command(argv) => Prove::Command { argv: argv.clone() },
        }
    }
}

/// When a server counts as healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRule {
    /// The probes; `{version}` in their texts stands for the expected version.
    pub probes: Vec<Probe>,
    /// How many good rounds in a row.
    pub in_a_row: u32,
    /// From one round to the next.
    pub interval_ms: u64,
    /// The longest one probe may take.
    pub probe_timeout_ms: u64,
    /// The longest the whole check may take.
    pub timeout_ms: u64,
}

/// A number of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// So many.
    Count(u32),
    /// So many of a hundred: 1 to 100.
    Percent(u32),
}

impl Size {
    /// As a batch of `total` servers: a percent rounds down, at least 1.
    #[must_use]
    pub fn batch_of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count.max(1),
            Self::Percent(percent) => (total.saturating_mul(percent) / 100).max(1),
        }
    }

    /// As the floor of `total` servers: a percent rounds up.
    #[must_use]
    pub fn floor_of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => total.saturating_mul(percent).div_ceil(100),
        }
    }
}

/// What happens when something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// Go back at once.
    RollBack,
    /// Stop and wait for a person.
    Halt,
}

/// What happens to a request that comes while another one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondRequest {
    /// A newer build of the same source takes the place of one that waits.
    Supersede,
    /// Each waits its turn.
    Queue,
}

/// What happens when nobody knows what a server runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoWayBack {
    /// The rollout is rejected.
    Refuse,
    /// It is done, and said.
    Allow,
}

/// What happens to a server that the catalogue gets while a rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Late {
    /// It is left as it is, and named at the end.
    Leave,
    /// It goes the same way, behind all others.
    Join,
}

/// How fast, how careful, and what then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRule {
    /// Sizes of the batches; the last repeats.
    pub batches: Vec<Size>,
    /// The least number of servers that stay UP in the online pool.
    pub floor: Size,
    /// How long customers that a cookie pins may still come.
    pub pinned_ms: u64,
    /// How long a drain may take, `pinned_ms` included.
    pub drain_timeout_ms: u64,
    /// What happens to requests that still run then.
    pub drain_then: Then,
    /// How long putting a server back may take.
    pub restore_timeout_ms: u64,
    /// What happens when something fails.
    pub on_failure: OnFailure,
    /// What happens to a request that comes while another one waits.
    pub second_request: SecondRequest,
    /// What happens when nobody knows what a server runs now.
    pub no_way_back: NoWayBack,
    /// What happens to a server that the catalogue gets while a rollout runs.
    pub late: Late,
    /// How long an agent may take to begin.
    pub start_within_ms: u64,
    /// How long a halt or pause waits for a person.
    pub person_wait_ms: u64,
    /// How long a rollout waits for a window, the end of a freeze, or a success elsewhere.
    pub gate_expire_ms: u64,
    /// How long a request holds its place behind another one.
    pub queue_expire_ms: u64,
    /// How a server is watched when customers reach it again; none: it is not.
    pub watch: Option<WatchRule>,
}

/// How a server is watched when customers reach it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRule {
    /// How long.
    pub for_ms: u64,
    /// How long at most, while there are too few requests.
    pub longest_ms: u64,
    /// The share of errors that is borne, in millionths.
    pub max_5xx_ppm: u32,
    /// The least number of requests to judge by.
    pub min_requests: u32,
    /// What is said when there are fewer.
    pub if_too_few: TooFew,
    /// How long answers may take; none: that is not looked at.
    pub response: Option<ResponseRule>,
}

/// How long answers may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseRule {
    /// The longest that is borne.
    pub max_ms: u64,
    /// What is asked for, path and query; none: what the check asks for.
    pub path: Option<String>,
}

/// What a rollout waits for besides votes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GateRules {
    /// Where the same release must have succeeded before.
    pub requires: Option<Requires>,
    /// When rollouts may begin and batches be opened; none: at any time.
    pub windows: Vec<WindowRule>,
    /// Roles whose people may override these and freezes.
    pub overrides: Vec<String>,
}

/// Where the same release must have succeeded before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requires {
    /// In which environment of the same service.
    pub succeeded_in: EnvironmentName,
    /// How long before, at most.
    pub within_ms: u64,
}

/// Hours of some days, in the local time of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRule {
    /// Days on which it opens: 1 is Monday, 7 is Sunday; in order, each once.
    pub days: Vec<u8>,
    /// When it opens, in minutes of the day.
    pub from_minute: u16,
    /// When it closes, in minutes of the day; on the next day when that is not after `from_minute`.
    pub to_minute: u16,
    /// The place: a name of the time zone database.
    pub zone: String,
}

/// Whose votes a rollout needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// How many.
    pub count: u32,
    /// Of people with one of these roles.
    pub from: Vec<String>,
    /// How long they are waited for.
    pub expire_ms: u64,
}

/// What a request of low trust needs: one that came through a door which proves no more than that
/// somebody knew a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LowTrust {
    /// A vote, also where `approvals` asks for none.
    Approve,
    /// No more than any other request.
    Allow,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRule {
    /// Its name, which is also its line in HAProxy.
    pub name: ServerName,
    /// The machine it lives on.
    pub machine: MachineName,
    /// `host:port`.
    pub address: String,
}

impl Entry {
    /// What takes a server out of work and puts it back, where no load balancer is in front.
    #[must_use]
    pub fn own_of(&self, server: &ServerName) -> Option<(Own, Own)> {
        self.own.as_ref().map(|own| own.on(&self.install, server))
    }

    /// The rule of one server.
    #[must_use]
    pub fn server(&self, name: &ServerName) -> Option<&ServerRule> {
        self.servers.iter().find(|server| &server.name == name)
    }

    /// How many servers it has.
    #[must_use]
    pub fn total(&self) -> u32 {
        u32::try_from(self.servers.len()).unwrap_or(u32::MAX)
    }
}
