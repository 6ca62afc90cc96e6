//! An open-addressed table: from the hash of a key to where it stands in somebody's list.

/// Places, each plus 1, so that 0 is free; at most three quarters are taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Table {
    slots: Box<[u32]>,
}

/// Spreads ids that were handed out one after the other, or by their time.
#[inline]
pub(super) const fn spread(bits: u128) -> u64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "both halves are taken"
    )]
    let folded = (bits as u64) ^ ((bits >> 64) as u64);
    // The golden ratio's multiplier (Knuth, The Art of Computer Programming, volume 3, 6.4).
    folded.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Where a search begins. The high half: the low bits of a product know little of the key.
#[inline]
fn start(hash: u64) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default()
}

impl Table {
    /// A table of these hashes and places.
    pub(super) fn build(keys: &[(u64, u32)]) -> Self {
        if keys.is_empty() {
            return Self::default();
        }
        let count = keys.len().saturating_mul(4).div_ceil(3).saturating_add(1).next_power_of_two();
        let (mut slots, mask) = (vec![0; count], count.saturating_sub(1));
        for &(hash, place) in keys {
            let mut at = start(hash);
            while slots.get(at & mask).is_some_and(|taken| *taken != 0) {
                at = at.wrapping_add(1);
            }
            if let Some(slot) = slots.get_mut(at & mask) {
                *slot = place.saturating_add(1);
            }
        }
        Self { slots: slots.into() }
    }

    /// The place with that hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = start(hash);
        loop {
            let place = usize::try_from(*self.slots.get(at & mask)?).ok()?.checked_sub(1)?;
            if is_it(place) {
                return Some(place);
            }
            at = at.wrapping_add(1);
        }
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_found_also_where_all_hashes_are_one() {
        let keys: Vec<u128> = (0..1_000).map(|key| key * 7).collect();
        for hash in [spread, |_: u128| u64::MAX] {
            let pairs: Vec<_> = keys.iter().map(|key| hash(*key)).zip(0..).collect();
            let table = Table::build(&pairs);
            let find = |key: u128| table.find(hash(key), |place| keys[place] == key);
            assert!(keys.iter().enumerate().all(|(place, key)| find(*key) == Some(place)));
            assert_eq!((find(1), find(u128::MAX)), (None, None));
        }
        assert_eq!(Table::build(&[]).find(0, |_| true), None);
    }
}
