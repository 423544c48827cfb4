//! The catalogue: good service files become entries, broken ones say where and how to mend them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use poolshift_rollout::catalogue::units::{
    LARGEST_BYTES, LONGEST_MS, duration_ms, duration_text, size_bytes, size_text,
};
use poolshift_rollout::catalogue::{Problems, defaults, entry_of, read};
use proptest::prelude::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn example() -> io::Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/checkout.toml"))
}

fn minimal() -> io::Result<String> {
    fs::read_to_string(folder("good").join("minimal.toml"))
}

fn full() -> io::Result<String> {
    fs::read_to_string(folder("good").join("full.toml"))
}

/// Names and texts of all broken files, by name.
fn broken() -> io::Result<BTreeMap<String, String>> {
    let named = |file: io::Result<fs::DirEntry>| {
        let file = file?;
        Ok((
            file.file_name().to_string_lossy().into_owned(),
            fs::read_to_string(file.path())?,
        ))
    };
    fs::read_dir(folder("broken"))?.map(named).collect()
}

/// Whether each problem stands within the text (or at its very end), in order, and says both what
/// is wrong and how to mend it, each on one line.
fn well_placed(text: &str, problems: &Problems) -> Result<(), String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut last = (0, 0);
    for problem in &problems.0 {
        let place = (problem.line, problem.column);
        let line = lines
            .get(problem.line as usize - 1)
            .ok_or(format!("no line: {problem}"))?;
        if problem.column == 0 || problem.column as usize > line.chars().count() + 1 {
            return Err(format!("no column: {problem}"));
        }
        if place < last {
            return Err(format!("out of order: {problem}"));
        }
        last = place;
        for said in [&problem.what, &problem.mend] {
            if said.trim().is_empty() || said.contains(char::is_control) {
                return Err(format!("says nothing, or on two lines: {problem:?}"));
            }
        }
    }
    if problems.0.is_empty() {
        Err("refused without a problem".to_owned())
    } else {
        Ok(())
    }
}

