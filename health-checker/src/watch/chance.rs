//! Whether more errors than expected, or more late answers, are more than chance: exact tests, since
//! such shares are small and so are counts.

use events::Requests;
use statrs::distribution::{Binomial, DiscreteCDF, Hypergeometric};

const MILLION: f64 = 1_000_000.0;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    pub(super) const fn new(part: u64, whole: u64) -> Self {
        Self { part, whole }
    }
}

impl From<Requests> for Share {
    fn from(seen: Requests) -> Self {
        Self::new(seen.errors(), seen.requests)
    }
}

/// The chance that a server with exactly this share shows as many, or more: one-sided exact
/// binomial test.
pub(super) fn beside_limit(server: Share, limit_ppm: u32) -> f64 {
    let Some(below) = server.part.checked_sub(1) else {
        return 1.0;
    };
    if limit_ppm == 0 {
        return 0.0;
    }
    // The share is between 0 and 1 and not above: the catalogue sees to it; else nothing is said.
    Binomial::new(f64::from(limit_ppm) / MILLION, server.whole).map_or(1.0, |all| all.sf(below))
}

/// The chance that a server shows as many, or more, if it and the others are alike: one-sided exact
/// test of two shares (Fisher's).
pub(super) fn beside_others(server: Share, others: Share) -> f64 {
    let Some(below) = server.part.checked_sub(1) else {
        return 1.0;
    };
    let part = server.part.saturating_add(others.part);
    let whole = server.whole.saturating_add(others.whole);
    Hypergeometric::new(whole, part, server.whole).map_or(1.0, |share| share.sf(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(part: u64, whole: u64) -> Share {
        Share::new(part, whole)
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
