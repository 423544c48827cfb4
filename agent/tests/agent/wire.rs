//! What an agent and its gateway say to each other.

mod former;
mod look;

use std::collections::BTreeSet;

use crate::support::{World, fetch};
use events::{Answer, RefusedBecause};

#[tokio::test(flavor = "multi_thread")]
async fn enrolment_leaves_a_key_that_only_the_agent_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::bare().await;
    world.gateway.known().code = "right".to_owned();
    assert!(!world.enrol("wrong").success());
    assert!(!world.data().join("key").exists());
    assert!(world.enrol("right").success());
    for file in ["key", "token.json"] {
        let found = std::fs::metadata(world.data().join(file)).expect(file);
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_never_enrolled_is_told_how_to() {
    let world = World::bare().await;
    let output = world
        .program()
        .args(["run", "--config"])
        .arg(world.path("agent.toml"))
        .output()
        .expect("the agent's program");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("poolshift agent enrol srv-101"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_on_the_same_data_are_one_too_many() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    world
        .carry_out("fetch", 1, fetch(&url, &bytes, &into))
        .await;
    let second = world
        .program()
        .args(["run", "--config"])
        .arg(world.path("agent.toml"))
        .output()
        .expect("the agent's program");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another agent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_begun_then_answered_and_what_runs_is_told() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let command = world.command("fetch", 1, fetch(&url, &bytes, &into));
    world.give_out(&command);
    let Answer::Fetched(fetched) = world.answer_to(&command.id).await else {
        panic!("not fetched");
    };
    assert_eq!(fetched.bytes, bytes.len() as u64);
    assert_eq!(fetched.sha256, events::sha256(&bytes));
    world
        .gateway
        .until("AgentSeen", |known| {
            known
                .delivered
                .iter()
                .find(|report| report.kind == "poolshift.agent-seen")
                .cloned()
        })
        .await;
    let answers = world.answers();
    let kinds: Vec<&str> = answers.iter().map(Answer::kind).collect();
    assert_eq!(
        kinds,
        [
            "poolshift.command-started",
            "poolshift.fetched",
            "poolshift.agent-seen"
        ]
    );
    let known = world.gateway.known();
    assert_eq!(known.delivered[1].traceparent, command.traceparent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_over_is_renewed_by_the_key() {
    let mut world = World::start().await;
    world
        .gateway
        .until("a poll", |known| (known.polls > 0).then_some(()))
        .await;
    // The gateway forgets the token: that is what days of absence look like.
    world
        .gateway
        .change(|known| known.token = "another".to_owned());
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let answer = world
        .carry_out("fetch", 1, fetch(&url, &bytes, &into))
        .await;
    assert!(matches!(answer, Answer::Fetched(_)));
    assert_eq!(world.gateway.known().tokens_made, 2);
    assert!(
        world
            .read(&world.data().join("token.json"))
            .contains("token-2")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_runs_takes_up_the_key_of_a_new_enrolment() {
    let mut world = World::start().await;
    world
        .gateway
        .until("a poll", |known| (known.polls > 0).then_some(()))
        .await;
    world.gateway.known().code = "another-code".to_owned();
    assert!(world.enrol("another-code").success());
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let home = world.home();
    let answer = world
        .carry_out("fetch", 1, fetch(&url, &bytes, &home))
        .await;
    assert!(matches!(answer, Answer::Fetched(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_says_so_once_and_touches_nothing() {
    let mut world = World::enrolled().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let command = world.command("fetch", 1, fetch(&url, &bytes, &into));
    world.gateway.known().is_revoked = true;
    world.give_out(&command);
    world.start_agent();
    world
        .gateway
        .until("a refused poll", |known| {
            (known.forbidden > 0).then_some(())
        })
        .await;
    world
        .see("the log to say so", || world.log().contains("is revoked"))
        .await;
    assert_eq!(world.log().matches("is revoked").count(), 1);
    assert!(!world.home().join(".fetch").exists());
    assert_eq!(world.gateway.known().delivered.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_survive_a_lost_answer_a_dead_gateway_and_a_killed_agent() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    world.gateway.known().lose_outcomes = 1;
    let first = world.command("fetch", 1, fetch(&url, &bytes, &into));
    world.give_out(&first);
    world.answer_to(&first.id).await;
    // The same report came again, under the same id.
    let first_id = world.gateway.known().delivered[0].id;
    world
        .gateway
        .until("the report again", |known| {
            let times = known
                .delivered
                .iter()
                .filter(|report| report.id == first_id)
                .count();
            (times >= 2).then_some(())
        })
        .await;
    world.kill_agent();
    world.gateway.known().fail = 3;
    world.start_agent();
    let second = world.command("fetch", 2, fetch(&url, &bytes, &into));
    world.give_out(&second);
    assert!(matches!(
        world.answer_to(&second.id).await,
        Answer::Fetched(_)
    ));
    let about_second = world
        .answers()
        .into_iter()
        .filter(|a| a.command() == Some(&second.id));
    assert_eq!(about_second.count(), 2, "begun once, answered once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_comes_again_gets_the_answer_it_had() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let mut command = world.command("fetch", 1, fetch(&url, &bytes, &into));
    world.give_out(&command);
    let had = world.answer_to(&command.id).await;
    let downloads = |world: &World| {
        let known = world.gateway.known();
        known
            .requests
            .iter()
            .filter(|path| path.starts_with("/artifacts"))
            .count()
    };
    assert_eq!(downloads(&world), 1);
    // Gone from the disk, so that a second run could not go unnoticed; a new owner says it again.
    std::fs::remove_dir_all(into.join(".fetch")).expect("a folder");
    world.kill_agent();
    world.start_agent();
    command.epoch = 2;
    world.give_out(&command);
    world
        .gateway
        .until("the answer again", |known| {
            // Under an id of its own: the first one may come twice, for the agent was killed.
            let fetched = known
                .delivered
                .iter()
                .filter(|r| r.kind == "poolshift.fetched");
            let ids: BTreeSet<_> = fetched.map(|report| report.id).collect();
            (ids.len() == 2).then_some(())
        })
        .await;
    let again = world
        .answers()
        .into_iter()
        .rev()
        .find(|a| a.kind() == had.kind());
    assert_eq!(again, Some(had));
    assert_eq!(downloads(&world), 1, "it was not run again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_and_late_commands_are_refused_with_what_stands_above_them() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let stale = world.command("fetch", 1, fetch(&url, &bytes, &into));
    let good = world.command("fetch", 2, fetch(&url, &bytes, &into));
    world.give_out(&good);
    world.answer_to(&good.id).await;
    world.give_out(&stale);
    let Answer::CommandRefused(refused) = world.answer_to(&stale.id).await else {
        panic!("a stale command was obeyed");
    };
    assert_eq!(refused.reason, RefusedBecause::Stale);
    assert_eq!(refused.highest, good.fence());
    let mut same_fence = stale.clone();
    same_fence.seq = good.seq;
    same_fence.id.attempt = 9;
    world.give_out(&same_fence);
    let answer = world.answer_to(&same_fence.id).await;
    assert!(matches!(answer, Answer::CommandRefused(r) if r.reason == RefusedBecause::Stale));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_a_newer_poolshift_is_refused_and_hides_no_other() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let mut install = crate::support::install(&url, &bytes, &into, "1.0");
    install.method = "puppet".into();
    let unknown = world.command("install", 1, install);
    let mut other = world.command("fetch", 1, fetch(&url, &bytes, &into));
    other.server = "web2".parse().expect("a server");
    world.give_out(&unknown);
    world.give_out(&other);
    assert!(matches!(
        world.answer_to(&other.id).await,
        Answer::Fetched(_)
    ));
    let answer = world.answer_to(&unknown.id).await;
    assert!(matches!(answer, Answer::CommandRefused(r) if r.reason == RefusedBecause::Unknown));
}
