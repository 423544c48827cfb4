//! Everything that can be typed is explained.

use crate::support::run;

const VERBS: [&[&str]; 24] = [
    &[],
    &["serve"],
    &["check"],
    &["apply"],
    &["plan"],
    &["adopt"],
    &["start"],
    &["status"],
    &["watch"],
    &["pause"],
    &["resume"],
    &["abort"],
    &["retry"],
    &["exclude"],
    &["release"],
    &["approve"],
    &["history"],
    &["haproxy-config"],
    &["agent", "enrol"],
    &["agent", "revoke"],
    &["verdict"],
    &["webhook-check"],
    &["topics", "create"],
    &["replay"],
];

#[test]
fn every_verb_is_explained() {
    let mut all = String::new();
    for verb in VERBS {
        let command = [&["poolshift"], verb].concat();
        let help = run(&[verb, &["--help"]].concat()).good();
        all += &format!("$ {} --help\n{help}\n", command.join(" "));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_use_exits_with_2() {
    for wrong in [
        &["status", "checkout"][..],
        &[
            "start",
            "production/checkout",
            "--version",
            "1",
            "--sha256",
            "abc",
        ],
        &[
            "adopt",
            "staging/checkout",
            "web1",
            "--sha256",
            crate::support::DIGEST,
        ],
        &["serve", "--config", "/no/such/file"],
        &["frobnicate"],
    ] {
        let said = run(wrong);
        assert_eq!(said.code, 2, "{wrong:?}: {said:?}");
    }
}
