//! An open-addressed table in a list of words: from the hash of a key to its place in somebody's list.
//!
//! A slot holds a place plus 1, so that 0 is free, and above it as much of the hash as there is room for:
//! what is another key's is mostly passed by without a look at the key itself.

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

#[inline]
fn low(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// How many slots a table of so many keys has: at most three quarters of them are taken.
pub(super) const fn slots(keys: usize) -> usize {
    if keys == 0 {
        return 0;
    }
    keys.saturating_mul(4).div_ceil(3).saturating_add(1).next_power_of_two()
}

/// The bits of a slot that hold the place, where there are so many places.
pub(super) fn place_bits(places: usize) -> u32 {
    let bits = places.saturating_add(1).next_power_of_two().wrapping_sub(1);
    u32::try_from(bits).unwrap_or(u32::MAX)
}

/// Puts hashes and places into free `slots`, of which there are [`slots`].
pub(super) fn fill(slots: &mut [u32], place_bits: u32, keys: impl Iterator<Item = (u64, u32)>) {
    let Some(mask) = slots.len().checked_sub(1) else { return };
    for (hash, place) in keys {
        let mut at = start(hash);
        while slots.get(at & mask).is_some_and(|taken| *taken != 0) {
            at = at.wrapping_add(1);
        }
        if let Some(slot) = slots.get_mut(at & mask) {
            *slot = (low(hash) & !place_bits) | (place.saturating_add(1) & place_bits);
        }
    }
}

/// The place with that hash for which `is_it` holds.
#[inline]
pub(super) fn find(
    slots: &[u32],
    place_bits: u32,
    hash: u64,
    is_it: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mask = slots.len().checked_sub(1)?;
    let (mut at, rest) = (start(hash), low(hash) & !place_bits);
    loop {
        let slot = *slots.get(at & mask)?;
        let place = usize::try_from(slot & place_bits).ok()?.checked_sub(1)?;
        if slot & !place_bits == rest && is_it(place) {
            return Some(place);
        }
        at = at.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_found_also_where_all_hashes_are_one() {
        let keys: Vec<u128> = (0..1_000).map(|key| key * 7).collect();
        for hash in [spread, |_: u128| u64::MAX] {
            // As many places as keys, and so many that no room is left for the hash.
            for bits in [place_bits(keys.len()), u32::MAX] {
                let mut table = vec![0; slots(keys.len())];
                fill(&mut table, bits, keys.iter().map(|key| hash(*key)).zip(0..));
                let find = |key: u128| {
                    find(&table, bits, hash(key), |place| keys.get(place) == Some(&key))
                };
                assert!(keys.iter().enumerate().all(|(place, key)| find(*key) == Some(place)));
                assert_eq!((find(1), find(u128::MAX)), (None, None));
            }
        }
        assert_eq!((slots(0), find(&[], place_bits(0), 0, |_| true)), (0, None));
    }
}
