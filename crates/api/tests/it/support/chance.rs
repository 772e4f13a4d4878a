//! Reproducible random choices from one seed, which is printed.

/// A generator of 64-bit numbers (`SplitMix64`: passes `BigCrush`, needs one word of state).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Takes the seed in `NOLAPSE_TEST_SEED`, or the given one, and prints it, which a failing test shows.
    pub(crate) fn seeded(otherwise: u64) -> Self {
        let given = std::env::var("NOLAPSE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or(otherwise);
        println!("seed: NOLAPSE_TEST_SEED={seed}");
        Self(seed)
    }

    /// Another generator, for another thread.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A random element.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Random lowercase hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(u32::try_from(self.next() & 15).unwrap(), 16).unwrap()).collect()
    }
}
