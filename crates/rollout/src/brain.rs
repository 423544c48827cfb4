//! Which versions of the rules this build knows.

/// Version of these rules. A rollout ends under the rules it was planned with.
///
/// It is raised when the log of the version before would be decided otherwise; a test over that log
/// finds it out. docs/decisions/0013 has the whole rule.
pub const BRAIN: u16 = 1;

/// The oldest version whose rules are kept beside [`BRAIN`], for rollouts that were planned under
/// them: the one before it, as soon as there is one.
pub const BRAIN_OLDEST: u16 = 1;

/// Why nothing may be decided under rules of this version; none: they are known here.
#[must_use]
pub fn unknown_brain(brain: u16) -> Option<String> {
    if brain > BRAIN {
        return Some(format!(
            "it was decided by version {brain} of the rules, and this Poolshift knows them up to \
             {BRAIN}: start the newer one again"
        ));
    }
    (brain < BRAIN_OLDEST).then(|| {
        format!(
            "it was planned under version {brain} of the rules, and this Poolshift knows them from \
             {BRAIN_OLDEST} on: let the version that planned it end it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_known_from_the_oldest_to_the_newest_and_no_further() {
        for brain in BRAIN_OLDEST..=BRAIN {
            assert_eq!(unknown_brain(brain), None);
        }
        assert!(unknown_brain(BRAIN + 1).is_some_and(|why| why.contains("start the newer one")));
        let older = unknown_brain(BRAIN_OLDEST - 1);
        assert!(older.is_some_and(|why| why.contains("planned under version 0")));
    }
}
