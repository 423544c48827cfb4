//! Reading is tolerant: what a newer version of us adds is passed over or kept, never lost.

use poolshift_events::{CommandRecord, Event, Report, Unreadable};
use serde_json::{Map, Value};

use crate::samples;

#[test]
fn fields_that_are_not_known_are_passed_over_at_every_depth() {
    for sample in samples::all() {
        if sample.name.starts_with("headers.") {
            continue;
        }
        let mut json = sample.json();
        add_fields(&mut json);
        let read = sample.read(json.to_string().as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        // A plan keeps its bytes as they are, since a digest stands for them.
        let sealed = sample.name.starts_with("poolshift.rollout-planned");
        assert!(
            read.same || sealed,
            "{} reads as something else",
            sample.name
        );
    }
}

#[test]
fn headers_that_are_not_known_are_passed_over() {
    let envelope = samples::event_envelope();
    let mut headers = envelope.to_headers();
    headers.insert(3, ("ce_brandnew".to_owned(), "1".to_owned()));
    assert_eq!(
        poolshift_events::Envelope::from_headers(&headers),
        Ok(envelope)
    );
}

#[test]
fn a_plan_with_fields_that_are_not_known_keeps_its_bytes_and_its_digest() {
    let sample = samples::one("poolshift.rollout-planned.v1");
    let mut json = sample.json();
    json["plan"]["brand_new"] = 1.into();
    let plan = json["plan"].to_string();
    json["digest"] = poolshift_events::sha256(plan.as_bytes()).to_string().into();
    let bytes = json.to_string();
    let Ok(Event::Decision(poolshift_events::Decision::RolloutPlanned(planned))) =
        Event::from_bytes("poolshift.rollout-planned", 1, bytes.as_bytes())
    else {
        panic!("not a plan: {bytes}");
    };
    assert_eq!(planned.plan.digest(), planned.digest);
    let again = serde_json::to_string(&planned).unwrap();
    assert!(again.contains(&plan), "{again}");
}

/// Every place in the contract where an enum is open.
const OPEN: [(&str, &str); 22] = [
    ("poolshift.command-refused.v1", "/reason"),
    ("poolshift.fetch-failed.v1", "/failure/reason"),
    ("poolshift.drain-failed.v1", "/failure/reason"),
    ("poolshift.tests-failed.v1", "/failure/reason"),
    ("poolshift.pool-seen.v1", "/servers/0/pool"),
    ("poolshift.service-defined.v1", "/by/kind"),
    ("poolshift.rollout-requested.v1", "/trust"),
    ("poolshift.rollout-requested.v1", "/requested_by/kind"),
    ("poolshift.rollout-rejected.v1", "/reason"),
    ("poolshift.approval-refused.v1", "/why"),
    ("poolshift.server-excluded.v1", "/why"),
    ("poolshift.rollout-finished.v1", "/outcome"),
    ("poolshift.rollout-finished.v1", "/servers/0/pool"),
    ("poolshift.rollout-planned.v1", "/plan/gates/0/kind"),
    ("poolshift.ask.rollout.v1", "/trust"),
    ("poolshift.ask.rollout.v1", "/requested_by/kind"),
    ("poolshift.ask.steer.v1", "/wish"),
    ("poolshift.command-issued.v1", "/command/work/then"),
    ("command.drain", "/work/then"),
    ("command.install", "/work/method"),
    ("command.install", "/work/purpose"),
    ("agents.poll-answer", "/assignments/0/record/work/then"),
];

#[test]
fn a_word_that_is_not_known_survives_being_read_and_written() {
    for (name, pointer) in OPEN {
        let sample = samples::one(name);
        let word = sample.json().pointer(pointer).unwrap().to_string();
        let golden = String::from_utf8(sample.bytes.clone()).unwrap();
        let newer = golden.replacen(&word, "\"brand_new\"", 1);
        let json: Value = serde_json::from_str(&newer).unwrap();
        let found = json.pointer(pointer).unwrap();
        assert_eq!(found, "brand_new", "{name}{pointer} was not replaced");
        let read = sample.read(newer.as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{name}{pointer}: {error}"));
        assert_eq!(String::from_utf8_lossy(&read.bytes), newer, "{name}");
        assert!(!read.same, "{name}{pointer} means nothing");
    }
}

#[test]
fn a_newer_type_or_a_newer_version_of_a_known_type_says_so() {
    for (kind, version) in [("poolshift.migrated", 1), ("poolshift.installed", 2)] {
        let newer = Unreadable::Newer {
            kind: kind.to_owned(),
            version,
        };
        let body = b"{}";
        assert_eq!(Event::from_bytes(kind, version, body), Err(newer));
        let report = Report::from_bytes(kind, version, body);
        assert!(matches!(report, Err(Unreadable::Newer { .. })), "{kind}");
    }
}

#[test]
fn a_command_of_a_newer_kind_says_so() {
    let golden = String::from_utf8(samples::one("command.hold").bytes).unwrap();
    let kind = |bytes: &str| match CommandRecord::from_bytes(bytes.as_bytes()) {
        Err(Unreadable::Newer { kind, .. }) => kind,
        other => panic!("{other:?}"),
    };
    let work = golden.replace(r#""kind":"hold""#, r#""kind":"migrate""#);
    assert_eq!(kind(&work), "poolshift.command.migrate");
    let record = golden.replace(r#""record":"command""#, r#""record":"paused""#);
    assert_eq!(kind(&record), "poolshift.command.paused");
}

fn add_fields(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            // A report's body is the report's own.
            let known = fields.iter_mut().filter(|(name, _)| *name != "body");
            known.for_each(|(_, value)| add_fields(value));
            let inner = Map::from_iter([("deep".to_owned(), Value::from(1))]);
            fields.insert("brand_new".to_owned(), Value::Object(inner));
        }
        Value::Array(items) => items.iter_mut().for_each(add_fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
