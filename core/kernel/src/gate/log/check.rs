//! The index of the log compared with the log, row by row.

use super::compare::{Compared, Times, row_of};
use super::index::damaged;
use super::rows::{LogIndex, Posting, Span, Word};
use crate::error::Error;
use crate::gate::Gate;
use crate::store::records::{self, Record as _};
use crate::store::{Key, Stored};

/// How many rows are looked at a time.
const PAGE: usize = 256;

impl Gate {
    /// Compares the whole index of the log with the log: each row that must be there is there and says what the log
    /// says, and there is no other. Asking notices a row that is lost or of another day; this also finds rows
    /// that somebody made to fit each other. It takes a trip through the log and holds one span of it in memory.
    ///
    /// `progress` gets how many entries were compared and how many the index covers; an error from it stops the work. Fails
    /// with [`crate::error::Code::StoreDamaged`] at the first difference: [`Self::rebuild_log_index`] makes the index
    /// anew. An entry that cannot be read is no fault of the index, and an error of its own.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// office.approved(&gate)?;
    /// gate.index_log(|_done, _total| Ok(()))?;
    /// gate.check_log_index(|_done, _total| Ok(()))?;
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn check_log_index(
        &self,
        mut progress: impl FnMut(u64, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(index) = self.log_index()? else { return Ok(()) };
        let mut seen = Compared::default();
        for span in 0..index.spans {
            progress(index.start_of(span), index.covered())?;
            if !seen.span(&*self.parts.store, &index, span)? {
                return Err(damaged("it covers entries that are not there"));
            }
            if let Some(unlike) = seen.unlike.first() {
                return Err(
                    damaged("a row is not what the log says").with_detail("why", unlike.why)
                );
            }
        }
        if seen.times != (Times { latest: index.latest, lag: index.lag }) {
            return Err(damaged("it is wrong about time"));
        }
        self.check_words(&index, &seen)?;
        let spans =
            self.each_page(&Key::from_segments(&[Span::KIND, &index.making]), |_| Ok(()))?;
        let prefix = Key::from_segments(&[Posting::KIND, &index.making]);
        let postings = self.each_page(&prefix, |_| Ok(()))?;
        if (spans, postings) != (index.spans, seen.postings) {
            return Err(damaged("it has rows that nothing in the log made"));
        }
        progress(index.covered(), index.covered())
    }

    /// Each word ends where its last row is, and all of them together count what the log has: so none of their chains
    /// leaves a row out.
    fn check_words(&self, index: &LogIndex, seen: &Compared) -> Result<(), Error> {
        let mut named = 0_u64;
        let words = Key::from_segments(&[Word::KIND, &index.making]);
        let words = self.each_page(&words, |page| {
            let words = page.iter().map(|(key, stored)| {
                let word: Word = records::decode(key, &stored.value)?;
                if index.word_key(&word.term) == *key { Ok(word) } else { Err(wrong_word()) }
            });
            let words = words.collect::<Result<Vec<Word>, Error>>()?;
            let last = words.iter().map(|word| index.posting_key(&word.term, word.span));
            let last: Vec<Key> = last.collect();
            let rows = self.parts.store.get_many(&last)?;
            for ((word, key), stored) in words.iter().zip(&last).zip(rows) {
                let row = row_of::<Posting>(key, stored).map_err(|_unlike| wrong_word())?;
                if row.counted_with() != word.count {
                    return Err(wrong_word());
                }
                named = named.saturating_add(word.count);
            }
            Ok(())
        })?;
        if (words, named) == (seen.words, seen.named) {
            return Ok(());
        }
        Err(damaged("its words are not those of the log"))
    }

    /// Visits the rows under `prefix`, some at a time; answers how many there are.
    fn each_page(
        &self,
        prefix: &Key,
        mut visit: impl FnMut(&[(Key, Stored)]) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (mut rows, mut after) = (0_u64, None);
        loop {
            let found = self.parts.store.scan(prefix, after.as_ref(), PAGE)?;
            if !found.is_empty() {
                visit(&found)?;
            }
            rows = rows.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
            if found.len() < PAGE {
                return Ok(rows);
            }
            after = found.last().map(|(key, _)| key.clone());
        }
    }
}

fn wrong_word() -> Error {
    damaged("a word is wrong about its rows")
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
