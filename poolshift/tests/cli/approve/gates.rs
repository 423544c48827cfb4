//! Windows, freezes, promotion, and rollouts that wait: what people type.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{CHECKOUT, DIGEST, House, write};

const TARGET: &str = "production/checkout";

/// A house whose production has something more in its entry.
fn with(more: &str) -> House {
    let house = House::start();
    let approvals = "approvals = { count = 1, from = [\"release-managers\"], expire = \"4h\" }\n";
    let entry = CHECKOUT.replacen(approvals, more, 1);
    write(&house.folder, "services/checkout.toml", &entry);
    house.run(&["apply", &house.path("services")]).good();
    for target in ["staging/checkout", TARGET] {
        let adopted = house.run(&["adopt", target, "--all", "1.0", "--sha256", DIGEST]);
        adopted.good();
    }
    house
}

/// A day that is not today: its window is closed whenever this runs.
fn in_three_days() -> &'static str {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // The first day of 1970 was a Thursday.
    let days = since.as_secs() / 86_400 + 3;
    ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][usize::try_from(days % 7).unwrap()]
}

#[test]
fn a_window_keeps_a_rollout_until_a_permitted_person_lets_it_pass() {
    let day = in_three_days();
    let house = with(&format!(
        "windows = [{{ days = [\"{day}\"], from = \"09:00\", to = \"16:00\", zone = \"UTC\" }}]\n\
         overrides = [\"release-managers\"]\n",
    ));
    let planned = house.run(&["plan", TARGET, "--version", "2.0"]).good();
    assert!(planned.contains("a window; the next is from"), "{planned}");
    let rollout = house.rollout(TARGET, &["--as", "ann"]);
    let shown = house.until(TARGET, "waiting at its gates");
    assert!(
        shown.contains("gate window: waits for the window that opens at"),
        "{shown}"
    );
    let said = house.run(&["approve", &rollout, "--as", "carl"]);
    assert!(said.errors.contains("waits for no approval"), "{said:?}");
    let word = |who| {
        let reason = [
            "--gate",
            "window",
            "--reason",
            "nobody can pay",
            "--as",
            who,
        ];
        house.run(&[&["override", rollout.as_str()][..], &reason].concat())
    };
    let said = word("bob");
    assert_eq!(said.code, 1);
    assert!(
        said.errors.contains("may not override it: not_permitted"),
        "{said:?}"
    );
    // The one on call at night is often the one who asked.
    assert!(
        word("ann")
            .good()
            .contains("passes its window, by the word of ann")
    );
    let shown = house.until(TARGET, "running");
    assert!(shown.contains("gate window: overridden"), "{shown}");
}

#[test]
fn a_freeze_takes_the_time_that_a_places_clocks_show() {
    let house = with("");
    let said = house.run(&[
        "freeze",
        TARGET,
        "--until",
        "2020-01-01 08:00",
        "--zone",
        "Europe/Berlin",
        "--reason",
        "x",
    ]);
    assert!(said.errors.contains("before it begins"), "{said:?}");
    let said = house.run(&[
        "freeze",
        TARGET,
        "--until",
        "2027-01-02 08:00",
        "--reason",
        "x",
    ]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.errors.contains("add --zone"), "{said:?}");
}

#[test]
fn a_freeze_that_cannot_be_is_refused_with_the_reason() {
    let house = with("");
    let said = house.run(&[
        "freeze",
        TARGET,
        "--until",
        "2020-01-01T00:00:00Z",
        "--reason",
        "x",
    ]);
    assert!(said.errors.contains("before it begins"), "{said:?}");
    let said = house.run(&[
        "freeze",
        TARGET,
        "--until",
        "2100-01-01T00:00:00Z",
        "--reason",
        "x",
    ]);
    assert_eq!(said.code, 1, "{said:?}");
    let why = "not taken: a freeze ends within 365 days; set it anew when that is over";
    assert!(said.errors.contains(why), "{said:?}");
    let said = house.run(&[
        "freeze",
        "--environment",
        "prod",
        "--for",
        "2d",
        "--reason",
        "x",
    ]);
    assert!(
        said.errors.contains("known: production, staging"),
        "{said:?}"
    );
}

#[test]
fn a_freeze_of_an_environment_keeps_all_of_it_until_it_is_lifted() {
    let house = with("");
    let freeze = [
        "freeze",
        "--environment",
        "production",
        "--for",
        "2d",
        "--reason",
        "the sale",
    ];
    assert!(
        house
            .run(&freeze)
            .good()
            .starts_with("production/checkout: nothing begins")
    );
    house.rollout(TARGET, &[]);
    let shown = house.until(TARGET, "gate freeze: waits for frozen until");
    assert!(shown.contains(": the sale"), "{shown}");
    house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", "running");
    let unfreeze = ["unfreeze", TARGET, "--reason", "sold out"];
    assert!(house.run(&unfreeze).good().contains("not frozen any more"));
    house.until(TARGET, "running");
    let said = house.run(&unfreeze);
    assert!(said.errors.contains("nothing is frozen"), "{said:?}");
}

#[test]
fn a_rollout_that_has_not_succeeded_in_staging_waits_and_says_so() {
    let house = with("requires = { succeeded_in = \"staging\", within = \"14d\" }\n");
    house.rollout(TARGET, &[]);
    house.until(
        TARGET,
        "2.0 with the same digest to succeed in staging/checkout within the last 14d",
    );
}

#[test]
fn a_rollout_that_waits_for_its_turn_can_be_withdrawn_and_cannot_take_over_what_is_not_halted() {
    let house = with("");
    let first = house.rollout(TARGET, &[]);
    house.until(TARGET, "running");
    let second = house.rollout(TARGET, &[]);
    house.until(TARGET, "queued");
    let said = house.run(&[
        "supersede",
        TARGET,
        "--with",
        &first,
        "--reason",
        "it mends them",
    ]);
    assert!(
        said.errors.contains("does not wait on production/checkout"),
        "{said:?}"
    );
    let supersede = ["supersede", TARGET, "--with", &second, "--reason", "why"];
    let said = house.run(&supersede);
    assert_eq!(said.code, 1, "{said:?}");
    let why = "not taken: it is not halted; only a halted rollout can be taken over";
    assert!(said.errors.contains(why), "{said:?}");
    let abort = ["abort", second.as_str(), "--reason", "not wanted any more"];
    assert!(
        house
            .run(&abort)
            .good()
            .contains("withdrawn: it had not begun")
    );
    let watched = house.run(&["watch", &second]);
    assert!(watched.out.contains("aborted"), "{watched:?}");
}
