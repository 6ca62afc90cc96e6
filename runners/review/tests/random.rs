//! Numbers from a seed: the generator `SplitMix64`, after Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators".

/// Numbers from a seed.
pub(crate) struct Random(u64);

impl Random {
    /// The seed of this run: `PLACET_SEED`, or a fixed one. Printed, so that a failure can be replayed.
    pub(crate) fn seeded(test: &str) -> Self {
        let seed = std::env::var_os("PLACET_SEED");
        let seed = seed.and_then(|seed| seed.to_str()?.parse().ok()).unwrap_or(20_261_123);
        eprintln!("{test}: PLACET_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
