//! What the rows of one span of the log's index must say, and whether they do. Whoever makes rows, looks at them or checks
//! the whole store goes by this.

use std::collections::BTreeMap;

use super::index::SPAN_MAX;
use super::rows::{LogIndex, Posting, Span, Term, bits};
use crate::audit::Leaf;
use crate::error::Error;
use crate::store::records::{self, Record};
use crate::store::{Key, Store, Stored};

/// How late it was in the log so far, and by how much time ever stepped back, in microseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Times {
    pub(crate) latest: i64,
    pub(crate) lag: i64,
}

/// What the entries of one span say.
#[derive(Debug)]
pub(crate) struct Sketch {
    /// The earliest and the latest instant in it.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Which entries have a word, counted from the span's start.
    pub(crate) terms: BTreeMap<Term, Vec<u32>>,
}

impl Sketch {
    /// Of these entries, which come after all that `times` has seen. Fails where one of them is no leaf.
    pub(crate) fn of(entries: &[Vec<u8>], times: &mut Times) -> Result<Self, Error> {
        let mut sketch = Self { first: i64::MAX, last: i64::MIN, terms: BTreeMap::new() };
        for (offset, bytes) in (0_u32..).zip(entries) {
            let leaf = Leaf::from_bytes(bytes)?;
            let at = leaf.at.as_micros();
            (sketch.first, sketch.last) = (sketch.first.min(at), sketch.last.max(at));
            times.latest = times.latest.max(at);
            times.lag = times.lag.max(times.latest.saturating_sub(at));
            for term in Term::all_of(&leaf) {
                sketch.terms.entry(term).or_default().push(offset);
            }
        }
        Ok(sketch)
    }
}

/// A row that is not what the log says.
#[derive(Debug)]
pub(crate) struct Unlike {
    pub(crate) key: Key,
    pub(crate) is_missing: bool,
    pub(crate) why: &'static str,
}

/// What was compared so far.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) times: Times,
    /// Rows of words, how many of them are the first of their word, and how many entries they name.
    pub(crate) postings: u64,
    pub(crate) words: u64,
    pub(crate) named: u64,
    pub(crate) unlike: Vec<Unlike>,
}

impl Compared {
    /// Compares the rows of one span with its entries: three trips, however many rows there are. Answers whether the log
    /// has all of its entries. Fails where one of them is no leaf, or one of a newer version.
    pub(crate) fn span(
        &mut self,
        store: &dyn Store,
        index: &LogIndex,
        number: u64,
    ) -> Result<bool, Error> {
        if !(1..=SPAN_MAX).contains(&index.entries) {
            return Ok(false);
        }
        let limit = usize::try_from(index.entries).unwrap_or(usize::MAX);
        let entries = store.log_read(index.start_of(number), limit)?;
        let due = Sketch::of(&entries, &mut self.times)?;
        let terms: Vec<(Term, Vec<u32>)> = due.terms.into_iter().collect();
        let mut keys = vec![index.span_key(number)];
        keys.extend(terms.iter().map(|(term, _)| index.posting_key(term, number)));
        let mut rows = keys.iter().zip(store.get_many(&keys)?);

        if let Some((key, stored)) = rows.next() {
            let times = (due.first, due.last, self.times.latest);
            match row_of::<Span>(key, stored) {
                Ok(row) if (row.first, row.last, row.latest) == times => {}
                Ok(_) => self.differs(key, "it is wrong about time"),
                Err(unlike) => self.unlike.push(unlike),
            }
        }
        let mut chained = Vec::new();
        for ((term, offsets), (key, stored)) in terms.into_iter().zip(rows) {
            match row_of::<Posting>(key, stored) {
                Err(unlike) => self.unlike.push(unlike),
                Ok(row) if row.offsets != bits(&offsets, index.entries) => {
                    self.differs(key, "it names other entries than the log");
                }
                Ok(row) if row.earlier > number => {
                    self.differs(key, "it does not follow the row before it");
                }
                Ok(row) => chained.push((key.clone(), term, row)),
            }
            self.named = self.named.saturating_add(count(offsets.len()));
        }
        self.chains(store, index, chained)?;
        Ok(entries.len() == limit)
    }

    /// Each row counts on from the one before it.
    fn chains(
        &mut self,
        store: &dyn Store,
        index: &LogIndex,
        rows: Vec<(Key, Term, Posting)>,
    ) -> Result<(), Error> {
        let before = |(_, term, row): &(Key, Term, Posting)| {
            row.earlier.checked_sub(1).map(|before| index.posting_key(term, before))
        };
        let keys: Vec<Key> = rows.iter().filter_map(before).collect();
        let found = if keys.is_empty() { Vec::new() } else { store.get_many(&keys)? };
        let mut found = keys.iter().zip(found);
        for (key, _, row) in rows {
            let counted = if row.earlier == 0 {
                self.words = self.words.saturating_add(1);
                Some(0)
            } else {
                let before = found.next().map(|(key, stored)| row_of::<Posting>(key, stored));
                before.and_then(Result::ok).map(|before| before.counted_with())
            };
            self.postings = self.postings.saturating_add(1);
            if counted != Some(row.counted) {
                self.differs(&key, "it does not follow the row before it");
            }
        }
        Ok(())
    }

    fn differs(&mut self, key: &Key, why: &'static str) {
        self.unlike.push(Unlike { key: key.clone(), is_missing: false, why });
    }
}

/// The row at `key`, where it can be read and stands under its own key.
pub(in crate::gate) fn row_of<R: Record>(key: &Key, stored: Option<Stored>) -> Result<R, Unlike> {
    let unlike = |is_missing, why| Unlike { key: key.clone(), is_missing, why };
    let stored = stored.ok_or_else(|| unlike(true, "the index covers it"))?;
    let row: R = records::decode(key, &stored.value)
        .map_err(|_| unlike(true, "what is there cannot be read"))?;
    if records::key_for(&row) == *key {
        Ok(row)
    } else {
        Err(unlike(true, "what is there is the row of another"))
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
