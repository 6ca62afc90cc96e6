//! A set of small numbers.

/// Bits in a few words on the stack, or on the heap where there are more.
#[derive(Debug)]
pub(super) struct Bits {
    few: [u32; 8],
    many: Vec<u32>,
}

impl Bits {
    /// None is set, and there is room for those of so many words.
    pub(super) fn new(words: usize) -> Self {
        let few = [0; 8];
        let many = if words > few.len() { vec![0; words] } else { Vec::new() };
        Self { few, many }
    }

    pub(super) fn words(&self) -> &[u32] {
        if self.many.is_empty() { &self.few } else { &self.many }
    }

    fn words_mut(&mut self) -> &mut [u32] {
        if self.many.is_empty() { &mut self.few } else { &mut self.many }
    }

    /// Sets those that are set in `words`.
    pub(super) fn add(&mut self, words: &[u32]) {
        for (sum, word) in self.words_mut().iter_mut().zip(words) {
            *sum |= *word;
        }
    }

    /// Clears those that are set in `words`.
    pub(super) fn take_away(&mut self, words: &[u32]) {
        for (rest, word) in self.words_mut().iter_mut().zip(words) {
            *rest &= !*word;
        }
    }

    /// Sets the first `count`.
    pub(super) fn fill(&mut self, count: usize) {
        for (word, start) in self.words_mut().iter_mut().zip((0..count).step_by(32)) {
            let in_word = count.saturating_sub(start);
            *word = if in_word < 32 { !(u32::MAX << in_word) } else { u32::MAX };
        }
    }

    /// Clears those that `keeps` does not want.
    pub(super) fn keep(&mut self, keeps: impl Fn(usize) -> bool) {
        for (start, word) in (0_usize..).step_by(32).zip(self.words_mut()) {
            for at in Ones(*word) {
                if !keeps(start.saturating_add(at)) {
                    *word &= !(1 << at);
                }
            }
        }
    }

    pub(super) fn has(&self, bit: usize) -> bool {
        let word = self.words().get(bit / 32).copied().unwrap_or_default();
        word >> (bit % 32) & 1 == 1
    }

    /// How many are set.
    pub(super) fn count(&self) -> usize {
        let ones = self.words().iter().map(|word| word.count_ones());
        usize::try_from(ones.fold(0, u32::saturating_add)).unwrap_or_default()
    }

    /// Those that are set, in ascending order.
    pub(super) fn ones(&self) -> impl Iterator<Item = usize> {
        let words = (0_usize..).step_by(32).zip(self.words());
        words.flat_map(|(start, word)| Ones(*word).map(move |at| start.saturating_add(at)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words().iter().all(|word| *word == 0)
    }
}

/// The bits that are set in a word, in ascending order.
#[derive(Debug)]
struct Ones(u32);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let at = usize::try_from(self.0.trailing_zeros()).ok().filter(|at| *at < 32)?;
        self.0 &= self.0.wrapping_sub(1);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_on_the_stack_and_on_the_heap() {
        for words in [2, 8, 19] {
            let count = words * 32 - 1;
            let mut bits = Bits::new(words);
            assert!(bits.is_empty());
            bits.fill(count);
            assert!((0..words * 40).all(|bit| bits.has(bit) == (bit < count)));
            assert_eq!(bits.count(), count);
            bits.keep(|bit| bit % 3 == 0);
            assert!(bits.has(60) && !bits.has(32 * words) && !bits.has(1));
            let mut three = Bits::new(words);
            three.add(&[0b1001]);
            bits.take_away(three.words());
            assert!(bits.ones().eq((6..count).step_by(3)));
            bits.take_away(&vec![u32::MAX; words]);
            assert!(bits.is_empty());
        }
    }
}
