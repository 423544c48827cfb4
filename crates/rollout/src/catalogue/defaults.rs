//! What a service file means when it says nothing. Durations are in milliseconds.

use super::entry::{Late, LowTrust, NoWayBack, OnFailure, SecondRequest, Size};
use events::Then;

/// The orchestrator waits this much longer than a worker: twice the clock skew plus delivery. No
/// deadline is shorter.
pub const MARGIN_MS: u64 = 5_000;
/// The shortest pace and the shortest single probe: anything faster only loads the server.
pub const SHORTEST_PACE_MS: u64 = 100;
/// The most servers that one environment of a service may have.
pub const MOST_SERVERS: usize = 1_000;

/// `[artifact] max_size`: 1 GiB, in bytes.
pub const ARTIFACT_MAX_BYTES: u64 = 1 << 30;
/// `[artifact] timeout`: 10 minutes.
pub const FETCH_TIMEOUT_MS: u64 = 10 * 60_000;

/// `[install] timeout`: 2 minutes.
pub const INSTALL_TIMEOUT_MS: u64 = 2 * 60_000;
/// `[install] keep`: the running release, the one before it, and one more.
pub const INSTALL_KEEP: u32 = 3;

/// `[[tests]] at_least`: zero tests run is a failure.
pub const TESTS_AT_LEAST: u32 = 1;
/// `[[tests]] timeout`: 5 minutes.
pub const TESTS_TIMEOUT_MS: u64 = 5 * 60_000;

/// `[check] http.status`.
pub const CHECK_STATUS: u16 = 200;
/// `[check] in_a_row`.
pub const CHECK_IN_A_ROW: u32 = 3;
/// `[check] interval`: 1 second.
pub const CHECK_INTERVAL_MS: u64 = 1_000;
/// `[check] timeout`: 60 seconds.
pub const CHECK_TIMEOUT_MS: u64 = 60_000;
/// `[check] probe_timeout`: 5 seconds.
pub const CHECK_PROBE_TIMEOUT_MS: u64 = 5_000;

/// `[rollout] batches`: one canary, then a quarter, then halves.
pub const BATCHES: [Size; 3] = [Size::Count(1), Size::Percent(25), Size::Percent(50)];
/// `[rollout] floor`.
pub const FLOOR: Size = Size::Percent(50);
/// `[rollout] drain.pinned`: no customer is pinned by a cookie.
pub const DRAIN_PINNED_MS: u64 = 0;
/// `[rollout] drain.timeout`: 60 seconds.
pub const DRAIN_TIMEOUT_MS: u64 = 60_000;
/// `[rollout] drain.then`: a request is never cut unless the service says so.
pub const DRAIN_THEN: Then = Then::Fail;
/// `[rollout] restore_timeout`: 60 seconds.
pub const RESTORE_TIMEOUT_MS: u64 = 60_000;
/// `[rollout] on_failure`.
pub const ON_FAILURE: OnFailure = OnFailure::RollBack;
/// `[rollout] second_request`.
pub const SECOND_REQUEST: SecondRequest = SecondRequest::Supersede;
/// `[rollout] no_way_back`.
pub const NO_WAY_BACK: NoWayBack = NoWayBack::Refuse;
/// `[rollout] late`.
pub const LATE: Late = Late::Leave;
/// `[rollout] start_within`: 60 seconds.
pub const START_WITHIN_MS: u64 = 60_000;
/// `[rollout] person_wait`: 4 hours.
pub const PERSON_WAIT_MS: u64 = 4 * 3_600_000;
/// `[rollout] gate_expire`: 96 hours, so that a rollout of Thursday evening sees Monday morning.
pub const GATE_EXPIRE_MS: u64 = 96 * 3_600_000;
/// `[rollout] queue_expire`: 24 hours.
pub const QUEUE_EXPIRE_MS: u64 = 24 * 3_600_000;

/// `[rollout] watch.for`: 60 seconds.
pub const WATCH_FOR_MS: u64 = 60_000;
/// `[rollout] watch.max_5xx_share`: 1 %, in millionths.
pub const WATCH_MAX_5XX_PPM: u32 = 10_000;
/// `[rollout] watch.min_requests`.
pub const WATCH_MIN_REQUESTS: u32 = 200;
/// `[rollout] watch.if_too_few = "extend"`: so many times as long as `for`, at most.
pub const WATCH_LONGEST: u64 = 3;
/// `[rollout] watch.max_response`: the share of late answers that is borne, in millionths: one in
/// twenty. What happens more seldom, such as a pause of a runtime, would need far more probes.
pub const RESPONSE_MAX_LATE_PPM: u32 = 50_000;
/// The least number of probes to judge response times by.
pub const RESPONSE_MIN_PROBES: u32 = 20;
/// A watch sends about so many probes at least, however seldom the check asks,
pub const RESPONSE_PROBES_LEAST: u64 = 60;
/// and so many at most, however often.
pub const RESPONSE_PROBES_MOST: u64 = 600;
/// The most peers whose response times are asked for.
pub const RESPONSE_PEERS_MOST: usize = 20;
/// The longest `requires.within`: 90 days. So long are successes elsewhere remembered.
pub const PROMOTION_WITHIN_MOST_MS: u64 = 90 * 24 * 3_600_000;
/// The most `windows` of an environment.
pub const WINDOWS_MOST: usize = 10;

/// `approvals.count`.
pub const APPROVALS_COUNT: u32 = 1;
/// `approvals.expire`: 4 hours.
pub const APPROVALS_EXPIRE_MS: u64 = 4 * 3_600_000;
/// `low_trust`.
pub const LOW_TRUST: LowTrust = LowTrust::Approve;
/// What `probe` is called beside `online`, when it is not said.
pub const PROBE_SUFFIX: &str = "_probe";
