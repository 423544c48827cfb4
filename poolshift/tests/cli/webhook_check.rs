//! Stored deliveries are told what they would lead to, by the doors' own functions, and no other
//! exit code than 0 and 1.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{CHECKOUT, DIGEST, poolshift, run, write};

const JENKINS: &str = "[jenkins]\njob = \"http://localhost:8080/job/asgard/\"\n\
                       version_parameter = \"VERSION\"\nsha256_parameter = \"SHA256\"\n";

/// A catalogue of three services: each builds in another job, one of them in two environments.
fn catalogue() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let staging = CHECKOUT.find("[environments.production]").unwrap();
    let one = |name: &str, job: &str, more: &str| {
        let jenkins = JENKINS.replace("job/asgard", job);
        let text = CHECKOUT[..staging]
            .replace("name = \"checkout\"", &format!("name = \"{name}\""))
            .replace("/srv/checkout", &format!("/srv/{name}"))
            .replace("10.2.0.", &format!("10.{}.0.", name.len()))
            .replace("[artifact]", &format!("{jenkins}{more}\n[artifact]"));
        write(&folder, &format!("{name}.toml"), &text);
    };
    one("asgard", "job/asgard", "");
    one("support", "job/support", "");
    one("unmapped", "job/unmapped", "");
    let two = CHECKOUT.replace(
        "[artifact]",
        &format!(
            "{}environment_parameter = \"WHERE\"\n\n[artifact]",
            JENKINS.replace("job/asgard", "job/shop/job/main")
        ),
    );
    write(&folder, "checkout.toml", &two);
    folder
}

fn check(sender: &str, folder: &TempDir, files: &[String]) -> crate::support::Said {
    let catalogue = folder.path().display().to_string();
    let mut arguments = vec![
        "webhook-check",
        "--sender",
        sender,
        "--catalogue",
        &catalogue,
    ];
    arguments.extend(files.iter().map(String::as_str));
    run(&arguments)
}

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/tests/payloads");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_sample_leads_to_its_report_or_to_a_clear_refusal() {
    let folder = catalogue();
    let mut table = String::new();
    for sender in ["jenkins-notification", "jenkins"] {
        table += &format!("--sender {sender}\n");
        for file in samples() {
            let said = check(sender, &folder, &[file.display().to_string()]);
            assert_eq!(said.code == 0, said.out.contains(": report: "), "{said:?}");
            let line = said.out.rsplit("payloads/").next().unwrap();
            table += &format!("{} {line}", said.code);
        }
    }
    insta::assert_snapshot!(table);
}

/// As the plugin's source builds it, with everything that it can send.
fn full() -> Value {
    json!({
        "name": "main",
        "display_name": "main",
        "url": "job/shop/job/main/",
        "build": {
            "full_url": "http://localhost:8080/job/shop/job/main/7/",
            "number": 7,
            "queue_id": 12,
            "timestamp": 1_764_000_000_000_i64,
            "duration": 61_000,
            "phase": "COMPLETED",
            "status": "SUCCESS",
            "url": "job/shop/job/main/7/",
            "scm": {
                "url": "https://robot:hunter2@git.example/shop.git?x=1",
                "branch": "origin/main",
                "commit": "c6d86dc654b12425e706bcf951adfe5a8627a517",
                "changes": ["a.txt"],
                "culprits": ["ann"],
            },
            "parameters": {"VERSION": "1.4.2", "SHA256": DIGEST, "WHERE": "production"},
            "log": "",
            "notes": "by hand",
            "test_summary": {"total": 3, "failed": 0, "passed": 3, "skipped": 0, "failed_tests": []},
            "artifacts": {},
            "of_a_release_to_come": {"deep": [1, 2]},
        },
    })
}

fn changed(path: &str, value: Value) -> Value {
    let mut body = full();
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), value);
    }
    body
}

/// Parts of a notification, and what stands there instead; nothing: it is left out.
const CHANGES: &[(&str, &str, &str)] = &[
    ("finalized", "/build/phase", "\"FINALIZED\""),
    ("relative only", "/build/full_url", "null"),
    ("no scm", "/build/scm", "null"),
    ("queued", "/build/phase", "\"QUEUED\""),
    ("none", "/build/phase", "\"NONE\""),
    ("unstable", "/build/status", "\"UNSTABLE\""),
    ("no status", "/build/status", "null"),
    ("no phase", "/build/phase", "null"),
    ("no parameters", "/build/parameters", "null"),
    ("no sha256", "/build/parameters/SHA256", "null"),
    ("empty sha256", "/build/parameters/SHA256", "\" \""),
    ("no digest", "/build/parameters/SHA256", "\"abc\""),
    ("no version", "/build/parameters/VERSION", "null"),
    ("bad version", "/build/parameters/VERSION", "\"../1\""),
    ("no environment", "/build/parameters/WHERE", "null"),
    ("other environment", "/build/parameters/WHERE", "\"moon\""),
    (
        "pull request",
        "/build/full_url",
        "\"http://localhost:8080/job/shop/job/PR-17/7/\"",
    ),
    (
        "other jenkins",
        "/build/full_url",
        "\"http://evil.example/job/shop/job/main/7/\"",
    ),
    ("other number", "/build/number", "8"),
    (
        "no page of a build",
        "/build/full_url",
        "\"http://localhost:8080/job/shop/job/main/7/?token=x\"",
    ),
    ("number as text", "/build/number", "\"7\""),
];

