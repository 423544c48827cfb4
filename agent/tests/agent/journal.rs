//! The journal and the decisions from it: whatever a crash leaves, nothing is run twice.

mod crash;
mod queue;

use std::collections::BTreeMap;

use events::{
    Answer, Command, CommandRecord, Fence, Fetched, Idle, Installed, Proof, RefusedBecause,
    Release, ReportId, Timestamp, Work, sha256,
};
use poolshift_agent::ledger::{Error, line, read};
use poolshift_agent::{Agent, Assigned, Decision, Entry, Journal, Ledger, Stamp};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::support::{command_of, install};

fn agent() -> Agent {
    Agent {
        machine: "srv-101".parse().expect("a machine"),
    }
}

fn stamp(n: u64) -> Stamp {
    Stamp {
        id: ReportId::new(uuid::Uuid::from_u128(u128::from(n))),
        at: Timestamp::from_ms(0),
    }
}

fn installation(server: &str, attempt: u32, seq: u64) -> Command {
    let work = install("http://a/x", b"x", std::path::Path::new("/srv/x"), "1.0");
    command_of(server, ("install", attempt), seq, Work::Install(work))
}

fn download(server: &str, attempt: u32, seq: u64) -> Command {
    let work = crate::support::fetch("http://a/x", b"x", std::path::Path::new("/srv/x"));
    command_of(server, ("fetch", attempt), seq, Work::Fetch(work))
}

/// A record that was read at 0 on the agent's clock and must begin within 1,000 ms.
fn assigned(record: CommandRecord) -> Assigned {
    let assignment = events::Assignment {
        record,
        start_within_ms: 1_000,
        remains_ms: 60_000,
    };
    Assigned::new(assignment, 0)
}

fn order(command: &Command) -> Assigned {
    assigned(CommandRecord::Command(Box::new(command.clone())))
}

fn idle(command: &Command, seq: u64) -> Assigned {
    assigned(CommandRecord::Idle(Idle {
        target: command.target.clone(),
        server: command.server.clone(),
        machine: command.machine.clone(),
        epoch: command.epoch,
        seq,
        balancers: vec![],
        online: String::new(),
        maintenance: String::new(),
        line: String::new(),
    }))
}

fn answer(command: &Command) -> Answer {
    match &command.work {
        Work::Install(install) => Answer::from(Installed {
            command: command.id.clone(),
            version: install.version.clone(),
            sha256_runs: install.artifact.sha256,
            proof: Proof {
                kind: "http".to_owned(),
                value: "1.0".to_owned(),
            },
            previous: None,
            took_ms: 1,
            resumed: false,
            output: events::Output::default(),
        }),
        _ => Answer::from(Fetched {
            command: command.id.clone(),
            sha256: sha256(b"x"),
            bytes: 1,
            is_well: None,
            took_ms: 1,
        }),
    }
}

fn start(decision: &Decision) -> Option<&Command> {
    match decision {
        Decision::Start { command, .. } => Some(command),
        _ => None,
    }
}

fn refused(decision: &Decision) -> Option<(RefusedBecause, Fence)> {
    match decision {
        Decision::Refuse(refusal) => {
            Some((refusal.refused.reason.clone(), refusal.refused.highest))
        }
        _ => None,
    }
}

#[test]
fn one_piece_of_work_at_a_time_and_the_queue_is_refused_when_it_is_late() {
    let (first, second) = (installation("web1", 1, 1), installation("web2", 1, 1));
    let orders = [order(&first), order(&second)];
    let mut journal = Journal::default();
    let decision = agent().next(&journal, &orders, 0);
    assert_eq!(start(&decision), Some(&first));
    journal.apply(&Entry::started(&first, stamp(1)));
    let Decision::Queue(queued) = agent().next(&journal, &orders, 400) else {
        panic!("not said that it waits");
    };
    assert_eq!(queued.queued.command, second.id);
    assert_eq!(queued.queued.behind, first.id);
    assert_eq!(queued.queued.behind_target, first.target);
    assert_eq!(queued.queued.at_most_ms, first.timeout_ms);
    journal.apply(&queued.entry(stamp(9)));
    let decision = agent().next(&journal, &orders, 500);
    assert_eq!(
        decision,
        Decision::Wait {
            until_ms: Some(1_000)
        }
    );
    let decision = agent().next(&journal, &orders, 1_000);
    assert_eq!(
        refused(&decision),
        Some((RefusedBecause::Late, second.fence()))
    );
    let Decision::Refuse(refusal) = decision else {
        panic!("not refused");
    };
    journal.apply(&refusal.entry(stamp(2)));
    let decision = agent().next(&journal, &orders, 1_002);
    assert_eq!(decision, Decision::Wait { until_ms: None });
    // What came too late stays too late, also when a new owner says it again.
    let mut again = second;
    again.epoch = 2;
    journal.apply(&Entry::finished(&first, &answer(&first), stamp(3)));
    let decision = agent().next(&journal, &[order(&again)], 0);
    assert!(matches!(decision, Decision::AnswerAgain(_)), "{decision:?}");
}

