//! The catalogue enters, what runs is recorded, and a plan is shown.

use crate::support::{CHECKOUT, DIGEST, House, write};

#[test]
fn a_catalogue_is_applied_once_and_counts_at_once() {
    let house = House::start();
    let services = house.path("services");
    let first = house.run(&["apply", &services, "--json"]).json();
    assert_eq!(first[0]["changed"], true);
    assert_eq!(first.as_array().unwrap().len(), 2);
    let again = house.run(&["apply", &services]).good();
    assert_eq!(again.matches("same ").count(), 2, "{again}");
    let status = house.run(&["status"]).good();
    assert!(
        status.contains("production/checkout  floor 1 of 2"),
        "{status}"
    );
    let history = house.run(&["history", "staging/checkout"]).good();
    assert_eq!(history.matches("service-defined").count(), 1, "{history}");
}

#[test]
fn nothing_is_applied_when_a_file_has_a_problem() {
    let house = House::start();
    let broken = CHECKOUT.replace("owner", "ower");
    write(&house.folder, "services/cart.toml", &broken);
    let said = house.run(&["apply", &house.path("services")]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("cart.toml:2:1"), "{said:?}");
    let status = house.run(&["status"]).good();
    assert!(status.contains("no targets yet"), "{status}");
}

#[test]
fn a_plan_says_what_has_no_way_back() {
    let house = House::start();
    house.run(&["apply", &house.path("services")]).good();
    let plan = ["plan", "staging/checkout", "--version", "2.0"];
    let said = house.run(&plan);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("web1, web2"), "{said:?}");
    assert!(said.errors.contains("poolshift adopt"), "{said:?}");
    let adopt = [
        "adopt",
        "staging/checkout",
        "web1",
        "1.0",
        "--sha256",
        DIGEST,
    ];
    let said = house.run(&adopt).good();
    assert_eq!(said, "web1 runs 1.0\n");
    let said = house.run(&adopt).good();
    assert_eq!(said, "web1 was known to run 1.0\n");
    let said = house.run(&plan);
    assert!(
        said.errors.contains("nobody knows what web2 run"),
        "{said:?}"
    );
    let all = [
        "adopt",
        "staging/checkout",
        "--all",
        "1.0",
        "--sha256",
        DIGEST,
    ];
    house.run(&all).good();
    insta::assert_snapshot!(house.run(&plan).good());
}

#[test]
fn a_plan_can_be_made_from_files_alone() {
    let house = House::start();
    let allowed = format!("{CHECKOUT}\n[rollout]\nno_way_back = \"allow\"\n");
    write(&house.folder, "services/checkout.toml", &allowed);
    let services = house.path("services");
    let plan = [
        "plan",
        "staging/checkout",
        "--version",
        "2.0",
        "--catalogue",
        &services,
    ];
    let said = crate::support::run(&plan).good();
    assert!(
        said.contains("NO WAY BACK: nobody knows what runs"),
        "{said}"
    );
}

#[test]
fn what_is_unknown_is_told_with_what_is_known() {
    let house = House::ready();
    let said = house.run(&["status", "production/chekout"]);
    assert_eq!(said.code, 1);
    assert!(
        said.errors
            .contains("known: production/checkout, staging/checkout"),
        "{said:?}"
    );
    let said = house.run(&["release", "staging/checkout", "web9", "--reason", "gone"]);
    assert!(said.errors.contains("known: web1, web2"), "{said:?}");
    let said = house.run(&["watch", "0000"]);
    assert!(
        said.errors.contains("no rollout begins with 0000"),
        "{said:?}"
    );
}

#[test]
fn haproxy_is_told_what_it_needs() {
    let house = House::start();
    let services = house.path("services");
    let config = crate::support::run(&[
        "haproxy-config",
        "staging/checkout",
        "--catalogue",
        &services,
        "--customers",
        "10.2.0.11:80",
    ]);
    let config = config.good();
    assert!(config.contains("bind 10.2.0.11:8081"), "{config}");
    assert!(
        config.contains("server web2 10.2.0.2:8080 check inter 1000ms"),
        "{config}"
    );
    assert!(config.contains("httpchk GET /health"), "{config}");
}

#[test]
fn a_release_that_is_not_needed_is_refused() {
    let house = House::ready();
    let release = ["release", "staging/checkout", "web1", "--reason", "why"];
    let said = house.run(&release);
    assert_eq!(said.code, 1);
    assert!(
        said.errors.contains("web1 is neither stuck nor left"),
        "{said:?}"
    );
}

#[test]
fn status_shows_every_server() {
    let house = House::ready();
    insta::assert_snapshot!(house.run(&["status"]).good());
}
