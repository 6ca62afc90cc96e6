//! The tokens of PostgreSQL's SQL, as its manual has them (4.1 Lexical Structure).

/// A piece of a statement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// A keyword or a name without quotes.
    Word(&'a str),
    /// A name in double quotes, with them.
    Quoted(&'a str),
    /// A text: in single quotes of whatever kind, or between dollars.
    Text,
    /// A name or text whose letters are written as numbers: `U&"…"` and `U&'…'`.
    Escaped,
    /// A semicolon.
    End,
    /// Any other sign.
    Sign(char),
}

/// A token, and where it ends, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) end: usize,
    /// How many parentheses and brackets are open around it.
    pub(crate) depth: u32,
}

impl Piece<'_> {
    /// Whether it is this keyword.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

/// The pieces of `sql` without comments, or `None` where a quote or comment does not end.
pub(crate) fn pieces(sql: &str) -> Option<Vec<Piece<'_>>> {
    let mut lexer = Lexer { sql, at: 0, escapes: false };
    let (mut found, mut depth) = (Vec::new(), 0_u32);
    while lexer.skip_blank()? {
        let token = lexer.token()?;
        if matches!(token, Token::Sign(')' | ']')) {
            depth = depth.saturating_sub(1);
        }
        found.push(Piece { token, end: lexer.at, depth });
        if matches!(token, Token::Sign('(' | '[')) {
            depth = depth.saturating_add(1);
        }
    }
    Some(found)
}

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
    /// Whether the last token was a text with escapes: one that goes on in the next line has them too.
    escapes: bool,
}

fn begins_name(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}

fn is_in_name(letter: char) -> bool {
    begins_name(letter) || letter.is_ascii_digit() || letter == '$'
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Passes over spaces and comments. `Some(false)` at the end.
    fn skip_blank(&mut self) -> Option<bool> {
        loop {
            let rest = self.rest();
            // The server's own blanks; it knows no others.
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}', '\u{b}']);
            self.step(rest.len().saturating_sub(trimmed.len()));
            if trimmed.starts_with("--") {
                let end = trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
                self.step(end);
            } else if trimmed.starts_with("/*") {
                self.skip_comment()?;
            } else {
                return Some(!trimmed.is_empty());
            }
        }
    }

    /// Comments between `/*` and `*/` are nested.
    fn skip_comment(&mut self) -> Option<()> {
        let mut depth = 0_u32;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth = depth.checked_add(1)?;
                self.step(2);
            } else if rest.starts_with("*/") {
                depth = depth.saturating_sub(1);
                self.step(2);
                if depth == 0 {
                    return Some(());
                }
            } else {
                self.step(rest.chars().next()?.len_utf8());
            }
        }
    }

    fn token(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let mut letters = rest.chars();
        let (first, second, third) = (letters.next()?, letters.next(), letters.next());
        let goes_on = core::mem::replace(&mut self.escapes, false);
        match (first.to_ascii_lowercase(), second) {
            (';', _) => {
                self.step(1);
                Some(Token::End)
            }
            ('\'', _) => {
                self.escapes = goes_on;
                self.quoted(0, '\'', goes_on).map(|_| Token::Text)
            }
            ('"', _) => self.quoted(0, '"', false).map(Token::Quoted),
            ('e', Some('\'')) => {
                self.escapes = true;
                self.quoted(1, '\'', true).map(|_| Token::Text)
            }
            ('b' | 'x' | 'n', Some('\'')) => self.quoted(1, '\'', false).map(|_| Token::Text),
            ('u', Some('&')) if matches!(third, Some('\'' | '"')) => {
                self.quoted(2, third?, false).map(|_| Token::Escaped)
            }
            ('$', _) => self.dollar(),
            _ if begins_name(first) => {
                let end = rest.find(|letter| !is_in_name(letter)).unwrap_or(rest.len());
                self.step(end);
                rest.get(..end).map(Token::Word)
            }
            _ if first.is_ascii_digit() => {
                // Letters behind a number begin a word of their own for the server, or are refused by it.
                let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
                self.step(end);
                Some(Token::Sign('0'))
            }
            _ => {
                self.step(first.len_utf8());
                Some(Token::Sign(first))
            }
        }
    }

    /// Something between two quotes, which stands doubled for itself; a backslash takes its next letter along
    /// where there are escapes.
    fn quoted(&mut self, prefix: usize, quote: char, escapes: bool) -> Option<&'a str> {
        let all = self.rest();
        let body = all.get(prefix.saturating_add(1)..)?;
        let mut letters = body.char_indices().peekable();
        loop {
            match letters.next()? {
                (_, '\\') if escapes => {
                    let _taken = letters.next()?;
                }
                (at, letter)
                    if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() =>
                {
                    let length = prefix.saturating_add(at).saturating_add(2);
                    self.step(length);
                    return all.get(..length);
                }
                _ => {}
            }
        }
    }

    /// `$tag$ … $tag$`, a parameter, or a lonely dollar.
    fn dollar(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let after = rest.get(1..).unwrap_or_default();
        let in_tag = |letter: char| is_in_name(letter) && letter != '$';
        let tag = after.find(|letter| !in_tag(letter)).unwrap_or(after.len());
        let begins = tag == 0 || after.starts_with(begins_name);
        let Some(mark) = rest.get(..tag.saturating_add(2)).filter(|it| begins && it.ends_with('$'))
        else {
            self.step(1);
            return Some(Token::Sign('$'));
        };
        let body = rest.get(mark.len()..)?;
        let end = body.find(mark)?;
        self.step(mark.len().saturating_mul(2).saturating_add(end));
        Some(Token::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Option<String> {
        let pieces = pieces(sql)?;
        let show = |piece: &Piece<'_>| match piece.token {
            Token::Word(word) => word.to_owned(),
            Token::Quoted(name) => name.to_owned(),
            Token::Text => "T".to_owned(),
            Token::Escaped => "U".to_owned(),
            Token::End => ";".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        };
        Some(pieces.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn texts_comments_and_names_are_told_apart() {
        for (sql, due) in [
            ("SELECT 'a;''b' ; x", "SELECT T ; x"),
            ("SELECT E'a\\';b', 'a\\'", "SELECT T , T"),
            ("a /* b /* c */ ; */ d -- e ;\nf", "a d f"),
            ("$$ ; $$ $x$ $$ ; $y$ $x$ $1 a$b$ ;", "T T $ 0 a$b$ ;"),
            ("U&\"d\\0061t\" u&'x' U & b", "U U U & b"),
            ("\"a\"\";b\" n'x' b'1' x'f' é", "\"a\"\";b\" T T T é"),
            ("E'a'\n'\\';b' ; c", "T T ; c"),
            ("1a 1.5e3", "0 a 0 . 0 e3"),
        ] {
            assert_eq!(shown(sql).as_deref(), Some(due), "{sql}");
        }
    }

    #[test]
    fn what_does_not_end_is_nothing() {
        for sql in ["'a", "\"a", "/* /* */", "$a$ b $a", "E'a\\'", "$$"] {
            assert_eq!(shown(sql), None, "{sql}");
        }
    }

    #[test]
    fn depth_counts_what_is_open() {
        let pieces = pieces("a(b[c])d").unwrap();
        let depths: Vec<u32> = pieces.iter().map(|piece| piece.depth).collect();
        assert_eq!(depths, [0, 0, 1, 1, 2, 1, 0, 0]);
    }
}
