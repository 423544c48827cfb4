//! One round of a check: which probes it asks, and what they say together. Pure.

use events::{
    AnsweredBy, Balancer, Check, Command, FailedBecause, Failure, Probe, ProbeResult, cut,
};

use crate::judge::Judged;
use crate::verdict::Round;

/// What one probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    result: ProbeResult,
    wrong: Option<FailedBecause>,
    through: Option<Balancer>,
    version_seen: bool,
    cut_short: bool,
}

impl Probed {
    /// A probe of this check, the balancer that it went through if any, what its answer was worth,
    /// and how long it took, in milliseconds.
    #[must_use]
    pub fn new(
        check: &Check,
        (probe, through): (&Probe, Option<Balancer>),
        judged: Judged,
        took_ms: u64,
    ) -> Self {
        Self {
            result: ProbeResult {
                probe: name(check, probe, through.as_ref()),
                good: judged.wrong.is_none(),
                found: cut(&judged.found, Failure::DETAIL_BYTES_MAX),
                took_ms,
            },
            wrong: judged.wrong,
            through,
            version_seen: judged.version_seen,
            cut_short: false,
        }
    }

    /// Whether the check's end came before the probe's own time was over.
    pub(crate) const fn cut_short(mut self, cut_short: bool) -> Self {
        self.cut_short = cut_short;
        self
    }
}

/// Where a check's requests go: through each balancer, or to the server itself where none is in
/// front; the server then has the balancer's place, by its own name.
#[must_use]
pub fn doors(check: &Check, command: &Command) -> Vec<Balancer> {
    let itself = check.direct.iter().filter_map(|testers| {
        Some(Balancer {
            name: command.server.as_str().parse().ok()?,
            testers: testers.clone(),
        })
    });
    command.balancers.iter().cloned().chain(itself).collect()
}

/// What one round of a check asks: every HTTP probe through every balancer, every other probe once.
#[must_use]
pub fn pairs(check: &Check, balancers: &[Balancer]) -> Vec<(Probe, Option<Balancer>)> {
    let mut pairs = Vec::new();
    for probe in &check.probes {
        match probe {
            Probe::Http { .. } => pairs.extend(
                balancers
                    .iter()
                    .map(|balancer| (probe.clone(), Some(balancer.clone()))),
            ),
            Probe::Tcp { .. } | Probe::Command { .. } => pairs.push((probe.clone(), None)),
        }
    }
    pairs
}

/// What a round of probes says together. One answer through each balancer must name the expected
/// version.
pub fn sum_up(
    check: &Check,
    balancers: &[Balancer],
    done: impl IntoIterator<Item = Probed>,
) -> Round {
    let mut round = Round {
        probes: Vec::new(),
        answered_by: AnsweredBy::default(),
        failure: None,
        cut_short: false,
    };
    let mut unseen: Vec<&Balancer> = Vec::new();
    let asks_http = |probe: &Probe| matches!(probe, Probe::Http { .. });
    if check.probes.iter().any(asks_http) {
        unseen.extend(balancers);
        round.answered_by.server = check.expect.server.clone();
        round.answered_by.version = check.expect.version.as_ref().map(ToString::to_string);
    }
    for one in done {
        if let Some(wrong) = one.wrong
            && round.failure.is_none()
        {
            let detail = format!("{}: {}", one.result.probe, one.result.found);
            round.failure = Some(Failure::new(wrong, &detail));
        }
        if one.version_seen {
            unseen.retain(|balancer| one.through.as_ref() != Some(*balancer));
        }
        round.cut_short |= one.cut_short;
        round.probes.push(one.result);
    }
    if let (None, Some(balancer), Some(version)) =
        (&round.failure, unseen.first(), &check.expect.version)
    {
        let detail = format!(
            "no answer {} {} names version {version}",
            way(check),
            balancer.name
        );
        round.failure = Some(Failure::new(FailedBecause::WrongVersion, &detail));
    }
    round
}

/// Where no load balancer is in front the server itself has its place.
const fn way(check: &Check) -> &'static str {
    match check.direct {
        None => "through",
        Some(_) => "of",
    }
}

fn name(check: &Check, probe: &Probe, through: Option<&Balancer>) -> String {
    match (probe, through) {
        (Probe::Http { path, .. }, Some(balancer)) => {
            format!("GET {path} {} {}", way(check), balancer.name)
        }
        (Probe::Http { path, .. }, None) => format!("GET {path}"),
        (Probe::Tcp { address }, _) => format!("connect to {address}"),
        (Probe::Command { argv }, _) => {
            format!("run {}", argv.first().map_or("nothing", String::as_str))
        }
    }
}
