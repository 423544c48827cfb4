//! Probes: the requests, connections and programs behind a round.

use std::process::Stdio;
use std::sync::Once;
use std::time::Duration;

use anyhow::Context as _;
use events::{Balancer, Check, FailedBecause, Failure, Probe};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::judge::{Judged, Seen, Wanted, http};
use crate::round::{Probed, pairs, sum_up};
use crate::verdict::Round;

/// The most of a body that is read, in bytes: what a probe looks for must stand at its beginning.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The most of a program's error output that is kept, in bytes.
const OUTPUT_BYTES_MAX: u64 = 512;

/// Sends probes. Clones share one client.
#[derive(Debug, Clone)]
pub(crate) struct Prober {
    client: reqwest::Client,
}

impl Prober {
    /// # Errors
    /// When the client cannot be made.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let client = client().build();
        let client = client.context("cannot make the HTTP client for probes")?;
        Ok(Self { client })
    }

    /// One round: every HTTP probe through every balancer, every other probe once, side by side.
    pub(crate) async fn round(&self, check: &Check, balancers: &[Balancer], end: Instant) -> Round {
        let mut tasks = JoinSet::new();
        for (place, (probe, through)) in pairs(check, balancers).into_iter().enumerate() {
            let one = One {
                prober: self.clone(),
                check: check.clone(),
                probe,
                through,
            };
            tasks.spawn(async move { (place, one.run(end).await) });
        }
        let mut done = tasks.join_all().await;
        done.sort_by_key(|(place, _)| *place);
        sum_up(check, balancers, done.into_iter().map(|(_, one)| one))
    }
}

/// Every probe gets a connection of its own, so that each goes through the balancer anew; a
/// redirect is an answer, not a way; and no proxy of the environment stands between.
pub(crate) fn client() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("this process has a TLS provider already");
        }
    });
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .user_agent(concat!(
            "poolshift-health-checker/",
            env!("CARGO_PKG_VERSION")
        ))
}

/// One round of a check through these doors, beside any rollout; what is wrong, if anything is.
///
/// # Errors
/// When the client cannot be made.
pub async fn ask_once(check: &Check, doors: &[Balancer]) -> anyhow::Result<Option<Failure>> {
    let end = Instant::now() + Duration::from_millis(check.probe_timeout_ms);
    Ok(Prober::new()?.round(check, doors, end).await.failure)
}

struct One {
    prober: Prober,
    check: Check,
    probe: Probe,
    through: Option<Balancer>,
}

impl One {
    async fn run(self, end: Instant) -> Probed {
        let began = Instant::now();
        let own = Duration::from_millis(self.check.probe_timeout_ms);
        let left = end.saturating_duration_since(began);
        let judged = timeout(own.min(left), self.ask()).await;
        let took = began.elapsed();
        let cut_short = judged.is_err() && left < own;
        let judged = judged.unwrap_or_else(|_| Judged {
            wrong: Some(FailedBecause::TimedOut),
            found: format!("no answer in {} ms", took.as_millis()),
            version_seen: false,
        });
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Probed::new(&self.check, (&self.probe, self.through), judged, took_ms).cut_short(cut_short)
    }

    async fn ask(&self) -> Judged {
        let outcome = match (&self.probe, &self.through) {
            (
                Probe::Http {
                    path,
                    status,
                    body,
                    header,
                },
                Some(balancer),
            ) => {
                let wanted = Wanted {
                    status: *status,
                    body: body.as_deref(),
                    header: header.as_ref(),
                };
                self.get(balancer, path, wanted).await
            }
            (Probe::Http { .. }, None) => Err(anyhow::anyhow!("no balancer to ask through")),
            (Probe::Tcp { address }, _) => connect(address).await,
            (Probe::Command { argv }, _) => execute(argv).await,
        };
        outcome.unwrap_or_else(|error| Judged {
            wrong: Some(FailedBecause::Unreachable),
            found: format!("{error:#}"),
            version_seen: false,
        })
    }

    async fn get(
        &self,
        balancer: &Balancer,
        path: &str,
        wanted: Wanted<'_>,
    ) -> anyhow::Result<Judged> {
        let url = format!("{}{path}", balancer.testers.trim_end_matches('/'));
        let mut answer = self
            .prober
            .client
            .get(&url)
            .header(&self.check.header, &self.check.expect.server)
            .send()
            .await
            .with_context(|| format!("no answer from {}", balancer.testers))?;
        let values = |name: &str| -> Vec<String> {
            let all = answer.headers().get_all(name);
            all.iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect()
        };
        let mut seen = Seen {
            status: answer.status().as_u16(),
            answered_by: values(&self.check.answered_by),
            header: wanted
                .header
                .map_or_else(Vec::new, |(name, _)| values(name)),
            body: String::new(),
        };
        let mut body = Vec::new();
        while body.len() < BODY_BYTES_MAX {
            match answer.chunk().await.context("the answer broke off")? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        seen.body = String::from_utf8_lossy(&body).into_owned();
        Ok(http(&self.check, wanted, &seen))
    }
}

async fn connect(address: &str) -> anyhow::Result<Judged> {
    TcpStream::connect(address).await?;
    Ok(Judged {
        wrong: None,
        found: "connected".to_owned(),
        version_seen: false,
    })
}

/// Runs a program with nothing of our own environment but the search path: it may hold secrets.
/// The program is killed when its time is over.
async fn execute(argv: &[String]) -> anyhow::Result<Judged> {
    let (program, arguments) = argv.split_first().context("the probe names no program")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let mut said = Vec::new();
    if let Some(mut errors) = child.stderr.take() {
        (&mut errors)
            .take(OUTPUT_BYTES_MAX)
            .read_to_end(&mut said)
            .await?;
        tokio::io::copy(&mut errors, &mut tokio::io::sink()).await?;
    }
    let status = child.wait().await?;
    let said = String::from_utf8_lossy(&said);
    Ok(Judged {
        wrong: (!status.success()).then_some(FailedBecause::ProgramFailed),
        found: format!("{status} {}", said.trim()).trim().to_owned(),
        version_seen: false,
    })
}
