//! One server's way through a rollout: what a passed, failed or refused step makes of its stage.

use events::ServerName;

use crate::rules::Rule;
use crate::state::{After, Member, Phase, Rollout, Server, Stage, State};
use crate::step::{Step, Way};

/// The server and member that a command is about.
pub(super) fn of<'a>(
    state: &'a mut State,
    name: &ServerName,
) -> Option<(&'a mut Server, &'a mut Rollout)> {
    let server = state.servers.get_mut(name)?;
    let rollout = state
        .rollout
        .as_mut()
        .filter(|rollout| rollout.members.contains_key(name))?;
    Some((server, rollout))
}

/// The present step has passed.
pub(super) fn passed(state: &mut State, name: &ServerName) {
    let tested_first = state.rules.hold(Rule::TestBeforeRestore);
    let Some((server, rollout)) = of(state, name) else {
        return;
    };
    let has_tests = rollout.has_tests();
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    match member.stage {
        Stage::At(way, step) => {
            if step.proves(has_tests) {
                server.unproven = false;
                server.aside = None;
                server.proven.clone_from(&server.installed);
            }
            member.tries = 0;
            member.stage = match step.next(has_tests) {
                Some(_) if step == Step::Fetch => Stage::Waiting,
                Some(_) if step == Step::Install && !tested_first => Stage::At(way, Step::Restore),
                Some(next) => Stage::At(way, next),
                None => {
                    member.out = false;
                    if way == Way::Back {
                        Stage::Returned
                    } else {
                        Stage::Done
                    }
                }
            };
        }
        Stage::PutBack(after) => put_back(rollout, name, after),
        Stage::Waiting
        | Stage::Failed
        | Stage::Done
        | Stage::BackWaiting
        | Stage::Returned
        | Stage::Kept
        | Stage::Excluded => {}
    }
    progressed(rollout, name);
    redirect(state, name);
}

/// A server that came through is progress: refusals by the floor count anew.
fn progressed(rollout: &mut Rollout, name: &ServerName) {
    let through = rollout
        .members
        .get(name)
        .is_some_and(|member| matches!(member.stage, Stage::Done | Stage::Returned));
    if through {
        for member in rollout.members.values_mut() {
            member.refused = 0;
        }
    }
}

fn put_back(rollout: &mut Rollout, name: &ServerName, after: After) {
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    member.out = false;
    member.tries = 0;
    member.stage = match after {
        After::Requeue => Stage::Waiting,
        After::RequeueBack => Stage::BackWaiting,
        After::Fail => Stage::Failed,
        After::Return => Stage::Returned,
        After::Keep => Stage::Kept,
    };
    if matches!(after, After::Requeue | After::RequeueBack) {
        rollout.order.retain(|other| other != name);
        rollout.order.push(name.clone());
    }
}

/// The present step failed in a way that is no verdict: tried again while there are tries left.
pub(super) fn interrupted(state: &mut State, name: &ServerName, why: &str) {
    let forgiving = state.rules.hold(Rule::SilenceIsNoVerdict);
    let Some((_, rollout)) = of(state, name) else {
        return;
    };
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    let step = match member.stage {
        Stage::At(_, step) => step,
        Stage::PutBack(_) => Step::Restore,
        Stage::Waiting
        | Stage::Failed
        | Stage::Done
        | Stage::BackWaiting
        | Stage::Returned
        | Stage::Kept
        | Stage::Excluded => return,
    };
    member.tries += 1;
    if member.tries >= step.tries() || !forgiving {
        failed(state, name, &format!("{why}, {} tries", step.tries()));
    } else {
        redirect(state, name);
    }
}

