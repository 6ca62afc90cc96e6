//! Walking through the log in order, over those entries that the index names for a query.

use super::index::damaged;
use super::rows::{LogIndex, Posting, Span, Term, Word};
use crate::audit::{AuditQuery, Leaf};
use crate::error::Error;
use crate::gate::Gate;
use crate::store::Key;
use crate::store::records::{self, Record};

/// How many entries that no row covers are read at a time, and the most that lie in one read.
const PIECE: u64 = 256;

/// What a page may look at beside what it shows, so that it ends where little is to be found.
const WORK: u64 = 1_024;

/// How far two entries may lie apart to be read together.
const GAP: u64 = 4;

/// One page of an answer while it is made.
#[derive(Debug)]
pub(in crate::gate) struct Walk<'a> {
    gate: &'a Gate,
    query: &'a AuditQuery,
    index: LogIndex,
    // Entries that were there when it began, and how many of them the index covers.
    end: u64,
    covered: u64,
    guide: Guide,
    // Spans outside of these hold no instant that is asked for.
    spans: (u64, u64),
    // How many entries have the guiding word on the far side of where the walk is, once that is known.
    counted: Option<u64>,
    room: usize,
    work: u64,
    pub(in crate::gate) found: Vec<(u64, Leaf)>,
}

/// What leads from entry to entry.
#[derive(Debug)]
enum Guide {
    /// Nothing: all are looked at.
    All,
    /// The rarest word of the query.
    Word(Term, Word),
    /// A word that no entry in the index has.
    Nowhere,
}

/// Entries to look at, ascending, and where to go on when all of them were.
#[derive(Debug)]
struct Candidates {
    entries: Vec<u64>,
    beyond: u64,
}

impl<'a> Walk<'a> {
    pub(in crate::gate) fn new(
        gate: &'a Gate,
        query: &'a AuditQuery,
        index: LogIndex,
        end: u64,
        room: usize,
    ) -> Result<Self, Error> {
        let covered = index.covered().min(end);
        let work = u64::try_from(room).unwrap_or(u64::MAX).saturating_mul(4).saturating_add(WORK);
        let spans = (0, index.spans);
        let (guide, found) = (Guide::All, Vec::new());
        let mut walk = Self {
            gate,
            query,
            index,
            end,
            covered,
            guide,
            spans,
            counted: None,
            room,
            work,
            found,
        };
        walk.guide = walk.rarest_word()?;
        walk.spans = walk.spans_in_time()?;
        Ok(walk)
    }

    /// Fills the page with entries from `at` on; answers where the next one begins.
    pub(in crate::gate) fn forward(&mut self, mut at: u64) -> Result<Option<u64>, Error> {
        while let Some(Candidates { entries, beyond }) = self.ahead(at)? {
            let mut rest = entries.as_slice();
            while let Some(first) = rest.first() {
                if self.is_full() {
                    return Ok(Some(*first));
                }
                let (now, later) = rest.split_at(self.room.min(rest.len()));
                for (index, leaf) in self.read(now)? {
                    self.show(index, leaf)?;
                }
                rest = later;
            }
            at = beyond;
            if self.is_full() {
                break;
            }
        }
        Ok((at < self.end && self.is_full()).then_some(at))
    }

    /// Fills the page with entries before `until`, the latest first; answers where the next one ends.
    pub(in crate::gate) fn backward(&mut self, mut until: u64) -> Result<Option<u64>, Error> {
        while let Some(Candidates { entries, beyond }) = self.behind(until)? {
            let mut rest = entries.as_slice();
            while let Some(last) = rest.last() {
                if self.is_full() {
                    return Ok(Some(last.saturating_add(1)));
                }
                let (later, now) = rest.split_at(rest.len().saturating_sub(self.room));
                for (index, leaf) in self.read(now)?.into_iter().rev() {
                    self.show(index, leaf)?;
                }
                rest = later;
            }
            until = beyond;
            if self.is_full() {
                break;
            }
        }
        Ok((until > 0 && self.is_full()).then_some(until))
    }

    fn is_full(&self) -> bool {
        self.room == 0 || self.work == 0
    }

    /// What to look at from `at` on. Nothing where there is nothing more.
    fn ahead(&mut self, mut at: u64) -> Result<Option<Candidates>, Error> {
        while at < self.covered {
            let span = self.index.span_of(at).max(self.spans.0);
            if span >= self.spans.1 || matches!(self.guide, Guide::Nowhere) {
                break;
            }
            at = at.max(self.index.start_of(span));
            let (entries, beyond) = if let Guide::Word(term, word) = &self.guide {
                let (term, word) = (term.clone(), word.clone());
                let Some(row) = self.posting_from(&term, &word, span)? else { break };
                let beyond = self.index.start_of(row.span.saturating_add(1));
                (self.entries_of(&row, at..self.covered)?, beyond)
            } else {
                let beyond = self.index.start_of(span.saturating_add(1)).min(self.covered);
                let entries = if self.may_hold(span)? { at..beyond } else { 0..0 };
                (entries.collect(), beyond)
            };
            if !entries.is_empty() || self.work == 0 {
                return Ok(Some(Candidates { entries, beyond }));
            }
            at = beyond;
        }
        let at = at.max(self.covered);
        let beyond = self.end.min(at.saturating_add(PIECE));
        Ok((at < beyond).then(|| Candidates { entries: (at..beyond).collect(), beyond }))
    }

