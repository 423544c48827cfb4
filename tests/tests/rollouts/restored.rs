//! The log is lost, and made anew from a backup that knows less than the fleet.

use crate::scene::{ROLLOUT, programs, world};
use events::{Answer, Event, Outcome, RefusedBecause};
use poolshift_tests::shop::{Behaviour, Release};
use poolshift_tests::world::{Setup, World};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

const REST: Duration = Duration::from_secs(20);

async fn poolshift(arguments: &[&str]) -> String {
    let mut command = Command::new(&programs().await.poolshift);
    let output = command.args(arguments).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a disk takes with it when it dies: the log with all that lies beside it.
fn wipe(log: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut file = log.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            Ok(()) | Err(_) => {}
        }
    }
}

async fn rolled_out(world: &mut World, release: &Release) -> Outcome {
    let mut history = world.history();
    let rollout = world.trigger(release).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    end.outcome
}

#[tokio::test]
async fn a_log_from_a_backup_commands_a_fleet_that_went_on_without_it() {
    let root = tempfile::tempdir().unwrap();
    let setup = Setup {
        servers: 4,
        batches: "[2]".to_owned(),
        ..Setup::default()
    };
    let mut world = world(root.path(), setup).await;
    let customers = world.stage.open().unwrap();
    let good = |version: &str| Release::good(version);
    assert_eq!(
        rolled_out(&mut world, &good("1.1.0")).await,
        Outcome::Succeeded
    );

    let backup = root.path().join("backup");
    let backup = backup.to_str().unwrap();
    let api = format!("http://{}", world.api.local);
    let said = poolshift(&["--server", &api, "log", "export", backup]).await;
    assert!(said.starts_with("exported "), "{said}");
    // A later owner commands under an epoch above all that a log from the backup begins with.
    let succeeded = rolled_out(&mut world, &good("1.2.0")).await;
    assert_eq!(succeeded, Outcome::Succeeded);
    world.serve.kill().await.unwrap();
    world.serve.start_again().unwrap();
    world.api.ready(REST).await.unwrap();
    let succeeded = rolled_out(&mut world, &good("1.2.1")).await;
    assert_eq!(succeeded, Outcome::Succeeded);

    world.serve.kill().await.unwrap();
    let log = world.log();
    wipe(&log);
    let said = poolshift(&["log", "import", backup, "--log", log.to_str().unwrap()]).await;
    assert!(said.contains("hash chains, which all hold"), "{said}");
    world.serve.start_again().unwrap();
    world.api.ready(REST).await.unwrap();

    assert_eq!(
        rolled_out(&mut world, &good("1.3.0")).await,
        Outcome::Succeeded
    );
    world.settled("1.3.0", REST).await.unwrap();
    let bad = good("1.4.0").behaving(Behaviour::Bad);
    assert_eq!(rolled_out(&mut world, &bad).await, Outcome::RolledBack);
    world.settled("1.3.0", REST).await.unwrap();

    let mut history = world.history();
    let mended = |events: &[poolshift_tests::world::Happened]| {
        let stale = |event: &Event| {
            matches!(event, Event::Answer(Answer::CommandRefused(refused))
                if refused.reason == RefusedBecause::Stale)
        };
        events.iter().any(|one| stale(&one.event)).then_some(())
    };
    let what = "worker that had obeyed a later command than the backup knows of";
    history.until(what, REST, mended).await.unwrap();
    let tally = customers.stop().await.unwrap();
    assert_eq!(tally.failed, 0, "{:?}", tally.first_failures);
}
