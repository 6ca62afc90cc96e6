//! A script, cut into statements without understanding them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::blocks::Blocks;
use crate::dialect::Dialect;
use crate::lexer::{Kind, Lexer, Token};

/// One statement: an exact slice of the script, without what ends it and the comments around it.
///
/// ```
/// use placet_sql_review::split;
///
/// let statements = split("SELECT ';';\nSELECT 2 -- two", "sqlite")?;
/// assert_eq!((statements[1].text, statements[1].line, statements[1].position), ("SELECT 2", 2, 13));
/// # Ok::<(), placet_sql_review::Unended>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Statement<'a> {
    /// The text.
    pub text: &'a str,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// The character of the script at which it begins, from 1.
    pub position: u32,
}

/// Why a script cannot be cut.
///
/// ```
/// use placet_sql_review::split;
///
/// let unended = split("SELECT 1;\nSELECT 'a", "sqlite").unwrap_err();
/// assert_eq!((unended.line, unended.position), (2, 18));
/// assert_eq!(unended.message(), "the string that begins here has no end");
///
/// let refused = split("\\! rm -r files", "postgresql").unwrap_err();
/// assert_eq!(refused.message(), "a backslash command is not accepted here");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unended {
    /// What has no end, or is not accepted: `string`, `comment`, `quoted name`, `backslash command`.
    pub what: &'static str,
    /// Whether it has an end and is refused for what it is.
    pub is_refused: bool,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// The character of the script at which it begins, from 1.
    pub position: u32,
}

impl Unended {
    pub(crate) const fn new(what: &'static str, line: u32, position: u32) -> Self {
        Self { what, is_refused: false, line, position }
    }

    pub(crate) const fn refused(what: &'static str, line: u32, position: u32) -> Self {
        Self { what, is_refused: true, line, position }
    }

    /// What is wrong, in words.
    pub fn message(&self) -> String {
        if self.is_refused {
            format!("a {} is not accepted here", self.what)
        } else {
            format!("the {} that begins here has no end", self.what)
        }
    }
}

/// Cuts a script into statements, as the clients of its database would.
///
/// What a client alone understands is obeyed where it only says how to cut (`DELIMITER` of MySQL) and refused
/// where it does something (backslash commands). A NUL is refused: what follows it, some would not see.
///
/// ```
/// use placet_sql_review::split;
///
/// let script = "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END//\nDELIMITER ;\nCALL p();";
/// let texts: Vec<_> = split(script, "mysql")?.iter().map(|statement| statement.text).collect();
/// assert_eq!(texts, ["CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "CALL p()"]);
/// # Ok::<(), placet_sql_review::Unended>(())
/// ```
pub fn split<'a>(script: &'a str, dialect: &str) -> Result<Vec<Statement<'a>>, Unended> {
    let dialect = Dialect::from(dialect);
    no_nul(script)?;
    let mut lexer = Lexer::new(script, dialect);
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    while let Some(token) = lexer.next()? {
        let word = text_of(script, &token);
        match &mut open {
            None if token.kind == Kind::End || token.kind == Kind::Symbol(b';') => {}
            None if dialect == Dialect::MySql && word.eq_ignore_ascii_case(b"delimiter") => {
                let line = lexer.rest_of_line();
                lexer.delimit(delimiter_of(line, &token)?);
            }
            None => open = Some(Open::at(&token, word, dialect)),
            Some(statement) if statement.ends_at(token.kind, &lexer) => {
                found.extend(statement.cut(script));
                open = None;
            }
            Some(statement) => statement.take(&token, word),
        }
    }
    found.extend(open.and_then(|statement| statement.cut(script)));
    Ok(found)
}

/// A statement that has begun.
struct Open {
    start: usize,
    end: usize,
    line: u32,
    position: u32,
    blocks: Blocks,
}

impl Open {
    fn at(token: &Token, word: &[u8], dialect: Dialect) -> Self {
        let mut open = Self {
            start: token.start,
            end: token.end,
            line: token.line,
            position: token.position,
            blocks: Blocks::new(dialect),
        };
        open.take(token, word);
        open
    }

    fn take(&mut self, token: &Token, word: &[u8]) {
        // A semicolon is part of the text only when something follows it.
        if !matches!(token.kind, Kind::End | Kind::Symbol(b';')) {
            self.end = token.end;
        }
        self.blocks.take(token.kind, word);
    }

    fn ends_at(&self, kind: Kind, lexer: &Lexer<'_>) -> bool {
        match kind {
            // What DELIMITER named ends everything. A semicolon then ends what is no routine.
            Kind::End if lexer.is_delimited() => true,
            Kind::End => self.blocks.may_end(),
            Kind::Symbol(b';') => !self.blocks.is_routine() && self.blocks.may_end(),
            Kind::Word
            | Kind::Name
            | Kind::Text
            | Kind::Number
            | Kind::Executable
            | Kind::Symbol(_) => false,
        }
    }

    fn cut<'a>(&self, script: &'a str) -> Option<Statement<'a>> {
        let text = script.get(self.start..self.end)?;
        Some(Statement { text, line: self.line, position: self.position })
    }
}

fn text_of<'a>(script: &'a str, token: &Token) -> &'a [u8] {
    script.as_bytes().get(token.start..token.end).unwrap_or_default()
}

fn no_nul(script: &str) -> Result<(), Unended> {
    let Some(at) = script.bytes().position(|byte| byte == 0) else { return Ok(()) };
    let before = script.get(..at).unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    Err(Unended::refused("NUL character", count(lines), count(before.chars().count())))
}

/// What `DELIMITER …` names: [`None`] for the semicolon.
fn delimiter_of<'a>(line: &'a [u8], token: &Token) -> Result<Option<&'a [u8]>, Unended> {
    let refused = || Unended::refused("DELIMITER such as this", token.line, token.position);
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
    let word = word.ok_or_else(refused)?;
    // With these, the client would look for comments, strings or commands in the delimiter.
    let odd = word.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'#'))
        || word.starts_with(b"--")
        || word.starts_with(b"/*");
    match word {
        b";" => Ok(None),
        _ if odd || word.len() > 16 => Err(refused()),
        _ => Ok(Some(word)),
    }
}
