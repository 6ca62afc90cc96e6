//! The rows of the index over the log: what they hold, and where they lie. `index.rs` says how they are made.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::audit::Leaf;
use crate::authz::Scope;
use crate::digest::Digest;
use crate::store::Key;
use crate::store::records::{self, Record};

/// How far the index has come. Each change of it expects this row unchanged, so that of two nodes one goes first.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LogIndex {
    /// Tells the rows of this index from those of an earlier one that was given up.
    pub(crate) making: String,
    /// How many entries a span has.
    pub(crate) entries: u32,
    /// How many spans are in the index.
    pub(crate) spans: u64,
    /// The latest instant of any entry in it, in microseconds.
    pub(crate) latest: i64,
    /// By how much any entry in it was earlier than one before it, in microseconds: clocks of nodes differ.
    pub(crate) lag: i64,
}

/// One run of entries.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Span {
    pub(crate) making: String,
    pub(crate) number: u64,
    /// The latest instant of any entry up to here: it never falls from one span to the next.
    pub(crate) latest: i64,
    /// The earliest and the latest instant in it.
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// What is known of one word over all spans.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Word {
    pub(crate) making: String,
    pub(crate) term: Term,
    /// How many entries have it.
    pub(crate) count: u64,
    /// The last span that has one.
    pub(crate) span: u64,
}

/// Which entries of one span have a word.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Posting {
    pub(crate) making: String,
    pub(crate) term: Term,
    pub(crate) span: u64,
    /// How many spans there are up to the last one before that has the word, that one included; 0 where none has it.
    pub(crate) earlier: u64,
    /// How many entries had the word before this span.
    pub(crate) counted: u64,
    /// A bit for each entry of the span, the first one highest, in hex.
    pub(crate) offsets: String,
}

/// One word of an entry, a field and a value, as a digest: all keys are alike, and safe, whatever a value holds.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Term(pub(crate) String);

impl Record for LogIndex {
    const KIND: &'static str = "log_index";

    fn path(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Record for Span {
    const KIND: &'static str = "log_span";

    fn path(&self) -> Vec<String> {
        vec![self.making.clone(), place(self.number)]
    }
}

impl Record for Word {
    const KIND: &'static str = "log_word";

    fn path(&self) -> Vec<String> {
        vec![self.making.clone(), self.term.0.clone()]
    }
}

impl Record for Posting {
    const KIND: &'static str = "log_posting";

    fn path(&self) -> Vec<String> {
        vec![self.making.clone(), self.term.0.clone(), place(self.span)]
    }
}

/// Numbers that sort as text do.
fn place(number: u64) -> String {
    format!("{number:020}")
}

impl Term {
    pub(crate) fn new(field: &str, value: &impl fmt::Display) -> Self {
        Self(Digest::of(format!("{field}:{value}").as_bytes()).to_string())
    }

    /// The words that an entry is found by.
    pub(crate) fn all_of(leaf: &Leaf) -> Vec<Self> {
        let mut terms = vec![Self::new("event", &leaf.event)];
        terms.extend(leaf.event.split_once('.').map(|(group, _)| Self::new("group", &group)));
        terms.extend(leaf.request.map(|id| Self::new("request", &id)));
        terms.extend(leaf.actor.map(|id| Self::new("actor", &id)));
        terms.extend(leaf.scope.iter().flat_map(Self::all_in));
        terms
    }

    /// The words of a scope.
    pub(crate) fn all_in(scope: &Scope) -> Vec<Self> {
        match scope {
            Scope::Platform => vec![Self::new("project", &"platform")],
            Scope::Project { project, module, environment } => {
                let mut terms = vec![Self::new("project", project)];
                terms.extend(module.map(|id| Self::new("module", &id)));
                terms.extend(environment.map(|id| Self::new("environment", &id)));
                terms
            }
        }
    }
}

impl Posting {
    /// How many entries have the word up to and with this row.
    pub(crate) fn counted_with(&self) -> u64 {
        self.counted.saturating_add(u64::try_from(self.offsets().len()).unwrap_or(u64::MAX))
    }

    /// Which entries of the span, counted from its start, ascending.
    pub(crate) fn offsets(&self) -> Vec<u64> {
        let bits = self
            .offsets
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .flat_map(|digit| [8, 4, 2, 1].map(|bit| digit & bit != 0));
        (0_u64..).zip(bits).filter(|(_, is_set)| *is_set).map(|(offset, _)| offset).collect()
    }
}

/// A bit for each of `entries`, set for those at `offsets`, in hex.
pub(crate) fn bits(offsets: &[u32], entries: u32) -> String {
    let digit = |start: u32| {
        let of = |(bit, offset): (u32, u32)| if offsets.contains(&offset) { bit } else { 0 };
        let value = [8, 4, 2, 1].into_iter().zip(start..).map(of).sum();
        char::from_digit(value, 16).unwrap_or('0')
    };
    (0..entries).step_by(4).map(digit).collect()
}

impl LogIndex {
    /// How many entries of the log it covers.
    pub(crate) fn covered(&self) -> u64 {
        self.spans.saturating_mul(u64::from(self.entries.max(1)))
    }

    /// The span of an entry.
    pub(crate) fn span_of(&self, index: u64) -> u64 {
        index.checked_div(u64::from(self.entries.max(1))).unwrap_or_default()
    }

    pub(crate) fn start_of(&self, span: u64) -> u64 {
        span.saturating_mul(u64::from(self.entries.max(1)))
    }

    pub(crate) fn span_key(&self, number: u64) -> Key {
        records::key_of::<Span>(&[&self.making, &place(number)])
    }

    pub(crate) fn word_key(&self, Term(term): &Term) -> Key {
        records::key_of::<Word>(&[&self.making, term])
    }

    /// All rows of a word begin with this.
    pub(crate) fn postings_key(&self, Term(term): &Term) -> Key {
        records::key_of::<Posting>(&[&self.making, term])
    }

    pub(crate) fn posting_key(&self, term: &Term, span: u64) -> Key {
        self.postings_key(term).child(&place(span))
    }
}
