//! What readers of the view may rely on.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use events::{Actor, ActorKind, RolloutId, Target, Timestamp, sha256};
use poolshift_view::{Claimed, Limit, MachineView, RolloutStatus, RolloutView, Taken, View};
use tokio::time::Instant;

const WAIT: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn target() -> Target {
    "production/checkout"
        .parse()
        .unwrap_or_else(|_| unreachable!())
}

fn accepted(key: &str, created_ms: i64) -> RolloutView {
    let id = RolloutId::of(&target(), "cli", key);
    let version = "1.1".parse().unwrap_or_else(|_| unreachable!());
    let by = Actor {
        kind: ActorKind::Process,
        id: "test".to_owned(),
    };
    RolloutView::accepted(
        id,
        target(),
        version,
        sha256(b"x"),
        sha256(b"a"),
        by,
        at(created_ms),
    )
}

/// Whether a future still waits, after it was given the chance to end.
async fn waits(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_a_change_and_by_nothing_else() {
    let view = View::in_memory();
    let document = accepted("a", 1);
    let id = document.id;
    let known = view.accept(document.clone()).etag;
    let mut waiting = pin!(view.rollout_changed(id, Some(known.as_str()), WAIT));
    assert!(waits(waiting.as_mut()).await);
    view.put_rollout(accepted("b", 1));
    view.put_rollout(document.clone());
    assert!(waits(waiting.as_mut()).await);
    let running = RolloutView {
        status: RolloutStatus::Running,
        ..document
    };
    view.put_rollout(running.clone());
    let found = tokio::time::timeout(WAIT / 2, waiting).await.unwrap();
    let found = found.unwrap();
    assert_eq!(*found.document, running);
    assert_ne!(found.etag, known);
}

#[tokio::test]
async fn a_wait_for_what_does_not_change_ends_with_what_is_there() {
    let view = View::in_memory();
    let kept = view.accept(accepted("a", 1));
    let began = Instant::now();
    let found = view
        .rollout_changed(kept.document.id, Some(kept.etag.as_str()), SHORT)
        .await
        .unwrap();
    assert_eq!(found.etag, kept.etag);
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn one_may_wait_for_what_is_not_there_yet() {
    let view = View::in_memory();
    let machine = MachineView {
        machine: "srv-101".parse().unwrap(),
        public_key: "key".to_owned(),
        revoked: false,
        stands_still: None,
    };
    let name = machine.machine.clone();
    let reader = view.clone();
    let waiting = tokio::spawn(async move { reader.machine_changed(&name, None, WAIT).await });
    tokio::task::yield_now().await;
    view.put_machine(machine.clone());
    assert_eq!(*waiting.await.unwrap().unwrap().document, machine);
    let never = "srv-999".parse().unwrap();
    assert!(view.machine_changed(&never, None, SHORT).await.is_none());
}

#[tokio::test]
async fn what_the_orchestrator_wrote_is_never_replaced_by_accepted() {
    let view = View::in_memory();
    let running = RolloutView {
        status: RolloutStatus::Running,
        ..accepted("a", 1)
    };
    view.put_rollout(running.clone());
    assert_eq!(*view.accept(accepted("a", 1)).document, running);
}

#[test]
fn the_newest_rollout_comes_first() {
    let view = View::in_memory();
    for (key, created) in [("a", 1), ("b", 3), ("c", 2)] {
        view.accept(accepted(key, created));
    }
    let created = view
        .rollouts(Some(&target()))
        .iter()
        .map(|kept| kept.document.created_at.as_ms())
        .collect::<Vec<_>>();
    assert_eq!(created, [3, 2, 1]);
    let other = "staging/checkout".parse().unwrap();
    assert_eq!(view.rollouts(Some(&other)).len(), 0);
}

#[test]
fn a_key_counts_for_thirty_days_and_belongs_to_its_content() {
    let view = View::in_memory();
    let id = accepted("a", 1).id;
    let month = 30 * 24 * 60 * 60 * 1000;
    assert_eq!(view.claim(id, sha256(b"x"), at(0)), Claimed::New);
    assert_eq!(view.claim(id, sha256(b"x"), at(month - 1)), Claimed::Same);
    assert_eq!(view.claim(id, sha256(b"y"), at(month - 1)), Claimed::Other);
    assert_eq!(view.claim(id, sha256(b"y"), at(month)), Claimed::New);
    view.release(id);
    assert_eq!(view.claim(id, sha256(b"x"), at(month)), Claimed::New);
}

#[test]
fn a_limit_gives_its_burst_then_one_each_refill() {
    let view = View::in_memory();
    let limit = Limit {
        burst: 2,
        refill_ms: 1000,
    };
    let take = |key: &str, ms| view.take(key, limit, at(ms));
    assert_eq!(take("a", 0), Taken::Yes);
    assert_eq!(take("a", 0), Taken::Yes);
    assert_eq!(take("a", 400), Taken::No { retry_in_ms: 600 });
    assert_eq!(take("b", 400), Taken::Yes);
    assert_eq!(take("a", 1000), Taken::Yes);
    assert_eq!(take("a", 1000), Taken::No { retry_in_ms: 1000 });
}

#[test]
fn agents_that_were_not_seen_lately_do_not_count() {
    let view = View::in_memory();
    view.seen(&"srv-101".parse().unwrap(), at(10));
    view.seen(&"srv-102".parse().unwrap(), at(20));
    assert_eq!(view.agents_since(at(15)), 1);
    assert_eq!(view.last_seen(&"srv-101".parse().unwrap()), Some(at(10)));
    assert!(!view.is_complete());
    view.set_complete();
    assert!(view.is_complete());
}
