//! The shop's own test suite: asks one server, through the testers' door, what a customer asks.

use crate::junit::Report;
use anyhow::{Context, Result, ensure};
use clap::Args;
use poolshift_tests::haproxy::ANSWERED_BY;
use poolshift_tests::http::{Connection, Response};
use poolshift_tests::shop::{Answer, Line, Order, VERSION_HEADER, digest};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const DEADLINE: Duration = Duration::from_secs(5);

/// Which server is tested, and what it should be.
#[derive(Debug, Args)]
pub(crate) struct UnderTest {
    /// The testers' door, `http://HOST:PORT`.
    #[arg(long, env = "TARGET_URL")]
    target_url: String,
    /// The header that leads to the server, `NAME: VALUE`.
    #[arg(long, env = "TARGET_HEADER")]
    target_header: String,
    /// Who must answer.
    #[arg(long, env = "EXPECT_SERVER")]
    expect_server: String,
    /// In which version.
    #[arg(long, env = "EXPECT_VERSION")]
    expect_version: String,
}

/// Runs all cases; a case that cannot reach the server has failed.
pub(crate) async fn run(under_test: &UnderTest) -> Report {
    let mut report = Report::default();
    case(
        &mut report,
        "the front page answers",
        under_test.front_page(),
    )
    .await;
    case(
        &mut report,
        "the version is the one expected",
        under_test.version(),
    )
    .await;
    case(&mut report, "the health is good", under_test.health()).await;
    case(
        &mut report,
        "one piece costs its price",
        under_test.order(&[(250, 1)]),
    )
    .await;
    let basket = [(250, 3), (1999, 2), (5, 100)];
    case(
        &mut report,
        "a basket costs what its pieces cost",
        under_test.order(&basket),
    )
    .await;
    case(
        &mut report,
        "an empty basket costs nothing",
        under_test.order(&[]),
    )
    .await;
    case(
        &mut report,
        "what is no order is refused",
        under_test.no_order(),
    )
    .await;
    report
}

async fn case(report: &mut Report, name: &'static str, check: impl Future<Output = Result<()>>) {
    let begun = Instant::now();
    let result = timeout(DEADLINE, check)
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {} s", DEADLINE.as_secs())));
    report.add(name, begun.elapsed(), result);
}

impl UnderTest {
    async fn front_page(&self) -> Result<()> {
        self.good("GET", "/", b"").await.map(drop)
    }

    async fn version(&self) -> Result<()> {
        let answer = self.good("GET", "/version", b"").await?;
        ensure!(
            answer.version == self.expect_version,
            "{} runs",
            answer.version
        );
        Ok(())
    }

    async fn health(&self) -> Result<()> {
        self.good("GET", "/health", b"").await.map(drop)
    }

    async fn order(&self, lines: &[(u64, u64)]) -> Result<()> {
        let lines = lines.iter().map(|&(price_cents, quantity)| Line {
            price_cents,
            quantity,
        });
        let order = Order {
            lines: lines.collect(),
        };
        let body = serde_json::to_vec(&order).context("cannot write the order")?;
        let answer = self.good("POST", "/order", &body).await?;
        let due = order.total_cents();
        ensure!(
            answer.total_cents == Some(due),
            "total {:?}, due {due}",
            answer.total_cents
        );
        ensure!(
            answer.body_sha256 == Some(digest(&body)),
            "another order arrived"
        );
        Ok(())
    }

    async fn no_order(&self) -> Result<()> {
        let (response, _) = self.ask("POST", "/order", b"two apples").await?;
        ensure!(response.status == 400, "status {}", response.status);
        Ok(())
    }

    async fn good(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let (response, answer) = self.ask(method, path, body).await?;
        ensure!(
            response.status == 200,
            "status {}: {answer:?}",
            response.status
        );
        Ok(answer)
    }

    /// Asks, and makes sure that the server under test itself has answered: a balancer falls back
    /// to another server in silence.
    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<(Response, Answer)> {
        let host = self
            .target_url
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let address: SocketAddr = host
            .parse()
            .with_context(|| format!("TARGET_URL {} is not http://IP:PORT", self.target_url))?;
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{}\r\ncontent-length: {}\r\n\r\n",
            self.target_header,
            body.len(),
        )
        .into_bytes();
        request.extend_from_slice(body);
        let response = Connection::open(address).await?.exchange(&request).await?;
        let said = response.header(ANSWERED_BY).unwrap_or("nobody");
        ensure!(
            said == self.expect_server,
            "{said} answered instead of {}",
            self.expect_server
        );
        let runs = response.header(VERSION_HEADER).unwrap_or("no version");
        ensure!(
            runs == self.expect_version,
            "{runs} answered instead of {}",
            self.expect_version
        );
        let answer: Answer = serde_json::from_slice(&response.body).context("not an answer")?;
        ensure!(
            answer.server == self.expect_server,
            "the shop says it is {}",
            answer.server
        );
        Ok((response, answer))
    }
}
