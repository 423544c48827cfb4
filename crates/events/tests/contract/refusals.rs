//! A body that does not fit its type is refused, and the error names the field.

use poolshift_events::{Answer, CommandRecord, Decision, Envelope, HeaderError, Unreadable};
use serde_json::Value;

use crate::samples::{self, Sample};

/// Every field of every type is taken away in turn. Either its type allows that (it reads as
/// none), or the error names it.
#[test]
fn a_body_without_one_of_its_fields_is_refused_by_the_name_of_the_field() {
    let mut refused = 0;
    for sample in stored() {
        for pointer in fields(&sample.json()) {
            let mut json = sample.json();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let fields = json.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            fields.remove(field).unwrap();
            if let Err(error) = sample.read(json.to_string().as_bytes()) {
                assert_names(&sample, &error, field);
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "only {refused} fields are required");
}

/// Every field gets a value of a wrong type in turn. Inside of the work of a command the error
/// names `work` only: there serde no longer knows the way.
#[test]
fn a_body_with_a_field_of_a_wrong_type_is_refused_by_the_way_to_the_field() {
    for sample in stored() {
        for pointer in fields(&sample.json()) {
            let mut json = sample.json();
            let place = json.pointer_mut(&pointer).unwrap();
            *place = wrong(place);
            let error = sample.read(json.to_string().as_bytes());
            let Err(Unreadable::Malformed { why, .. }) = &error else {
                panic!("{}{pointer} takes any value: {error:?}", sample.name);
            };
            assert!(
                why.contains(&way(&pointer)),
                "{}{pointer}: {why}",
                sample.name
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_body_is_said_so_that_a_person_can_mend_it() {
    let drained = |wanted: &str, found: &str| {
        let bytes = golden("poolshift.drained.v1", wanted, found);
        Answer::from_bytes("poolshift.drained", 1, &bytes).unwrap_err()
    };
    let planned = |wanted: &str, found: &str| {
        let bytes = golden("poolshift.rollout-planned.v1", wanted, found);
        Decision::from_bytes("poolshift.rollout-planned", 1, &bytes).unwrap_err()
    };
    let command = |wanted: &str, found: &str| {
        let bytes = golden("command.drain", wanted, found);
        CommandRecord::from_bytes(&bytes).unwrap_err()
    };
    let errors = [
        drained(r#""up_after":3"#, r#""up_after":-1"#),
        drained(r#""up_after":3,"#, ""),
        drained(r#""balancer":"lb1""#, r#""balancer":"lb 1""#),
        drained(r#"/drain/1""#, r#"/drain""#),
        drained("}", "}]"),
        drained("{", ""),
        planned(r#""batches":[["web1"]"#, r#""batches":[["../web1"]"#),
        planned(r#""count":1"#, r#""count":1.5"#),
        command(r#""seq":12"#, r#""seq":"12""#),
        command(r#""pinned_ms":5000,"#, ""),
        command(r#""record":"command","#, ""),
    ];
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn headers_without_a_required_one_are_refused_by_its_name() {
    let required = [
        "ce_id",
        "ce_type",
        "ce_typeversion",
        "ce_source",
        "ce_subject",
        "ce_time",
        "ce_reportedat",
        "ce_actorkind",
        "ce_actorid",
    ];
    for name in required {
        let mut headers = samples::event_envelope().to_headers();
        headers.retain(|(header, _)| header != name);
        assert_eq!(
            Envelope::from_headers(&headers),
            Err(HeaderError::Missing(name))
        );
    }
}

#[test]
fn headers_with_a_broken_value_are_refused_by_their_name() {
    let broken = [
        "ce_id",
        "ce_typeversion",
        "ce_source",
        "ce_subject",
        "ce_time",
        "ce_reportedat",
        "ce_n",
        "ce_cause",
        "ce_epoch",
        "ce_brain",
        "ce_rollout",
        "ce_command",
        "ce_prev",
    ];
    for broken in broken {
        let mut headers = samples::event_envelope().to_headers();
        for (name, value) in &mut headers {
            if name == broken {
                "-1 ?".clone_into(value);
            }
        }
        let error = Envelope::from_headers(&headers).unwrap_err();
        assert!(
            matches!(&error, HeaderError::Wrong { name, .. } if *name == broken),
            "{broken}: {error}"
        );
    }
}

fn stored() -> Vec<Sample> {
    let mut samples = samples::all();
    samples.retain(|sample| {
        sample.name.starts_with("poolshift.") || sample.name.starts_with("command.")
    });
    samples
}

/// `/plan/gates/0/kind` as errors write it: "`plan`: `gates[0].kind`".
fn way(pointer: &str) -> String {
    let mut way = String::new();
    for step in pointer.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(index) => way += &format!("[{index}]"),
            Err(_) if way.is_empty() => way += step,
            Err(_) => way += &format!(".{step}"),
        }
    }
    if let Some(inside) = way.strip_prefix("plan.") {
        return format!("`plan`: `{inside}`");
    }
    match way.split_once("work.") {
        Some((outside, _)) => format!("`{outside}work"),
        None => format!("`{way}`"),
    }
}

fn golden(name: &str, wanted: &str, found: &str) -> Vec<u8> {
    let text = String::from_utf8(samples::one(name).bytes).unwrap();
    assert!(text.contains(wanted), "{name} has no {wanted}");
    text.replacen(wanted, found, 1).into_bytes()
}

/// JSON pointers of all fields of all objects.
fn fields(json: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match json {
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| (i.to_string(), item))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    };
    let mut pointers = Vec::new();
    for (name, child) in children {
        if json.is_object() {
            pointers.push(format!("/{name}"));
        }
        pointers.extend(fields(child).iter().map(|below| format!("/{name}{below}")));
    }
    pointers
}

fn wrong(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => "wrong".into(),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => true.into(),
    }
}

fn assert_names(sample: &Sample, error: &Unreadable, field: &str) {
    let Unreadable::Malformed { why, .. } = error else {
        panic!("{} without `{field}`: {error}", sample.name);
    };
    assert!(
        why.contains(&format!("`{field}`")),
        "{}: {why}",
        sample.name
    );
}
