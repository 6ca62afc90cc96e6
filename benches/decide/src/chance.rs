//! Repeatable chance, and ids in the layout that the product makes.

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next()) * u128::try_from(end).unwrap_or(0);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn is(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// 128 bits in the layout of UUID version 7 (RFC 9562 §5.7), made at that microsecond.
    pub(crate) fn id(&mut self, at_micros: i64) -> u128 {
        let ms = u128::try_from(at_micros / 1_000).unwrap_or(0);
        let random = (u128::from(self.next()) << 64) | u128::from(self.next());
        let (high, low) = (random & 0xFFF, (random >> 12) & 0x3FFF_FFFF_FFFF_FFFF);
        (ms << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
    }
}