    /// What to look at before `until`. Nothing where there is nothing more.
    fn behind(&mut self, mut until: u64) -> Result<Option<Candidates>, Error> {
        if until > self.covered {
            let beyond = self.covered.max(until.saturating_sub(PIECE));
            return Ok(Some(Candidates { entries: (beyond..until).collect(), beyond }));
        }
        until = until.min(self.index.start_of(self.spans.1));
        while until > 0 && !matches!(self.guide, Guide::Nowhere) {
            let span = self.index.span_of(until.saturating_sub(1));
            if span < self.spans.0 {
                break;
            }
            let (entries, beyond) = if let Guide::Word(term, word) = &self.guide {
                let (term, word) = (term.clone(), word.clone());
                let Some(row) = self.posting_until(&term, &word, span)? else { break };
                if row.span < self.spans.0 {
                    break;
                }
                (self.entries_of(&row, 0..until)?, self.index.start_of(row.span))
            } else {
                let beyond = self.index.start_of(span);
                let entries = if self.may_hold(span)? { beyond..until } else { 0..0 };
                (entries.collect(), beyond)
            };
            if !entries.is_empty() || self.work == 0 {
                return Ok(Some(Candidates { entries, beyond }));
            }
            until = beyond;
        }
        Ok(None)
    }

    /// The first row of the word at `span` or later.
    fn posting_from(
        &mut self,
        term: &Term,
        word: &Word,
        span: u64,
    ) -> Result<Option<Posting>, Error> {
        let Some(row) = self.first_posting(term, span)? else {
            return if word.span < span { Ok(None) } else { Err(damaged("a row is lost")) };
        };
        if row.earlier > span || self.counted.is_some_and(|counted| counted != row.counted) {
            return Err(damaged("a row is lost"));
        }
        if row.span >= self.index.spans {
            // Of later than this walk began.
            return Ok(None);
        }
        let counted = row.counted_with();
        if row.span > word.span || row.span == word.span && counted != word.count {
            return Err(damaged("a row is of an earlier day"));
        }
        self.counted = Some(counted);
        Ok(Some(row))
    }

    /// The last row of the word at `span` or before.
    fn posting_until(
        &mut self,
        term: &Term,
        word: &Word,
        span: u64,
    ) -> Result<Option<Posting>, Error> {
        let (last, counted) = match self.first_posting(term, span.saturating_add(1))? {
            Some(later) => (later.earlier.checked_sub(1), later.counted),
            None if word.span < span
                && self.first_posting(term, word.span.saturating_add(1))?.is_some() =>
            {
                return Err(damaged("a word is of an earlier day"));
            }
            None => (Some(word.span), word.count),
        };
        let Some(last) = last else {
            return if counted == 0 { Ok(None) } else { Err(damaged("a row is lost")) };
        };
        if last > span {
            return Err(damaged("a row is lost"));
        }
        let key = self.index.posting_key(term, last);
        let row: Posting = self.row(&key)?.ok_or_else(|| damaged("a row is lost"))?;
        if row.counted_with() != counted {
            return Err(damaged("a row is of an earlier day"));
        }
        Ok(Some(row))
    }

    fn first_posting(&mut self, term: &Term, span: u64) -> Result<Option<Posting>, Error> {
        self.work = self.work.saturating_sub(1);
        let prefix = self.index.postings_key(term);
        let after = span.checked_sub(1).map(|before| self.index.posting_key(term, before));
        let found = self.gate.parts.store.scan(&prefix, after.as_ref(), 1)?;
        found.first().map(|(key, stored)| in_place(key, &stored.value)).transpose()
    }

    /// The entries that a row names, of those in `wanted`.
    fn entries_of(&self, row: &Posting, wanted: core::ops::Range<u64>) -> Result<Vec<u64>, Error> {
        let offsets = row.offsets();
        if offsets.last().is_none_or(|last| *last >= u64::from(self.index.entries)) {
            return Err(damaged("a row names what is not in its span"));
        }
        let start = self.index.start_of(row.span);
        let entries = offsets.into_iter().map(|offset| start.saturating_add(offset));
        Ok(entries.filter(|index| wanted.contains(index)).collect())
    }

