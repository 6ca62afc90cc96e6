//! The index of the log: each row that must be there, made again from the log; and no other.
//!
//! Rows are written once, when the log has all entries of their span, so what a row of the index covers never changes.
//! Those of an index that was given up say nothing to anybody, and stay until they are swept.

use super::derived::{Look, Verdict, Wrong, own};
use super::kinds::name_of;
use super::report::{DeepFault, DeepFinding, DeepStep};
use super::walk::Check;
use crate::audit::Leaf;
use crate::error::{Code, Error};
use crate::gate::{Compared, LogIndex, Posting, SPAN_MAX, Span, Term, Times, Unlike, Word};
use crate::store::records::{self, Record};
use crate::store::{Key, Store};

/// How often an index that is made anew meanwhile is looked at again.
const LOOKS_MAX: usize = 100;

fn index_key() -> Key {
    records::key_of::<LogIndex>(&[])
}

/// The index that a row belongs to; or what is wrong; or nothing, where it belongs to none that is in use.
fn index_of(look: &Look<'_>, making: &str) -> Result<Result<LogIndex, Vec<Wrong>>, Error> {
    Ok(match look.get::<LogIndex>(&[])? {
        Some(index) if index.making == making => Ok(index),
        Some(_) => Err(Vec::new()),
        None => Err(Wrong::missing(index_key(), "rows of it are there")),
    })
}

fn beyond(key: &Key) -> Vec<Wrong> {
    let mut wrong = Wrong::unfit(key, "it is of a span that the index does not cover");
    wrong.extend(Wrong::unfit(&index_key(), "rows are there that it does not cover"));
    wrong
}

/// A span that the index covers; the walk compares what it says.
pub(super) fn span(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let row: Span = match own(key, bytes) {
        Ok(row) => row,
        Err(wrong) => return Ok(wrong),
    };
    let index = match index_of(look, &row.making)? {
        Ok(index) => index,
        Err(wrong) => return Ok(wrong),
    };
    Ok(if row.number < index.spans { Vec::new() } else { beyond(key) })
}

/// A word ends where its last row is, with as many entries.
pub(super) fn word(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let row: Word = match own(key, bytes) {
        Ok(row) => row,
        Err(wrong) => return Ok(wrong),
    };
    let index = match index_of(look, &row.making)? {
        Ok(index) => index,
        Err(wrong) => return Ok(wrong),
    };
    let last_key = index.posting_key(&row.term, row.span);
    let Some(last) = posting_at(look, &last_key)? else {
        return Ok(Wrong::unfit(key, "its last row is not there"));
    };
    if last.counted_with() != row.count {
        return Ok(Wrong::unfit(key, "it counts otherwise than its rows"));
    }
    // Where another span came in meanwhile, the word was written with it.
    let is_last = next(look, &index, &row.term, Some(&last_key))?.is_none();
    let grown = |now: Word| now.span > row.span;
    if is_last || look.get::<Word>(&[&row.making, &row.term.0])?.is_some_and(grown) {
        return Ok(Vec::new());
    }
    Ok(Wrong::unfit(key, "it has later rows"))
}

/// A row names entries that have the word, and fits the rows before and after it.
pub(super) fn posting(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let row: Posting = match own(key, bytes) {
        Ok(row) => row,
        Err(wrong) => return Ok(wrong),
    };
    let index = match index_of(look, &row.making)? {
        Ok(index) => index,
        Err(wrong) => return Ok(wrong),
    };
    let unfit = |why| Ok(Wrong::unfit(key, why));
    if row.span >= index.spans {
        return Ok(beyond(key));
    }
    // One entry makes the row one that must be there, and the walk compares all of it.
    let first = row.offsets().first().copied().filter(|first| *first < u64::from(index.entries));
    let at = first.map(|first| index.start_of(row.span).saturating_add(first));
    let entry =
        at.map(|at| look.store.log_read(at, 1)).transpose()?.and_then(|mut read| read.pop());
    let leaf = entry.and_then(|entry| Leaf::from_bytes(&entry).ok());
    if leaf.is_none_or(|leaf| !Term::all_of(&leaf).contains(&row.term)) {
        return unfit("it names an entry that is about something else");
    }
    // How many it counts before itself, the walk compares.
    let before_key = row.earlier.checked_sub(1).map(|before| index.posting_key(&row.term, before));
    if next(look, &index, &row.term, before_key.as_ref())?.as_ref() != Some(key) {
        return unfit("it does not follow the row before it");
    }
    // First the word, which only grows, then what comes after this row.
    let ends = look.get::<Word>(&[&row.making, &row.term.0])?;
    let is_last = next(look, &index, &row.term, Some(key))?.is_none();
    if is_last && ends.is_none() {
        return Ok(Wrong::missing(index.word_key(&row.term), "rows of it are there"));
    }
    Ok(Vec::new())
}

