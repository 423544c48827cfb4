//! `poolshift approve`: a vote counts, or it is said why not.

mod gates;

use crate::support::{DIGEST, House};

const TARGET: &str = "production/checkout";

#[test]
fn a_vote_counts_only_from_the_right_person_for_the_right_plan() {
    let house = House::ready();
    let rollout = house.rollout(TARGET, &["--as", "ann"]);
    house.until(
        TARGET,
        "waits for a person: 0 of 1 approvals by release-managers",
    );
    let vote = |more: &[&str]| house.run(&[&["approve", rollout.as_str()][..], more].concat());
    let said = vote(&["--as", "ann"]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("refused: own_request"), "{said:?}");
    assert!(said.errors.contains("mend: somebody else must"), "{said:?}");
    let said = vote(&["--as", "bob"]);
    assert!(said.errors.contains("refused: not_permitted"), "{said:?}");
    let said = vote(&["--as", "nobody"]);
    assert!(
        said.errors
            .contains("`nobody` is neither the id nor the name"),
        "{said:?}"
    );
    let said = vote(&["--as", "carl", "--digest", DIGEST]);
    assert!(said.errors.contains("refused: other_plan"), "{said:?}");
    let said = vote(&["--as", "carl"]);
    assert!(said.out.contains("2.0 to production/checkout"), "{said:?}");
    assert!(
        said.out.contains("batches: web1 | web2, floor 1"),
        "{said:?}"
    );
    assert!(said.good().ends_with("approved by carl: 1 of 1 votes\n"));
    house.until(TARGET, "running");
}

#[test]
fn a_rollout_that_waits_for_nobody_is_not_approved() {
    let house = House::ready();
    let rollout = house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", "running");
    let said = house.run(&["approve", &rollout, "--as", "ann"]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("waits for no approval"), "{said:?}");
}
