//! What may be taken out now. Computed here and nowhere else: every step that takes servers out
//! asks this.

use crate::rules::Rule;
use crate::state::{Aside, Member, Rollout, Server, Stage, State};

/// Whether a batch may be opened forward: the one before is over, and nothing failed.
pub(crate) fn may_open_forward(state: &State, rollout: &Rollout) -> bool {
    let fetching = |member: &Member| matches!(member.stage, Stage::At(..));
    let busy = |member: &Member| {
        (member.stage.is_moving() && state.rules.hold(Rule::OneBatch))
            || member.stage == Stage::Failed
    };
    let members = || rollout.members.values();
    let fetched = !members().any(|member| fetching(member) && !member.stage.is_moving());
    fetched && !members().any(busy)
}

/// How many servers the next batch forward may have: the plan's size, less the servers that are
/// stuck and no part of this rollout.
pub(crate) fn room_forward(state: &State, rollout: &Rollout) -> usize {
    size_now(rollout).saturating_sub(stuck_outside(state, rollout))
}

/// The size that the plan gives the next batch. It goes by what is done, not by what was opened: a
/// canary that the floor refused has shown nothing.
fn size_now(rollout: &Rollout) -> usize {
    let done = |member: &&Member| matches!(member.stage, Stage::Done | Stage::Excluded);
    let mut done = rollout.members.values().filter(done).count();
    let batches = &rollout.plan.batches;
    for batch in batches {
        if done < batch.len() {
            return batch.len();
        }
        done -= batch.len();
    }
    batches.last().map_or(1, Vec::len)
}

/// Whether a batch may be opened on the way back: as long as no server failed on it.
pub(crate) fn may_open_back(rollout: &Rollout) -> bool {
    !rollout.members.values().any(|member| member.gave_up)
}

/// Whether a server that waits to be taken back will ever be: now, or when one that is on its way
/// has made room.
pub(crate) fn can_go_back(state: &State, rollout: &Rollout) -> bool {
    may_open_back(rollout)
        && room_back(state, rollout) > 0
        && may_take_one(state, rollout, Stage::BackWaiting)
}

/// Whether the floor lets anybody go who waits at that stage. Where load balancers are in front,
/// one may always be asked for: their controllers judge the floor on what is so at that moment.
/// Where there are none, this is the only judge.
fn may_take_one(state: &State, rollout: &Rollout, stage: Stage) -> bool {
    let down = |name: &events::ServerName| state.servers.get(name).is_some_and(|s| !s.is_up());
    let mut waits = rollout
        .members
        .iter()
        .filter(|(_, member)| member.stage == stage);
    rollout.entry.own.is_none()
        || up_to_spare(state, rollout) > 0
        || waits.any(|(name, _)| down(name))
}

/// How many servers that are UP the next batch may have.
pub(crate) fn up_to_take(state: &State, rollout: &Rollout) -> usize {
    let spare = up_to_spare(state, rollout);
    if rollout.entry.own.is_none() {
        spare.max(1)
    } else {
        spare
    }
}

/// How many more servers may be taken back now: the largest batch of the plan, less those that
/// are on their way and those that are stuck.
pub(crate) fn room_back(state: &State, rollout: &Rollout) -> usize {
    let largest = rollout.plan.batches.iter().map(Vec::len).max().unwrap_or(1);
    let busy = |member: &&Member| {
        member.stage.is_moving() || (member.stage == Stage::Failed && member.touched)
    };
    let busy = rollout.members.values().filter(busy).count();
    largest
        .saturating_sub(busy)
        .saturating_sub(stuck_outside(state, rollout))
}

/// How many servers that are UP may be taken out without going below the floor, as far as is
/// known here.
fn up_to_spare(state: &State, rollout: &Rollout) -> usize {
    let up = state
        .servers
        .values()
        .filter(|server| server.in_catalogue && server.is_up())
        .count();
    up.saturating_sub(usize::try_from(rollout.plan.floor).unwrap_or(usize::MAX))
}

/// Why nothing can be opened although servers wait.
pub(crate) fn blocked(state: &State, rollout: &Rollout) -> Option<String> {
    let waits = rollout
        .members
        .values()
        .any(|member| member.stage == Stage::Waiting);
    if !waits {
        return None;
    }
    if !may_take_one(state, rollout, Stage::Waiting) {
        return Some(format!(
            "the floor of {} leaves nobody to take out of work: the others are not well",
            rollout.plan.floor
        ));
    }
    if room_forward(state, rollout) > 0 {
        return None;
    }
    let stuck: Vec<&str> = stuck(state, rollout)
        .map(|(name, _)| name.as_str())
        .collect();
    Some(format!(
        "stuck servers fill the batch; release or mend {}",
        stuck.join(", ")
    ))
}

fn stuck_outside(state: &State, rollout: &Rollout) -> usize {
    stuck(state, rollout).count()
}

fn stuck<'a>(
    state: &'a State,
    rollout: &'a Rollout,
) -> impl Iterator<Item = (&'a events::ServerName, &'a Server)> {
    state.servers.iter().filter(|(name, server)| {
        matches!(server.aside, Some(Aside::Stuck { .. })) && !rollout.members.contains_key(name)
    })
}
