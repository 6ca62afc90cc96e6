//! Bodies of triggers and routines: what stands between BEGIN and END holds semicolons of its own.

use alloc::vec::Vec;

use crate::dialect::Dialect;
use crate::lexer::Kind;

/// The most tokens before the word that says what is created: `CREATE OR REPLACE DEFINER = a@b FUNCTION`.
const HEAD_TOKENS_MAX: u32 = 24;

/// Follows one statement, token by token, and knows whether a semicolon ends it.
#[derive(Debug)]
pub(crate) struct Blocks {
    dialect: Dialect,
    seen: u32,
    head: Head,
    /// Parentheses that are open. PostgreSQL's rules have semicolons in them.
    parens: u32,
    open: Vec<Block>,
    before_last: Last,
    last: Last,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Head {
    Start,
    Create,
    /// No semicolon of its own.
    Plain,
    /// SQLite: from BEGIN to `; END`.
    Trigger,
    /// PostgreSQL: BEGIN ATOMIC … END.
    Function,
    /// MySQL: blocks within blocks.
    Routine,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Block {
    Begin,
    Case,
    /// A CASE that gives a value: an IF in it is a function.
    CaseValue,
    If,
    Loop,
    While,
    Repeat,
    For,
}

/// What the last token was, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Last {
    Other,
    Semicolon,
    End,
    Begin,
    /// A word after which a statement of a body can begin.
    Opens,
    /// AS or a dot: the next word is a name.
    Names,
    Closes,
}

impl Blocks {
    pub(crate) const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            seen: 0,
            head: Head::Start,
            parens: 0,
            open: Vec::new(),
            before_last: Last::Other,
            last: Last::Other,
        }
    }

    /// Whether a semicolon here ends the statement.
    pub(crate) fn may_end(&self) -> bool {
        match self.head {
            Head::Trigger => self.last == Last::End && self.before_last == Last::Semicolon,
            Head::Routine => self.open.is_empty(),
            Head::Start | Head::Create | Head::Plain | Head::Function => {
                self.open.is_empty() && (self.dialect != Dialect::PostgreSql || self.parens == 0)
            }
        }
    }

    /// Whether it is a routine, whose semicolons a delimiter of its own may hide.
    pub(crate) fn is_routine(&self) -> bool {
        self.head == Head::Routine
    }

    /// Takes the next token; `word` is its text where it is a word.
    pub(crate) fn take(&mut self, kind: Kind, word: &[u8]) {
        self.seen = self.seen.saturating_add(1);
        self.find_head(kind, word);
        match kind {
            Kind::Symbol(b'(') => self.parens = self.parens.saturating_add(1),
            Kind::Symbol(b')') => self.parens = self.parens.saturating_sub(1),
            Kind::Word if self.last != Last::Names => match self.head {
                Head::Function => self.take_atomic(word),
                Head::Routine => self.take_routine(word),
                Head::Start | Head::Create | Head::Plain | Head::Trigger => {}
            },
            Kind::Word
            | Kind::Name
            | Kind::Text
            | Kind::Number
            | Kind::End
            | Kind::Executable
            | Kind::Symbol(_) => {}
        }
        self.before_last = self.last;
        self.last = last_of(kind, word);
    }

    fn find_head(&mut self, kind: Kind, word: &[u8]) {
        let is = |words: &[&str]| kind == Kind::Word && is_any(word, words);
        self.head = match (self.head, self.dialect) {
            (Head::Start, Dialect::Sqlite | Dialect::Generic)
                if is(&["EXPLAIN", "QUERY", "PLAN"]) =>
            {
                Head::Start
            }
            (Head::Start, Dialect::MySql) if is(&["BEGIN"]) => Head::Start,
            (Head::Start, Dialect::MySql) if is(&["NOT"]) && self.last == Last::Begin => {
                self.open.push(Block::Begin);
                Head::Routine
            }
            (Head::Start, _) if is(&["CREATE", "ALTER"]) => Head::Create,
            (Head::Create, Dialect::Sqlite | Dialect::Generic) if is(&["TRIGGER"]) => Head::Trigger,
            (Head::Create, Dialect::Sqlite | Dialect::Generic)
                if is(&["OR", "REPLACE", "TEMP", "TEMPORARY"]) =>
            {
                Head::Create
            }
            (Head::Create, Dialect::PostgreSql) if is(&["FUNCTION", "PROCEDURE"]) => Head::Function,
            (Head::Create, Dialect::PostgreSql) if is(&["OR", "REPLACE"]) => Head::Create,
            (Head::Create, Dialect::MySql)
                if is(&["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]) =>
            {
                Head::Routine
            }
            (Head::Create, Dialect::MySql) if self.seen < HEAD_TOKENS_MAX && !is(PLAIN) => {
                Head::Create
            }
            (Head::Start | Head::Create, _) => Head::Plain,
            (head, _) => head,
        };
    }

    fn take_atomic(&mut self, word: &[u8]) {
        if is_any(word, &["ATOMIC"]) && self.last == Last::Begin && self.open.is_empty() {
            self.open.push(Block::Begin);
        } else if !self.open.is_empty() && is_any(word, &["CASE"]) {
            self.open.push(Block::CaseValue);
        } else if is_any(word, &["END"]) {
            let _closed = self.open.pop();
        }
    }

    fn take_routine(&mut self, word: &[u8]) {
        if self.last == Last::End {
            self.close(word);
            return;
        }
        let in_value = self.open.last() == Some(&Block::CaseValue);
        let may_begin = !in_value
            && (matches!(self.last, Last::Semicolon | Last::Begin | Last::Opens)
                || self.open.is_empty() && self.last == Last::Closes);
        let block = match Opening::of(word) {
            Some(Opening::Begin) => Some(Block::Begin),
            Some(Opening::Case) if may_begin => Some(Block::Case),
            Some(Opening::Case) => Some(Block::CaseValue),
            Some(Opening::Other(block)) if may_begin => Some(block),
            Some(Opening::Other(_)) | None => None,
        };
        if let Some(block) = block {
            self.open.push(block);
        } else if is_any(word, &["END"]) && !self.closes_with_word() {
            let _closed = self.open.pop();
        }
    }

    /// IF, LOOP and their kin end with two words: `END IF`. BEGIN and CASE end with one, or two.
    fn closes_with_word(&self) -> bool {
        !matches!(self.open.last(), None | Some(Block::Begin | Block::CaseValue))
    }

    /// The word after END.
    fn close(&mut self, word: &[u8]) {
        if self.closes_with_word()
            && is_any(word, &["IF", "LOOP", "WHILE", "REPEAT", "CASE", "FOR"])
        {
            let _closed = self.open.pop();
        }
    }
}

enum Opening {
    Begin,
    Case,
    Other(Block),
}

impl Opening {
    fn of(word: &[u8]) -> Option<Self> {
        let words = [
            ("BEGIN", Self::Begin),
            ("CASE", Self::Case),
            ("IF", Self::Other(Block::If)),
            ("LOOP", Self::Other(Block::Loop)),
            ("WHILE", Self::Other(Block::While)),
            ("REPEAT", Self::Other(Block::Repeat)),
            ("FOR", Self::Other(Block::For)),
        ];
        words.into_iter().find(|(name, _)| is_any(word, &[name])).map(|(_, opening)| opening)
    }
}

/// What else MySQL creates or alters.
const PLAIN: &[&str] = &[
    "TABLE",
    "VIEW",
    "INDEX",
    "DATABASE",
    "SCHEMA",
    "USER",
    "ROLE",
    "SERVER",
    "SEQUENCE",
    "TABLESPACE",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "LOGFILE",
    "RESOURCE",
    "INSTANCE",
    "TEMPORARY",
];

/// Words after which a statement of a body can begin.
const OPENS: &[&str] = &[
    "THEN",
    "ELSE",
    "DO",
    "LOOP",
    "REPEAT",
    "ROW",
    "DETERMINISTIC",
    "DATA",
    "SQL",
    "DEFINER",
    "INVOKER",
    "ATOMIC",
];

fn last_of(kind: Kind, word: &[u8]) -> Last {
    match kind {
        Kind::End | Kind::Symbol(b';') => Last::Semicolon,
        Kind::Symbol(b')') => Last::Closes,
        Kind::Symbol(b':') => Last::Opens,
        Kind::Symbol(b'.') => Last::Names,
        Kind::Word if is_any(word, &["END"]) => Last::End,
        Kind::Word if is_any(word, &["BEGIN"]) => Last::Begin,
        Kind::Word if is_any(word, &["AS"]) => Last::Names,
        Kind::Word if is_any(word, OPENS) => Last::Opens,
        Kind::Word
        | Kind::Name
        | Kind::Text
        | Kind::Number
        | Kind::Executable
        | Kind::Symbol(_) => Last::Other,
    }
}

fn is_any(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
