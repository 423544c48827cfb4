//! From an input to events. Each kind of input has a file; this one is the table of contents.

mod answer;
mod ask;
mod batch;
mod finish;
mod fleet;
mod follow;
mod freeze;
mod gate;
mod person;
mod queue;
mod request;
mod timeout;
mod vote;

pub(crate) use timeout::due;

use events::{Actor, Ask, Cause, Epoch, Event, OwnerChanged, Report, ReportId, Timestamp};

use crate::state::State;

/// What may change a target.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Somebody says something.
    Report(&'a Heard),
    /// Time has passed, or something was decided that more may follow from.
    Clock,
    /// A new owner with this epoch.
    Owner(Epoch),
}

/// A report with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its id.
    pub id: ReportId,
    /// Who is behind it.
    pub actor: Actor,
    /// What it says.
    pub report: Report,
}

/// What a decision answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// What is so from now on. Empty when nothing changes: a duplicate, a late answer.
    pub events: Vec<Event>,
    /// Why what was asked is not taken, for the person who asked.
    pub refused: Option<String>,
}

impl Reply {
    pub(crate) fn refuse(why: impl Into<String>) -> Self {
        Self {
            events: Vec::new(),
            refused: Some(why.into()),
        }
    }
}

impl From<Vec<Event>> for Reply {
    fn from(events: Vec<Event>) -> Self {
        Self {
            events,
            refused: None,
        }
    }
}

impl From<Event> for Reply {
    fn from(event: Event) -> Self {
        vec![event].into()
    }
}

impl Input<'_> {
    /// What the events that follow name as their cause.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Report(heard) => Cause::Report(heard.id),
            Self::Clock | Self::Owner(_) => Cause::Clock,
        }
    }
}

/// Decides one input. Changes nothing: the state is what [`apply`](crate::apply) makes of the
/// events. `at` is the owner's time, never smaller than the last event's.
#[must_use]
pub fn decide(state: &State, input: &Input<'_>, at: Timestamp) -> Reply {
    match input {
        Input::Clock => follow::next(state, at).into(),
        Input::Owner(epoch) => owner(state, *epoch),
        Input::Report(heard) => match &heard.report {
            Report::Answer(answer) => answer::answer(state, answer),
            Report::Ask(ask) => asked(state, heard, ask, at),
        },
    }
}

fn owner(state: &State, epoch: Epoch) -> Reply {
    if epoch <= state.epoch {
        return Reply::default();
    }
    Event::from(OwnerChanged { epoch }).into()
}

fn asked(state: &State, heard: &Heard, ask: &Ask, at: Timestamp) -> Reply {
    match ask {
        Ask::RequestRollout(request) => request::request(state, request, at),
        Ask::CastVote(vote) => vote::vote(state, heard, vote, at),
        Ask::Steer(steer) => person::steer(state, heard, steer, at),
        Ask::SupersedeHalted(asked) => queue::supersede_halted(state, heard, asked),
        Ask::OverrideGate(asked) => gate::override_gate(state, heard, asked),
        Ask::SetFreeze(asked) => freeze::set(state, heard, asked, at),
        Ask::LiftFreeze(asked) => freeze::lift(state, heard, asked),
        Ask::ReportPromotion(told) => freeze::promotion(state, heard, told),
        Ask::ExcludeServer(exclude) => fleet::exclude(state, heard, exclude),
        Ask::ReleaseServer(release) => person::release(state, heard, release),
        Ask::Adopt(adopt) => ask::adopt(state, heard, adopt),
        Ask::DefineService(define) => ask::define(state, heard, define),
        Ask::EnrolAgent(_) | Ask::RevokeAgent(_) => {
            Reply::refuse("agents are enrolled under machine/NAME, not under a target")
        }
    }
}