#[test]
fn every_variant_of_the_notification_plugin_is_understood() {
    let folder = catalogue();
    let mut old = changed("/build/full_url", Value::Null);
    old["build"]["phase"] = json!("FINISHED");
    let bare = DIGEST.trim_start_matches("sha256:").to_uppercase();
    let mut variants = vec![
        ("everything", full()),
        ("old release", old),
        (
            "bare digest",
            changed("/build/parameters/SHA256", json!(bare)),
        ),
    ];
    for (name, path, value) in CHANGES {
        let value = serde_json::from_str(value).unwrap();
        variants.push((name, changed(path, value)));
    }
    let mut table = String::new();
    for (name, body) in variants {
        let file = write(&folder, "delivery", &body.to_string());
        let file = file.display().to_string();
        let said = check("jenkins-notification", &folder, std::slice::from_ref(&file));
        assert_eq!(said.code == 0, said.out.contains(": report: "), "{said:?}");
        table += &format!("{name}{}", said.out.strip_prefix(&file).unwrap());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_notification_becomes_a_report_of_low_trust_that_holds_no_secret() {
    let folder = catalogue();
    let file = write(&folder, "delivery", &full().to_string());
    let catalogue = folder.path().display().to_string();
    let file = file.display().to_string();
    let arguments = [
        "webhook-check",
        "--json",
        "--sender",
        "jenkins-notification",
        "--catalogue",
        &catalogue,
    ];
    let said = run(&[&arguments[..], &[&file]].concat());
    let told = said.json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&told["report"]).unwrap());
    assert!(!said.out.contains("hunter2"), "{said:?}");
}

#[test]
fn whatever_lies_there_gets_a_line_and_exits_with_1() {
    let folder = catalogue();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("rubbish"), [0, 159, 146, 150, 255]).unwrap();
    std::fs::write(at("huge"), vec![b' '; 2 * 1024 * 1024 + 1]).unwrap();
    write(&folder, "empty", "");
    write(&folder, "list", "[]");
    write(&folder, "text", "\"phase\"");
    write(&folder, "deep", &"[".repeat(100_000));
    write(&folder, "deeper", &"{\"build\":".repeat(100_000));
    write(
        &folder,
        "xml",
        "<?xml version=\"1.0\"?><job><name>x</name></job>",
    );
    write(&folder, "toString", "CloudEvent{id='1', source=job/x}");
    write(&folder, "lines", "{\"build\":{\"phase\":\"A\\nB\"}}");
    let itself = folder.path().display().to_string();
    let names = [
        "rubbish", "huge", "empty", "list", "text", "deep", "deeper", "xml", "toString", "lines",
        "none",
    ];
    for sender in ["jenkins", "jenkins-notification", "slack"] {
        for file in names.map(at).into_iter().chain([itself.clone()]) {
            let said = check(sender, &folder, &[file]);
            assert_eq!((said.code, said.out.lines().count()), (1, 1), "{said:?}");
            assert!(said.errors.is_empty(), "{said:?}");
        }
    }
}

#[test]
fn without_a_catalogue_or_with_a_broken_one_nothing_is_a_report() {
    let folder = catalogue();
    let file = write(&folder, "delivery", &full().to_string())
        .display()
        .to_string();
    let alone = ["webhook-check", "--sender", "jenkins-notification", &file];
    let output = poolshift(&alone)
        .env("POOLSHIFT_SERVER", "nonsense")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("unmapped-job") && said.contains("no --catalogue"),
        "{said}"
    );
    write(&folder, "checkout.toml", "name = 1");
    for sender in ["jenkins", "jenkins-notification"] {
        let said = check(sender, &folder, &[file.clone(), file.clone()]);
        assert_eq!((said.code, said.out.lines().count()), (1, 2), "{said:?}");
        assert!(said.out.contains("checkout.toml:1:8"), "{said:?}");
    }
}

#[test]
fn a_trigger_is_told_its_report_and_another_job_is_refused() {
    let folder = catalogue();
    let trigger = |job: &str| {
        json!({
            "service": "checkout",
            "environment": "production",
            "version": "1.4.2",
            "artifact": {"sha256": DIGEST},
            "build": {"controller": "http://localhost:8080/", "job": job, "number": 7},
        })
    };
    for (job, code, word) in [
        (
            "http://localhost:8080/job/shop/job/main/",
            0,
            ": report: a rollout of 1.4.2 to production/checkout",
        ),
        ("shop/main", 0, ": report: "),
        (
            "http://localhost:8080/job/shop/job/PR-17/",
            1,
            ": refused: not-its-job",
        ),
    ] {
        let file = write(&folder, "delivery", &trigger(job).to_string());
        let said = check("jenkins", &folder, &[file.display().to_string()]);
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.out.contains(word), "{said:?}");
    }
}
