//! `poolshift release`.

use events::{RolloutId, ServerName, Target};
use serde::Serialize;

use crate::api;
use crate::client::Client;
use crate::said::Said;

/// Names the rollout that set the server aside, so that it is never another one's server that is
/// let go.
#[derive(Serialize)]
struct Release {
    reason: String,
    person: Option<String>,
    since: Option<RolloutId>,
}

#[derive(Serialize)]
struct Released<'a> {
    target: &'a Target,
    server: &'a ServerName,
    event: String,
}

/// Lets go of a server, and waits until it counts.
pub(crate) async fn run(
    client: &Client,
    target: &Target,
    server: &ServerName,
    reason: String,
    person: Option<String>,
    json: bool,
) -> anyhow::Result<Said> {
    let before = api::target(client, target).await?;
    let shown = before.servers.iter().find(|known| known.name == *server);
    let release = Release {
        reason,
        person,
        since: shown.and_then(|server| Some(server.out.as_ref()?.rollout)),
    };
    let path = format!("{}/servers/{server}/release", api::target_path(target));
    let (report, seen) = api::say(client, (target, before.as_of.n), &path, &release).await?;
    let Some(seen) = seen else {
        let what = format!("{server} of {target} was not released");
        return Err(api::nothing_changed(&what, report).into());
    };
    let released = Released {
        target,
        server,
        event: seen.kind,
    };
    Said::either(json, &released, || {
        format!("{server} of {target} is yours now: Poolshift neither holds it nor puts it back")
    })
}
