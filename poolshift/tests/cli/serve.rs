//! `poolshift serve` starts whole, refuses clearly, and ends politely.

mod backup;
mod former;
mod replay;
mod still;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{House, poolshift, run, write};

#[test]
fn it_says_where_everything_listens_and_ends_in_time_when_asked() {
    let mut house = House::ready();
    let rollout = house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", "running");
    let mut watch = house
        .command(&["watch", &rollout, "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = Instant::now();
    assert_eq!(house.stop(), 0, "{}", house.log());
    assert!(asked.elapsed() < Duration::from_secs(8), "{}", house.log());
    watch.kill().unwrap();
    watch.wait().unwrap();
    house.again();
    let status = house.until("staging/checkout", "running");
    assert!(status.contains(&rollout), "{status}");
}

#[test]
fn a_second_one_on_the_same_log_is_refused() {
    let house = House::start();
    let mut second = house.serve();
    assert_eq!(second.wait().unwrap().code(), Some(1));
    let log = house.log();
    assert!(
        log.contains("is in use by another `poolshift serve`"),
        "{log}"
    );
    house.run(&["status"]).good();
}

#[test]
fn a_catalogue_comes_in_at_the_start() {
    let mut house = House::start();
    assert_eq!(house.stop(), 0);
    let settings = std::fs::read_to_string(house.path("serve.toml")).unwrap();
    let services = house.path("services");
    let with = format!("catalogue = \"{services}\"\n{settings}");
    write(&house.folder, "serve.toml", &with);
    house.again();
    wait_for_targets(&house);
    assert_eq!(house.stop(), 0);
    write(&house.folder, "services/checkout.toml", "name = 1\n");
    let mut refused = house.serve();
    assert_eq!(refused.wait().unwrap().code(), Some(1));
    assert!(house.log().contains("checkout.toml:1:8"), "{}", house.log());
}

#[test]
fn a_watch_outlives_a_restart_of_the_server() {
    let mut house = House::ready();
    let port = house.api.rsplit(':').next().unwrap().to_owned();
    let settings = std::fs::read_to_string(house.path("serve.toml")).unwrap();
    let fixed = settings.replace(
        "local = \"127.0.0.1:0\"",
        &format!("local = \"127.0.0.1:{port}\""),
    );
    write(&house.folder, "serve.toml", &fixed);
    let rollout = house.rollout("staging/checkout", &[]);
    let mut watch = house
        .command(&["watch", &rollout])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = String::new();
    let mut stdout = BufReader::new(watch.stdout.take().unwrap());
    while !shown.contains("web1: fetch") {
        assert_ne!(stdout.read_line(&mut shown).unwrap(), 0, "{shown}");
    }
    assert_eq!(house.stop(), 0);
    house.again();
    house.run(&["abort", &rollout, "--reason", "done"]).good();
    assert_eq!(watch.wait().unwrap().code(), Some(13));
}

/// Waits until every target of the catalogue is there.
fn wait_for_targets(house: &House) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let shown = house.run(&["status"]).good();
        if shown.contains("staging/checkout ") && shown.contains("production/checkout ") {
            return;
        }
        assert!(Instant::now() < until, "{shown}");
    }
}

#[test]
fn a_part_that_cannot_run_ends_the_whole_and_is_named() {
    let mut house = House::start();
    assert_eq!(house.stop(), 0);
    let settings = std::fs::read_to_string(house.path("serve.toml")).unwrap();
    let nowhere = house.path("nowhere");
    let with = format!(
        "{settings}\n[[lb_controller]]\nname = \"lb1\"\nadmin_socket = \"{nowhere}/admin.sock\"\n\
         state_file = \"{nowhere}/state\"\n"
    );
    write(&house.folder, "serve.toml", &with);
    let mut serve = house.serve();
    assert_eq!(serve.wait().unwrap().code(), Some(1));
    assert!(
        house.log().contains("lb-controller lb1 stopped"),
        "{}",
        house.log()
    );
}

#[test]
fn a_server_that_is_not_there_is_told_with_the_mend() {
    let said = run(&["status", "--server", "http://127.0.0.1:9"]);
    assert_eq!(said.code, 3);
    assert!(
        said.errors.contains("no answer from http://127.0.0.1:9"),
        "{said:?}"
    );
    assert!(
        said.errors.contains("--server URL, or POOLSHIFT_SERVER"),
        "{said:?}"
    );
}

#[test]
fn the_example_of_its_settings_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../../../deploy/serve.example.toml");
    // All that is commented out is good, too; what it names is not there, and that is what is said.
    let whole: String = example
        .lines()
        .map(|line| {
            let settings = [
                "catalogue",
                "people",
                "url",
                "[[",
                "name",
                "admin",
                "state",
                "marks",
                "lock",
            ];
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_setting = settings.iter().any(|name| bare.starts_with(name));
            format!("{}\n", if is_setting { bare } else { line })
        })
        .collect();
    let file = write(&folder, "serve.toml", &whole);
    let said = poolshift(&["serve", "--config", &file.display().to_string()])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let errors = String::from_utf8(said.stderr).unwrap();
    assert!(errors.contains("cannot read services"), "{errors}");
}
