//! One of several servers got a bad build.

use crate::scene::{ROLLOUT, three, world};
use events::{Answer, Event, Outcome};
use poolshift_tests::shop::Release;
use poolshift_tests::world::{Install, Setup};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn of_a_batch_of_three_exactly_the_one_with_the_bad_build_fails_its_test() {
    let root = tempfile::tempdir().unwrap();
    let spoil = r#"[ "$1 $VERSION" != "web2 1.1.0" ] || sed -i s/good/bad/ release.toml"#;
    let setup = Setup {
        install: Install::Command {
            before_restart: spoil.to_owned(),
        },
        // The rest of the batch goes on to the end of its check; then nobody comes, and it goes back.
        rolls_back: false,
        person_wait_s: 10,
        ..three()
    };
    let mut world = world(root.path(), setup).await;
    let mut history = world.history();
    let rollout = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();

    let (mut passed, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for one in &history.events {
        match &one.event {
            Event::Answer(Answer::TestsPassed(e)) if e.command.step == "test" => {
                passed.insert(e.command.server.to_string());
            }
            Event::Answer(Answer::TestsFailed(e)) => {
                failed.insert(e.command.server.to_string());
            }
            Event::Decision(_) | Event::Answer(_) => {}
        }
    }
    assert_eq!(failed, ["web2".to_owned()].into());
    assert_eq!(passed, ["web1".to_owned(), "web3".to_owned()].into());
    assert_eq!(end.outcome, Outcome::RolledBack, "{}", end.reason);
    world
        .settled("1.0.0", Duration::from_secs(10))
        .await
        .unwrap();
}
