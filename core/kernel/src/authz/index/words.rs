//! Ids in lists of 32-bit words.

/// An id: the highest bits first, so that these compare as ids do.
pub(super) type IdWords = [u32; 4];

#[inline]
pub(super) fn id_words(bits: u128) -> IdWords {
    let bytes = bits.to_be_bytes();
    let (words, _) = bytes.as_chunks();
    let mut made = [0; 4];
    for (made, word) in made.iter_mut().zip(words) {
        *made = u32::from_be_bytes(*word);
    }
    made
}

#[inline]
pub(super) fn id_bits(words: &IdWords) -> u128 {
    words.iter().fold(0, |bits, word| bits << 32 | u128::from(*word))
}

#[inline]
pub(super) fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A length or a place; a list as long as that cannot be held anyway.
#[inline]
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