#[test]
fn a_command_whose_time_to_begin_was_over_when_it_was_read_is_never_begun() {
    let command = installation("web1", 1, 1);
    let over = events::Assignment {
        record: CommandRecord::Command(Box::new(command.clone())),
        start_within_ms: 0,
        remains_ms: 60_000,
    };
    let decision = agent().next(&Journal::default(), &[Assigned::new(over, 7)], 7);
    assert_eq!(
        refused(&decision),
        Some((RefusedBecause::Late, command.fence()))
    );
}

#[test]
fn a_download_gives_way_to_a_newer_record_and_an_installation_does_not() {
    let fetch = download("web1", 1, 1);
    let mut journal = Journal::default();
    journal.apply(&Entry::started(&fetch, stamp(1)));
    let orders = [idle(&fetch, 2)];
    let decision = agent().next(&journal, &orders, 0);
    assert_eq!(decision, Decision::Abort(Box::new(fetch.clone())));

    let install = installation("web1", 1, 1);
    let mut journal = Journal::default();
    journal.apply(&Entry::started(&install, stamp(1)));
    let decision = agent().next(&journal, &orders, 0);
    assert!(matches!(decision, Decision::Note(_)), "{decision:?}");
    // The same record again under a new owner is no newer one.
    let mut again = fetch.clone();
    again.epoch = 2;
    let mut journal = Journal::default();
    journal.apply(&Entry::started(&fetch, stamp(1)));
    let decision = agent().next(&journal, &[order(&again)], 0);
    assert_eq!(decision, Decision::Wait { until_ms: None });
}

#[test]
fn a_former_life_s_work_is_recovered_before_anything_else() {
    let (first, second) = (installation("web1", 1, 1), installation("web2", 1, 1));
    let mut journal = Journal::default();
    journal.apply(&Entry::started(&first, stamp(1)));
    journal.new_life();
    let decision = agent().next(&journal, &[order(&second)], 0);
    assert_eq!(decision, Decision::Recover(Box::new(first)));
}

#[test]
fn fences_are_judged_over_all_records_of_a_server() {
    let install = installation("web1", 1, 3);
    let mut journal = Journal::default();
    let Decision::Note(entry) = agent().next(&journal, &[idle(&install, 5)], 0) else {
        panic!("not noted");
    };
    journal.apply(&entry);
    let decision = agent().next(&journal, &[order(&install)], 0);
    let highest = Fence { epoch: 1, seq: 5 };
    assert_eq!(refused(&decision), Some((RefusedBecause::Stale, highest)));
    let Decision::Refuse(refusal) = decision else {
        panic!("not refused");
    };
    journal.apply(&refusal.entry(stamp(1)));
    let decision = agent().next(&journal, &[order(&install)], 0);
    assert_eq!(decision, Decision::Wait { until_ms: None }, "said once");
    // The same id above that fence is obeyed: it has never begun.
    let mut above = install;
    above.seq = 6;
    assert!(start(&agent().next(&journal, &[order(&above)], 0)).is_some());
}

#[test]
fn another_machine_s_command_is_not_mine() {
    let mut foreign = installation("web1", 1, 1);
    foreign.machine = "srv-102".parse().expect("a machine");
    let decision = agent().next(&Journal::default(), &[order(&foreign)], 0);
    let want = (RefusedBecause::NotMine, Fence::default());
    assert_eq!(refused(&decision), Some(want));
}

#[test]
fn what_runs_is_told_when_it_changes_and_only_then() {
    let install = installation("web1", 1, 1);
    let mut journal = Journal::default();
    let machine = agent().machine;
    assert_eq!(journal.unseen(&machine, "0.1.0"), Vec::new());
    journal.apply(&Entry::started(&install, stamp(1)));
    journal.apply(&Entry::finished(&install, &answer(&install), stamp(2)));
    let unseen = journal.unseen(&machine, "0.1.0");
    let release = Release {
        version: "1.0".parse().expect("a version"),
        sha256: sha256(b"x"),
    };
    assert_eq!(unseen[0].1.servers[0].release, Some(release));
    let report = events::WireReport {
        id: stamp(3).id,
        target: install.target,
        reported_at: Timestamp::from_ms(0),
        kind: "poolshift.agent-seen".to_owned(),
        version: 1,
        traceparent: None,
        body: serde_json::to_value(&unseen[0].1).expect("JSON"),
    };
    journal.apply(&Entry::Seen { report });
    assert_eq!(journal.unseen(&machine, "0.1.0"), Vec::new());
    assert_eq!(journal.unseen(&machine, "0.2.0").len(), 1);
}

