//! Cuts a script into statements without understanding them: only strings, comments, quoted names and
//! the bodies of triggers can hide a semicolon.

use alloc::string::String;
use alloc::vec::Vec;

/// One statement: an exact slice of the script, without its semicolon and the comments around it.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The text.
    pub text: &'a str,
    /// The line on which it begins, counted from 1.
    pub line: u32,
}

/// Why a script cannot be cut.
#[derive(Debug)]
pub struct Unended {
    /// What has no end: `string`, `comment`, `quoted name`.
    pub what: &'static str,
    /// The line on which it begins, counted from 1.
    pub line: u32,
}

/// Cuts `script`. `dialect` decides on backslashes, dollar quotes and `#` comments.
pub fn split<'a>(script: &'a str, dialect: &str) -> Result<Vec<Statement<'a>>, Unended> {
    let mut lexer = Lexer { bytes: script.as_bytes(), at: 0, line: 1, dialect };
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    while let Some(token) = lexer.next()? {
        match (&mut open, token.kind) {
            (None, Kind::Semicolon) => {}
            (Some(statement), Kind::Semicolon) if statement.may_end_here() => {
                found.push(statement.cut(script));
                open = None;
            }
            (Some(statement), kind) => statement.take(&token, kind, script),
            (None, kind) => {
                let mut statement = Open::at(&token);
                statement.take(&token, kind, script);
                open = Some(statement);
            }
        }
    }
    if let Some(statement) = open {
        found.push(statement.cut(script));
    }
    Ok(found)
}

struct Open {
    start: usize,
    end: usize,
    line: u32,
    // The first words, upper case, for telling `CREATE [OR REPLACE] [TEMP] TRIGGER`.
    head: Vec<String>,
    // The last two tokens: a trigger ends with `; END` before the semicolon.
    before_last: Kind,
    last: Kind,
    last_is_end: bool,
}

impl Open {
    fn at(token: &Token) -> Self {
        Self {
            start: token.start,
            end: token.end,
            line: token.line,
            head: Vec::new(),
            before_last: Kind::Other,
            last: Kind::Other,
            last_is_end: false,
        }
    }

    fn take(&mut self, token: &Token, kind: Kind, script: &str) {
        self.end = token.end;
        let word = if kind == Kind::Word { script.get(token.start..token.end) } else { None };
        if self.head.len() < 6 {
            self.head.push(word.unwrap_or("").to_ascii_uppercase());
        }
        self.before_last = self.last;
        self.last = kind;
        self.last_is_end = word.is_some_and(|word| word.eq_ignore_ascii_case("end"));
    }

    fn may_end_here(&self) -> bool {
        !self.is_trigger() || (self.last_is_end && self.before_last == Kind::Semicolon)
    }

    fn is_trigger(&self) -> bool {
        let mut words = self.head.iter().map(String::as_str);
        if words.next() != Some("CREATE") {
            return false;
        }
        words
            .find(|word| !matches!(*word, "OR" | "REPLACE" | "TEMP" | "TEMPORARY"))
            .is_some_and(|word| word == "TRIGGER")
    }

    fn cut<'a>(&self, script: &'a str) -> Statement<'a> {
        Statement { text: script.get(self.start..self.end).unwrap_or(""), line: self.line }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Word,
    Semicolon,
    Other,
}

