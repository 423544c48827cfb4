//! Events and servers in one line each.

use events::{Answer, BalancerName, Decision, Event, ServerName};
use poolshift_rollout::{Server, State};

pub(crate) fn balancer(answer: &Answer) -> Option<&BalancerName> {
    match answer {
        Answer::Drained(a) => Some(&a.balancer),
        Answer::DrainRefused(a) => Some(&a.balancer),
        Answer::DrainFailed(a) => Some(&a.balancer),
        Answer::Held(a) => Some(&a.balancer),
        Answer::Restored(a) => Some(&a.balancer),
        Answer::RestoreFailed(a) => Some(&a.balancer),
        _ => None,
    }
}

/// An answer is said in its place; that it was taken is not said again, but for its decisions.
pub(crate) fn event(event: &Event) -> Option<String> {
    match event {
        Event::Answer(answer) => Some(answered(answer)),
        Event::Decision(decision) => Some(decided(decision)),
    }
}

fn answered(answer: &Answer) -> String {
    let kind = answer.kind().trim_start_matches("poolshift.");
    let by = balancer(answer).map_or_else(String::new, |by| format!(" by {by}"));
    match answer.command() {
        Some(id) if watched(answer).is_some() => {
            let seen = watched(answer).unwrap_or_default();
            format!("{kind}: {}/{}/{}: {seen}", id.server, id.step, id.attempt)
        }
        Some(id) => format!("{kind}{by}: {}/{}/{}", id.server, id.step, id.attempt),
        None => format!("{kind}{by}"),
    }
}

/// What was counted, and what it was held against.
fn watched(answer: &Answer) -> Option<String> {
    let (basis, seen) = match answer {
        Answer::Steady(e) => (&e.basis, &e.seen),
        Answer::Regressed(e) => (&e.basis, &e.seen),
        _ => return None,
    };
    let of = |one: events::Requests| format!("{} of {}", one.errors(), one.requests);
    let resets = match seen.resets {
        0 => String::new(),
        resets => format!("; counters began anew {resets} times"),
    };
    let late = seen.response.map_or_else(String::new, |response| {
        let of = |one: events::Probes| format!("{} of {}", one.late(), one.probes);
        let (server, peers) = (of(response.server), of(response.peers));
        format!("; {server} late ({peers})")
    });
    let (server, peers) = (of(seen.server), of(seen.peers));
    Some(format!(
        "{server} failed, by {basis} ({peers}){late}{resets}"
    ))
}

fn names(servers: &[ServerName]) -> String {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    names.join(" ")
}

fn decided(decision: &Decision) -> String {
    match decision {
        Decision::CommandIssued(e) => issued(&e.command),
        Decision::RolloutRequested(e) => format!("requested: {}", e.version),
        Decision::RolloutRejected(e) => format!("rejected, {}: {}", e.reason, e.detail),
        Decision::RolloutPlanned(e) => planned(e.plan.value()),
        Decision::Superseded(_) => "the one that waited is superseded".to_owned(),
        Decision::Queued(_) => "queued behind the one that runs".to_owned(),
        Decision::ApprovalGiven(e) => format!("approved by {}", e.person),
        Decision::ApprovalRefused(e) => format!("vote of {} does not count: {}", e.person, e.why),
        Decision::ApprovalExpired(e) => format!("the time of gate {} is over", e.gate),
        Decision::BatchStarted(e) => format!("batch {}: {}", e.batch, names(&e.servers)),
        Decision::StepTimedOut(e) => {
            let silent: Vec<&str> = e.silent.iter().map(BalancerName::as_str).collect();
            let id = &e.command;
            format!(
                "timed out: {}/{}/{} {}",
                id.server,
                id.step,
                id.attempt,
                silent.join(" ")
            )
            .trim_end()
            .to_owned()
        }
        Decision::GatesPassed(e) => passed(e),
        Decision::GateAwaited(e) => match e.opens_at {
            Some(opens_at) => format!("waits until {opens_at}"),
            None => "waits, and no time is known".to_owned(),
        },
        Decision::GateOverridden(e) => format!("{} overrides {}", e.person, e.gate),
        Decision::OverrideRefused(e) => {
            format!("{} may not override {}: {}", e.person, e.gate, e.why)
        }
        Decision::FreezeSet(e) => format!("frozen from {} until {}", e.from, e.until),
        Decision::FreezeLifted(_) => "the freeze is lifted".to_owned(),
        Decision::PromotionSeen(e) => {
            format!("{} succeeded in {}", e.release.version, e.from)
        }
        Decision::TakeOverRequested(_) => "to be taken over".to_owned(),
        Decision::Halted(e) => format!("HALTED: {}", e.reason),
        Decision::RollbackStarted(e) => {
            format!(
                "GOES BACK: {}; changed so far: {}",
                e.reason,
                names(&e.servers)
            )
        }
        Decision::ServerExcluded(e) => {
            let reason = e
                .reason
                .as_ref()
                .map_or(String::new(), |why| format!(", {why}"));
            format!("{} takes no part: {}{reason}", e.server, e.why)
        }
        Decision::ServerJoined(e) => format!("{} joins", e.planned.server),
        Decision::RolloutFinished(e) => finished(e),
        Decision::Adopted(e) => format!("{} runs {}", e.server, e.release.version),
        Decision::OwnerChanged(e) => format!("the owner's epoch is {}", e.epoch),
        Decision::ServerReleased(e) => format!("{} is let go", e.server),
        Decision::Paused(_) => "paused".to_owned(),
        Decision::Resumed(_) => "resumed".to_owned(),
        Decision::AbortRequested(_) => "to be aborted".to_owned(),
        Decision::RetryRequested(_) => "tried again".to_owned(),
        Decision::ServiceDefined(_) => "the service is defined".to_owned(),
        Decision::OwnershipTaken(_) | Decision::AgentEnrolled(_) | Decision::AgentRevoked(_) => {
            panic!("not an event of a target")
        }
    }
}

