//! A company with its services, which rolls out on every day of its year.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use events::{
    Actor, ActorKind, Adopt, Build, Command, DefineService, Release, RequestRollout,
    RequestedArtifact, RolloutId, Target, Timestamp, Trust, sha256,
};

use super::Options;
use super::fleet::answers;
use super::ledger::{Account, Ledger};

const DAY_MS: u64 = 86_400_000;

/// From one round of a fleet's words to the next.
const ROUND_MS: u64 = 2_000;

/// More rounds than any rollout here needs.
const ROUNDS_MAX: u32 = 10_000;

/// How long reports are kept.
const REPORTS_DAYS: u64 = 30;

/// The company on its first day.
pub(super) struct Company {
    ledger: Ledger,
    accounts: Vec<Account>,
    options: Options,
    begin: Timestamp,
}

/// What stands in the log after its year.
pub(super) struct Written {
    pub(super) rollouts: u64,
    pub(super) events: u64,
}

impl Company {
    /// Defines every service, and takes what runs as it is.
    pub(super) async fn found(log: &Path, options: &Options) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let year_ms = u64::from(options.days) * DAY_MS;
        let begin =
            Timestamp::from_ms(i64::try_from(now.as_millis())?.saturating_sub_unsigned(year_ms));
        let reports_days = u64::from(options.days).saturating_sub(REPORTS_DAYS);
        let ledger = Ledger::open(log, begin.plus_ms(reports_days * DAY_MS)).await?;
        let mut company = Self {
            ledger,
            accounts: Vec::new(),
            options: *options,
            begin,
        };
        for service in 0..options.services {
            company.define(service).await?;
        }
        Ok(company)
    }

    async fn define(&mut self, service: u32) -> Result<()> {
        let target: Target = format!("production/service-{service}").parse()?;
        let mut account = self.ledger.account(target, self.begin)?;
        let entry = entry(service, self.options.servers);
        account.hear(DefineService { entry }, "gateway", self.begin);
        ensure!(
            account.state.entry.is_some(),
            "the catalogue entry is not taken"
        );
        for server in 1..=self.options.servers {
            let adopt = Adopt {
                server: format!("web{server}").parse()?,
                release: release("1.0.0")?,
            };
            account.hear(adopt, "gateway", self.begin);
        }
        self.ledger.write(&mut account, self.begin).await?;
        self.accounts.push(account);
        Ok(())
    }

    /// Lives through its days.
    pub(super) async fn live(mut self) -> Result<Written> {
        let mut rollouts = 0;
        for day in 0..u64::from(self.options.days) {
            for _ in 0..self.options.rollouts_a_day {
                // Coprime to the number of services as a rule: all of them take their turn.
                let service = usize::try_from(rollouts * 31)? % self.accounts.len().max(1);
                let at = self.begin.plus_ms(day * DAY_MS + 3_600_000);
                let account = self.accounts.get_mut(service).context("no services")?;
                roll_out(account, rollouts, at.max(account.state.at))?;
                self.ledger.write(account, at).await?;
                rollouts += 1;
            }
        }
        let events = self.ledger.close().await?;
        Ok(Written { rollouts, events })
    }
}

/// One rollout, from its request to its end.
fn roll_out(account: &mut Account, number: u64, at: Timestamp) -> Result<()> {
    let version = format!("1.{number}.1");
    let request = request(&account.state.target, number, &version)?;
    account.hear(request, "gateway", at);
    let mut at = at;
    for _ in 0..ROUNDS_MAX {
        if account.state.rollout.is_none() {
            return Ok(());
        }
        at = at.plus_ms(ROUND_MS);
        for command in outstanding(account) {
            for (who, answer) in answers(&command) {
                account.hear(answer, who, at);
            }
        }
        account.tick(at);
    }
    let waits = rollout::waiting(&account.state, at);
    anyhow::bail!("rollout {number} does not end: {waits:?}")
}

fn outstanding(account: &Account) -> Vec<Command> {
    let servers = account.state.servers.values();
    let waiting = servers.filter_map(|server| server.outstanding.as_ref());
    waiting
        .map(|outstanding| outstanding.command.as_ref().clone())
        .collect()
}

fn request(target: &Target, number: u64, version: &str) -> Result<RequestRollout> {
    let key = format!("build-{number}");
    let release = release(version)?;
    Ok(RequestRollout {
        rollout: RolloutId::of(target, "jenkins", &key),
        key,
        sender: "jenkins".to_owned(),
        version: release.version,
        tests: None,
        artifact: RequestedArtifact {
            url: None,
            sha256: release.sha256,
        },
        requested_by: Actor {
            kind: ActorKind::Job,
            id: "https://jenkins.example/job/service/job/main".to_owned(),
        },
        proven: true,
        claims: Vec::new(),
        build: Some(Build {
            controller: "https://jenkins.example".to_owned(),
            job: "service/main".to_owned(),
            number,
            url: Some(format!(
                "https://jenkins.example/job/service/job/main/{number}/"
            )),
        }),
        commit: None,
        change: None,
        trust: Trust::Full,
    })
}

fn release(version: &str) -> Result<Release> {
    Ok(Release {
        version: version.parse()?,
        sha256: sha256(version.as_bytes()),
    })
}

fn entry(service: u32, servers: u32) -> String {
    let lines = (1..=servers).map(|server| {
        let machine = service * servers.div_ceil(2) + server.div_ceil(2);
        format!(
            "  {{ name = \"web{server}\", machine = \"srv-{machine}\", \
             address = \"10.{service}.0.{server}:8080\" }},\n"
        )
    });
    let lines: String = lines.collect();
    format!(
        r#"name = "service-{service}"
owner = "team {service}"
[artifact]
url = "https://artifacts.example/service-{service}-{{version}}.tar.gz"
[install]
kind = "archive"
into = "/srv/service-{service}/{{server}}"
restart = ["systemctl", "restart", "service-{service}@{{server}}"]
prove = {{ http = "/version" }}
[[tests]]
name = "smoke"
command = ["bin/smoke", "--out", "result.xml"]
results = "result.xml"
at_least = 40
[check]
http = {{ path = "/health", status = 200, body = "{{version}}" }}
[rollout]
batches = [1, "10%"]
floor = "75%"
[environments.production]
balancers = [
  {{ name = "lb1", testers = "http://10.0.0.11:8081" }},
  {{ name = "lb2", testers = "http://10.0.0.12:8081" }},
]
online = "service-{service}"
maintenance = "service-{service}_maintenance"
servers = [
{lines}]
"#
    )
}
