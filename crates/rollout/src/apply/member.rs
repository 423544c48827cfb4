//! One server's way through a rollout: what a passed, failed or refused step makes of its stage.

use events::{RolloutRef, ServerName, Work};

use crate::rules::Rule;
use crate::state::{After, Member, Outstanding, Phase, Rollout, Server, Stage, State};
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
    let course = rollout.course();
    let plan = rollout.plan.clone();
    let Some(member) = rollout.members.get_mut(name) else {
        return;
    };
    if matches!(
        member.stage,
        Stage::At(_, Step::Restore) | Stage::PutBack(_)
    ) {
        server.aside = None;
    }
    match member.stage {
        Stage::At(way, step) => {
            if step.proves(course) {
                server.unproven = false;
                server.aside = None;
                server.proven.clone_from(&server.installed);
                server.proven_by = plan.tests_of(name, way == Way::Back).cloned();
            }
            member.tries = 0;
            if step == Step::Restore {
                member.out = false;
            }
            member.stage = match step.next(way, course) {
                Some(_) if step == Step::Fetch => Stage::Waiting,
                Some(_) if step == Step::Install && !tested_first => Stage::At(way, Step::Restore),
                Some(next) => Stage::At(way, next),
                None if way == Way::Back => Stage::Returned,
                None => Stage::Done,
            };
        }
        Stage::PutBack(after) => {
            server.aside = None;
            put_back(rollout, name, after);
        }
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
    member.gave_up |= matches!(
        member.stage,
        Stage::At(Way::Back, _) | Stage::PutBack(After::RequeueBack | After::Keep | After::Return)
    );
    // Where nothing was changed, it is put back as it is.
    member.stage = if unproven {
        Stage::Failed
    } else if member.stage == Stage::At(Way::Forward, Step::Drain) {
        Stage::PutBack(After::Fail)
    } else if member.stage == Stage::At(Way::Back, Step::Drain) {
        Stage::PutBack(After::Keep)
    } else {
        Stage::Failed
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
    let goes_back_anyway = matches!(member.stage, Stage::At(Way::Back, _));
    member.stage = if unproven {
        Stage::Failed
    } else if goes_back_anyway {
        Stage::PutBack(if again {
            After::RequeueBack
        } else {
            After::Keep
        })
    } else if !again {
        Stage::PutBack(After::Fail)
    } else if goes_back {
        Stage::PutBack(After::Requeue)
    } else {
        Stage::Waiting
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
    let is_awaited =
        matches!(member.stage, Stage::At(Way::Forward, step) if step.must_be_awaited());
    let has_turned = matches!(
        member.stage,
        Stage::At(Way::Back, _)
            | Stage::Returned
            | Stage::Kept
            | Stage::Excluded
            | Stage::BackWaiting
            | Stage::PutBack(After::RequeueBack | After::Keep | After::Return)
    );
    if has_turned || (is_awaited && running && awaits) {
        return;
    }
    let turned = turned(server, member);
    member.stage = turned;
    member.tries = 0;
    if server
        .outstanding
        .as_ref()
        .is_some_and(|outstanding| superseded(outstanding, turned))
    {
        super::service::idle(server);
    }
}

/// What is outstanding goes on only when it serves the new stage as well: a server that is kept
/// out, that is being put back as it is, or that is repaired outside the rollout.
fn superseded(outstanding: &Outstanding, turned: Stage) -> bool {
    let command = &outstanding.command;
    let serves = match &command.work {
        Work::Hold(_) => true,
        Work::Restore(_) => turned == Stage::PutBack(After::Return),
        Work::Fetch(_)
        | Work::Drain(_)
        | Work::Install(_)
        | Work::Check(_)
        | Work::Test(_)
        | Work::Watch(_) => false,
    };
    !serves && command.rollout != RolloutRef::Repair
}

/// Whether customers reach the new version there: when it has been put back, whatever was made of
/// its watch.
pub(super) fn serves_new(server: &Server, member: &Member) -> bool {
    match member.stage {
        Stage::Done | Stage::At(Way::Forward, Step::Watch) => true,
        Stage::Failed => member.touched && !member.out && !server.unproven,
        Stage::Waiting
        | Stage::At(..)
        | Stage::PutBack(_)
        | Stage::BackWaiting
        | Stage::Returned
        | Stage::Kept
        | Stage::Excluded => false,
    }
}

fn turned(server: &Server, member: &Member) -> Stage {
    let way_back = member.previous.is_some();
    let stage = member.stage;
    if stage == Stage::Failed && member.gave_up {
        Stage::Failed
    } else if serves_new(server, member) {
        if way_back {
            Stage::BackWaiting
        } else {
            Stage::Kept
        }
    } else if member.touched && way_back && server.unproven {
        Stage::At(Way::Back, Step::Install)
    } else if member.touched && way_back {
        // Proven: a restore may have put it online on some balancers.
        Stage::At(Way::Back, Step::Drain)
    } else if member.touched {
        Stage::Failed
    } else if matches!(stage, Stage::PutBack(_) | Stage::At(_, Step::Drain)) && !server.unproven {
        Stage::PutBack(After::Return)
    } else if server.unproven || (stage == Stage::Failed && member.out) {
        Stage::Failed
    } else {
        Stage::Returned
    }
}
