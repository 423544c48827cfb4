//! What the demo came to, as numbers that can fail.

use ::tests::customers::Tally;
use anyhow::{Result, bail};
use events::{Outcome as End, RolloutFinished};
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// Fewer requests would prove too little.
pub(crate) const REQUESTS: u64 = 20_000;

/// The whole demo. As JSON it is the demo's last line.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    requests: u64,
    posts: u64,
    failed: u64,
    cut: u32,
    bad_version_answers: u64,
    held_out_requests: u64,
    rollouts: Vec<Rollout>,
    control: Control,
}

/// One rollout.
#[derive(Debug, Serialize)]
struct Rollout {
    version: String,
    outcome: String,
    took_ms: u64,
    floor: u32,
    least_up: Option<u32>,
}

/// The run without Poolshift.
#[derive(Debug, Default, Serialize)]
struct Control {
    failed: u64,
}

impl Outcome {
    /// What customers saw, and how the good and the bad version's rollouts ended.
    pub(crate) fn of(
        tally: &Tally,
        held_out_requests: u64,
        ends: [(&str, &RolloutFinished); 2],
    ) -> Self {
        let [_, (bad, _)] = ends;
        Self {
            requests: tally.requests,
            posts: tally.posts,
            failed: tally.failed,
            cut: ends.iter().map(|(_, end)| end.cut).sum(),
            bad_version_answers: tally.answers_of(bad),
            held_out_requests,
            rollouts: ends.map(|(version, end)| Rollout::of(version, end)).into(),
            control: Control::default(),
        }
    }

    /// With what the control lost.
    pub(crate) fn with_control(self, failed: u64) -> Self {
        Self {
            control: Control { failed },
            ..self
        }
    }

    /// An error that names every number that is not as it should be.
    pub(crate) fn judge(&self) -> Result<()> {
        let mut wrong = vec![];
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let requests = self.requests;
        must(
            requests >= REQUESTS,
            format!("{requests} requests, not {REQUESTS}"),
        );
        for (name, value) in [
            ("failed", self.failed),
            ("cut", u64::from(self.cut)),
            ("bad_version_answers", self.bad_version_answers),
            ("held_out_requests", self.held_out_requests),
        ] {
            must(value == 0, format!("{name} is {value}, not 0"));
        }
        for (rollout, due) in self.rollouts.iter().zip([End::Succeeded, End::RolledBack]) {
            let (version, outcome) = (&rollout.version, &rollout.outcome);
            must(
                *outcome == due.to_string(),
                format!("{version} ended as {outcome}, not {due}"),
            );
            let (least_up, floor) = (rollout.least_up, rollout.floor);
            must(
                least_up.is_some_and(|least_up| least_up >= floor),
                format!("{version}: least_up is {least_up:?}, below the floor of {floor}"),
            );
        }
        must(
            self.control.failed > 0,
            "the control lost nothing: the measure did not show that it can fail".to_owned(),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        bail!("the demo did not show what it should: {}", wrong.join("; "))
    }
}

impl Rollout {
    fn of(version: &str, end: &RolloutFinished) -> Self {
        Self {
            version: version.to_owned(),
            outcome: end.outcome.to_string(),
            took_ms: end.took_ms,
            floor: end.floor,
            least_up: end.least_up,
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "rollout    outcome       took    least UP  floor")?;
        for rollout in &self.rollouts {
            let took = f64_of(rollout.took_ms) / 1000.0;
            let least_up = rollout
                .least_up
                .map_or_else(|| "?".to_owned(), |up| up.to_string());
            writeln!(
                out,
                "{:<10} {:<12} {took:>5.1} s  {least_up:>8}  {:>5}",
                rollout.version, rollout.outcome, rollout.floor
            )?;
        }
        for (what, number) in [
            ("requests of customers", self.requests),
            ("  POST among them, never repeated", self.posts),
            ("  failed", self.failed),
            ("  cut by us", u64::from(self.cut)),
            ("  answered by the bad version", self.bad_version_answers),
            ("  answered by a held-out server", self.held_out_requests),
            ("failed without Poolshift (control)", self.control.failed),
        ] {
            write!(out, "\n{what:<36} {number:>7}")?;
        }
        Ok(())
    }
}

/// Rollouts of the demo take minutes at most.
fn f64_of(ms: u64) -> f64 {
    f64::from(u32::try_from(ms).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(version: &str, outcome: &End, least_up: u32) -> Rollout {
        Rollout {
            version: version.to_owned(),
            outcome: outcome.to_string(),
            took_ms: 12_345,
            floor: 4,
            least_up: Some(least_up),
        }
    }

    fn good() -> Outcome {
        Outcome {
            requests: 20_000,
            posts: 10_000,
            failed: 0,
            cut: 0,
            bad_version_answers: 0,
            held_out_requests: 0,
            rollouts: vec![
                rollout("1.1.0", &End::Succeeded, 4),
                rollout("1.2.0", &End::RolledBack, 7),
            ],
            control: Control { failed: 9 },
        }
    }

    #[test]
    fn the_last_line_has_exactly_the_promised_form() {
        let line = serde_json::to_string(&good()).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"requests":20000,"posts":10000,"failed":0,"cut":0,"bad_version_answers":0,"#,
                r#""held_out_requests":0,"rollouts":["#,
                r#"{"version":"1.1.0","outcome":"succeeded","took_ms":12345,"floor":4,"least_up":4},"#,
                r#"{"version":"1.2.0","outcome":"rolled_back","took_ms":12345,"floor":4,"least_up":7}"#,
                r#"],"control":{"failed":9}}"#
            )
        );
    }

    #[test]
    fn every_number_can_fail_the_demo() {
        assert!(good().judge().is_ok());
        let zero = Outcome {
            requests: 19_999,
            failed: 1,
            cut: 1,
            bad_version_answers: 1,
            held_out_requests: 1,
            rollouts: vec![
                rollout("1.1.0", &End::Halted, 3),
                rollout("1.2.0", &End::Succeeded, 7),
            ],
            control: Control::default(),
            ..good()
        };
        let error = zero.judge().unwrap_err().to_string();
        assert_eq!(error.matches("; ").count(), 8, "{error}");
    }
}