struct Token {
    kind: Kind,
    start: usize,
    end: usize,
    line: u32,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    dialect: &'a str,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, Unended> {
        self.skip_blanks()?;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let (start, line) = (self.at, self.line);
        let kind = match first {
            b';' => {
                self.step();
                Kind::Semicolon
            }
            b'\'' => {
                self.quoted(b'\'', self.dialect == "mysql", "string")?;
                Kind::Other
            }
            b'"' => {
                self.quoted(b'"', self.dialect == "mysql", "quoted name")?;
                Kind::Other
            }
            b'`' if self.dialect != "postgresql" => {
                self.quoted(b'`', false, "quoted name")?;
                Kind::Other
            }
            b'[' if self.dialect == "sqlite" => {
                self.quoted(b']', false, "quoted name")?;
                Kind::Other
            }
            b'$' if self.dialect == "postgresql" => {
                self.dollar()?;
                Kind::Other
            }
            byte if is_word(byte) => {
                self.word()?;
                Kind::Word
            }
            _ => {
                self.step();
                Kind::Other
            }
        };
        Ok(Some(Token { kind, start, end: self.at, line }))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.saturating_add(ahead)).copied()
    }

    fn step(&mut self) {
        if self.peek(0) == Some(b'\n') {
            self.line = self.line.saturating_add(1);
        }
        self.at = self.at.saturating_add(1);
    }

    fn word(&mut self) -> Result<(), Unended> {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.step();
        }
        // PostgreSQL's E'…' takes backslashes.
        let escapes = matches!(self.bytes.get(start..self.at), Some(b"E" | b"e"));
        if escapes && self.dialect == "postgresql" && self.peek(0) == Some(b'\'') {
            self.quoted(b'\'', true, "string")?;
        }
        Ok(())
    }

    fn skip_blanks(&mut self) -> Result<(), Unended> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(blank), _) if blank.is_ascii_whitespace() => self.step(),
                (Some(b'-'), Some(b'-')) => self.skip_line(),
                (Some(b'#'), _) if self.dialect == "mysql" => self.skip_line(),
                (Some(b'/'), Some(b'*')) => self.skip_comment()?,
                // A byte order mark at the very beginning.
                (Some(0xEF), Some(0xBB)) if self.at == 0 && self.peek(2) == Some(0xBF) => {
                    self.at = 3
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.step();
        }
    }

    fn skip_comment(&mut self) -> Result<(), Unended> {
        let line = self.line;
        let mut depth = 0_u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(Unended { what: "comment", line }),
                (Some(b'/'), Some(b'*')) if depth == 0 || self.dialect == "postgresql" => {
                    depth = depth.saturating_add(1);
                    self.step();
                    self.step();
                }
                (Some(b'*'), Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.step();
                    self.step();
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.step(),
            }
        }
    }

    // From an opening mark to `end`; a doubled `end` stands for itself.
    fn quoted(&mut self, end: u8, backslash: bool, what: &'static str) -> Result<(), Unended> {
        let line = self.line;
        self.step();
        loop {
            match self.peek(0) {
                None => return Err(Unended { what, line }),
                Some(b'\\') if backslash => {
                    self.step();
                    self.step();
                }
                Some(byte) if byte == end => {
                    self.step();
                    if end == b']' || self.peek(0) != Some(end) {
                        return Ok(());
                    }
                    self.step();
                }
                Some(_) => self.step(),
            }
        }
    }

    // $tag$ … $tag$, or a lone dollar.
    fn dollar(&mut self) -> Result<(), Unended> {
        let (start, line) = (self.at, self.line);
        self.step();
        while self.peek(0).is_some_and(|byte| is_word(byte) && byte != b'$') {
            self.step();
        }
        if self.peek(0) != Some(b'$') {
            return Ok(());
        }
        self.step();
        let tag = self.bytes.get(start..self.at).unwrap_or_default();
        while self.at < self.bytes.len() {
            if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(tag)) {
                self.at = self.at.saturating_add(tag.len());
                return Ok(());
            }
            self.step();
        }
        Err(Unended { what: "string", line })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn cut(script: &str) -> Vec<&str> {
        split(script, "sqlite").unwrap().iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn semicolons_hide_in_strings_names_comments_and_triggers() {
        assert_eq!(cut("SELECT 1; SELECT 2"), ["SELECT 1", "SELECT 2"]);
        assert_eq!(
            cut("SELECT ';''';\nSELECT \";\", [;], `;`;"),
            ["SELECT ';'''", "SELECT \";\", [;], `;`"]
        );
        assert_eq!(cut("-- a;\nSELECT 1 /* ; */ + 2; /* end */"), ["SELECT 1 /* ; */ + 2"]);
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\n\
                       SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END";
        assert_eq!(cut(&alloc::format!("{trigger}; SELECT 1;")), [trigger, "SELECT 1"]);
        assert_eq!(cut(" ;; -- nothing\n"), Vec::<&str>::new());
        assert_eq!(cut("\u{feff}SELECT 'ñ';"), vec!["SELECT 'ñ'"]);
    }

    #[test]
    fn lines_are_counted_and_open_ends_reported() {
        let statements = split("SELECT 1;\n\nSELECT 2;", "sqlite").unwrap();
        assert_eq!(statements.iter().map(|statement| statement.line).collect::<Vec<_>>(), [1, 3]);
        let unended = split("SELECT 1;\nSELECT 'a", "sqlite").unwrap_err();
        assert_eq!((unended.what, unended.line), ("string", 2));
        assert!(split("SELECT /* a", "sqlite").is_err());
    }

    #[test]
    fn dialects_differ() {
        assert_eq!(split("SELECT $a$;$a$; SELECT 1", "postgresql").unwrap().len(), 2);
        assert_eq!(split("SELECT 'a\\';'; SELECT 1", "mysql").unwrap().len(), 2);
        assert_eq!(split("SELECT E'a\\';'; SELECT 1", "postgresql").unwrap().len(), 2);
    }
}
