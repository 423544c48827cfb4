//! What a target tells others of its service.

use events::{Decision, EnvironmentName};
use events::{Event, Outcome, ReportId, ReportPromotion, RolloutFinished, Target, Timestamp};

use crate::state::State;

/// A word to another target: it is written in the transaction of the event that it tells of, so it
/// is never lost and never said twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// To whom.
    pub to: Target,
    /// Under which id: the same however often it is told.
    pub id: ReportId,
    /// What.
    pub report: ReportPromotion,
}

/// Whom event `n` of this target, decided at `at`, is told: a success to every other environment
/// of the service file, whether its gate asks for it now or only after a later change.
#[must_use]
pub fn tell(state: &State, event: &Event, n: u64, at: Timestamp) -> Vec<Told> {
    let Event::Decision(Decision::RolloutFinished(finished)) = event else {
        return Vec::new();
    };
    let (Some(entry), Some(release)) = (&state.entry, succeeded(finished)) else {
        return Vec::new();
    };
    let told = |environment: &EnvironmentName| {
        let to = state.target.in_environment(environment);
        Told {
            id: ReportId::told(state.target.as_str(), n, to.as_str()),
            to,
            report: ReportPromotion {
                from: state.target.clone(),
                rollout: finished.rollout,
                n,
                release: release.clone(),
                succeeded_at: at,
            },
        }
    };
    let others = entry.environments.iter();
    others
        .filter(|environment| environment.as_str() != state.target.environment())
        .map(told)
        .collect()
}

/// The release that now runs everywhere where it should; none where every server was left out.
fn succeeded(finished: &RolloutFinished) -> Option<&events::Release> {
    if finished.outcome != Outcome::Succeeded {
        return None;
    }
    let servers = finished.servers.iter();
    servers
        .filter(|server| !finished.except.contains(&server.server))
        .find_map(|server| server.release.as_ref())
}
