//! Bodies that another sender meant for somebody else: told by their form, so that whoever reads
//! the log knows which plugin to put right.

use actix_web::http::StatusCode;
use serde_json::Value;

use crate::problem::Problem;

/// Which of our doors a body came to, or would have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Jenkins,
    Notification,
}

/// Says what a body seems to be, where it is none of this door's.
pub(super) fn recognise(door: Door, bytes: &[u8]) -> Option<Problem> {
    let text = bytes.trim_ascii_start();
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    if text.starts_with(b"<") {
        return Some(xml(door));
    }
    if text.starts_with(b"CloudEvent{") {
        return Some(foreign(
            door,
            "the CDEvents plugin's HTTP sink, which posts no JSON",
        ));
    }
    if text.starts_with(b"payload=") {
        return Some(foreign(door, "Slack"));
    }
    let body: Value = serde_json::from_slice(text).ok()?;
    let sender = sender(door, &body)?;
    Some(match sender {
        NOTIFICATION => elsewhere(
            sender,
            "give the plugin the URL of /webhooks/jenkins-notification",
        ),
        TRIGGER => elsewhere(sender, "send it to /webhooks/jenkins"),
        sender => foreign(door, sender),
    })
}

const NOTIFICATION: &str = "the Notification plugin";
const TRIGGER: &str = "the HTTP Request step";

fn sender(door: Door, body: &Value) -> Option<&'static str> {
    let has = |path: &str| body.pointer(path).is_some();
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or("");
    let is_cdevent = |path: &str| text(path).starts_with("dev.cdevents.");
    let is_phase = has("/build/phase") && !has("/build/fullUrl");
    if is_cdevent("/context/type") || is_cdevent("/type") {
        Some("a sender of CDEvents, such as the CDEvents plugin")
    } else if has("/headers/ce-type")
        || has("/build/fullUrl")
        || has("/build/scmState")
        || has("/queueCauses")
        || has("/specversion")
    {
        Some("the CloudEvents plugin")
    } else if has("/buildUrl") && has("/event") {
        Some("the Outbound WebHook plugin")
    } else if has("/object_kind") {
        Some("GitLab")
    } else if has("/hook_id") || (has("/deployment") && has("/repository")) {
        Some("GitHub")
    } else if has("/envelope_id") || has("/api_app_id") || text("/type") == "hello" {
        Some("Slack")
    } else if door == Door::Jenkins && is_phase {
        Some(NOTIFICATION)
    } else if door == Door::Notification && has("/service") && has("/artifact") {
        Some(TRIGGER)
    } else {
        None
    }
}

fn foreign(door: Door, sender: &str) -> Problem {
    let mend = match door {
        Door::Jenkins => "send what docs/jenkins.md shows, with the HTTP Request step",
        Door::Notification => {
            "let the pipeline ask with the HTTP Request step (docs/jenkins.md), or use the \
             Notification plugin"
        }
    };
    elsewhere(sender, mend)
}

fn elsewhere(sender: &str, mend: &str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "foreign-sender",
        "not the sender of this door",
        format!("this seems to be from {sender}, which is not taken here"),
    )
    .mend(mend)
}

pub(super) fn xml(door: Door) -> Problem {
    let mend = match door {
        Door::Jenkins => "send one JSON object in UTF-8",
        Door::Notification => "choose the format JSON in the job's Notification endpoint",
    };
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "XML is not taken here",
        "the body is XML",
    )
    .mend(mend)
}
