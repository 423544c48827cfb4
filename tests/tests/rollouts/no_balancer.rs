//! Services without a load balancer, and two services on one machine.

use crate::mailer::Mailer;
use crate::scene::{ROLLOUT, world};
use events::{Answer, Decision, Event, Outcome, Work};
use poolshift_tests::shop::Release;
use poolshift_tests::world::{Happened, Install, Setup};
use std::collections::BTreeSet;
use std::time::Duration;

/// One shop server, whose installation takes a while.
fn one(before_restart: &str) -> Setup {
    Setup {
        servers: 1,
        per_machine: 1,
        batches: "[1]".to_owned(),
        floor: "0".to_owned(),
        install: Install::Command {
            before_restart: before_restart.to_owned(),
        },
        ..Setup::default()
    }
}

#[tokio::test]
async fn consumers_of_a_queue_go_the_same_way_and_a_bad_version_takes_no_job() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path(), one("true")).await;
    let mut mailer = Mailer::set(&world).await.unwrap();
    let good = mailer.trigger(&world, "1.1.0", false).await.unwrap();
    let (end, history) = mailer.finish(&world, good, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    let unwell = history.events.iter().filter(|one| {
        matches!(&one.event, Event::Answer(Answer::Fetched(fetched))
            if fetched.is_well == Some(false))
    });
    assert_eq!(unwell.count(), 2, "nothing ran before");

    let bad = mailer.trigger(&world, "1.2.0", true).await.unwrap();
    let (end, _) = tokio::join!(mailer.finish(&world, bad, ROLLOUT), mailer.work(1, 300));
    let (end, history) = end.unwrap();
    assert_eq!(end.outcome, Outcome::RolledBack, "{}", end.reason);
    let installs = history.events.iter().filter(|one| {
        matches!(&one.event, Event::Decision(Decision::CommandIssued(issued))
            if matches!(&issued.command.work, Work::Install(install)
                if install.version.as_str() == "1.2.0"))
    });
    assert_eq!(installs.count(), 1, "one at a time, and the other stays");

    let done = mailer.done(300, Duration::from_secs(20)).await.unwrap();
    let jobs: BTreeSet<&str> = done
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!((done.len(), jobs.len()), (300, 300), "each job once");
    assert!(
        done.iter().all(|line| line.starts_with("1.1.0 ")),
        "a job was done by a version that was never proven: {done:?}"
    );
}

#[tokio::test]
async fn two_services_of_one_machine_are_rolled_out_at_once_and_no_deadline_is_false() {
    let root = tempfile::tempdir().unwrap();
    // Longer than the other service's time to begin, and the margin.
    let mut world = world(root.path(), one("sleep 14")).await;
    let mut mailer = Mailer::set(&world).await.unwrap();
    let mut history = world.history();
    let shop = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let installs = |events: &[Happened]| {
        let begun = |one: &Happened| {
            matches!(&one.event, Event::Answer(Answer::CommandStarted(started))
                if started.command.step == "install")
        };
        events.iter().any(begun).then_some(())
    };
    history
        .until("installation that runs", ROLLOUT, installs)
        .await
        .unwrap();

    let mail = mailer.trigger(&world, "1.1.0", false).await.unwrap();
    let (end, events) = mailer.finish(&world, mail, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    let queued = |one: &&Happened| {
        matches!(&one.event, Event::Answer(Answer::CommandQueued(queued))
            if queued.behind_target == world.target)
    };
    assert!(events.events.iter().any(|one| queued(&one)), "it waited");
    let wrong = |one: &Happened| {
        matches!(
            &one.event,
            Event::Decision(Decision::StepTimedOut(_)) | Event::Answer(Answer::CommandRefused(_))
        )
    };
    assert!(!events.events.iter().any(wrong), "a deadline was false");

    let end = world.finish(&mut history, shop, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    assert!(!history.events.iter().any(wrong), "a deadline was false");
}
