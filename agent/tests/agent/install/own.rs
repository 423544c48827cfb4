//! Where no load balancer is in front: the service's own commands take it out of work.

use events::{Answer, Command, Drain, FailedBecause, Hold, Own, Prove, Then, Work};

use crate::support::{World, archive, command_of, fetch};

fn own(world: &World, step: &str, seq: u64, work: Work, script: &str) -> Command {
    let mut command = command_of("web1", (step, 1), seq, work);
    command.own = Some(Own {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        into: world.home().display().to_string(),
    });
    command
}

fn drain() -> Work {
    Work::Drain(Drain {
        pinned_ms: 0,
        then: Then::Fail,
        floor: 0,
        members: Vec::new(),
    })
}

fn hold() -> Work {
    Work::Hold(Hold {
        reason: "not proven yet".to_owned(),
    })
}

async fn answer(world: &World, command: &Command) -> Answer {
    world.give_out(command);
    world.answer_to(&command.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_and_a_hold_run_the_service_s_own_command_each_once() {
    let world = World::start().await;
    let script = "echo out >> state; echo password=hunter2";
    let command = own(&world, "drain", 1, drain(), script);
    let Answer::OwnDone(done) = answer(&world, &command).await else {
        panic!("not done");
    };
    assert_eq!(done.output.tail, "password=***\n");
    let command = own(&world, "hold", 2, hold(), script);
    let held = answer(&world, &command).await;
    assert!(matches!(held, Answer::OwnDone(_)), "{held:?}");
    // Published anew by a new owner: answered again, and not run again.
    let again = Command {
        epoch: 2,
        ..command
    };
    world.give_out(&again);
    let both = || {
        let done = world.answers().into_iter();
        done.filter(|one| matches!(one, Answer::OwnDone(_))).count() == 3
    };
    world.see("the answer again", both).await;
    assert_eq!(world.read(&world.home().join("state")), "out\nout\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_or_hangs_is_told_so() {
    let world = World::start().await;
    let command = own(&world, "drain", 1, drain(), "echo no; exit 3");
    let Answer::OwnFailed(failed) = answer(&world, &command).await else {
        panic!("not failed");
    };
    assert_eq!(failed.failure.reason, FailedBecause::ProgramFailed);
    assert!(failed.failure.detail.contains("exit code 3"));
    assert_eq!(failed.output.tail, "no\n");
    let mut slow = own(&world, "hold", 2, hold(), "sleep 300");
    slow.timeout_ms = 200;
    let Answer::OwnFailed(failed) = answer(&world, &slow).await else {
        panic!("not failed");
    };
    assert_eq!(failed.failure.reason, FailedBecause::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_by_load_balancers_is_none_of_an_agent_s() {
    let mut world = World::start().await;
    world.give_out(&command_of("web1", ("drain", 1), 1, drain()));
    // Something of its own tells that the record was read.
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let order = fetch(&world.serve("a", &bytes), &bytes, &world.home());
    let mut other = world.command("fetch", 1, order);
    other.server = "web2".parse().expect("a server");
    other.id.server = other.server.clone();
    let fetched = answer(&world, &other).await;
    assert!(matches!(fetched, Answer::Fetched(_)), "{fetched:?}");
    let drains = world.answers().into_iter();
    let drains = drains.filter(|one| one.command().is_some_and(|id| id.step == "drain"));
    assert_eq!(drains.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_tells_whether_the_service_is_well_before_anything_is_changed() {
    let mut world = World::start().await;
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    for (attempt, is_well) in [(1, false), (2, true)] {
        let mut order = fetch(&url, &bytes, &world.home());
        order.prove = Some(Prove::Command {
            argv: ["cat", "alive"].map(str::to_owned).to_vec(),
        });
        let Answer::Fetched(fetched) = world.carry_out("fetch", attempt, order).await else {
            panic!("not fetched");
        };
        assert_eq!(fetched.is_well, Some(is_well));
        std::fs::write(world.home().join("alive"), "0.9").expect("a file");
    }
}
