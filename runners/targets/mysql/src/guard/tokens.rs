//! The tokens of a statement, as a server reads them whose session has our `sql_mode`: `"` quotes texts, and `\` escapes.
//! What a server could read in another way is refused.

/// A part of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// A word without quotes, in lower case: a keyword, a name or a number.
    Word(String),
    /// A name in backticks, in lower case.
    Name(String),
    /// A text.
    Text,
    /// `@name`, or the `@` between a user and a host.
    Variable,
    /// `@@`, which begins the name of a setting.
    Setting,
    /// Any other sign.
    Sign(char),
}

impl Token {
    /// Whether it is this keyword, which is in lower case.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word == keyword)
    }

    /// The name that it may be.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            Self::Text | Self::Variable | Self::Setting | Self::Sign(_) => None,
        }
    }
}

/// The tokens, each with the place of the first byte after it.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, &'static str> {
    let mut reader = Reader { text, at: 0 };
    let mut tokens = Vec::new();
    let mut from = 0;
    loop {
        reader.skip_blanks()?;
        let start = reader.at;
        let token = reader.next()?;
        let outside = if token == Some(Token::Text) { from..start } else { from..reader.at };
        if text.get(outside).is_none_or(|outside| outside.contains(is_control)) {
            return Err("a statement holds no control characters outside of texts");
        }
        let Some(token) = token else { return Ok(tokens) };
        from = reader.at;
        tokens.push((token, from));
    }
}

/// Whether it is a control character and no blank. Nobody sees it, and the server may: after two dashes it makes a
/// comment of the rest of the line.
const fn is_control(letter: char) -> bool {
    letter.is_ascii_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

fn is_part_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$') || !letter.is_ascii()
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    fn skip_to(&mut self, end: &str, why: &'static str) -> Result<(), &'static str> {
        let found = self.rest().find(end).ok_or(why)?;
        self.skip(found.saturating_add(end.len()));
        Ok(())
    }

    /// Leaves blanks and comments behind.
    fn skip_blanks(&mut self) -> Result<(), &'static str> {
        loop {
            let rest = self.rest();
            let mut letters = rest.chars();
            match (letters.next(), letters.next(), letters.next()) {
                (Some(' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'), ..) => self.skip(1),
                // Two dashes are a comment only before a blank or a control character.
                (Some('-'), Some('-'), None) => self.skip(2),
                (Some('#'), ..)
                | (Some('-'), Some('-'), Some(' ' | '\0'..='\u{1f}' | '\u{7f}')) => {
                    self.skip_line();
                }
                (Some('/'), Some('*'), third) => {
                    if matches!(third, Some('!' | '+' | 'M' | 'm')) {
                        return Err("a comment that the server would run or obey is refused");
                    }
                    self.skip(2);
                    self.skip_to("*/", "a comment does not end")?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.skip(rest.find('\n').map_or(rest.len(), |at| at.saturating_add(1)));
    }

    /// The token that begins here, where no blanks do.
    fn next(&mut self) -> Result<Option<Token>, &'static str> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        Ok(Some(match first {
            '\'' | '"' => {
                self.skip_text(first)?;
                Token::Text
            }
            '`' => Token::Name(self.quoted_name()?),
            '@' if rest.starts_with("@@") => {
                self.skip(2);
                Token::Setting
            }
            '@' => {
                self.skip(1);
                match self.rest().chars().next() {
                    Some(quote @ ('\'' | '"')) => self.skip_text(quote)?,
                    Some('`') => drop(self.quoted_name()?),
                    Some(letter) if is_part_of_word(letter) || letter == '.' => {
                        let is_part = |letter| is_part_of_word(letter) || letter == '.';
                        self.skip(
                            self.rest().find(|letter| !is_part(letter)).unwrap_or(usize::MAX),
                        );
                    }
                    Some(_) | None => return Err("a name follows `@` at once"),
                }
                Token::Variable
            }
            letter if is_part_of_word(letter) => self.word()?,
            sign => {
                self.skip(sign.len_utf8());
                Token::Sign(sign)
            }
        }))
    }

    fn word(&mut self) -> Result<Token, &'static str> {
        let rest = self.rest();
        let end = rest.find(|letter| !is_part_of_word(letter)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_lowercase();
        self.skip(end);
        // Where a number ends and a word begins, servers find out in their own ways.
        if word.starts_with(|letter: char| letter.is_ascii_digit()) && !is_number(&word) {
            return Err(
                "put names that begin with a digit into backticks, and blanks after numbers",
            );
        }
        Ok(Token::Word(word))
    }

    fn quoted_name(&mut self) -> Result<String, &'static str> {
        const WHY: &str = "a name in backticks does not end";
        let start = self.at;
        self.skip(1);
        loop {
            self.skip_to("`", WHY)?;
            if !self.rest().starts_with('`') {
                break;
            }
            self.skip(1);
        }
        let inside = start.saturating_add(1)..self.at.saturating_sub(1);
        Ok(self.text.get(inside).ok_or(WHY)?.replace("``", "`").to_lowercase())
    }

    fn skip_text(&mut self, quote: char) -> Result<(), &'static str> {
        self.skip(1);
        loop {
            let rest = self.rest();
            let found = rest.find([quote, '\\']).ok_or("a text in quotes does not end")?;
            let is_escape = rest.get(found..).is_some_and(|rest| rest.starts_with('\\'));
            self.skip(found.saturating_add(1));
            if is_escape {
                let escaped = self.rest().chars().next().map_or(0, char::len_utf8);
                self.skip(escaped);
            } else if self.rest().starts_with(quote) {
                self.skip(1);
            } else {
                return Ok(());
            }
        }
    }
}

