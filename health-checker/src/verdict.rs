//! When rounds of probes make a verdict: pure.

use events::{AnsweredBy, Failure, ProbeResult};

/// All probes of a check, once, through each balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// What each probe found.
    pub(crate) probes: Vec<ProbeResult>,
    /// Who answered.
    pub(crate) answered_by: AnsweredBy,
    /// What is wrong; none: the round is good.
    pub(crate) failure: Option<Failure>,
    /// Whether the check's end cut it short: then it says nothing about the server.
    pub(crate) cut_short: bool,
}

/// The rounds of one check so far.
#[derive(Debug)]
pub(crate) struct Rounds {
    in_a_row: u32,
    good: u32,
    last: Option<Round>,
}

impl Rounds {
    /// For a check that needs `in_a_row` good rounds without a bad one between them.
    pub(crate) fn new(in_a_row: u32) -> Self {
        Self {
            in_a_row: in_a_row.max(1),
            good: 0,
            last: None,
        }
    }

    /// Takes a round, and says whether the server is healthy now. A round that was cut short is
    /// no evidence against the one before it.
    pub(crate) fn take(&mut self, round: Round) -> bool {
        if round.cut_short && round.failure.is_some() && self.last.is_some() {
            return false;
        }
        self.good = match round.failure {
            None => self.good.saturating_add(1),
            Some(_) => 0,
        };
        self.last = Some(round);
        self.good >= self.in_a_row
    }

    /// How many good rounds there were since the last bad one, and how many are needed.
    pub(crate) const fn good(&self) -> (u32, u32) {
        (self.good, self.in_a_row)
    }

    /// The last round that counts.
    pub(crate) fn into_last(self) -> Option<Round> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::FailedBecause;
    use proptest::prelude::*;

    fn round(good: bool) -> Round {
        Round {
            probes: vec![],
            answered_by: AnsweredBy::default(),
            failure: (!good).then(|| Failure::new(FailedBecause::ProgramFailed, "503")),
            cut_short: false,
        }
    }

    proptest! {
        #[test]
        fn healthy_exactly_when_the_last_rounds_were_all_good(
            in_a_row in 1_u32..5,
            answers in prop::collection::vec(prop::bool::ANY, 0..30),
        ) {
            let mut rounds = Rounds::new(in_a_row);
            for seen in 1..=answers.len() {
                let so_far = &answers[..seen];
                let healthy = rounds.take(round(so_far[seen - 1]));
                let run = so_far.iter().rev().take_while(|good| **good).count();
                prop_assert_eq!(healthy, run >= in_a_row as usize);
            }
        }
    }

    #[test]
    fn a_round_that_the_end_cut_short_is_not_the_evidence() {
        let mut rounds = Rounds::new(3);
        rounds.take(round(true));
        let late = Round {
            cut_short: true,
            ..round(false)
        };
        assert!(!rounds.take(late));
        assert_eq!(rounds.good(), (1, 3));
        assert_eq!(rounds.into_last(), Some(round(true)));
    }

    #[test]
    fn no_good_round_is_never_healthy() {
        assert!(!Rounds::new(0).take(round(false)));
        assert!(Rounds::new(0).take(round(true)));
    }
}
