//! Whether more errors than expected are more than chance: exact tests, since shares of errors are
//! small and so are counts.

use events::Requests;
use statrs::distribution::{Binomial, DiscreteCDF, Hypergeometric};

const MILLION: f64 = 1_000_000.0;

/// The chance that a server with exactly this share of errors shows as many, or more: one-sided
/// exact binomial test.
pub(super) fn beside_limit(server: Requests, limit_ppm: u32) -> f64 {
    let Some(below) = server.errors().checked_sub(1) else {
        return 1.0;
    };
    if limit_ppm == 0 {
        return 0.0;
    }
    // The share is between 0 and 1 and not above: the catalogue sees to it; else nothing is said.
    Binomial::new(f64::from(limit_ppm) / MILLION, server.requests).map_or(1.0, |all| all.sf(below))
}

/// The chance that a server shows as many errors, or more, if it and the others fail alike:
/// one-sided exact test of two shares (Fisher's).
pub(super) fn beside_others(server: Requests, others: Requests) -> f64 {
    let Some(below) = server.errors().checked_sub(1) else {
        return 1.0;
    };
    let all = server.plus(others);
    Hypergeometric::new(all.requests, all.errors(), server.requests)
        .map_or(1.0, |share| share.sf(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(errors_5xx: u64, requests: u64) -> Requests {
        Requests {
            requests,
            errors_5xx,
            broken: 0,
        }
    }

    fn near(found: f64, wanted: f64) -> bool {
        (found / wanted - 1.0).abs() < 1e-3
    }

    /// 8 of 10 beside 1 of 6: worked out by hand, 1 of 8 successes among 16 chosen.
    #[test]
    fn two_shares_are_held_against_each_other_exactly() {
        // (C(9,8) C(7,2) + C(9,9) C(7,1)) / C(16,10)
        let wanted = (9.0 * 21.0 + 7.0) / 8008.0;
        let found = beside_others(counts(8, 10), counts(1, 6));
        assert!(near(found, wanted), "{found} is not {wanted}");
    }

    #[test]
    fn a_share_is_held_against_a_limit_exactly() {
        // Two or three of three, one in four each.
        let wanted = 3.0 * 0.0625 * 0.75 + 0.015_625;
        let found = beside_limit(counts(2, 3), 250_000);
        assert!(near(found, wanted), "{found} is not {wanted}");
    }

    #[test]
    fn no_error_is_never_beyond_chance_and_one_is_when_none_is_borne() {
        assert!(beside_limit(counts(0, 1_000), 0) >= 1.0);
        assert!(beside_others(counts(0, 1_000), counts(0, 1_000)) >= 1.0);
        assert!(beside_limit(counts(1, 1_000), 0) <= 0.0);
        assert!(beside_limit(counts(1_000, 1_000), 1_000_000) >= 1.0);
    }
}
