//! The index over the log: which entries are about what, and when they were. It is made from the log alone, in rows
//! that each cover as many entries as [`crate::limits::Limits::index_entries`] says.
//!
//! A row is written once, when the log has all entries of its span; whatever comes after the last span is read from the
//! log itself. Rows of one word (a request, an actor, …) form a chain: each names the one before it and how many
//! entries came before, and the word's own row says where the chain ends and how many there are. So a row that is lost,
//! cut or of an older day is noticed by whoever walks the chain, and what a row says of an entry is compared with it.

use super::compare::{Sketch, Times};
use super::rows::{LogIndex, Posting, Span, Word, bits};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::{Txn, lost_race};
use crate::store::Key;
use crate::store::records::{self, Record};

/// The most entries of a span: an offset in it is a small number.
pub(crate) const SPAN_MAX: u32 = 4_096;

/// How many rows of an index that nobody uses any more go in one commit.
const SWEPT: usize = 256;

/// The kinds of rows that belong to one making of the index.
const ROWS: [&str; 3] = [Span::KIND, Word::KIND, Posting::KIND];

/// The index does not say what the log says.
pub(in crate::gate) fn damaged(what: &str) -> Error {
    Error::new(Code::StoreDamaged, format!("the index of the log is damaged: {what}"))
        .with_help("make it anew from the log with `rebuild_log_index`")
}

impl Gate {
    /// Brings the index of the log up to its end, as far as whole rows go, and answers how many entries it covers
    /// then. Every query does so first; a host that does it while nothing else is to be done keeps the first query after
    /// a long time short.
    ///
    /// `progress` gets how many entries are covered and how many there are; an error from it stops the work, which goes on
    /// from there the next time. Fails with [`Code::StoreDamaged`] when the index is not what this wrote.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// for _ in 0..60 {
    ///     office.pending(&gate)?;
    /// }
    /// let mut told = Vec::new();
    /// let covered = gate.index_log(|done, total| {
    ///     told.push((done, total));
    ///     Ok(())
    /// })?;
    /// assert_eq!(covered % u64::from(gate.limits().index_entries), 0);
    /// assert_eq!(told.last().map(|(done, _)| *done), Some(covered));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn index_log(
        &self,
        mut progress: impl FnMut(u64, u64) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let total = self.parts.store.log_len()?;
        loop {
            let found = self.log_index()?;
            let covered = found.as_ref().map_or(0, LogIndex::covered);
            if covered > total && covered > self.parts.store.log_len()? {
                return Err(damaged("it covers more entries than there are"));
            }
            let entries = found.map_or_else(|| self.span_entries(), |found| found.entries.max(1));
            progress(covered, total)?;
            if total.saturating_sub(covered) < u64::from(entries) {
                return Ok(covered);
            }
            self.touch(|txn| txn.index_span().map(drop))?;
        }
    }

    /// Gives up the index of the log, makes it anew from the log, and removes what is left of earlier ones. For a host
    /// that was told of a damaged index. Queries go on meanwhile.
    ///
    /// `progress` gets how many entries are covered and how many there are; an error from it stops the work, and
    /// [`Self::index_log`] goes on with it. Fails when an entry of the log cannot be read.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let before = gate.trail(&office.ana, id)?;
    /// gate.rebuild_log_index(|_done, _total| Ok(()))?;
    /// assert_eq!(gate.trail(&office.ana, id)?, before);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn rebuild_log_index(
        &self,
        progress: impl FnMut(u64, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let fresh = self.new_log_index();
        self.touch(|txn| {
            // Whatever stands there, also what cannot be read.
            txn.overwrite(&fresh)
        })?;
        self.index_log(progress)?;
        self.sweep_log_index()
    }

    /// Removes the rows of every index but the present one.
    fn sweep_log_index(&self) -> Result<(), Error> {
        let Some(present) = self.log_index()? else { return Ok(()) };
        for kind in ROWS {
            let prefix = Key::from_segments(&[kind]);
            let kept = prefix.child(&present.making);
            let mut after: Option<Key> = None;
            loop {
                let rows = self.parts.store.scan(&prefix, after.as_ref(), SWEPT)?;
                let full = rows.len() >= SWEPT;
                after = rows.last().map(|(key, _)| key.clone());
                let old =
                    rows.into_iter().map(|(key, _)| key).filter(|key| !key.starts_with(&kept));
                let old: Vec<Key> = old.collect();
                if !old.is_empty() {
                    self.touch(|txn| txn.discard(&old))?;
                }
                if !full {
                    break;
                }
            }
        }
        Ok(())
    }

    /// How far the index has come, as the store says at this moment.
    pub(in crate::gate) fn log_index(&self) -> Result<Option<LogIndex>, Error> {
        let key = records::key_of::<LogIndex>(&[]);
        let stored = self.parts.store.get(&key)?;
        stored.map(|stored| records::decode(&key, &stored.value)).transpose()
    }

    /// The index with all whole rows; one that covers nothing, where the log is too short for any.
    pub(in crate::gate) fn caught_up_index(&self) -> Result<LogIndex, Error> {
        self.index_log(|_done, _total| Ok(()))?;
        let (making, entries) = (String::new(), self.span_entries());
        let none = LogIndex { making, entries, spans: 0, latest: 0, lag: 0 };
        Ok(self.log_index()?.unwrap_or(none))
    }

    fn new_log_index(&self) -> LogIndex {
        let making = format!("{:032x}", self.parts.ids.next());
        LogIndex { making, entries: self.span_entries(), spans: 0, latest: 0, lag: 0 }
    }

    fn span_entries(&self) -> u32 {
        self.parts.limits.index_entries.clamp(1, SPAN_MAX)
    }
}

