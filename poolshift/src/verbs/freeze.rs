//! `poolshift freeze` and `unfreeze`.

use std::collections::BTreeMap;

use events::{ReportId, Target, Timestamp};
use serde::{Deserialize, Serialize};
use view::TargetView;

use crate::api::{self, SEEN_WITHIN};
use crate::cli::{Freeze, Unfreeze, Where, moment};
use crate::client::Client;
use crate::exit;
use crate::failure::Failure;
use crate::said::Said;

#[derive(Serialize)]
struct Wanted {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    for_ms: Option<u64>,
    reason: String,
    person: Option<String>,
}

#[derive(Serialize)]
struct Unwanted {
    freeze: Option<ReportId>,
    reason: String,
    person: Option<String>,
}

/// What was said to each target.
#[derive(Deserialize)]
struct Told {
    reports: Vec<One>,
}

#[derive(Serialize, Deserialize)]
struct One {
    target: Target,
    report: ReportId,
}

/// Begins nothing for a while.
pub(crate) async fn freeze(client: &Client, asked: Freeze, json: bool) -> anyhow::Result<Said> {
    let zone = asked.zone.as_deref();
    let wanted = Wanted {
        from: at("--from", asked.from.as_deref(), zone)?,
        until: at("--until", asked.until.as_deref(), zone)?,
        for_ms: asked.lasting,
        reason: asked.reason,
        person: asked.person.person,
    };
    let said = say(client, &asked.place, "freeze", &wanted).await?;
    Said::either(json, &said, || {
        format!(
            "{}: nothing begins, until it is over or `poolshift unfreeze`",
            names(&said)
        )
    })
}

fn at(option: &str, text: Option<&str>, zone: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let read = |text| {
        let refused = |why| Failure::new(exit::WRONG_USE, format!("{option} {text:?}: {why}"));
        moment(text, zone).map_err(refused)
    };
    text.map(read).transpose()
}

/// Ends freezes before their time.
pub(crate) async fn unfreeze(client: &Client, asked: Unfreeze, json: bool) -> anyhow::Result<Said> {
    let unwanted = Unwanted {
        freeze: asked.freeze,
        reason: asked.reason,
        person: asked.person.person,
    };
    let said = say(client, &asked.place, "unfreeze", &unwanted).await?;
    Said::either(json, &said, || {
        format!("{}: not frozen any more", names(&said))
    })
}

/// Says it, and waits until it counts everywhere.
async fn say(
    client: &Client,
    place: &Where,
    verb: &str,
    word: &impl Serialize,
) -> anyhow::Result<Vec<One>> {
    let path = match (&place.target, &place.environment) {
        (Some(target), _) => api::target_path(target),
        (None, Some(environment)) => format!("/environments/{environment}"),
        (None, None) => {
            return Err(Failure::refused("name a target, or --environment NAME").into());
        }
    };
    let targets: Vec<TargetView> = client.get("/targets").await?;
    let before: BTreeMap<Target, u64> = targets
        .into_iter()
        .map(|shown| (shown.target, shown.as_of.n))
        .collect();
    let told: Told = client.post(&format!("{path}/{verb}"), None, word).await?;
    for One { target, report } in &told.reports {
        let after = before.get(target).copied().unwrap_or_default();
        let effect = api::effect(client, target, after, *report, SEEN_WITHIN);
        if effect.await?.is_none() {
            return Err(api::nothing_changed(&format!("{verb} {target}"), *report).into());
        }
    }
    Ok(told.reports)
}

fn names(said: &[One]) -> String {
    let names: Vec<&str> = said.iter().map(|one| one.target.as_str()).collect();
    names.join(", ")
}
