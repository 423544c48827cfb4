//! What people type, and what they are told.

use std::process::Command;

use tempfile::TempDir;

fn agent(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_poolshift-agent"))
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .expect("the agent's program");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("text");
    (output.status.success(), said)
}

#[test]
fn every_setting_is_documented() {
    let (_, help) = agent(&["run", "--help"]);
    insta::assert_snapshot!(help);
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_mend() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("agent.toml");
    let config = file.display().to_string();
    let run = |text: &str| {
        std::fs::write(&file, text).expect("a file");
        let (is_good, said) = agent(&["run", "--config", &config]);
        assert!(!is_good);
        said
    };
    let said = run("machine = \"srv-101\"");
    assert!(said.contains("setting `gateway` is missing"), "{said}");
    assert!(said.contains("POOLSHIFT_AGENT_GATEWAY"), "{said}");
    let said = run("gatway = \"https://a\"");
    assert!(said.contains("unknown field `gatway`"), "{said}");
    assert!(said.contains("line 1"), "{said}");
    let said = run("gateway = \"a\"\nmachine = \"srv-101\"\ndata = \"/x\"");
    assert!(said.contains("begins with https://"), "{said}");
    let said = run("gateway = \"https://a\"\nmachine = \"srv 101\"\ndata = \"/x\"");
    assert!(said.contains("`srv 101` is not a"), "{said}");
    let whole = "gateway = \"https://a\"\nmachine = \"m\"\ndata = \"/x\"\n";
    for (more, want) in [
        ("artifact_hosts = [\"https://a\"]", "write a name"),
        ("[hosts.\"a\"]\nuser = \"ci\"", "exactly one of"),
        (
            "[hosts.\"a\"]\nbearer_file = \"/no/such\"",
            "read the secret in /no/such",
        ),
        ("[hosts.\"a\"]\ntoken = \"s3cr3t\"", "unknown field `token`"),
        (
            "artifact_hosts = [\"b\"]\n[hosts.\"a\"]\nbearer_file = \"/dev/null\"",
            "add `a` to `artifact_hosts`",
        ),
        (
            "[hosts.\"a\"]\nbearer_file = \"/dev/null\"",
            "must hold one line",
        ),
    ] {
        let said = run(&format!("{whole}{more}"));
        assert!(said.contains(want), "{want} in {said}");
    }
    let (_, said) = agent(&["run", "--config", "/no/such/file"]);
    assert!(
        said.contains("read the settings in /no/such/file"),
        "{said}"
    );
}

#[test]
fn a_damaged_journal_is_not_worked_with() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().display().to_string();
    // An enrolled machine has a key; any 32 bytes are one.
    std::fs::write(folder.path().join("key"), "A".repeat(43) + "=").expect("a file");
    let good = String::from_utf8(poolshift_agent::ledger::line(
        &poolshift_agent::Entry::Taken { ids: Vec::new() },
    ));
    let journal = format!("damaged\n{}", good.expect("text"));
    std::fs::write(folder.path().join("journal.jsonl"), journal).expect("a file");
    let arguments = [
        "run",
        "--gateway",
        "http://127.0.0.1:9",
        "--machine",
        "m",
        "--data",
        &data,
    ];
    let (is_good, said) = agent(&arguments);
    assert!(!is_good);
    assert!(said.contains("line 1 is damaged"), "{said}");
}
