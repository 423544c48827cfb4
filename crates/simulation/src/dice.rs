//! All chance of a walk, from one seed.

/// The dice of one walk: the same seed throws the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// From `least` up to, not including, `end`.
    pub(crate) fn between(&mut self, least: u64, end: u64) -> u64 {
        self.0.u64(least..end)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        if length == 0 {
            0
        } else {
            self.0.usize(0..length)
        }
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.index(from.len());
        from.get(index)
    }

    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        uuid::Uuid::from_u128(self.0.u128(..))
    }
}
