//! What stands in the log for ever, byte for byte. A golden file of a released version never
//! changes; `UPDATE_GOLDEN=1` writes them all, for types that are not released yet.

use std::collections::BTreeSet;
use std::fs;

use poolshift_events::{Answer, Ask, CommandRecord, Decision, Event, Report, Work};

use crate::samples::{self, Sample};

#[test]
fn every_sample_is_written_as_its_golden_bytes() {
    for sample in samples::all() {
        assert_eq!(
            String::from_utf8_lossy(&golden(&sample)),
            String::from_utf8_lossy(&sample.bytes),
            "{}",
            sample.name
        );
    }
}

#[test]
fn every_golden_file_reads_back_as_its_sample_and_is_written_the_same_again() {
    for sample in samples::all() {
        let bytes = golden(&sample);
        let read = sample.read(&bytes).unwrap();
        assert!(read.same, "{} reads as something else", sample.name);
        assert!(read.bytes == bytes, "{} is written anew", sample.name);
    }
}

#[test]
fn every_kind_in_every_version_has_a_golden_file() {
    let kinds = [Answer::KINDS, Decision::KINDS, Ask::KINDS].concat();
    let wanted = kinds
        .iter()
        .map(|(kind, version)| format!("{kind}.v{version}"))
        .chain(Work::KINDS.iter().map(|kind| format!("command.{kind}")));
    for name in wanted {
        golden(&samples::one(&name));
    }
}

#[test]
fn every_golden_file_has_a_sample() {
    let lone: Vec<String> = fs::read_dir(samples::golden_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| !names().contains(file.trim_end_matches(".json")))
        .collect();
    assert!(
        lone.is_empty(),
        "golden files that nothing reads any more: {lone:?}"
    );
}

#[test]
fn no_two_kinds_have_the_same_wire_name() {
    let kinds = [Answer::KINDS, Decision::KINDS, Ask::KINDS].concat();
    let different: BTreeSet<_> = kinds.iter().collect();
    assert_eq!(different.len(), kinds.len());
}

#[test]
fn an_answer_is_the_same_bytes_as_a_report_and_as_an_event() {
    for &(kind, version) in Answer::KINDS {
        let name = format!("{kind}.v{version}");
        let bytes = golden(&samples::one(&name));
        let report = Report::from_bytes(kind, version, &bytes).unwrap();
        let event = Event::from_bytes(kind, version, &bytes).unwrap();
        assert_eq!((report.kind(), event.kind()), (kind, kind));
        assert!(
            report.to_bytes() == bytes && event.to_bytes() == bytes,
            "{name}"
        );
    }
}

/// Serde lists what it would have taken, which nobody can forget to keep up to date.
#[test]
fn the_kinds_of_work_are_all_that_a_command_can_be() {
    let mut json = samples::one("command.hold").json();
    json["work"]["kind"] = "brand_new".into();
    let error = serde_json::from_value::<CommandRecord>(json).unwrap_err();
    let words: Vec<String> = Work::KINDS.iter().map(|word| format!("`{word}`")).collect();
    let words = words.join(", ");
    assert_eq!(
        error.to_string(),
        format!("unknown variant `brand_new`, expected one of {words}")
    );
}

fn names() -> BTreeSet<String> {
    samples::all()
        .into_iter()
        .map(|sample| sample.name)
        .collect()
}

fn golden(sample: &Sample) -> Vec<u8> {
    let path = sample.path();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &sample.bytes).unwrap();
    }
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; write it with UPDATE_GOLDEN=1 cargo test -p poolshift-events",
            path.display()
        )
    })
}