#[test]
fn a_damaged_line_in_the_middle_is_not_passed_over() {
    let folder = TempDir::new().expect("a folder");
    let command = installation("web1", 1, 1);
    let mut ledger = Ledger::open(folder.path()).expect("a ledger");
    ledger
        .append(&Entry::started(&command, stamp(1)))
        .expect("room");
    ledger
        .append(&Entry::finished(&command, &answer(&command), stamp(2)))
        .expect("room");
    drop(ledger);
    let path = folder.path().join("journal.jsonl");
    let mut bytes = std::fs::read(&path).expect("a journal");
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).expect("a journal");
    let error = Ledger::open(folder.path()).expect_err("damaged");
    assert!(matches!(error, Error::Damaged { line: 1, .. }), "{error}");
}

#[test]
fn a_large_journal_is_compacted_and_says_the_same() {
    let folder = TempDir::new().expect("a folder");
    let mut ledger = Ledger::open(folder.path()).expect("a ledger");
    for n in 1..1_000 {
        let command = installation("web1", n, u64::from(n));
        let id = u64::from(n) * 2;
        ledger
            .append(&Entry::started(&command, stamp(id)))
            .expect("room");
        let finished = Entry::finished(&command, &answer(&command), stamp(id + 1));
        ledger.append(&finished).expect("room");
        let ids = vec![stamp(id).id, stamp(id + 1).id];
        ledger.append(&Entry::Taken { ids }).expect("room");
    }
    let size = std::fs::metadata(folder.path().join("journal.jsonl"))
        .expect("a file")
        .len();
    assert!(size < 1_200_000, "{size}");
    let before = ledger.journal().clone();
    drop(ledger);
    let mut after = Ledger::open(folder.path()).expect("a ledger");
    assert_eq!(after.journal(), &before);
    let command = installation("web1", 5_000, 5_000);
    after
        .append(&Entry::started(&command, stamp(9)))
        .expect("room");
}

/// Lives of an agent over a few commands, by the real decisions: what is appended, and where in
/// the bytes each piece of work began.
fn lives(steps: &[(u8, u8)]) -> (Vec<u8>, BTreeMap<String, usize>) {
    let agent = agent();
    let mut journal = Journal::default();
    let mut bytes = Vec::new();
    let mut began = BTreeMap::new();
    let mut put = |journal: &mut Journal, entry: &Entry| {
        bytes.extend(line(entry));
        journal.apply(entry);
        bytes.len()
    };
    for (n, (server, act)) in (1..).zip(steps) {
        let command = installation(&format!("web{}", server % 2), u32::from(server % 5), n);
        match agent.next(&journal, &[order(&command)], 0) {
            Decision::Start { command, .. } => {
                let at = put(&mut journal, &Entry::started(&command, stamp(n * 10)));
                assert_eq!(began.insert(command.id.to_string(), at), None, "run twice");
            }
            Decision::Refuse(refusal) => drop(put(&mut journal, &refusal.entry(stamp(n * 10)))),
            Decision::AnswerAgain(repeat) => drop(put(&mut journal, &repeat.entry(stamp(n * 10)))),
            Decision::Note(entry) => drop(put(&mut journal, &entry)),
            Decision::Recover(_)
            | Decision::Abort(_)
            | Decision::Queue(_)
            | Decision::Wait { .. } => {}
        }
        if act % 3 == 0 {
            journal.new_life();
        }
        let running = journal.running().map(|running| running.command.clone());
        if let (Some(command), true) = (running, act % 2 == 0) {
            let finished = Entry::finished(&command, &answer(&command), stamp(n * 10 + 1));
            put(&mut journal, &finished);
        }
    }
    (bytes, began)
}

proptest! {
    #[test]
    fn a_journal_cut_anywhere_is_readable_and_leads_to_no_second_run(
        steps in prop::collection::vec((0u8..10, 0u8..12), 1..12),
        cut in 0usize..100_000,
        garbage in prop::collection::vec(0u8..=255, 0..40),
    ) {
        let (bytes, began) = lives(&steps);
        let cut = cut % (bytes.len() + 1);
        let mut left = bytes[..cut].to_vec();
        left.extend(garbage);
        let (mut journal, good) = read(&left).expect("readable");
        prop_assert!(good as usize <= left.len());
        journal.new_life();
        // Whatever had begun by then, in any order it may be asked for again, never begins anew.
        for server in 0..10u8 {
            let name = format!("web{}", server % 2);
            let mut command = installation(&name, u32::from(server % 5), 1_000);
            command.epoch = 9;
            let id = command.id.to_string();
            let decision = agent().next(&journal, &[order(&command)], 0);
            let had_begun = began.get(&id).is_some_and(|at| *at <= cut);
            if had_begun {
                prop_assert_eq!(start(&decision), None, "{} began twice", id);
            }
        }
    }
}