    /// Whether a span may hold an instant that is asked for.
    fn may_hold(&mut self, span: u64) -> Result<bool, Error> {
        if self.query.from.is_none() && self.query.until.is_none() {
            return Ok(true);
        }
        let row = self.span(span)?;
        Ok(self.query.from.is_none_or(|from| row.last >= from.as_micros())
            && self.query.until.is_none_or(|until| row.first < until.as_micros()))
    }

    /// The word of the query that the fewest entries have.
    fn rarest_word(&mut self) -> Result<Guide, Error> {
        let query = self.query;
        let mut terms: Vec<Term> =
            query.request.map(|id| Term::new("request", &id)).into_iter().collect();
        terms.extend(query.actor.map(|id| Term::new("actor", &id)));
        terms.extend(query.scope.iter().flat_map(Term::all_in));
        terms.extend(query.event.as_ref().map(|event| match event.split_once('.') {
            Some((group, _)) if event.ends_with('.') => Term::new("group", &group),
            _ => Term::new("event", event),
        }));
        let mut rarest: Option<(Term, Word)> = None;
        for term in terms {
            let Some(word) = self.row::<Word>(&self.index.word_key(&term))? else {
                return match self.first_posting(&term, 0)? {
                    Some(row) if row.span < self.index.spans => Err(damaged("a word is lost")),
                    _ => Ok(Guide::Nowhere),
                };
            };
            if rarest.as_ref().is_none_or(|(_, other)| word.count < other.count) {
                rarest = Some((term, word));
            }
        }
        Ok(rarest.map_or(Guide::All, |(term, word)| Guide::Word(term, word)))
    }

    /// The spans, from and until, outside of which no entry is of a time that is asked for.
    fn spans_in_time(&mut self) -> Result<(u64, u64), Error> {
        let all = self.index.spans;
        let first = match self.query.from {
            None => 0,
            Some(from) => self.first_span(|latest| latest >= from.as_micros())?,
        };
        let Some(until) = self.query.until else { return Ok((first, all)) };
        // What comes after an instant by so much cannot be followed by anything before it.
        let surely = until.as_micros().saturating_add(self.index.lag);
        let last = self.first_span(|latest| latest >= surely)?;
        Ok((first, last.saturating_add(1).min(all)))
    }

    /// The first span whose latest instant so far is `late`, or how many spans there are. It never falls, so half of
    /// what is left is ruled out at each look.
    fn first_span(&mut self, late: impl Fn(i64) -> bool) -> Result<u64, Error> {
        let (mut low, mut high) = (0, self.index.spans);
        while low < high {
            let middle = low.midpoint(high);
            if late(self.span(middle)?.latest) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Ok(low)
    }

    fn span(&mut self, number: u64) -> Result<Span, Error> {
        self.row(&self.index.span_key(number))?.ok_or_else(|| damaged("a span is lost"))
    }

    fn row<R: Record>(&mut self, key: &Key) -> Result<Option<R>, Error> {
        self.work = self.work.saturating_sub(1);
        let stored = self.gate.parts.store.get(key)?;
        stored.map(|stored| in_place(key, &stored.value)).transpose()
    }

    /// The entries at `wanted`, which ascend; those that lie close together are read at once.
    fn read(&mut self, wanted: &[u64]) -> Result<Vec<(u64, Leaf)>, Error> {
        let mut leaves = Vec::with_capacity(wanted.len());
        let close = |one: &u64, next: &u64| next.saturating_sub(*one) <= GAP;
        for run in wanted.chunk_by(close) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let many = last.saturating_sub(*first).saturating_add(1);
            self.work = self.work.saturating_sub(many);
            let limit = usize::try_from(many).unwrap_or(usize::MAX);
            let entries = self.gate.parts.store.log_read(*first, limit)?;
            if entries.len() < limit {
                return Err(damaged("it names entries that the log does not have"));
            }
            for (index, bytes) in (*first..).zip(&entries) {
                if run.binary_search(&index).is_ok() {
                    leaves.push((index, Leaf::from_bytes(bytes)?));
                }
            }
        }
        Ok(leaves)
    }

    /// Takes an entry into the page where it is one of those asked for.
    fn show(&mut self, index: u64, leaf: Leaf) -> Result<(), Error> {
        if index < self.covered
            && let Guide::Word(term, _) = &self.guide
            && !Term::all_of(&leaf).contains(term)
        {
            return Err(damaged("a row names an entry that is about something else"));
        }
        if self.query.matches(&leaf) {
            self.room = self.room.saturating_sub(1);
            self.found.push((index, leaf));
        }
        Ok(())
    }
}

/// The record that `bytes` hold, where it is one of this key.
fn in_place<R: Record>(key: &Key, bytes: &[u8]) -> Result<R, Error> {
    let row: R = records::decode(key, bytes)?;
    if records::key_for(&row) == *key {
        Ok(row)
    } else {
        Err(damaged("a row is at the place of another"))
    }
}
