//! Brokers that die.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use poolshift_bus::kafka::{Settings, topics};
use poolshift_bus::{Bus, Commit, Error, Stream};
use tests::kafka::{Cluster, Layout};
use tokio::sync::watch;

use crate::suite::place::{read, record, text};
use crate::topics::start;

/// Commits one after the other, and takes the partition anew when an outcome is not known.
async fn commit_on(
    bus: Bus,
    mut stop: watch::Receiver<bool>,
    done: watch::Sender<u64>,
) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    'taking: while !*stop.borrow_and_update() {
        let taken = record("partition/0", "taken");
        let Ok(mut owner) = bus.own(0, 0, taken).await else {
            continue;
        };
        while !*stop.borrow_and_update() {
            n += 1;
            let value = n.to_string();
            let commit = Commit {
                events: vec![record("target", &value), record("target", &value)],
                snapshots: vec![record("target", &value)],
                ..Commit::default()
            };
            match owner.commit(commit).await {
                Ok(_) => {
                    acknowledged.push(n);
                    done.send_replace(n);
                }
                Err(Error::Silent { .. } | Error::Storage { .. }) => continue 'taking,
                Err(error) => panic!("{error}"),
            }
        }
    }
    acknowledged
}

/// A cluster, and one who commits on it.
struct Scene {
    cluster: Arc<Mutex<Cluster>>,
    bus: Bus,
    stop: watch::Sender<bool>,
    done: watch::Receiver<u64>,
    commits: tokio::task::JoinHandle<Vec<u64>>,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn of(brokers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = start(&Layout::plain(folder.path().to_owned(), brokers));
        let mut settings = Settings::new(&cluster.addresses());
        settings.answer_within_ms = 5_000;
        let replicas = u32::try_from(brokers).unwrap();
        topics::create(&settings, replicas).await.unwrap();
        let bus = Bus::connect(&settings).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let (doing, done) = watch::channel(0);
        let commits = tokio::spawn(commit_on(bus.clone(), stopped, doing));
        let mut scene = Self {
            cluster: Arc::new(Mutex::new(cluster)),
            bus,
            stop,
            done,
            commits,
            _folder: folder,
        };
        scene.commits_more().await;
        scene
    }

    /// Until it has committed ten times more.
    async fn commits_more(&mut self) {
        let goal = *self.done.borrow() + 10;
        let goes_on = self.done.wait_for(|done| *done >= goal);
        tokio::time::timeout(Duration::from_secs(60), goes_on)
            .await
            .expect("nobody commits any more")
            .unwrap();
    }

    async fn on_cluster(&self, act: impl FnOnce(&mut Cluster) + Send + 'static) {
        let cluster = Arc::clone(&self.cluster);
        let acting = tokio::task::spawn_blocking(move || act(&mut cluster.lock().unwrap()));
        acting.await.unwrap();
    }

    /// Ends it: all that was acknowledged stands, in its order, and every commit is whole.
    async fn judge(self) {
        self.stop.send_replace(true);
        let acknowledged = self.commits.await.unwrap();
        let events = read(&self.bus, Stream::Events, 0).await;
        let values: Vec<u64> = events
            .iter()
            .filter(|event| event.key == "target")
            .map(|event| text(event).parse().unwrap())
            .collect();
        assert!(values.is_sorted(), "{values:?}");
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
        assert!(
            counts.values().all(|count| *count == 2),
            "a commit is whole: {counts:?}"
        );
        for n in acknowledged {
            assert!(counts.contains_key(&n), "{n} was acknowledged and is gone");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_in_an_open_transaction_loses_nothing_that_was_acknowledged() {
    let mut scene = Scene::of(1).await;
    scene.on_cluster(|cluster| cluster.kill(0).unwrap()).await;
    let silent = Instant::now();
    let refused = scene
        .bus
        .append(Stream::Reports, 1, vec![record("key", "while it is gone")]);
    let refused = refused.await;
    assert!(matches!(refused, Err(Error::Silent { .. })), "{refused:?}");
    assert!(
        silent.elapsed() < Duration::from_secs(10),
        "every wait has a deadline"
    );
    scene
        .on_cluster(|cluster| cluster.start_again(0).unwrap())
        .await;
    scene.commits_more().await;
    let one = vec![record("key", "back")];
    scene.bus.append(Stream::Reports, 1, one).await.unwrap();
    scene.judge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_of_three_may_die_and_commits_go_on() {
    let mut scene = Scene::of(3).await;
    scene.on_cluster(|cluster| cluster.kill(1).unwrap()).await;
    scene.commits_more().await;
    scene
        .on_cluster(|cluster| cluster.start_again(1).unwrap())
        .await;
    scene.on_cluster(|cluster| cluster.kill(0).unwrap()).await;
    scene.commits_more().await;
    scene.judge().await;
}
