//! The counter-proof: an HAProxy that does not load its state file puts a held-out server back
//! when it restarts, and the controllers count what comes to it until they take it out again.

use super::ROLLOUT;
use super::moment::Moment;
use anyhow::Result;
use std::time::Duration;
use tests::shop::Release;
use tests::world::{Happened, History, World, facts};

/// The controllers look four times a second.
const REPORTED: Duration = Duration::from_secs(20);

/// Returns how many requests reached a held-out server, as the controllers count them.
pub(super) async fn run(world: &mut World, history: &mut History) -> Result<u64> {
    let before = facts::holds_broken(&history.events);
    let rollout = world.trigger(&Release::good("2.0.0")).await?;
    Moment::Testing.come(history, rollout).await?;
    for balancer in &mut world.stage.balancers {
        balancer.kill().await?;
        balancer.layout.loads_state = false;
        balancer.start_again().await?;
    }
    let counted = |events: &[Happened]| {
        let broken = facts::holds_broken(events) - before;
        (broken > 0).then_some(broken)
    };
    // That there is none at all is for the caller to judge.
    drop(history.until("HoldBroken", REPORTED, counted).await);
    world.finish(history, rollout, ROLLOUT).await?;
    Ok(facts::holds_broken(&history.events) - before)
}