#[test]
fn each_broken_file_is_refused_with_its_place_and_the_mend() {
    let mut report = String::new();
    for (name, text) in broken().expect("the broken files") {
        let problems = read(&text).expect_err(&name);
        well_placed(&text, &problems).expect(&name);
        for problem in problems.0 {
            let (line, column) = (problem.line, problem.column);
            let (what, mend) = (problem.what, problem.mend);
            report.push_str(&format!("{name}:{line}:{column}: {what}; {mend}\n"));
        }
        report.push('\n');
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_broken_file_is_wrong_in_nothing_but_what_its_name_says() {
    for (name, text) in broken().expect("the broken files") {
        if name.starts_with("many_") {
            continue;
        }
        let problems = read(&text).expect_err(&name).0;
        assert_eq!(problems.len(), 1, "{name}: {problems:#?}");
    }
}

#[test]
fn the_example_in_services_is_good() {
    let service = read(&example().expect("the example")).expect("the example");
    assert_eq!(service.name.as_str(), "checkout");
    assert_eq!(service.owner, "payments");
    insta::assert_debug_snapshot!(service.entries);
}

#[test]
fn a_file_that_says_only_what_it_must_means_the_defaults() {
    let service = read(&minimal().expect("the minimal file")).expect("the minimal file");
    let entry = &service.entries[0];
    assert_eq!(entry.check.timeout_ms, defaults::CHECK_TIMEOUT_MS);
    assert_eq!(entry.rollout.floor, defaults::FLOOR);
    insta::assert_debug_snapshot!(entry);
}

#[test]
fn everything_that_can_be_said_is_taken_as_said() {
    let service = read(&full().expect("the full file")).expect("the full file");
    insta::assert_debug_snapshot!(service.entries);
}

#[test]
fn environments_come_in_the_order_of_the_file() {
    let service = read(&full().expect("the full file")).expect("the full file");
    let targets: Vec<_> = service
        .entries
        .iter()
        .map(|entry| entry.target.as_str())
        .collect();
    assert_eq!(targets, ["staging/ledger", "production/ledger"]);
}

#[test]
fn an_entry_is_found_by_its_target() {
    let target = "production/ledger".parse().expect("a target");
    assert_eq!(
        entry_of(&full().expect("the full file"), &target)
            .expect("the entry")
            .servers
            .len(),
        5
    );
}

#[test]
fn servers_of_one_machine_are_installed_into_folders_of_their_own() {
    let service = read(&full().expect("the full file")).expect("a good file");
    let entry = &service.entries[0];
    let rules: Vec<_> = entry
        .servers
        .iter()
        .map(|server| entry.install.on(&server.name))
        .collect();
    assert_eq!(entry.servers[0].machine, entry.servers[1].machine);
    assert_eq!(rules[0].into, "C:\\srv\\ledger\\web1");
    assert_eq!(rules[1].into, "C:\\srv\\ledger\\web2");
    assert_eq!(rules[1].restart, ["sc.exe", "start", "ledger-web2"]);
}

#[test]
fn a_target_that_the_file_does_not_have_is_refused() {
    let refusal = |target: &str| {
        entry_of(
            &full().expect("the full file"),
            &target.parse().expect("a target"),
        )
        .expect_err(target)
        .to_string()
    };
    insta::assert_snapshot!(
        format!("{}\n{}", refusal("test/ledger"), refusal("production/checkout")),
        @"
    line 62, column 2: `ledger` has no environment `test`; ask for one of staging, production, or add the section
    line 1, column 1: this file is about `ledger`, not about `checkout`; take the file of `checkout`
    ");
}

#[test]
fn a_thousand_servers_are_taken_and_one_more_is_refused() {
    let with = |count: u32| {
        let server = |number: u32| {
            let (high, low) = (number / 250, number % 250 + 1);
            format!(
                "{{ name = \"w{number}\", machine = \"m{number}\", address = \"10.0.{high}.{low}:80\" }},"
            )
        };
        let servers: String = (0..count).map(server).collect();
        let text = minimal().expect("the minimal file");
        let before = text
            .split("servers = [")
            .next()
            .expect("what stands before the servers");
        format!("{before}servers = [{servers}]")
    };
    assert_eq!(
        read(&with(1_000)).expect("1,000 servers").entries[0].total(),
        1_000
    );
    let problems = read(&with(1_001)).expect_err("1,001 servers");
    assert!(
        problems.to_string().contains("1001 servers are too many"),
        "{problems}"
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = minimal().expect("the minimal file");
    let text = text.replace(
        "\"web2\", machine = \"srv-2\"",
        "\"wéb2\", machine = \"srv 2\"",
    );
    let problems = read(&text).expect_err("two names that are none").0;
    let places: Vec<_> = problems
        .iter()
        .map(|problem| (problem.line, problem.column))
        .collect();
    assert_eq!(places, [(22, 12), (22, 30)]);
}

#[test]
fn durations_and_sizes_without_a_unit_or_beyond_reason_are_refused() {
    for text in [
        "",
        "30",
        "s",
        "1.5s",
        "-1s",
        "+1s",
        " 1s",
        "1 s",
        "1S",
        "1h30m",
        "366d",
        "9999999999999999999999s",
    ] {
        assert!(duration_ms(text).is_err(), "{text}");
    }
    for text in [
        "", "1", "MiB", "1 MB", "1.5 GiB", "1  MiB", "-1 B", "1025 GiB",
    ] {
        assert!(size_bytes(text).is_err(), "{text}");
    }
    assert_eq!(duration_ms("14d"), Ok(1_209_600_000));
    assert_eq!(duration_ms("500ms"), Ok(500));
    assert_eq!(size_bytes("200 MiB"), Ok(209_715_200));
    assert_eq!(size_bytes("1GiB"), Ok(1 << 30));
}

proptest! {
    #[test]
    fn any_text_at_all_is_read_or_refused(text in ".{0,200}") {
        if let Err(problems) = read(&text) {
            prop_assert_eq!(well_placed(&text, &problems), Ok(()));
        }
    }

    #[test]
    fn any_toml_like_text_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "name", "tests", "check", "environments", ".", "=", "[", "]", "[[", "]]", "{", "}", ",",
            "\"", "\"x\"", "'", "\n", " ", "1", "0x1f", "true", "1979-05-27", "\"\"\"", "\\u00e9", "é",
            "rollout", "servers", "http", "[environments.a]", "#", "\r\n", "-1", "1e9", "\u{feff}",
        ]), 0..60),
    ) {
        let text = words.concat();
        if let Err(problems) = read(&text) {
            prop_assert_eq!(well_placed(&text, &problems), Ok(()));
        }
    }

    #[test]
    fn a_good_file_with_damage_is_read_or_refused(
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put in prop_oneof![Just(String::new()), ".{0,8}", "[\\[\\]{}=.,\"'\n #0-9a-z-]{1,12}"],
        full_file in any::<bool>(),
    ) {
        let good: Vec<char> = if full_file { full() } else { example() }.expect("a good file").chars().collect();
        let from = from.index(good.len());
        let to = (from + length).min(good.len());
        let text: String = good[..from].iter().copied().chain(put.chars())
            .chain(good[to..].iter().copied()).collect();
        if let Err(problems) = read(&text) {
            prop_assert_eq!(well_placed(&text, &problems), Ok(()));
        }
    }

    #[test]
    fn durations_round_trip(ms in 0..=LONGEST_MS) {
        prop_assert_eq!(duration_ms(&duration_text(ms)), Ok(ms));
    }

    #[test]
    fn round_durations_round_trip(
        number in 0_u64..=300,
        unit in prop::sample::select(vec![1, 1_000, 60_000, 3_600_000, 86_400_000]),
    ) {
        prop_assert_eq!(duration_ms(&duration_text(number * unit)), Ok(number * unit));
    }

    #[test]
    fn sizes_round_trip(bytes in 0..=LARGEST_BYTES, shift in 0_u32..30) {
        let bytes = bytes >> shift << shift;
        prop_assert_eq!(size_bytes(&size_text(bytes)), Ok(bytes));
    }
}
