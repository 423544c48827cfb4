//! `poolshift agent enrol` and `revoke`.

use std::time::Duration;

use events::{EnrolmentCode, MachineName};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::api::{SEEN_WITHIN, Written};
use crate::client::Client;
use crate::exit;
use crate::failure::Failure;
use crate::said::Said;
use crate::verbs::steer::Reason;

const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
struct Machine {
    machine: MachineName,
    revoked: bool,
}

#[derive(Serialize)]
struct Revoked<'a> {
    machine: &'a MachineName,
    revoked: bool,
}

/// Prints a one-time code: the only place where it is ever shown.
pub(crate) async fn enrol(
    client: &Client,
    machine: &MachineName,
    json: bool,
) -> anyhow::Result<Said> {
    let path = format!("/machines/{machine}/enrol");
    let code: EnrolmentCode = client.post(&path, None, &json!({})).await?;
    Said::either(json, &code, || {
        format!(
            "{}\n\n  good once, until {}; on {machine}, as the agent's user:\n  \
             POOLSHIFT_AGENT_CODE={} poolshift-agent enrol --machine {machine} \
             --gateway URL --data DIR",
            code.code, code.expires_at, code.code
        )
    })
}

/// Makes a machine's key count no more.
pub(crate) async fn revoke(
    client: &Client,
    machine: &MachineName,
    reason: String,
    person: Option<String>,
    json: bool,
) -> anyhow::Result<Said> {
    let path = format!("/machines/{machine}/revoke");
    let _: Written = client.post(&path, None, &Reason { reason, person }).await?;
    wait(client, machine).await?;
    let revoked = Revoked {
        machine,
        revoked: true,
    };
    Said::either(json, &revoked, || {
        format!(
            "the key of {machine} counts no more; `poolshift agent enrol {machine}` lets it in again"
        )
    })
}

/// Until the machine's key counts no more.
async fn wait(client: &Client, machine: &MachineName) -> Result<(), Failure> {
    let until = Instant::now() + SEEN_WITHIN;
    loop {
        let machines: Vec<Machine> = client.get("/machines").await?;
        let of = |known: &Machine| known.machine == *machine && known.revoked;
        if machines.iter().any(of) {
            return Ok(());
        }
        if Instant::now() >= until {
            let what = format!("the key of {machine} still counts");
            return Err(Failure::new(exit::NOT_SEEN, what)
                .mend("look at the log of `serve`, then revoke it again"));
        }
        sleep(LOOK_EVERY).await;
    }
}
