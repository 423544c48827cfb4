//! `poolshift log`: a copy of the log elsewhere, and a log made from it.

use std::fs;

use crate::support::{House, run};

/// A server that has decided something.
fn busy() -> House {
    let house = House::ready();
    let rollout = house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", "running");
    house.run(&["abort", &rollout, "--reason", "enough"]).good();
    house.rollout("production/checkout", &["--as", "ann"]);
    house.until("production/checkout", "0 of 1 approvals");
    house
}

/// What people see of a target, but for times.
fn seen(house: &House, target: &str) -> Vec<String> {
    let shown = house.run(&["status", target]).good();
    let lines = shown.lines().filter(|line| !line.contains("until "));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_log_made_from_a_backup_goes_on_where_the_backup_ends() {
    let mut house = busy();
    let backup = house.path("backup");
    let said = house.run(&["log", "export", &backup]).good();
    assert!(said.starts_with("exported "), "{said}");
    let before = seen(&house, "production/checkout");
    house.run(&["apply", &house.path("services")]).good();
    assert_eq!(house.stop(), 0);

    for file in ["poolshift.db", "poolshift.db.lock"] {
        fs::remove_file(house.path(file)).unwrap();
    }
    let log = house.path("poolshift.db");
    let said = run(&["log", "import", &backup, "--log", &log]).good();
    assert!(said.contains("2 hash chains, which all hold"), "{said}");
    assert!(run(&["replay", "--log", &log]).good().contains("same: "));
    house.again();
    assert_eq!(seen(&house, "production/checkout"), before);
    let next = house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", &next[..8]);
}

#[test]
fn no_log_is_made_beside_what_is_left_of_another() {
    let mut house = busy();
    let backup = house.path("backup");
    house.run(&["log", "export", &backup]).good();
    let log = house.path("poolshift.db");
    let import = || run(&["log", "import", &backup, "--log", &log]);
    fs::rename(&log, house.path("moved.db")).unwrap();
    let used = import();
    assert_eq!(used.code, 1, "{used:?}");
    assert!(used.errors.contains("poolshift.db-wal"), "{used:?}");
    for end in ["-wal", "-shm"] {
        fs::remove_file(format!("{log}{end}")).unwrap();
    }
    let used = import();
    assert_eq!(used.code, 1, "{used:?}");
    assert!(used.errors.contains("a process uses"), "{used:?}");
    house.kill();
    for end in ["-wal", "-shm", "-journal"] {
        let left = format!("{log}{end}");
        fs::write(&left, "what SQLite would put into the new log").unwrap();
        let said = import();
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.errors.contains(&left), "{said:?}");
        assert!(said.errors.contains("move"), "{said:?}");
        assert!(!fs::exists(&log).unwrap());
        fs::remove_file(left).unwrap();
    }
    import().good();
}

#[test]
fn a_log_that_no_process_uses_is_exported_without_a_server() {
    let mut house = busy();
    let (online, offline) = (house.path("online"), house.path("offline"));
    let log = house.path("poolshift.db");
    let used = run(&["log", "export", &offline, "--log", &log]);
    assert_eq!(used.code, 1);
    assert!(used.errors.contains("is in use by another"), "{used:?}");
    house.run(&["log", "export", &online]).good();
    assert_eq!(house.stop(), 0);
    let said = run(&["log", "export", &offline, "--log", &log, "--json"]).json();
    assert_eq!(said["file"], offline);
    let events = |file: &str| {
        let text = fs::read_to_string(file).unwrap();
        text.matches(r#""stream":"poolshift.events""#).count()
    };
    assert_eq!(events(&offline), events(&online));
    assert_eq!(said["events"], events(&offline));
}

#[test]
fn nothing_is_written_over_and_nothing_half_is_left() {
    let house = busy();
    let backup = house.path("backup");
    house.run(&["log", "export", &backup]).good();
    let again = house.run(&["log", "export", &backup]);
    assert_eq!(again.code, 1);
    assert!(again.errors.contains("is there already"), "{again:?}");
    let over = run(&[
        "log",
        "import",
        &backup,
        "--log",
        &house.path("poolshift.db"),
    ]);
    assert!(over.errors.contains("is there already"), "{over:?}");

    let whole = fs::read(&backup).unwrap();
    let cut = house.path("cut");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let new = house.path("new.db");
    let refused = run(&["log", "import", &cut, "--log", &new]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.errors.contains("the backup did not end"),
        "{refused:?}"
    );
    let rubbish = run(&["log", "import", &house.path("people.toml"), "--log", &new]);
    assert!(
        rubbish.errors.contains("line 1 of the backup"),
        "{rubbish:?}"
    );
    let left: Vec<_> = fs::read_dir(house.folder.path())
        .unwrap()
        .flatten()
        .collect();
    let left = left
        .iter()
        .map(|file| file.file_name().into_string().unwrap());
    let half: Vec<String> = left
        .filter(|name| name.contains(".part") || name.starts_with("new"))
        .collect();
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn how_large_the_log_is_can_be_seen() {
    let house = busy();
    let shown = house.run(&["log", "size", "--json"]).json();
    assert!(shown["log_bytes"].as_u64().unwrap() > 4_096, "{shown}");
    assert!(shown["free_bytes"].as_u64().unwrap() > 0, "{shown}");
    let text = house.run(&["log", "size"]).good();
    assert!(text.starts_with("the log takes "), "{text}");
}
