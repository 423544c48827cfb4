//! The walk itself: it holds, it replays, and it notices.

use poolshift_simulation::{Break, Invariant, keep_states, notices, trace, walks};

#[test]
fn with_every_rule_in_force_every_invariant_holds() {
    let tally = walks(1, 300, None, 2);
    assert!(tally.failing.is_empty(), "{:?}", tally.failing);
    assert_eq!(tally.walks, 300);
    assert!(tally.steps_median() >= 30, "{tally}");
}

#[test]
fn a_seed_walks_the_same_way_again() {
    let once = trace(7, None);
    assert!(once.len() > 30, "{once:?}");
    assert_eq!(once, trace(7, None));
    assert_ne!(once, trace(8, None));
}

#[test]
fn walks_come_to_both_verdicts_of_a_watch() {
    let lines: Vec<String> = (1..400).flat_map(|seed| trace(seed, None)).collect();
    for verdict in ["steady", "regressed", "too_slow"] {
        let said = lines.iter().filter(|line| line.contains(verdict)).count();
        assert!(said > 3, "{said} times {verdict}");
    }
}

#[test]
fn how_many_threads_walk_changes_nothing() {
    let text = |threads| walks(1, 40, None, threads).to_string();
    assert_eq!(text(1), text(3));
}

#[test]
fn a_broken_rule_is_noticed() {
    let broken: Break = "journal".parse().expect("a rule");
    let (_, violation) = notices(1, 200, broken).expect("some seed notices");
    assert_eq!(violation.invariant, Invariant::S8);
}

#[test]
fn a_rule_that_does_not_exist_is_refused_with_those_that_do() {
    let error = "jornal".parse::<Break>().expect_err("no such rule");
    let text = error.to_string();
    assert!(
        text.contains("jornal") && text.contains("one-batch"),
        "{text}"
    );
}

#[test]
fn a_state_comes_back_from_its_kept_form_as_it_was() {
    let same: u64 = (1..60).map(|seed| keep_states(seed).unwrap()).sum();
    assert!(same > 3_000, "{same}");
}
