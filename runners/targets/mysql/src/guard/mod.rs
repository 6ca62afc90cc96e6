//! What a statement may be. It is judged by its tokens, before the server sees it; what is not known is refused.

mod tokens; // the parts of a statement
mod names; // what no statement names
mod verbs; // how a statement begins, and what that means

pub(crate) use names::OURS;
pub(crate) use tokens::Token;

/// The longest statement, in bytes.
const STATEMENT_BYTES_MAX: usize = 16 << 20;

/// What a statement is to be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// To read.
    Read,
    /// To change, in the open transaction.
    Transaction,
    /// To change, where no transaction can be.
    Alone,
}

/// A statement that may go to the server.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    /// Its text, without what follows its last token.
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token>,
}

impl Statement<'_> {
    /// The keyword at `at`, counted from 0.
    pub(crate) fn word(&self, at: usize) -> &str {
        match self.tokens.get(at) {
            Some(Token::Word(word)) => word,
            Some(Token::Sign('(')) => "(",
            Some(_) | None => "",
        }
    }

    /// Whether these keywords stand in it, one after the other.
    pub(crate) fn holds(&self, keywords: &[&str]) -> bool {
        self.tokens
            .windows(keywords.len())
            .any(|part| part.iter().zip(keywords).all(|(token, keyword)| token.is(keyword)))
    }

    /// Whether an error of it means that nothing changed: one statement on one object, which MariaDB since 10.6 ("Atomic
    /// DDL") and MySQL since 8.0 ("Atomic Data Definition Statement Support") do whole or not at all.
    pub(crate) fn is_atomic(&self) -> bool {
        let replaces = self.holds(&["or", "replace"]);
        let is_one = !self.tokens.contains(&Token::Sign(','));
        match self.word(0) {
            "create" | "alter" => {
                !replaces && self.word(1) != "database" && self.word(1) != "schema"
            }
            "drop" | "rename" => is_one,
            _ => false,
        }
    }
}

/// The one statement in `text`, if it may be used so; or why not.
pub(crate) fn check(text: &str, purpose: Purpose) -> Result<Statement<'_>, String> {
    if text.len() > STATEMENT_BYTES_MAX {
        return Err(format!("the statement is longer than {STATEMENT_BYTES_MAX} bytes"));
    }
    let mut tokens = tokens::tokens(text)?;
    while tokens.last().is_some_and(|(token, _)| *token == Token::Sign(';')) {
        tokens.pop();
    }
    let end = tokens.last().map_or(0, |(_, end)| *end);
    let text = text.get(..end).unwrap_or_default();
    let statement =
        Statement { text, tokens: tokens.into_iter().map(|(token, _)| token).collect() };
    if statement.tokens.is_empty() {
        return Err("there is no statement".to_owned());
    }
    // The server takes one statement at a time, too: several were not agreed upon.
    if statement.tokens.contains(&Token::Sign(';')) && !verbs::has_body(&statement) {
        return Err("one call executes one statement".to_owned());
    }
    names::check(&statement)?;
    verbs::check(&statement, purpose)?;
    Ok(statement)
}

#[cfg(test)]
mod tests;