fn posting_at(look: &Look<'_>, key: &Key) -> Result<Option<Posting>, Error> {
    row_at(look.store, key)
}

/// The record at `key`. One that cannot be read counts as none: it is found where it stands.
fn row_at<R: Record>(store: &dyn Store, key: &Key) -> Result<Option<R>, Error> {
    let stored = store.get(key)?;
    Ok(stored.and_then(|stored| own(key, &stored.value).ok()))
}

/// The next row of a word after `after`, or the first.
fn next(
    look: &Look<'_>,
    index: &LogIndex,
    term: &Term,
    after: Option<&Key>,
) -> Result<Option<Key>, Error> {
    let found = look.store.scan(&index.postings_key(term), after, 1)?;
    Ok(found.into_iter().next().map(|(key, _)| key))
}

impl Check<'_> {
    /// Walks through the log once more, one span at a time, and compares each row that must be there because of it.
    pub(super) fn check_log_index(&mut self) -> Result<(), Error> {
        for _ in 0..LOOKS_MAX {
            let Some(index) = row_at::<LogIndex>(self.store, &index_key())? else { return Ok(()) };
            let wrong = self.walk_index(&index)?;
            let now = row_at::<LogIndex>(self.store, &index_key())?;
            if !wrong.is_empty() && now.is_some_and(|now| now.making != index.making) {
                // It was made anew meanwhile.
                continue;
            }
            for Wrong { fault, key, why } in wrong {
                let (_, name) = name_of(&key);
                self.found(DeepFinding::new(fault, Some(name), None).with_why(why));
            }
            return Ok(());
        }
        let sentence = "the index of the log is made anew faster than it can be checked";
        Err(Error::new(Code::Conflict, sentence).with_help("check when nobody rebuilds it"))
    }

    fn walk_index(&mut self, index: &LogIndex) -> Result<Vec<Wrong>, Error> {
        if !(1..=SPAN_MAX).contains(&index.entries) {
            return Ok(Wrong::unfit(&index_key(), "no span has as many entries"));
        }
        let (mut compared, mut is_covered) = (Compared::default(), true);
        for number in 0..index.spans {
            self.tell(DeepStep::Index, index.start_of(number), Some(index.covered()))?;
            is_covered = match compared.span(self.store, index, number) {
                Ok(is_covered) => is_covered,
                // The walk through the log tells of an entry that is no leaf.
                Err(error) if is_about_a_leaf(error.code()) => false,
                Err(error) => return Err(error),
            };
            if !is_covered {
                break;
            }
        }
        let unlike = compared.unlike.into_iter();
        let mut wrong: Vec<Wrong> = unlike.map(Wrong::from).collect();
        if !is_covered {
            wrong.extend(Wrong::unfit(&index_key(), "it covers what is not there"));
        } else if compared.times != (Times { latest: index.latest, lag: index.lag }) {
            wrong.extend(Wrong::unfit(&index_key(), "it is wrong about time"));
        } else if !wrong.is_empty() {
            let why = "rows of it are not what the log says; `rebuild_log_index` makes them anew";
            wrong.extend(Wrong::unfit(&index_key(), why));
        }
        Ok(wrong)
    }
}

impl From<Unlike> for Wrong {
    fn from(Unlike { key, is_missing, why }: Unlike) -> Self {
        let fault = if is_missing { DeepFault::Missing } else { DeepFault::Unfit };
        Self { fault, key, why }
    }
}

/// Whether an entry of the log, and not the store, was the fault.
const fn is_about_a_leaf(code: Code) -> bool {
    matches!(code, Code::LogTampered | Code::InvalidInput | Code::NewerFormat)
}