impl Txn<'_> {
    /// Adds one span to the index; answers how many entries it covers then.
    fn index_span(&mut self) -> Result<u64, Error> {
        let mut index = match self.get::<LogIndex>(&[])? {
            Some(index) => index,
            None => self.gate.new_log_index(),
        };
        let (number, start) = (index.spans, index.covered());
        let limit = usize::try_from(index.entries).unwrap_or(usize::MAX);
        let entries = self.gate.parts.store.log_read(start, limit)?;
        if entries.len() < limit {
            let after = start.saturating_add(u64::from(index.entries));
            if self.gate.parts.store.log_len()? < after {
                // Another node wrote the last whole span meanwhile.
                return Ok(start);
            }
            let sentence = format!("the log entries from {start} on cannot be read");
            return Err(Error::new(Code::StoreDamaged, sentence)
                .with_help("restore the store from a backup"));
        }
        let mut times = Times { latest: index.latest, lag: index.lag };
        let Sketch { first, last, terms } = Sketch::of(&entries, &mut times)?;
        (index.latest, index.lag) = (times.latest, times.lag);
        let span_key = index.span_key(number);
        let keys =
            terms.keys().flat_map(|term| [index.word_key(term), index.posting_key(term, number)]);
        self.fetch(keys.chain([span_key]).collect())?;
        let making = index.making.clone();
        self.first_time(&Span {
            making: making.clone(),
            number,
            latest: index.latest,
            first,
            last,
        })?;
        for (term, offsets) in terms {
            let known = self.get::<Word>(&[&making, &term.0])?;
            if known.as_ref().is_some_and(|known| known.term != term) {
                return Err(damaged("a row is at the place of another"));
            }
            let earlier = known.as_ref().map_or(0, |known| known.span.saturating_add(1));
            let counted = known.map_or(0, |known| known.count);
            let more = u64::try_from(offsets.len()).unwrap_or(u64::MAX);
            let count = counted.saturating_add(more);
            let offsets = bits(&offsets, index.entries);
            self.put(&Word { making: making.clone(), term: term.clone(), count, span: number })?;
            let making = making.clone();
            self.first_time(&Posting { making, term, span: number, earlier, counted, offsets })?;
        }
        index.spans = number.saturating_add(1);
        self.put(&index)?;
        Ok(index.covered())
    }

    /// Writes a row that must not be there yet: the index never comes to a span twice.
    fn first_time<R: Record>(&mut self, row: &R) -> Result<(), Error> {
        let path = row.path();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if self.get::<R>(&path)?.is_some() {
            // Another node may have come first.
            let still = self.is_current()?;
            return Err(if still { damaged("it was at this place before") } else { lost_race() });
        }
        self.put(row)
    }
}