fn issued(command: &events::Command) -> String {
    let id = &command.id;
    let repair = match id.rollout {
        events::RolloutRef::Repair => " (repair)",
        events::RolloutRef::Rollout(_) => "",
    };
    let beside = match &command.work {
        events::Work::Watch(watch) => beside(watch),
        _ => String::new(),
    };
    let tests = package(&command.work);
    format!(
        "-> {}: {}/{}{repair}{beside}{tests}",
        id.server, id.step, id.attempt
    )
}

fn beside(watch: &events::Watch) -> String {
    let base = watch.baseline.map_or_else(
        || "nothing".to_owned(),
        |base| format!("{} of {} failed", base.errors(), base.requests),
    );
    match watch.peers.as_slice() {
        [] => format!(" beside nobody; before: {base}{}", timed(watch)),
        peers => format!(
            " beside {}; before: {base}{}",
            peers.join(" "),
            timed(watch)
        ),
    }
}

fn timed(watch: &events::Watch) -> String {
    watch.response.as_ref().map_or_else(String::new, |rule| {
        let events::ResponseTime {
            max_ms,
            path,
            server,
            ..
        } = rule;
        let peers = rule.peers.join(" ");
        format!("; within {max_ms} ms: {path} of {server}, of [{peers}]")
    })
}

fn passed(event: &events::GatesPassed) -> String {
    let mut text = "the gates are open".to_owned();
    if let Some(window) = &event.window {
        text.push_str(&format!("; window until {}", window.closes_at));
    }
    if event.promoted_by.is_some() {
        text.push_str("; succeeded elsewhere");
    }
    if !event.overridden.is_empty() {
        text.push_str(&format!("; overridden: {}", event.overridden.join(" ")));
    }
    text
}

/// The package that suites come in, by the last word of its URL.
fn package(work: &events::Work) -> String {
    let tests = match work {
        events::Work::Fetch(fetch) => fetch.tests.as_ref(),
        events::Work::Test(test) => test.tests.as_ref(),
        _ => None,
    };
    let name = |tests: &events::Artifact| tests.url.rsplit('/').next().map(str::to_owned);
    tests
        .and_then(name)
        .map_or_else(String::new, |name| format!(" with {name}"))
}

fn planned(plan: &events::Plan) -> String {
    let batches = plan
        .batches
        .iter()
        .map(|batch| format!("[{}]", names(batch)));
    let batches: Vec<String> = batches.collect();
    format!(
        "planned: {}, batches {}, floor {}",
        plan.version,
        batches.join(" "),
        plan.floor
    )
}

fn finished(event: &events::RolloutFinished) -> String {
    let mut text = format!("FINISHED {}: {}", event.outcome, event.reason);
    for (word, servers) in [
        ("stuck", &event.stuck),
        ("left", &event.left),
        ("except", &event.except),
    ] {
        if !servers.is_empty() {
            text.push_str(&format!("; {word}: {}", names(servers)));
        }
    }
    text
}

pub(crate) fn server(state: &State, name: &ServerName, server: &Server) -> String {
    let proven = server
        .proven
        .as_ref()
        .map_or("unknown", |release| release.version.as_str());
    let mut text = format!("{name}: proven {proven}");
    if server.unproven {
        text.push_str(", UNPROVEN");
    }
    if let Some(outstanding) = &server.outstanding {
        let id = &outstanding.command.id;
        text.push_str(&format!(", {}/{} outstanding", id.step, id.attempt));
    }
    if let Some(member) = state.member(name) {
        text.push_str(&format!(", {:?}", member.stage));
    }
    text
}
