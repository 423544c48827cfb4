//! A gateway at work, and everything around it.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bus::{Bus, Commit, Options, Outgoing, Position, Stream};
use events::{
    CommandRecord, Envelope, Idle, Report, RolloutId, Subject, Target, Timestamp, partition_of,
    sha256,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use poolshift_gateway::{Gateway, Settings};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use view::{AsOf, OutReason, ServerOut, ServerView, TargetView, View};

/// The longest that any wait of a test may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The first signing secret; the second one is its reverse.
pub(crate) const KEY: [u8; 24] = *b"first-secret-of-24-bytes";

/// A bearer token that counts.
pub(crate) const TOKEN: &str = "a-bearer-token-of-more-than-32-characters";

pub(crate) struct House {
    pub(crate) public: String,
    pub(crate) local: String,
    pub(crate) bus: Bus,
    pub(crate) view: View,
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    stop: watch::Sender<bool>,
    task: JoinHandle<anyhow::Result<()>>,
    folder: tempfile::TempDir,
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn target() -> Target {
    "production/checkout".parse().unwrap()
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(&Options::default(), |_| {}).await
    }

    pub(crate) async fn with(options: &Options, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bus = Bus::open_with(&folder.path().join("log.db"), options).unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let view = view();
        view.set_complete();
        let house = Self::serve(folder, bus, view, settings);
        house.until_ready().await;
        house
    }

    /// Starts a gateway that may not be ready yet.
    pub(crate) fn serve(
        folder: tempfile::TempDir,
        bus: Bus,
        view: View,
        settings: Settings,
    ) -> Self {
        use std::sync::Once;
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let provider = rustls::crypto::ring::default_provider();
            provider.install_default().unwrap();
        });
        let gateway = Gateway::bind(&settings, bus.clone(), view.clone()).unwrap();
        let public = format!("http://{}", gateway.public_address().unwrap());
        let local = format!("http://{}", gateway.local_address().unwrap());
        let (stop, shutdown) = watch::channel(false);
        Self {
            public,
            local,
            bus,
            view,
            client: Client::builder().no_proxy().build().unwrap(),
            settings,
            stop,
            task: tokio::spawn(gateway.serve(shutdown)),
            folder,
        }
    }

    pub(crate) async fn until_ready(&self) {
        let ready = tokio::time::timeout(PATIENCE, async {
            while self.get("/readyz").await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        ready.await.unwrap();
    }

    /// Waits until so many polls wait for a change: whatever changes from then on wakes them.
    pub(crate) async fn until_polls_open(&self, count: u32) {
        let line = format!("poolshift_gateway_long_polls_open {count}\n");
        let open = tokio::time::timeout(PATIENCE, async {
            while !self
                .get("/metrics")
                .await
                .text()
                .await
                .unwrap()
                .contains(&line)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        open.await.unwrap();
    }

    /// Ends it, and gives what the next one needs.
    pub(crate) async fn end(self) -> (tempfile::TempDir, Bus, Settings) {
        self.stop.send(true).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.unwrap().unwrap().unwrap();
        (self.folder, self.bus, self.settings)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.local);
        self.client.get(url).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.local);
        self.client.post(url).json(body).send().await.unwrap()
    }

    /// A start over the API, under a key.
    pub(crate) async fn start(&self, key: &str, body: &Value) -> Response {
        let url = format!("{}/api/v1/rollouts", self.local);
        let request = self.client.post(url).header("idempotency-key", key);
        request.json(body).send().await.unwrap()
    }

    /// A delivery of Jenkins, signed now with the first secret.
    pub(crate) async fn deliver(&self, id: &str, body: &[u8]) -> Response {
        self.deliver_signed(id, now().as_ms() / 1000, &KEY, body)
            .await
    }

    pub(crate) async fn deliver_signed(
        &self,
        id: &str,
        seconds: i64,
        key: &[u8],
        body: &[u8],
    ) -> Response {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        let signature = BASE64.encode(mac.finalize().into_bytes());
        self.client
            .post(format!("{}/webhooks/jenkins", self.public))
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", format!("v1,{signature}"))
            .body(body.to_vec())
            .send()
            .await
            .unwrap()
    }

    /// All reports about a target or machine so far.
    pub(crate) async fn reports(&self, subject: &Subject) -> Vec<(Envelope, Report)> {
        let partition = partition_of(subject);
        let mut follower = self
            .bus
            .follow(Stream::Reports, &[partition], &Position::Start)
            .unwrap();
        let records = follower.catch_up().await.unwrap();
        records
            .iter()
            .map(|record| {
                let envelope = Envelope::from_headers(&record.headers).unwrap();
                let report =
                    Report::from_bytes(&envelope.kind, envelope.version, &record.value).unwrap();
                (envelope, report)
            })
            .filter(|(envelope, _)| envelope.subject == *subject)
            .collect()
    }

    /// Reports about the target of the tests.
    pub(crate) async fn said(&self) -> Vec<(Envelope, Report)> {
        self.reports(&Subject::Target(target())).await
    }

    /// Writes records of servers, as the owner of the target.
    pub(crate) async fn command(&self, records: &[CommandRecord]) {
        let partition = partition_of(&Subject::Target(target()));
        let mut owner = self
            .bus
            .own(partition, 0, Outgoing::default())
            .await
            .unwrap();
        let commands = records.iter().map(|record| Outgoing {
            key: record.key(),
            headers: vec![],
            value: record.to_bytes(),
        });
        let commit = Commit {
            commands: commands.collect(),
            ..Commit::default()
        };
        owner.commit(commit).await.unwrap();
    }
}

pub(crate) fn settings(folder: &Path) -> Settings {
    let mut second = KEY;
    second.reverse();
    let secrets = format!(
        "whsec_{}\nwhsec_{}\n{TOKEN}\n",
        BASE64.encode(KEY),
        BASE64.encode(second)
    );
    std::fs::write(folder.join("secrets"), secrets).unwrap();
    std::fs::write(folder.join("people.toml"), PEOPLE).unwrap();
    Settings {
        public: "127.0.0.1:0".parse().unwrap(),
        local: "127.0.0.1:0".parse().unwrap(),
        url: Some("https://poolshift.example/".to_owned()),
        webhook_secrets: vec![format!("file:{}", folder.join("secrets").display())],
        people: Some(folder.join("people.toml")),
        key: folder.join("gateway.key"),
        ..Settings::default()
    }
}

pub(crate) const PEOPLE: &str = "\
[[person]]
id = \"p_ann1\"
name = \"ann\"
roles = [\"release-managers\"]

[[person]]
id = \"p_bob1\"
name = \"bob\"
roles = []
";

/// What the orchestrator would have written: one target with two servers on two machines.
pub(crate) fn view() -> View {
    let view = View::in_memory();
    let server = |name: &str, machine: &str| ServerView {
        name: name.parse().unwrap(),
        machine: machine.parse().unwrap(),
        address: "10.1.0.1:8080".to_owned(),
        pools: vec![],
        proven: None,
        unproven: false,
        out: None,
        outstanding: None,
    };
    let stuck = ServerOut {
        kind: OutReason::Stuck,
        rollout: RolloutId::of(&target(), "test", "stuck"),
        why: "tests failed".to_owned(),
    };
    let web1 = ServerView {
        out: Some(stuck),
        ..server("web1", "srv-101")
    };
    view.put_target(TargetView {
        target: target(),
        as_of: AsOf {
            n: 1,
            at: Timestamp::from_ms(0),
        },
        stands_still: None,
        owner: "payments".to_owned(),
        entry_sha256: sha256(b"entry"),
        service: "checkout".to_owned(),
        environment: "production".to_owned(),
        floor: 1,
        servers: vec![web1, server("web2", "srv-102")],
        rollout: None,
        jenkins: None,
        queue: vec![],
        waiting: vec![],
        freezes: vec![],
    });
    view
}

pub(crate) fn idle(server: &str, machine: &str, seq: u64) -> CommandRecord {
    CommandRecord::Idle(Idle {
        target: target(),
        server: server.parse().unwrap(),
        machine: machine.parse().unwrap(),
        epoch: 1,
        seq,
        balancers: vec![],
        online: String::new(),
        maintenance: String::new(),
        line: String::new(),
    })
}

pub(crate) fn trigger(version: &str) -> Value {
    json!({
        "service": "checkout",
        "environment": "production",
        "version": version,
        "artifact": {"sha256": sha256(version.as_bytes()).to_string()},
        "build": {
            "controller": "jenkins-1",
            "job": "https://jenkins.example/job/checkout/job/main/",
            "number": 7,
            "url": "https://jenkins.example/job/checkout/job/main/7/",
        },
        "requester": "Ann",
    })
}

pub(crate) fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

pub(crate) fn rollout_of(answer: &Value) -> RolloutId {
    answer["rollout"].as_str().unwrap().parse().unwrap()
}

/// A 202 and what it says.
pub(crate) async fn accepted(answer: Response) -> Value {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(status, 202, "{body}");
    body
}

/// A problem: its status and what it says.
pub(crate) async fn problem(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned().unwrap();
    assert_eq!(kind, "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body)
}