/// The present step failed for good.
pub(super) fn failed(state: &mut State, name: &ServerName, why: &str) {
    let may_return = may_return_unproven(state);
    let Some((server, rollout)) = of(state, name) else {
        return;
    };
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    member.tries = 0;
    member.failure = Some(why.to_owned());
    let unproven = server.unproven && !may_return;
    member.gave_up |= matches!(member.stage, Stage::At(Way::Back, _));
    member.stage = match member.stage {
        // Nothing was changed: put it back as it is.
        Stage::At(Way::Forward, Step::Drain) if !unproven => Stage::PutBack(After::Fail),
        Stage::At(Way::Back, Step::Drain) if !unproven => Stage::PutBack(After::Keep),
        _ => Stage::Failed,
    };
    rollout
        .failure
        .get_or_insert_with(|| format!("{name}: {why}"));
    redirect(state, name);
}

/// The floor does not let it go: put back, and behind the others. Refused again without progress,
/// it has failed; on the way back it stays on its proven new version.
pub(super) fn refused(state: &mut State, name: &ServerName, why: &str) {
    let limited = state.rules.hold(Rule::RefusalIsLimited);
    let goes_back = state.rules.hold(Rule::RefusedByFloorGoesBack);
    let may_return = may_return_unproven(state);
    let Some((server, rollout)) = of(state, name) else {
        return;
    };
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    member.tries = 0;
    member.refused += 1;
    let again = member.refused < 2 || !limited;
    let unproven = server.unproven && !may_return;
    member.stage = match member.stage {
        _ if unproven => Stage::Failed,
        Stage::At(Way::Back, _) if again => Stage::PutBack(After::RequeueBack),
        Stage::At(Way::Back, _) => Stage::PutBack(After::Keep),
        _ if again && !goes_back => Stage::Waiting,
        _ if again => Stage::PutBack(After::Requeue),
        _ => Stage::PutBack(After::Fail),
    };
    if unproven || !again {
        member.failure = Some(why.to_owned());
        rollout
            .failure
            .get_or_insert_with(|| format!("{name}: {why}"));
    }
    redirect(state, name);
}

/// "Nothing was changed, put it back" is not true of an unproven server.
fn may_return_unproven(state: &State) -> bool {
    !state.rules.hold(Rule::ProofBeforeReturn)
}

/// In a rollout that goes back, a server that was on its way forward turns: at once, or when the
/// step that cannot be called back has ended.
pub(super) fn redirect(state: &mut State, name: &ServerName) {
    let awaits = state.rules.hold(Rule::RunningStepIsAwaited);
    let Some((server, rollout)) = of(state, name) else {
        return;
    };
    if rollout.phase != Phase::Back {
        return;
    }
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    let running = server.outstanding.is_some();
    let turned = match member.stage {
        Stage::At(Way::Forward, step) if step.must_be_awaited() && running && awaits => return,
        Stage::At(Way::Back, _) | Stage::Returned | Stage::Kept | Stage::Excluded => return,
        Stage::BackWaiting | Stage::PutBack(After::RequeueBack | After::Keep | After::Return) => {
            return;
        }
        stage => turned(server, member, stage),
    };
    member.stage = turned;
    member.tries = 0;
    let superseded = server
        .outstanding
        .as_ref()
        .is_some_and(|outstanding| !matches!(outstanding.command.work, events::Work::Hold(_)));
    if superseded && turned != Stage::PutBack(After::Return) {
        super::service::idle(server);
    }
}

fn turned(server: &Server, member: &Member, stage: Stage) -> Stage {
    let way_back = member.previous.is_some();
    match stage {
        Stage::Failed if member.gave_up => Stage::Failed,
        Stage::Done if way_back => Stage::BackWaiting,
        Stage::Done => Stage::Kept,
        Stage::At(_, Step::Restore) if member.touched && way_back => {
            Stage::At(Way::Back, Step::Drain)
        }
        _ if member.touched && way_back => Stage::At(Way::Back, Step::Install),
        _ if member.touched => Stage::Failed,
        Stage::PutBack(_) | Stage::At(_, Step::Drain) if !server.unproven => {
            Stage::PutBack(After::Return)
        }
        Stage::Failed if member.out => Stage::Failed,
        _ if server.unproven => Stage::Failed,
        _ => Stage::Returned,
    }
}
