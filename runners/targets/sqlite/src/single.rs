//! Cuts one statement out of a text, before SQLite's wrapper sees it: that one calls itself for each
//! further statement, and a long text would use up the stack.

/// How many semicolons a trigger may hold: its body is made of statements.
const TRIGGER_PARTS_MAX: usize = 1_000;

/// The one statement in `sql` without what follows it, or why there is no such thing.
pub(super) fn statement(sql: &str) -> Result<&str, &'static str> {
    if sql.contains('\0') {
        return Err("a statement holds no zero character");
    }
    let mut tokens = Tokens { sql: sql.as_bytes(), at: 0, words: Vec::new() };
    let mut end = None;
    let mut ends = 0_usize;
    while let Some(token) = tokens.next() {
        match (token, end) {
            (Token::Unclear, _) => return Err("write the bound value without parentheses"),
            (Token::End(at), None) => end = Some(at),
            (Token::End(_), Some(_)) | (Token::Other, None) => {}
            (Token::Other, Some(_)) if tokens.is_trigger() => {}
            (Token::Other, Some(_)) => return Err("one call executes one statement"),
        }
        if matches!(token, Token::End(_)) {
            ends = ends.saturating_add(1);
            if tokens.is_trigger() && ends > TRIGGER_PARTS_MAX {
                return Err("the trigger has too many statements");
            }
        }
    }
    match end {
        Some(_) if tokens.is_trigger() => Ok(sql),
        Some(end) => Ok(sql.get(..end).unwrap_or(sql)),
        None => Ok(sql),
    }
}

/// The first words of a statement in lower case, three at most, without comments.
pub(super) fn first_words(sql: &str) -> Vec<String> {
    let mut tokens = Tokens { sql: sql.as_bytes(), at: 0, words: Vec::new() };
    while tokens.words.len() < 3 && matches!(tokens.next(), Some(Token::Other)) {}
    let words = tokens.words.iter().map(|word| String::from_utf8_lossy(word).to_ascii_lowercase());
    words.collect()
}

#[derive(Clone, Copy)]
enum Token {
    /// A semicolon, at this byte.
    End(usize),
    Other,
    /// A variable with parentheses, in which quotes are no quotes.
    Unclear,
}

struct Tokens<'a> {
    sql: &'a [u8],
    at: usize,
    /// The first words.
    words: Vec<&'a [u8]>,
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Tokens<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.get(at).copied()
    }

    fn is_trigger(&self) -> bool {
        let word = |at: usize, wanted: &str| {
            self.words.get(at).is_some_and(|word| word.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let temporary = usize::from(word(1, "temp") || word(1, "temporary"));
        word(0, "create") && word(temporary.saturating_add(1), "trigger")
    }

    /// The place after the first `last` from `from` on; the end of the text without one.
    fn after(&self, from: usize, last: &[u8]) -> usize {
        let rest = self.sql.get(from..).unwrap_or_default();
        let found = rest.windows(last.len()).position(|at| at == last);
        found.map_or(self.sql.len(), |at| from.saturating_add(at).saturating_add(last.len()))
    }

    fn word_end(&self, from: usize) -> usize {
        let rest = self.sql.get(from..).unwrap_or_default();
        let found = rest.iter().position(|byte| !is_word(*byte));
        found.map_or(self.sql.len(), |at| from.saturating_add(at))
    }

    fn note_word(&mut self, from: usize, to: usize) {
        if self.words.len() < 3
            && let Some(word) = self.sql.get(from..to)
        {
            self.words.push(word);
        }
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            let at = self.at;
            let byte = self.byte(at)?;
            let next = at.saturating_add(1);
            let second = self.byte(next);
            self.at = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => {
                    self.at = next;
                    continue;
                }
                b'-' if second == Some(b'-') => {
                    self.at = self.after(next, b"\n");
                    continue;
                }
                b'/' if second == Some(b'*') => {
                    self.at = self.after(at.saturating_add(2), b"*/");
                    continue;
                }
                b';' => {
                    self.at = next;
                    return Some(Token::End(at));
                }
                // A doubled quote ends one text and begins the next.
                b'\'' | b'"' | b'`' => self.after(next, &[byte]),
                b'[' => self.after(next, b"]"),
                b'$' | b'@' | b'#' | b':' => {
                    let mut end = self.word_end(next);
                    while self.sql.get(end..end.saturating_add(2)) == Some(b"::") {
                        end = self.word_end(end.saturating_add(2));
                    }
                    if end > next && self.byte(end) == Some(b'(') {
                        return Some(Token::Unclear);
                    }
                    end
                }
                _ if is_word(byte) => {
                    let end = self.word_end(at);
                    self.note_word(at, end);
                    end
                }
                _ => next,
            };
            return Some(Token::Other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn one_statement_is_cut_out() {
        for (sql, cut) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1;", "SELECT 1"),
            ("SELECT ';' ; -- ; more\n /* ; SELECT 2 */ ;;", "SELECT ';' "),
            ("SELECT \"a;b\", [c;d], `e;f`, 'it''s;'", "SELECT \"a;b\", [c;d], `e;f`, 'it''s;'"),
            ("SELECT a$b(';')", "SELECT a$b(';')"),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;",
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;",
            ),
        ] {
            assert_eq!(statement(sql), Ok(cut), "{sql}");
        }
    }

    #[test]
    fn several_are_refused() {
        for sql in [
            "SELECT 1; SELECT 2".to_owned(),
            ";SELECT 1".to_owned(),
            "SELECT $a('x); SELECT 1; SELECT 2; ')".to_owned(),
            "SELECT $a::b('x); SELECT 1; SELECT 2; ')".to_owned(),
            "SELECT 1\0; SELECT 2".to_owned(),
            "SELECT 1;".repeat(100_000),
            format!("CREATE TRIGGER t {}", "SELECT 1;".repeat(100_000)),
            format!("/**/ create trigger {}", "; ".repeat(100_000)),
        ] {
            statement(&sql).unwrap_err();
        }
    }
}
