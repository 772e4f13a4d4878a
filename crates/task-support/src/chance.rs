//! Reproducible random choices from one seed, which is printed.

use crate::say;

/// A generator of 64-bit numbers (`SplitMix64`: passes `BigCrush`, needs one word of state).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Begins with this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Takes the seed in `NOLAPSE_TEST_SEED`, or the given one, and prints it, which a failing test shows.
    pub fn seeded(otherwise: u64) -> Self {
        let given = std::env::var("NOLAPSE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or(otherwise);
        say::out(format!("seed: NOLAPSE_TEST_SEED={seed}"));
        Self(seed)
    }

    /// Another generator, for another thread.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or_default()
    }

    /// A random element.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Random lowercase hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).filter_map(|_| char::from_digit(u32::try_from(self.below(16)).unwrap_or_default(), 16)).collect()
    }
}
