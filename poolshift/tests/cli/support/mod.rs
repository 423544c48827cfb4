//! A `poolshift serve` in a folder of its own, and the program to speak to it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A digest of the right form.
pub(crate) const DIGEST: &str =
    "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// The longest that anything here is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

impl Said {
    /// The JSON of its one line.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its text, when all went well.
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}

/// The program, which knows no server unless it is told.
pub(crate) fn poolshift(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolshift"));
    command
        .args(arguments)
        .env_remove("POOLSHIFT_SERVER")
        .env("COLUMNS", "100")
        .env("RUST_LOG", "info");
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Said {
    poolshift(arguments).output().unwrap().into()
}

/// A folder with settings, people and a catalogue, and the server that runs on it.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) api: String,
    listening: String,
    serve: Option<Child>,
}

impl House {
    /// Everything on free ports; the catalogue is there, but not applied.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "people.toml", PEOPLE);
        write(&folder, "services/checkout.toml", CHECKOUT);
        write(&folder, "serve.toml", &settings(folder.path()));
        let mut house = Self {
            folder,
            api: String::new(),
            listening: String::new(),
            serve: None,
        };
        house.again();
        house
    }

    /// With its catalogue applied, and with what runs on its servers known.
    pub(crate) fn ready() -> Self {
        let house = Self::start();
        house.run(&["apply", &house.path("services")]).good();
        for target in ["staging/checkout", "production/checkout"] {
            let adopted = house.run(&["adopt", target, "--all", "1.0", "--sha256", DIGEST]);
            adopted.good();
        }
        house
    }

    /// Starts the server, once more on the same log.
    pub(crate) fn again(&mut self) {
        let mut serve = self.serve();
        let mut line = String::new();
        let mut stdout = BufReader::new(serve.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        self.serve = Some(serve);
        let api = line
            .split("api ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        self.api = api
            .unwrap_or_else(|| panic!("it does not say where it listens: {line}{}", self.log()))
            .to_owned();
        self.listening = line;
    }

    /// Where webhooks come in.
    pub(crate) fn public(&self) -> &str {
        let after = self.listening.split("agents http://").nth(1).unwrap();
        after.split(',').next().unwrap()
    }

    /// A server on this folder, whether it can start or not.
    pub(crate) fn serve(&self) -> Child {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("serve.log"));
        poolshift(&["serve", "--config", &self.path("serve.toml")])
            .stdout(Stdio::piped())
            .stderr(log.unwrap())
            .spawn()
            .unwrap()
    }

    /// Asks it to end, and says with which code it did.
    pub(crate) fn stop(&mut self) -> i32 {
        let mut serve = self.serve.take().unwrap();
        let sent = Command::new("kill")
            .arg("-TERM")
            .arg(serve.id().to_string())
            .status();
        assert!(sent.unwrap().success());
        serve.wait().unwrap().code().unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut serve = self.serve.take().unwrap();
        serve.kill().unwrap();
        serve.wait().unwrap();
    }

    /// Runs the program against this server.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// The program, told where this server is.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = poolshift(arguments);
        command.env("POOLSHIFT_SERVER", &self.api);
        command
    }

    /// Starts a rollout, and gives its id.
    pub(crate) fn rollout(&self, target: &str, more: &[&str]) -> String {
        let start = [
            "start",
            target,
            "--version",
            "2.0",
            "--sha256",
            DIGEST,
            "--json",
        ];
        let started = self.run(&[&start[..], more].concat()).json();
        started["rollout"].as_str().unwrap().to_owned()
    }

    /// Waits until `status` of a target shows this, and gives all it shows.
    pub(crate) fn until(&self, target: &str, wanted: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.run(&["status", target]).good();
            if shown.contains(wanted) {
                return shown;
            }
            assert!(Instant::now() < until, "no `{wanted}` in: {shown}");
        }
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// What the server logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("serve.log")).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(mut serve) = self.serve.take() {
            // A test that failed leaves it running: it has ended by itself when this does not work.
            drop(serve.kill());
            drop(serve.wait());
        }
    }
}

/// Writes a file into a folder.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "log = \"{folder}/poolshift.db\"\npeople = \"{folder}/people.toml\"\n[gateway]\n\
         public = \"127.0.0.1:0\"\nlocal = \"127.0.0.1:0\"\nkey = \"{folder}/gateway.key\"\n"
    )
}

const PEOPLE: &str = r#"
[[person]]
id = "p_anna1"
name = "ann"
roles = ["release-managers"]

[[person]]
id = "p_bobb1"
name = "bob"
roles = ["developers"]

[[person]]
id = "p_carl1"
name = "carl"
roles = ["release-managers"]
"#;

/// Two environments, of which one wants an approval.
pub(crate) const CHECKOUT: &str = r#"name = "checkout"
owner = "payments"

[artifact]
url = "https://artifacts.example/checkout/{version}/checkout.tar.gz"

[install]
kind = "archive"
into = "/srv/checkout"
restart = ["systemctl", "restart", "checkout"]
prove = { http = "/version" }

[check]
http = { path = "/health", status = 200, body = "{version}" }

[environments.staging]
balancers = [{ name = "lb1", testers = "http://10.2.0.11:8081" }]
online = "checkout"
maintenance = "checkout_maintenance"
servers = [
  { name = "web1", machine = "srv-201", address = "10.2.0.1:8080" },
  { name = "web2", machine = "srv-202", address = "10.2.0.2:8080" },
]

[environments.production]
balancers = [{ name = "lb1", testers = "http://10.1.0.11:8081" }]
online = "checkout"
maintenance = "checkout_maintenance"
approvals = { count = 1, from = ["release-managers"], expire = "4h" }
servers = [
  { name = "web1", machine = "srv-101", address = "10.1.0.1:8080" },
  { name = "web2", machine = "srv-102", address = "10.1.0.2:8080" },
]
"#;
