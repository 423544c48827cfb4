//! Exit codes: what a pipeline may rely on.

use events::Outcome;

/// Done; for `watch`: the rollout succeeded.
pub(crate) const DONE: u8 = 0;
/// What was asked is refused, or something is wrong; `serve` failed.
pub(crate) const REFUSED: u8 = 1;
/// The command line or the settings cannot be used.
pub(crate) const WRONG_USE: u8 = 2;
/// The server cannot be reached, or is not ready.
pub(crate) const UNREACHABLE: u8 = 3;
/// The request is durable, and its effect was not seen in time.
pub(crate) const NOT_SEEN: u8 = 4;
/// `watch`: the rollout went back.
pub(crate) const ROLLED_BACK: u8 = 10;
/// `watch`: it went back, but some servers stay on the new version.
pub(crate) const INCOMPLETE: u8 = 11;
/// `watch`: it could neither go on nor back.
pub(crate) const HALTED: u8 = 12;
/// `watch`: a person stopped it.
pub(crate) const ABORTED: u8 = 13;
/// `watch`: it waited too long.
pub(crate) const EXPIRED: u8 = 14;
/// `watch`: it was never planned.
pub(crate) const REJECTED: u8 = 15;
/// `watch`: a newer one took its place.
pub(crate) const SUPERSEDED: u8 = 16;
/// `watch`: it ended in a way that this version does not know.
pub(crate) const OTHER: u8 = 19;

/// Every code with its meaning.
pub(crate) const CODES: [(u8, &str); 13] = [
    (DONE, "done; `watch`: the rollout succeeded"),
    (
        REFUSED,
        "refused, or something is wrong; `serve`: a part failed",
    ),
    (WRONG_USE, "the command line or the settings cannot be used"),
    (UNREACHABLE, "the server cannot be reached, or is not ready"),
    (
        NOT_SEEN,
        "the request is durable, but its effect was not seen in time",
    ),
    (ROLLED_BACK, "`watch`: rolled back"),
    (
        INCOMPLETE,
        "`watch`: rolled back, but some servers stay on the new version",
    ),
    (
        HALTED,
        "`watch`: halted: it could neither go on nor back, servers are held out",
    ),
    (
        ABORTED,
        "`watch`: aborted by a person, and rolled back, or withdrawn before it began",
    ),
    (
        EXPIRED,
        "`watch`: expired while it waited at a gate or for its turn",
    ),
    (REJECTED, "`watch`: rejected, nothing was done"),
    (SUPERSEDED, "`watch`: superseded by a newer request"),
    (
        OTHER,
        "`watch`: ended in a way that only a newer poolshift knows",
    ),
];

/// The codes as `--help` shows them.
pub(crate) fn help() -> String {
    let lines = CODES.map(|(code, meaning)| format!("  {code:>2}  {meaning}"));
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// What `watch` exits with.
pub(crate) fn of_outcome(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => DONE,
        Outcome::RolledBack => ROLLED_BACK,
        Outcome::Incomplete => INCOMPLETE,
        Outcome::Halted => HALTED,
        Outcome::Aborted => ABORTED,
        Outcome::Expired => EXPIRED,
        Outcome::Rejected => REJECTED,
        Outcome::Superseded => SUPERSEDED,
        Outcome::Other(_) => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_exit_codes_has_every_code() {
        let page = include_str!("../../docs/exit-codes.md");
        for (code, meaning) in CODES {
            let line = format!("| {code} | {meaning} |");
            assert!(page.contains(&line), "docs/exit-codes.md lacks: {line}");
        }
        assert_eq!(page.matches("\n| ").count(), CODES.len() + 2);
    }

    #[test]
    fn only_success_exits_with_0() {
        let others = [
            Outcome::RolledBack,
            Outcome::Incomplete,
            Outcome::Halted,
            Outcome::Aborted,
            Outcome::Expired,
            Outcome::Rejected,
            Outcome::Superseded,
            Outcome::Other("new".to_owned()),
        ];
        assert_eq!(of_outcome(&Outcome::Succeeded), DONE);
        let mut codes: Vec<u8> = others.iter().map(of_outcome).collect();
        codes.dedup();
        assert_eq!(codes.len(), others.len());
        assert!(!codes.contains(&DONE));
    }
}
