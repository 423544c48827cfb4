//! Planting a fault on the stage, and mending it.

use poolshift_tests::http::Connection;
use poolshift_tests::world::World;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::task::JoinHandle;

const UP: Duration = Duration::from_secs(20);

/// What is added to an agent's settings stands behind this.
const MORE: &str = "# more\n";

/// How a fault is made.
pub(crate) enum Plant {
    /// Somebody changes the configuration of lb1 by hand, and reloads it.
    Balancer(Vec<(String, String)>),
    /// Somebody asks lb1 to take these servers out.
    Admin([&'static str; 2]),
    /// The admin socket of lb1 is no longer where it was.
    SocketGone,
    /// lb2 is killed.
    BalancerGone,
    /// The settings say something else.
    Settings((String, String)),
    /// The settings of the agent on m1 say this, too; it is started with them.
    Agent(String),
    /// The service file is changed and applied.
    Apply((String, String)),
    /// The service file is changed, and that is all.
    Unapplied((String, String)),
    /// The agent of m2 is killed.
    AgentGone,
    /// In its place somebody answers whose clock is ten minutes ahead, in a version of the future.
    Impostor,
    /// The agent of m2 counts no more.
    Revoked,
}

/// The stage with what has been done to it.
pub(crate) struct Patient {
    pub(crate) world: World,
    poolshift: PathBuf,
    file: PathBuf,
    service: String,
    impostor: Option<JoinHandle<()>>,
}

impl Patient {
    /// The target of the world, which has this service file.
    pub(crate) fn new(world: World, poolshift: &Path, file: &str) -> Self {
        let file = world.root.join(file);
        let service = fs::read_to_string(&file).unwrap();
        let settings = fs::read_to_string(world.root.join("poolshift/serve.toml")).unwrap();
        fs::write(world.root.join("doctor.toml"), settings).unwrap();
        Self {
            world,
            poolshift: poolshift.to_owned(),
            file,
            service,
            impostor: None,
        }
    }

    /// What `poolshift doctor` says, as JSON, with its exit code.
    pub(crate) async fn doctor(&self) -> (Value, i32) {
        let settings = self.world.root.join("doctor.toml");
        let config = ["--config", settings.to_str().unwrap(), "--json"];
        let catalogue = ["--catalogue", self.folder()];
        let arguments = [
            &["doctor", self.world.target.as_str()][..],
            &config,
            &catalogue,
        ]
        .concat();
        let (out, code) = self.run(&arguments).await;
        let found = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
        (found, code)
    }

    pub(crate) async fn plant(&mut self, plant: &Plant) {
        match plant {
            Plant::Balancer(edits) => self.reload(edits.clone()).await,
            Plant::Admin(servers) => self.state(servers, "maint").await,
            Plant::SocketGone => self.move_socket("", ".gone"),
            Plant::BalancerGone => self.world.stage.balancers[1].kill().await.unwrap(),
            Plant::Settings(edit) => self.settings(Some(edit)),
            Plant::Agent(more) => self.agent(more).await,
            Plant::Apply(edit) => self.apply(Some(edit)).await,
            Plant::Unapplied(edit) => self.write_service(Some(edit)),
            Plant::AgentGone => self.world.agents[1].kill().await.unwrap(),
            Plant::Impostor => {
                self.world.agents[1].kill().await.unwrap();
                let public = self.world.api.public;
                let token = fs::read(self.world.root.join("m2/data/token.json")).unwrap();
                let token: Value = serde_json::from_slice(&token).unwrap();
                let token = token["token"].as_str().unwrap().to_owned();
                self.impostor = Some(tokio::spawn(answer_wrongly(public, token)));
            }
            Plant::Revoked => {
                let why = json!({ "reason": "its disk is lost" });
                let revoked = self.world.api.post("/machines/m2/revoke", &why).await;
                revoked.unwrap();
                let is_revoked = |all: &Value| {
                    let mut all = all.as_array().unwrap().iter();
                    all.any(|one| one["machine"] == "m2" && one["revoked"] == true)
                };
                while !is_revoked(&self.world.api.get("/machines").await.unwrap()) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    pub(crate) async fn mend(&mut self, plant: &Plant) {
        match plant {
            Plant::Balancer(_) => self.reload(vec![]).await,
            Plant::Admin(servers) => {
                self.state(servers, "ready").await;
                // Else the next reload brings back what was saved meanwhile.
                self.world.stage.balancers[0].save_state().await.unwrap();
            }
            Plant::SocketGone => self.move_socket(".gone", ""),
            Plant::BalancerGone => {
                let balancer = &mut self.world.stage.balancers[1];
                balancer.start_again().await.unwrap();
                balancer.all_up(UP).await.unwrap();
            }
            Plant::Settings(_) => self.settings(None),
            Plant::Agent(_) => self.agent("").await,
            Plant::Apply(_) => self.apply(None).await,
            Plant::Unapplied(_) => self.write_service(None),
            Plant::AgentGone => self.world.agents[1].start_again().unwrap(),
            Plant::Impostor => {
                self.impostor.take().unwrap().abort();
                self.world.agents[1].start_again().unwrap();
            }
            // It stays out: the last of all.
            Plant::Revoked => {}
        }
    }

    async fn reload(&mut self, edits: Vec<(String, String)>) {
        let balancer = &mut self.world.stage.balancers[0];
        balancer.layout.edits = vec![];
        let whole = balancer.layout.config();
        for (from, _) in &edits {
            assert!(whole.contains(from), "there is no `{from}` to change");
        }
        // The probe of the stage keeps its name in every fault.
        balancer.layout.edits = edits;
        balancer.reload().await.unwrap();
        balancer.all_up(UP).await.unwrap();
    }

    async fn state(&self, servers: &[&str], state: &str) {
        for server in servers {
            let command = format!("set server shop/{server} state {state}");
            let said = self.world.stage.balancers[0].admin(&command).await.unwrap();
            assert_eq!(said, "");
        }
        self.world.stage.balancers[0].all_up(UP).await.unwrap();
    }

    fn move_socket(&self, from: &str, to: &str) {
        let socket = self.world.stage.balancers[0].layout.admin_socket();
        let named = |end: &str| format!("{}{end}", socket.display());
        fs::rename(named(from), named(to)).unwrap();
    }

    fn settings(&self, edit: Option<&(String, String)>) {
        let text = fs::read_to_string(self.world.root.join("poolshift/serve.toml")).unwrap();
        fs::write(self.world.root.join("doctor.toml"), changed(&text, edit)).unwrap();
    }

    async fn agent(&mut self, more: &str) {
        let path = self.world.root.join("m1/agent.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (own, _) = text.split_once(MORE).unwrap_or((&text, ""));
        fs::write(&path, format!("{own}{MORE}{more}\n")).unwrap();
        self.world.agents[0].kill().await.unwrap();
        self.world.agents[0].start_again().unwrap();
    }

    fn write_service(&self, edit: Option<&(String, String)>) {
        fs::write(&self.file, changed(&self.service, edit)).unwrap();
    }

    async fn apply(&self, edit: Option<&(String, String)>) {
        self.write_service(edit);
        let (out, code) = self.run(&["apply", self.folder()]).await;
        assert_eq!(code, 0, "{out}");
    }

    /// Where its service file lies.
    pub(crate) fn folder(&self) -> &str {
        self.file.parent().unwrap().to_str().unwrap()
    }

    /// `poolshift` with these arguments; what it says, and its exit code.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (String, i32) {
        let mut command = Command::new(&self.poolshift);
        command
            .args(arguments)
            .env(
                "POOLSHIFT_SERVER",
                format!("http://{}", self.world.api.local),
            )
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let out = String::from_utf8_lossy(&output.stdout);
        (format!("{out}{errors}"), output.status.code().unwrap())
    }
}

fn changed(text: &str, edit: Option<&(String, String)>) -> String {
    let Some((from, to)) = edit else {
        return text.to_owned();
    };
    assert!(text.contains(from), "there is no `{from}` in: {text}");
    text.replace(from, to)
}

/// Polls as the agent whose token it has, and answers every look with another clock and version.
async fn answer_wrongly(public: std::net::SocketAddr, token: String) {
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nhost: {public}\r\nauthorization: Bearer {token}\r\n{more}")
    };
    loop {
        let poll = head("GET /agents/v1/commands", "prefer: wait=30\r\n\r\n");
        let mut connection = Connection::open(public).await.unwrap();
        let answer = connection.exchange(poll.as_bytes()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let Some(look) = answer.get("look") else {
            tokio::task::yield_now().await;
            continue;
        };
        let time: events::Timestamp = answer["server_time"].as_str().unwrap().parse().unwrap();
        let body = json!({
            "id": look["id"], "clock": time.plus_ms(600_000), "agent_version": "0.9.0",
            "folders": [], "programs": [], "urls": [],
        })
        .to_string();
        let more = format!(
            "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let said = head("POST /agents/v1/look", &more);
        connection.exchange(said.as_bytes()).await.unwrap();
    }
}
