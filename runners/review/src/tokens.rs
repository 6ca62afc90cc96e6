//! The tokens of one statement, for questions that a syntax tree does not answer.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::dialect::Dialect;
use crate::lexer::{Kind, Lexer, Token};

/// The tokens of one statement.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    pub(crate) text: &'a str,
    list: Vec<Token>,
    comments: Vec<(usize, usize)>,
}

impl<'a> Tokens<'a> {
    /// [`None`] where the text cannot be cut.
    pub(crate) fn of(text: &'a str, dialect: Dialect) -> Option<Self> {
        let mut lexer = Lexer::new(text, dialect);
        let (mut list, mut comments) = (Vec::new(), Vec::new());
        loop {
            while let Some(comment) = lexer.next_comment().ok()? {
                comments.push(comment);
            }
            match lexer.next().ok()? {
                Some(token) => list.push(token),
                None => return Some(Self { text, list, comments }),
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<Token> {
        self.list.get(at).copied()
    }

    pub(crate) fn kind(&self, at: usize) -> Option<Kind> {
        self.list.get(at).map(|token| token.kind)
    }

    pub(crate) fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        self.kind(at) == Some(Kind::Symbol(symbol))
    }

    pub(crate) fn text_at(&self, at: usize) -> &'a str {
        self.list.get(at).and_then(|token| self.text.get(token.start..token.end)).unwrap_or("")
    }

    /// The word at `at`; empty where another token stands.
    pub(crate) fn word(&self, at: usize) -> &'a str {
        if self.kind(at) == Some(Kind::Word) { self.text_at(at) } else { "" }
    }

    pub(crate) fn is(&self, at: usize, word: &str) -> bool {
        self.word(at).eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_any(&self, at: usize, words: &[&str]) -> bool {
        let word = self.word(at);
        words.iter().any(|known| word.eq_ignore_ascii_case(known))
    }

    /// Whether the statement begins with `words`.
    pub(crate) fn begins(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(at, word)| self.is(at, word))
    }

    /// Whether `words` stand somewhere, one after the other.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.find(words).is_some()
    }

    /// Where `words` stand, one after the other, as keywords: not as part of a dotted name.
    pub(crate) fn find(&self, words: &[&str]) -> Option<usize> {
        (0..self.len()).find(|at| {
            !self.is_after_dot(*at)
                && words
                    .iter()
                    .enumerate()
                    .all(|(more, word)| self.is(at.saturating_add(more), word))
        })
    }

    pub(crate) fn is_after_dot(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.is_symbol(before, b'.'))
    }

    pub(crate) fn has_kind(&self, kind: Kind) -> bool {
        self.list.iter().any(|token| token.kind == kind)
    }

    /// The text from one token to another, both included.
    pub(crate) fn slice(&self, first: usize, last: usize) -> Option<&'a str> {
        self.text.get(self.get(first)?.start..self.get(last)?.end)
    }

    /// The text with a blank for each comment: nothing hides in what another reader takes for a comment.
    pub(crate) fn without_comments(&self) -> Cow<'a, str> {
        if self.comments.is_empty() {
            return Cow::Borrowed(self.text);
        }
        let (mut bare, mut from) = (String::with_capacity(self.text.len()), 0);
        for (start, end) in &self.comments {
            bare.push_str(self.text.get(from..*start).unwrap_or(""));
            // A line break goes on with a string that stands before it: keep it.
            bare.push(if self.has_break(*start, *end) { '\n' } else { ' ' });
            from = *end;
        }
        bare.push_str(self.text.get(from..).unwrap_or(""));
        Cow::Owned(bare)
    }

    fn has_break(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end).is_some_and(|comment| comment.contains('\n'))
    }
}
