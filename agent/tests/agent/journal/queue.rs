//! Servers of two services on one machine: one piece of work at a time, and nobody's time runs out
//! while the machine does somebody else's.

use events::{Answer, Command, CommandQueued, RefusedBecause};

use crate::support::{World, archive, command_of, fetch, install};

/// An installation of one service that goes on until the file `go` is there, and a download of
/// another service on the same machine, which must begin within a moment.
fn two_services(world: &mut World) -> (Command, Command) {
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    let home = world.home();
    let mut long = install(&url, &bytes, &home, "1.0");
    let script = format!(
        "touch {0}/began; while [ -e {0}/began ] && [ ! -e {0}/go ]; do sleep 0.02; done; cp current/VERSION running",
        home.display()
    );
    long.restart = vec!["sh".to_owned(), "-c".to_owned(), script];
    let first = world.command("install", 1, long);
    let work = events::Work::Fetch(fetch(&url, &bytes, &world.path("other")));
    let mut second = command_of("db1", ("fetch", 1), 1, work);
    second.target = "production/ledger".parse().expect("a target");
    second.start_within_ms = 400;
    (first, second)
}

async fn queued(world: &World, command: &Command) -> CommandQueued {
    match world.answer_to(&command.id).await {
        Answer::CommandQueued(queued) => queued,
        other => panic!("not queued: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_so_and_begins_in_the_time_that_it_is_given_for_that() {
    let mut world = World::start().await;
    let (first, mut second) = two_services(&mut world);
    world.give_out(&first);
    let began = world.home().join("began");
    world.see("the installation", || began.exists()).await;
    world.give_out(&second);
    let said = queued(&world, &second).await;
    assert_eq!(said.behind, first.id);
    assert_eq!(said.behind_target, first.target);
    assert_eq!(said.at_most_ms, first.timeout_ms);

    // The same record again, with the time that the owner gives for it.
    second.start_within_ms += said.at_most_ms;
    world.give_out(&second);
    std::fs::write(world.home().join("go"), "").expect("a file");
    let fetched = || {
        world.answers().iter().any(|answer| {
            answer.command() == Some(&second.id) && matches!(answer, Answer::Fetched(_))
        })
    };
    world.see("the download", fetched).await;
    let kinds: Vec<&str> = world.answers().iter().map(Answer::kind).collect();
    let said = kinds.iter().filter(|kind| kind.ends_with("command-queued"));
    assert_eq!(said.count(), 1, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_is_given_no_more_time_is_refused_as_late() {
    let mut world = World::start().await;
    let (first, second) = two_services(&mut world);
    world.give_out(&first);
    let began = world.home().join("began");
    world.see("the installation", || began.exists()).await;
    world.give_out(&second);
    queued(&world, &second).await;
    let refused = || {
        world.answers().into_iter().any(|answer| {
            matches!(answer, Answer::CommandRefused(refused)
                if refused.command == second.id && refused.reason == RefusedBecause::Late)
        })
    };
    world.see("the refusal", refused).await;
    std::fs::write(world.home().join("go"), "").expect("a file");
}
