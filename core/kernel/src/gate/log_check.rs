//! The index of the log compared with the log, row by row.

use std::collections::BTreeMap;

use super::Gate;
use super::log_index::damaged;
use super::log_rows::{LogIndex, Posting, Span, Term, Word};
use crate::audit::Leaf;
use crate::error::Error;
use crate::store::records::{self, Record};
use crate::store::{Key, Stored};

/// How many rows are looked at a time.
const PAGE: usize = 256;

/// What has been seen so far.
#[derive(Debug, Default)]
struct Seen {
    latest: i64,
    lag: i64,
    // Rows of postings, first ones of a word, and entries that they name.
    postings: u64,
    words: u64,
    named: u64,
}

impl Gate {
    /// Compares the whole index of the log with the log: each row that must be there is there and says what the log
    /// says, and there is no other. Asking notices a row that is lost or of another day; this also finds rows
    /// that somebody made to fit each other. It takes a trip through the log and holds one span of it in memory.
    ///
    /// `progress` gets how many entries were compared and how many the index covers; an error from it stops the work. Fails
    /// with [`crate::error::Code::StoreDamaged`] at the first difference: [`Self::rebuild_log_index`] makes the index
    /// anew.
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
        let mut seen = Seen::default();
        for span in 0..index.spans {
            progress(index.start_of(span), index.covered())?;
            self.check_span(&index, span, &mut seen)?;
        }
        if (seen.latest, seen.lag) != (index.latest, index.lag) {
            return Err(damaged("it is wrong about time"));
        }
        self.check_words(&index, &seen)?;
        let spans =
            self.each_row(&Key::from_segments(&[Span::KIND, &index.making]), |_, _| Ok(()))?;
        let prefix = Key::from_segments(&[Posting::KIND, &index.making]);
        let postings = self.each_row(&prefix, |_, _| Ok(()))?;
        if (spans, postings) != (index.spans, seen.postings) {
            return Err(damaged("it has rows that nothing in the log made"));
        }
        progress(index.covered(), index.covered())
    }

    fn check_span(&self, index: &LogIndex, number: u64, seen: &mut Seen) -> Result<(), Error> {
        let limit = usize::try_from(index.entries).unwrap_or(usize::MAX);
        let entries = self.parts.store.log_read(index.start_of(number), limit)?;
        if entries.len() < limit {
            return Err(damaged("it covers more entries than there are"));
        }
        let mut terms: BTreeMap<Term, Vec<u64>> = BTreeMap::new();
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (offset, bytes) in (0..).zip(&entries) {
            let leaf = Leaf::from_bytes(bytes)?;
            let at = leaf.at.as_micros();
            (first, last) = (first.min(at), last.max(at));
            seen.latest = seen.latest.max(at);
            seen.lag = seen.lag.max(seen.latest.saturating_sub(at));
            for term in Term::all_of(&leaf) {
                terms.entry(term).or_default().push(offset);
            }
        }
        let span: Span = self.must_have(&index.span_key(number))?;
        if (span.first, span.last, span.latest) != (first, last, seen.latest) {
            return Err(damaged("it is wrong about time"));
        }
        for (term, offsets) in terms {
            let row: Posting = self.must_have(&index.posting_key(&term, number))?;
            let before = match row.earlier.checked_sub(1) {
                None => 0,
                Some(earlier) => {
                    let earlier: Posting = self.must_have(&index.posting_key(&term, earlier))?;
                    earlier.counted.saturating_add(count(&earlier.offsets()))
                }
            };
            if row.offsets() != offsets || row.counted != before || row.earlier > number {
                return Err(damaged("a row says what the log does not"));
            }
            seen.postings = seen.postings.saturating_add(1);
            seen.words = seen.words.saturating_add(u64::from(row.earlier == 0));
            seen.named = seen.named.saturating_add(count(&offsets));
        }
        Ok(())
    }

    /// Each word ends where its last row is, and all of them together count what the log has: so none of their chains
    /// leaves a row out.
    fn check_words(&self, index: &LogIndex, seen: &Seen) -> Result<(), Error> {
        let mut named = 0_u64;
        let words =
            self.each_row(&Key::from_segments(&[Word::KIND, &index.making]), |key, stored| {
                let word: Word = records::decode(key, &stored.value)?;
                let last: Posting = self.must_have(&index.posting_key(&word.term, word.span))?;
                let counted = last.counted.saturating_add(count(&last.offsets()));
                if index.word_key(&word.term) != *key || counted != word.count {
                    return Err(damaged("a word is wrong about its rows"));
                }
                named = named.saturating_add(word.count);
                Ok(())
            })?;
        if (words, named) == (seen.words, seen.named) {
            return Ok(());
        }
        Err(damaged("its words are not those of the log"))
    }

    fn must_have<R: Record>(&self, key: &Key) -> Result<R, Error> {
        let stored = self.parts.store.get(key)?.ok_or_else(|| damaged("a row is lost"))?;
        let row: R = records::decode(key, &stored.value)?;
        if records::key_for(&row) == *key {
            return Ok(row);
        }
        Err(damaged("a row is at the place of another"))
    }

    /// Visits the rows under `prefix`; answers how many there are.
    fn each_row(
        &self,
        prefix: &Key,
        mut visit: impl FnMut(&Key, &Stored) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (mut rows, mut after) = (0_u64, None);
        loop {
            let found = self.parts.store.scan(prefix, after.as_ref(), PAGE)?;
            for (key, stored) in &found {
                visit(key, stored)?;
                rows = rows.saturating_add(1);
            }
            if found.len() < PAGE {
                return Ok(rows);
            }
            after = found.last().map(|(key, _)| key.clone());
        }
    }
}

fn count(offsets: &[u64]) -> u64 {
    u64::try_from(offsets.len()).unwrap_or(u64::MAX)
}
