//! Names, ids, digests and times: what they print they parse, and nothing else gets in.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use poolshift_events::{
    BalancerName, CommandId, Digest, EnvironmentName, MachineName, PersonId, ReportId, RolloutId,
    RolloutRef, ServerName, ServiceName, Source, Subject, Target, Timestamp, Version,
};
use proptest::prelude::*;

const LOWER: &str = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const MIXED: &str = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?";
const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

proptest! {
    #[test]
    fn names_parse_what_they_print(lower in LOWER, mixed in MIXED, version in "[0-9][A-Za-z0-9._+-]{0,98}[0-9]") {
        round_trip::<ServiceName>(&lower);
        round_trip::<EnvironmentName>(&lower);
        round_trip::<ServerName>(&mixed);
        round_trip::<MachineName>(&mixed);
        round_trip::<BalancerName>(&mixed);
        round_trip::<Version>(&version);
        round_trip::<Subject>(&format!("machine/{mixed}"));
        round_trip::<Target>(&format!("{lower}/{lower}"));
        round_trip::<Subject>(&format!("{lower}/{lower}"));
    }

    #[test]
    fn ids_parse_what_they_print(uuid in UUID, person in "p_[a-z0-9]{4,40}", bytes: [u8; 32], n: u32) {
        round_trip::<RolloutId>(&uuid);
        round_trip::<ReportId>(&uuid);
        round_trip::<RolloutRef>(&uuid);
        round_trip::<PersonId>(&person);
        round_trip::<Digest>(&Digest::from_bytes(bytes).to_string());
        round_trip::<Subject>(&format!("partition/{n}"));
    }

    #[test]
    fn command_ids_parse_what_they_print(uuid in UUID, server in MIXED, step in "[a-z0-9-]{1,20}", attempt: u32) {
        round_trip::<CommandId>(&format!("{uuid}/{server}/{step}/{attempt}"));
        round_trip::<CommandId>(&format!("repair/{server}/{step}/{attempt}"));
    }

    #[test]
    fn sources_parse_what_they_print(process in "[a-z-]{1,20}", instance in MIXED, version in MIXED) {
        round_trip::<Source>(&format!("{process}/{instance}/{version}"));
    }

    /// A text near to a good name finds more holes than any text.
    #[test]
    fn no_name_can_leave_its_folder_header_or_key(before in MIXED, odd: char, after in "[a-z.]{0,3}", any: String) {
        for text in [format!("{before}{odd}{after}"), format!("{odd}{after}"), any] {
            harmless::<ServiceName>(&text);
            harmless::<EnvironmentName>(&text);
            harmless::<ServerName>(&text);
            harmless::<MachineName>(&text);
            harmless::<BalancerName>(&text);
            harmless::<Version>(&text);
            harmless::<PersonId>(&text);
        }
    }

    #[test]
    fn times_parse_what_they_print_from_1970_to_9999(ms in 0..=Timestamp::FAR.as_ms()) {
        let time = Timestamp::from_ms(ms);
        let text = time.to_string();
        prop_assert_eq!(text.parse(), Ok(time));
        prop_assert_eq!(text.len(), "2026-11-24T20:30:00.000Z".len());
    }

    #[test]
    fn times_sort_as_their_texts_do(a in 0..=Timestamp::FAR.as_ms(), b in 0..=Timestamp::FAR.as_ms()) {
        let (a, b) = (Timestamp::from_ms(a), Timestamp::from_ms(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
}

#[test]
fn a_subject_never_reads_as_one_of_another_kind() {
    for environment in ["machine", "partition"] {
        assert!(format!("{environment}/checkout").parse::<Target>().is_err());
    }
}

#[test]
fn a_rollout_has_the_same_id_for_the_same_request_and_another_one_for_any_other() {
    let production: Target = "production/checkout".parse().unwrap();
    let staging: Target = "staging/checkout".parse().unwrap();
    let first = RolloutId::of(&production, "jenkins", "42");
    assert_eq!(first, RolloutId::of(&production, "jenkins", "42"));
    assert_ne!(first, RolloutId::of(&staging, "jenkins", "42"));
    assert_ne!(first, RolloutId::of(&production, "cli", "42"));
    assert_ne!(first, RolloutId::of(&production, "jenkins", "43"));
}

#[test]
fn what_is_wrong_with_a_name_is_said_with_its_rule() {
    let long = "x".repeat(64);
    let mut errors = vec![
        refused::<ServiceName>(""),
        refused::<ServiceName>("Checkout"),
        refused::<ServiceName>(&long),
        refused::<EnvironmentName>("-production"),
        refused::<EnvironmentName>("partition"),
        refused::<ServerName>(".."),
        refused::<ServerName>("web 1"),
        refused::<ServerName>("web1\n"),
        refused::<MachineName>("srv-101/../srv-102"),
        refused::<MachineName>("sr\u{fc}-1"),
        refused::<BalancerName>("lb1;"),
        refused::<Version>("2.4.0-"),
        refused::<Version>("nul.1"),
        refused::<Target>("checkout"),
        refused::<Target>("production/checkout/web1"),
        refused::<Target>("/checkout"),
        refused::<Subject>("machine/"),
        refused::<Subject>("partition/-1"),
    ];
    errors.extend([
        refused::<RolloutId>("42"),
        refused::<ReportId>("0198d6f0"),
        refused::<CommandId>("repair/web1/restore"),
        refused::<CommandId>("repair/web1/Restore/1"),
        refused::<CommandId>("repair/web1/restore/01"),
        refused::<CommandId>("again/web1/restore/1"),
        refused::<PersonId>("jane@example.com"),
        refused::<PersonId>("p_Jane"),
        refused::<Digest>("sha256:12ab"),
        refused::<Digest>("md5:d41d8cd98f00b204e9800998ecf8427e"),
        refused::<Source>("agent/srv-101"),
        refused::<Timestamp>("2026-11-24 20:30"),
        refused::<Timestamp>("2026-13-24T20:30:00Z"),
        refused::<Timestamp>("1795552200000"),
    ]);
    insta::assert_snapshot!(errors.join("\n"));
}

fn round_trip<T>(text: &str)
where
    T: FromStr<Err: Debug> + Display + PartialEq + Debug,
{
    let value: T = text.parse().unwrap();
    assert_eq!(value.to_string(), text);
    assert_eq!(value.to_string().parse::<T>().unwrap(), value);
}

fn harmless<T>(text: &str)
where
    T: FromStr<Err: Display> + Display,
{
    match text.parse::<T>() {
        Ok(name) => {
            let name = name.to_string();
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\:*?\"<>|".contains(&byte);
            assert!(!name.is_empty() && name.bytes().all(plain), "{name:?}");
            assert!(!name.starts_with('.') && !name.ends_with('.'), "{name:?}");
        }
        Err(error) => {
            let error = error.to_string();
            let says_how = [": use ", ": write "].iter().any(|how| error.contains(how));
            assert!(says_how, "{error}");
        }
    }
}

fn refused<T>(text: &str) -> String
where
    T: FromStr<Err: Display> + Debug,
{
    text.parse::<T>().unwrap_err().to_string()
}