/// `12`, `0x1f`, `0b01`, `1e5`, and `1e` of `1e-5`.
fn is_number(word: &str) -> bool {
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(hex) = word.strip_prefix("0x") {
        return hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(bits) = word.strip_prefix("0b") {
        return bits.bytes().all(|byte| matches!(byte, b'0' | b'1'));
    }
    word.split_once('e').map_or_else(|| all_digits(word), |(a, b)| all_digits(a) && all_digits(b))
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    fn shown(text: &str) -> String {
        let shown = tokens(text).unwrap().into_iter().map(|(token, _)| match token {
            Token::Word(word) => word,
            Token::Name(name) => format!("`{name}`"),
            Token::Text => "''".to_owned(),
            Token::Variable => "@".to_owned(),
            Token::Setting => "@@".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn texts_names_and_comments_are_told_apart() {
        for (text, due) in [
            ("SELECT 'it''s; \\' -- no' -- yes; \n, 1", "select '' , 1"),
            ("SELECT \"a`b\" # '\n, `a'``B`", "select '' , `a'`b`"),
            ("SELECT 5--2, 5-- 2\n, 6", "select 5 - - 2 , 5 , 6"),
            ("SELECT /* ; ' */ 1.5e3, 0x1F, 1e-5", "select 1 . 5e3 , 0x1f , 1e - 5"),
            (
                "SET @a = @@sql_mode, @`b c` = 1, @'d' = 2, @e.f=1",
                "set @ = @@ sql_mode , @ = 1 , @ = 2 , @ = 1",
            ),
            ("DEFINER=`root`@`localhost` x", "definer = `root` @ x"),
            ("select sch\u{f6}n.Stra\u{df}e--", "select sch\u{f6}n . stra\u{df}e"),
            ("", ""),
            ("-- only a comment", ""),
            ("SELECT '\u{7f}\u{1}',\u{b}1 --\u{c}x", "select '' , 1"),
        ] {
            assert_eq!(shown(text), due, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "SELECT 'a",
            "SELECT 'a\\'",
            "SELECT \"a",
            "SELECT `a",
            "SELECT `a``",
            "SELECT /* a",
            "SELECT /*! SLEEP(1) */",
            "SELECT /*!50000 SLEEP(1) */",
            "SELECT /*M! SLEEP(1) */",
            "SELECT /*+ SET_VAR(sql_mode='') */ 1",
            "SELECT 1e5union",
            "SELECT 1.5union",
            "SELECT 0x41zz",
            "SELECT 1e+5sleep(1)",
            "SELECT a@ b",
            "SELECT \0",
            "SELECT 1 --\u{7f} + 1",
            "SELECT 1 --\u{1f} + 1",
            "SELECT 1 -- \u{7f}",
            "SELECT 1 /* \u{7f} */",
            "SELECT a\u{7f}b",
            "SELECT `a\u{7f}b`",
            "SELECT 1\u{7f}",
        ] {
            tokens(text).unwrap_err();
        }
    }
}
