//! Servers, their HAProxy, a log, and an lb-controller that reads it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bus::{Bus, Commit, Follower, Outgoing, Owner, Position, Stream};
use events::partition_of;
use events::{Answer, CommandId, CommandRecord, Envelope, Report, Subject, Timestamp, Work};
use poolshift_lb_controller::{Settings, run};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::haproxy::Haproxy;
use super::shop::Shop;
use super::{PATIENCE, orders};

pub(crate) const MINUTE_MS: u64 = 60_000;

pub(crate) struct Scene {
    pub(crate) shops: Vec<Shop>,
    pub(crate) haproxy: Haproxy,
    pub(crate) settings: Settings,
    pub(crate) bus: Bus,
    /// Every report so far.
    pub(crate) said: Vec<Answer>,
    controller: Option<(watch::Sender<bool>, JoinHandle<anyhow::Result<()>>)>,
    reports: Follower,
    owner: Owner,
    fence: (u64, u64),
    pub(crate) folder: TempDir,
}

impl Scene {
    /// Three servers, `web1` to `web3`, and a HAProxy that loads its state file.
    pub(crate) async fn open() -> Self {
        let mut scene = Self::without_controller(true).await;
        scene.start();
        scene
    }

    pub(crate) async fn without_controller(loads_state: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut shops = Vec::new();
        for name in ["web1", "web2", "web3"] {
            shops.push(Shop::open(name).await);
        }
        let haproxy = Haproxy::start(folder.path(), &shops, loads_state).await;
        let bus = Bus::open(&folder.path().join("log")).unwrap();
        let partition = partition_of(&Subject::Target(orders::target()));
        let owner = bus.own(partition, 0, Outgoing::default()).await.unwrap();
        let reports = bus.follow(Stream::Reports, &[partition], &Position::Start);
        Self {
            shops,
            haproxy,
            settings: Settings {
                name: "lb1".parse().unwrap(),
                admin_socket: folder.path().join("admin.sock"),
                insecure_socket: false,
                state_file: folder.path().join("servers.state"),
                marks_file: None,
                lock_file: None,
            },
            reports: reports.unwrap(),
            bus,
            said: Vec::new(),
            controller: None,
            owner,
            fence: (1, 0),
            folder,
        }
    }

    pub(crate) fn start(&mut self) {
        let (stop, shutdown) = watch::channel(false);
        let task = tokio::spawn(run(self.settings.clone(), self.bus.clone(), shutdown));
        self.controller = Some((stop, task));
    }

    /// As a `kill -9` would: nothing of its memory is left.
    pub(crate) async fn kill_controller(&mut self) {
        let (_, task) = self.controller.take().unwrap();
        task.abort();
        let _ = task.await;
    }

    pub(crate) async fn restart_controller(&mut self) {
        self.kill_controller().await;
        self.start();
    }

    /// Takes the server out, as far as to its `Drained`.
    pub(crate) async fn drain(&mut self, server: &str) -> CommandId {
        let work = orders::drain(&["web1", "web2", "web3"], 1, 0, events::Then::Fail);
        let id = self.order(server, work, MINUTE_MS).await;
        self.answer("poolshift.drained").await;
        id
    }

    /// The server is where it was before it was taken out.
    pub(crate) async fn is_back(&self, server: &str) {
        assert_eq!(self.haproxy.status("shop", server).await, "UP");
        let maintenance = self.haproxy.status("shop_maintenance", server).await;
        assert_eq!(maintenance, "MAINT");
    }

    /// Takes the server out and holds it.
    pub(crate) async fn hold(&mut self, server: &str) {
        self.drain(server).await;
        self.order(server, orders::hold(), MINUTE_MS).await;
        self.answer("poolshift.held").await;
    }

    pub(crate) async fn order(&mut self, server: &str, work: Work, within_ms: u64) -> CommandId {
        self.fence.1 += 1;
        let command = orders::command(server, self.fence, now().plus_ms(within_ms), work);
        let id = command.id.clone();
        self.write(CommandRecord::Command(Box::new(command))).await;
        id
    }

    pub(crate) async fn idle(&mut self, server: &str) {
        self.fence.1 += 1;
        self.write(CommandRecord::Idle(orders::idle(server, self.fence)))
            .await;
    }

    pub(crate) async fn write(&mut self, record: CommandRecord) {
        let outgoing = Outgoing {
            key: record.key(),
            headers: Vec::new(),
            value: record.to_bytes(),
        };
        let commit = Commit {
            commands: vec![outgoing],
            ..Commit::default()
        };
        self.owner.commit(commit).await.unwrap();
    }

    /// The next report of a kind; those before it are kept in `said`.
    pub(crate) async fn answer(&mut self, kind: &str) -> Answer {
        let found = timeout(PATIENCE, async {
            loop {
                let answer = self.next().await;
                if answer.kind() == kind {
                    return answer;
                }
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("no {kind} came, but {:#?}", self.said))
    }

    /// Everything that is said within a while.
    pub(crate) async fn listen(&mut self, for_: Duration) {
        let _ = timeout(for_, async {
            loop {
                self.next().await;
            }
        })
        .await;
    }

    pub(crate) fn count_said(&self, kind: &str) -> usize {
        self.said
            .iter()
            .filter(|answer| answer.kind() == kind)
            .count()
    }

    pub(crate) fn marks_path(&self) -> PathBuf {
        self.folder.path().join("servers.state.poolshift-marks")
    }

    async fn next(&mut self) -> Answer {
        let record = loop {
            if let Some(record) = self.reports.next(PATIENCE).await.unwrap() {
                break record;
            }
        };
        let envelope = Envelope::from_headers(&record.headers).unwrap();
        let report = Report::from_bytes(&envelope.kind, envelope.version, &record.value);
        let Report::Answer(answer) = report.unwrap() else {
            panic!("an lb-controller asks for nothing");
        };
        self.said.push(answer.clone());
        answer
    }
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}
