//! Text, cut into tokens as its database would cut it. Where databases differ and it is not known which one it
//! is, what one of them could take otherwise is an error.
//!
//! Sources: PostgreSQL manual, "Lexical Structure"; MySQL manual, "Language Structure"; SQLite, "SQL As
//! Understood By SQLite" and "Requirements for the tokenizer".

use crate::dialect::Dialect;
use crate::split::Unended;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A string of any kind, with its prefix.
    Text,
    /// A number, or what begins with a digit.
    Number,
    /// The end of a statement: a semicolon, or what `DELIMITER` named.
    End,
    /// A comment that MySQL runs, or takes as a hint.
    Executable,
    /// Any other byte.
    Symbol(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) line: u32,
    pub(crate) position: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    position: u32,
    dialect: Dialect,
    /// What ends a statement instead of a semicolon.
    delimiter: Option<&'a [u8]>,
    /// The last comment that was skipped began and ended here.
    comment: Option<(usize, usize)>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        // A byte order mark at the very beginning is not part of the text.
        let at = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let position = if at == 0 { 1 } else { 2 };
        Self { bytes, at, line: 1, position, dialect, delimiter: None, comment: None }
    }

    /// Ends statements with `delimiter`, until told otherwise.
    pub(crate) fn delimit(&mut self, delimiter: Option<&'a [u8]>) {
        self.delimiter = delimiter;
    }

    pub(crate) const fn is_delimited(&self) -> bool {
        self.delimiter.is_some()
    }

    /// The rest of this line, which is skipped.
    pub(crate) fn rest_of_line(&mut self) -> &'a [u8] {
        let start = self.at;
        self.skip_line();
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Token>, Unended> {
        self.skip_blanks()?;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let (start, line, position) = (self.at, self.line, self.position);
        let kind = self.kind_from(first)?;
        Ok(Some(Token { kind, start, end: self.at, line, position }))
    }

    /// The comments before the next token, one after the other; [`None`] when the next is a token or the end.
    pub(crate) fn next_comment(&mut self) -> Result<Option<(usize, usize)>, Unended> {
        self.comment = None;
        self.skip_one_comment()?;
        Ok(self.comment)
    }

    fn kind_from(&mut self, first: u8) -> Result<Kind, Unended> {
        use Dialect::{Generic, MySql, PostgreSql, Sqlite};
        if self.delimiter_here() {
            self.skip(self.delimiter.map_or(0, <[u8]>::len));
            return Ok(Kind::End);
        }
        Ok(match (first, self.dialect) {
            (b';', _) => {
                self.step();
                if self.delimiter.is_some() { Kind::Symbol(b';') } else { Kind::End }
            }
            (b'\'', _) => self.quoted(b'\'', self.dialect == MySql, Kind::Text)?,
            (b'"', MySql) => self.quoted(b'"', true, Kind::Text)?,
            (b'"', _) => self.quoted(b'"', false, Kind::Name)?,
            (b'`', MySql | Sqlite | Generic) => self.quoted(b'`', false, Kind::Name)?,
            (b'[', Sqlite) => self.quoted(b']', false, Kind::Name)?,
            (b'$', PostgreSql | Generic) => self.dollar()?,
            (b'/', MySql) if self.peek(1) == Some(b'*') => self.executable()?,
            (b'\\', PostgreSql | MySql | Generic) => {
                return Err(self.refused("backslash command"));
            }
            (b'#', Generic) => return Err(self.refused("mark `#`")),
            (byte, _) if byte.is_ascii_digit() => self.word(Kind::Number)?,
            (byte, _) if is_word(byte) => self.word(Kind::Word)?,
            (byte, _) => {
                self.step();
                Kind::Symbol(byte)
            }
        })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.saturating_add(ahead)).copied()
    }

    fn step(&mut self) {
        match self.peek(0) {
            None => return,
            Some(b'\n') => {
                self.line = self.line.saturating_add(1);
                self.position = self.position.saturating_add(1);
            }
            // The second and later bytes of a character do not count.
            Some(0x80..=0xBF) => {}
            Some(_) => self.position = self.position.saturating_add(1),
        }
        self.at = self.at.saturating_add(1);
    }

    fn skip(&mut self, bytes: usize) {
        for _ in 0..bytes {
            self.step();
        }
    }

    fn delimiter_here(&self) -> bool {
        self.delimiter.is_some_and(|delimiter| {
            self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(delimiter))
        })
    }

    const fn refused(&self, what: &'static str) -> Unended {
        Unended::refused(what, self.line, self.position)
    }

    fn word(&mut self, kind: Kind) -> Result<Kind, Unended> {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| is_word(byte) || kind == Kind::Number && byte == b'.')
            && !self.delimiter_here()
        {
            self.step();
        }
        if self.dialect == Dialect::PostgreSql && self.peek(0) == Some(b'\'') {
            let word = self.bytes.get(start..self.at).unwrap_or_default();
            // E'…' takes backslashes. Before version 15, so did what follows the number in 1E'…'.
            if matches!(word, b"E" | b"e")
                || kind == Kind::Number && matches!(word, [.., b'e' | b'E'])
            {
                return self.escaped();
            }
        }
        Ok(kind)
    }

    /// `E'…'`, which goes on after a line break: `'a'`, new line, `'b'` is one string, and all of it takes
    /// backslashes.
    fn escaped(&mut self) -> Result<Kind, Unended> {
        loop {
            let _text = self.quoted(b'\'', true, Kind::Text)?;
            let mut ahead = self.clone();
            let before = ahead.line;
            while ahead.peek(0).is_some_and(|byte| byte.is_ascii_whitespace())
                || (ahead.peek(0), ahead.peek(1)) == (Some(b'-'), Some(b'-'))
            {
                if ahead.peek(0) == Some(b'-') { ahead.skip_line() } else { ahead.step() }
            }
            let between = self.bytes.get(self.at..ahead.at).unwrap_or_default();
            let broke = ahead.line > before || between.contains(&b'\r');
            if !(broke && ahead.peek(0) == Some(b'\'')) {
                return Ok(Kind::Text);
            }
            *self = ahead;
        }
    }

    /// From an opening mark to `end`; a doubled `end` stands for itself, except in SQLite's brackets.
    fn quoted(&mut self, end: u8, backslash: bool, kind: Kind) -> Result<Kind, Unended> {
        let (line, position) = (self.line, self.position);
        let what = if kind == Kind::Text { "string" } else { "quoted name" };
        self.step();
        loop {
            match self.peek(0) {
                None => return Err(Unended::new(what, line, position)),
                Some(b'\\') if backslash => {
                    self.step();
                    self.step();
                }
                Some(b'\\') if self.dialect == Dialect::Generic && self.peek(1) == Some(end) => {
                    return Err(self.refused("backslash before a quote"));
                }
                Some(byte) if byte == end => {
                    self.step();
                    if end == b']' || self.peek(0) != Some(end) {
                        return Ok(kind);
                    }
                    self.step();
                }
                Some(_) => self.step(),
            }
        }
    }

    /// `$tag$ … $tag$`, a parameter such as `$1`, or a lone dollar.
    fn dollar(&mut self) -> Result<Kind, Unended> {
        let (start, line, position) = (self.at, self.line, self.position);
        self.step();
        if self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            return self.word(Kind::Number);
        }
        while self.peek(0).is_some_and(|byte| is_word(byte) && byte != b'$') {
            self.step();
        }
        if self.peek(0) != Some(b'$') {
            return Ok(Kind::Symbol(b'$'));
        }
        if self.dialect == Dialect::Generic {
            return Err(Unended::refused("dollar quote", line, position));
        }
        self.step();
        let tag = self.bytes.get(start..self.at).unwrap_or_default();
        while let Some(byte) = self.peek(0) {
            if byte == b'$' && self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(tag)) {
                self.skip(tag.len());
                return Ok(Kind::Text);
            }
            self.step();
        }
        Err(Unended::new("dollar-quoted string", line, position))
    }

    fn skip_blanks(&mut self) -> Result<(), Unended> {
        while self.next_comment()?.is_some() {}
        Ok(())
    }

    /// Blanks, and one comment if there is one.
    fn skip_one_comment(&mut self) -> Result<(), Unended> {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
        // The client of MySQL looks for its delimiter before it looks for comments.
        if self.delimiter_here() {
            return Ok(());
        }
        let start = self.at;
        match (self.peek(0), self.peek(1)) {
            (Some(b'-'), Some(b'-')) if self.is_line_comment() => self.skip_line(),
            (Some(b'#'), _) if self.dialect == Dialect::MySql => self.skip_line(),
            (Some(b'/'), Some(b'*')) if !self.is_executable() => self.skip_comment()?,
            _ => return Ok(()),
        }
        self.comment = Some((start, self.at));
        Ok(())
    }

    /// In MySQL, `--1` is no comment but two signs: a blank or a control character must follow, and DEL is one.
    fn is_line_comment(&self) -> bool {
        let begins = |byte: u8| byte == b' ' || byte.is_ascii_control();
        self.dialect != Dialect::MySql || self.peek(2).is_none_or(begins)
    }

    fn is_executable(&self) -> bool {
        self.dialect == Dialect::MySql
            && match self.peek(2) {
                Some(b'!' | b'+') => true,
                Some(b'M') => self.peek(3) == Some(b'!'),
                _ => false,
            }
    }

    fn skip_line(&mut self) {
        // PostgreSQL ends a comment at a carriage return too.
        let is_end = |byte| byte == b'\n' || byte == b'\r' && self.dialect == Dialect::PostgreSql;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len());
        self.skip(length);
    }

    fn skip_comment(&mut self) -> Result<(), Unended> {
        let (line, position) = (self.line, self.position);
        let mut depth = 0_u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(Unended::new("comment", line, position)),
                (Some(b'/'), Some(b'*')) if depth == 0 || self.dialect == Dialect::PostgreSql => {
                    depth = depth.saturating_add(1);
                    self.skip(2);
                }
                (Some(b'/'), Some(b'*')) if self.dialect == Dialect::Generic => {
                    return Err(self.refused("comment in a comment"));
                }
                (Some(b'*'), Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.skip(2);
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.step(),
            }
        }
    }

    /// `/*! … */`: MySQL runs what is in it. Client and server disagree on a semicolon there.
    fn executable(&mut self) -> Result<Kind, Unended> {
        let (line, position) = (self.line, self.position);
        self.skip(3);
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(Unended::new("comment", line, position)),
                (Some(b'*'), Some(b'/')) => {
                    self.skip(2);
                    return Ok(Kind::Executable);
                }
                (Some(b';'), _) => return Err(self.refused("semicolon in a comment that is run")),
                (Some(b'/'), Some(b'*')) => return Err(self.refused("comment in a comment")),
                _ => self.step(),
            }
        }
    }
}

pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}
