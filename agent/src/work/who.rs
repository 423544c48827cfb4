//! Who answers when a tester asks for one server.

use std::time::Duration;

use events::{AnsweredBy, FailedBecause, Failure, Test, cut};

use super::{Bench, prove};
use crate::clients::{beginning, describe};

const WITHIN: Duration = Duration::from_secs(5);

/// Asks through the maintenance pool, pinned to the server; the answer must be its own. Where no
/// load balancer is in front nobody else could answer, and the suites ask the server itself.
pub(super) async fn answers(bench: &Bench<'_>, work: &Test) -> Result<AnsweredBy, Failure> {
    if bench.command.balancers.is_empty() && work.answered_by.is_empty() {
        return Ok(AnsweredBy::default());
    }
    let unreachable = |what: &str| {
        let detail = format!("nobody answered for `{}`: {what}", work.expect.server);
        Failure::new(FailedBecause::Unreachable, &detail)
    };
    let ask = async {
        let request = bench.tools.clients.inside.get(&work.url);
        let response = request
            .header(&work.header, &work.expect.server)
            .send()
            .await
            .map_err(describe)?;
        let server = response
            .headers()
            .get(&work.answered_by)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let status = response.status();
        Ok::<_, String>((
            server,
            status,
            beginning(response).await.unwrap_or_default(),
        ))
    };
    let (server, status, body) = tokio::time::timeout(WITHIN, ask)
        .await
        .map_err(|_| unreachable("no answer in 5 s"))?
        .map_err(|why| unreachable(&why))?;
    let Some(server) = server else {
        let what = format!("{status} without the header `{}`", work.answered_by);
        return Err(unreachable(&what));
    };
    if server != work.expect.server {
        return Err(Failure::new(
            FailedBecause::WrongServer,
            &format!(
                "`{}` answered where `{}` was asked",
                cut(&server, 100),
                work.expect.server
            ),
        ));
    }
    let version = work.expect.version.as_ref();
    Ok(AnsweredBy {
        server,
        version: version
            .filter(|version| prove::names(&body, version))
            .map(ToString::to_string),
    })
}
