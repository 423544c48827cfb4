//! A log in a folder of its own, an orchestrator on it, and somebody who reports.

use std::time::Duration;

use bus::{Bus, Outgoing, Position, Record, Stream};
use events::{
    Actor, ActorKind, Adopt, Answer, CommandRecord, DefineService, Envelope, PARTITIONS, Release,
    Report, ReportId, RequestRollout, RequestedArtifact, RolloutId, Source, Subject, Target,
    Timestamp, Trust, partition_of, sha256,
};
use poolshift_orchestrator::{Settings, run};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use view::View;

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const ENTRY: &str = r#"
name = "shop"
owner = "team"
[artifact]
url = "https://artifacts.example/shop-{version}.tar.gz"
[install]
kind = "archive"
into = "/srv/shop"
restart = ["true"]
prove = { http = "/version" }
[check]
http = { path = "/health", status = 200, body = "{version}" }
[rollout]
batches = [1]
floor = 1
[environments.production]
balancers = [{ name = "lb1", testers = "http://10.0.0.11:8081" }]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  { name = "web1", machine = "m1", address = "10.1.0.1:8080" },
  { name = "web2", machine = "m2", address = "10.1.0.2:8080" },
]
"#;

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) view: View,
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<anyhow::Result<()>>>,
    _folder: TempDir,
}

pub(crate) fn target() -> Target {
    "production/shop".parse().unwrap()
}

pub(crate) fn release(version: &str) -> Release {
    Release {
        version: version.parse().unwrap(),
        sha256: sha256(version.as_bytes()),
    }
}

pub(crate) fn rollout_id(key: &str) -> RolloutId {
    RolloutId::of(&target(), "test", key)
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let bus = Bus::open(&folder.path().join("log.db")).unwrap();
        let mut world = Self {
            bus,
            view: View::in_memory(),
            stop: watch::channel(false).0,
            running: None,
            _folder: folder,
        };
        world.start();
        world
    }

    /// Starts an orchestrator with a view of its own.
    pub(crate) fn start(&mut self) {
        self.start_with(Settings::default());
    }

    pub(crate) fn start_with(&mut self, settings: Settings) {
        self.view = View::in_memory();
        self.stop = watch::channel(false).0;
        let shutdown = self.stop.subscribe();
        let (bus, view) = (self.bus.clone(), self.view.clone());
        self.running = Some(tokio::spawn(run(settings, bus, view, shutdown)));
    }

    /// Ends it in good order.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        let running = self.running.take().unwrap();
        tokio::time::timeout(PATIENCE, running)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    /// What its end was, when it ended by itself.
    pub(crate) async fn end(&mut self) -> anyhow::Result<()> {
        let running = self.running.take().unwrap();
        tokio::time::timeout(PATIENCE, running)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn say(&self, report: impl Into<Report>) -> ReportId {
        let id = ReportId::new(uuid::Uuid::now_v7());
        self.say_as(id, report.into()).await;
        id
    }

    pub(crate) async fn say_as(&self, id: ReportId, report: Report) {
        self.say_of(&target(), id, report).await;
    }

    /// Says it of another target.
    pub(crate) async fn say_of(&self, target: &Target, id: ReportId, report: Report) {
        let subject = Subject::Target(target.clone());
        let actor = Actor {
            kind: ActorKind::Person,
            id: "p_somebody".to_owned(),
        };
        let source = Source {
            process: "test".to_owned(),
            instance: "1".to_owned(),
            version: "0".to_owned(),
        };
        let now = Timestamp::from_ms(1);
        let envelope = Envelope::of_report(id, &report, subject.clone(), now, source, actor);
        self.append_to(&subject, envelope.to_headers(), report.to_bytes())
            .await;
    }

    pub(crate) async fn append(&self, headers: Vec<(String, String)>, value: Vec<u8>) {
        let subject = Subject::Target(target());
        self.append_to(&subject, headers, value).await;
    }

    async fn append_to(&self, subject: &Subject, headers: Vec<(String, String)>, value: Vec<u8>) {
        let outgoing = Outgoing {
            key: subject.to_string(),
            headers,
            value,
        };
        self.bus
            .append(Stream::Reports, partition_of(subject), vec![outgoing])
            .await
            .unwrap();
    }

    pub(crate) async fn introduce(&self) {
        self.say(DefineService {
            entry: ENTRY.to_owned(),
        })
        .await;
        for server in ["web1", "web2"] {
            let server = server.parse().unwrap();
            self.say(Adopt {
                server,
                release: release("1.0.0"),
            })
            .await;
        }
    }

    pub(crate) fn request(key: &str, version: &str) -> RequestRollout {
        let release = release(version);
        RequestRollout {
            rollout: rollout_id(key),
            key: key.to_owned(),
            sender: "test".to_owned(),
            version: release.version,
            tests: None,
            artifact: RequestedArtifact {
                url: None,
                sha256: release.sha256,
            },
            requested_by: Actor {
                kind: ActorKind::Person,
                id: "p_asker".to_owned(),
            },
            proven: true,
            claims: Vec::new(),
            build: None,
            commit: None,
            change: None,
            trust: Trust::Full,
        }
    }

    /// The target's records of events, from the first on, until there are `count` of `kind`.
    pub(crate) async fn until_events(&self, kind: &str, count: usize) -> Vec<Record> {
        self.until_events_of(&target(), kind, count).await
    }

    /// The same of another target.
    pub(crate) async fn until_events_of(
        &self,
        target: &Target,
        kind: &str,
        count: usize,
    ) -> Vec<Record> {
        let subject = Subject::Target(target.clone());
        let partition = partition_of(&subject);
        let mut follower = self
            .bus
            .follow(Stream::Events, &[partition], &Position::Start)
            .unwrap();
        let mut found = Vec::new();
        while kinds(&found, kind) < count {
            let record = follower.next(PATIENCE).await.unwrap();
            let record = record.unwrap_or_else(|| panic!("no {count} of {kind} came in time"));
            if record.key == subject.to_string() {
                found.push(record);
            }
        }
        found
    }

    /// The commands of both servers, when `wanted` is true of them.
    pub(crate) async fn until_commands(
        &self,
        wanted: impl Fn(&[CommandRecord]) -> bool,
    ) -> Vec<CommandRecord> {
        let partitions: Vec<u32> = (0..PARTITIONS).collect();
        let mut follower = self
            .bus
            .follow(Stream::Commands, &partitions, &Position::Start)
            .unwrap();
        loop {
            let partition = partition_of(&Subject::Target(target()));
            let latest = self.bus.latest(Stream::Commands, partition).await.unwrap();
            let records: Vec<CommandRecord> = latest
                .iter()
                .map(|record| CommandRecord::from_bytes(&record.value).unwrap())
                .collect();
            if wanted(&records) {
                return records;
            }
            follower
                .next(PATIENCE)
                .await
                .unwrap()
                .expect("no such commands came in time");
        }
    }

    pub(crate) async fn answer(&self, answer: Answer) -> ReportId {
        self.say(answer).await
    }
}

pub(crate) fn kinds(records: &[Record], kind: &str) -> usize {
    records
        .iter()
        .filter(|record| kind_of(record) == kind)
        .count()
}

pub(crate) fn kind_of(record: &Record) -> String {
    Envelope::from_headers(&record.headers).unwrap().kind
}
