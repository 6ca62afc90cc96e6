//! Text that does not look as it reads: an approver would agree to something else than what runs.
//!
//! Source: Unicode Technical Standard #39, "Unicode Security Mechanisms", and Annex #9, "Bidirectional Algorithm".

use alloc::format;
use alloc::vec::Vec;

use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::lexer::{Kind, Lexer};
use crate::rules::Rule;

/// The most findings of this kind: one is enough to refuse, a few help to clean up.
const FOUND_MAX: usize = 10;

/// Characters outside of strings that cannot be seen, or that turn the text around them. In a string they are
/// data, unless they turn the text around them: then the string seems to end elsewhere.
pub(crate) fn hidden(script: &str, dialect: Dialect, found: &mut Vec<Finding>) {
    if script.bytes().all(is_plain) && !has_lone_return(script) {
        return;
    }
    let strings = strings_of(script, dialect);
    let mut strings = strings.iter().peekable();
    let Some(rule) = Rule::find("sql.invisible_characters") else { return };
    let (mut line, mut position) = (1_u32, 0_u32);
    let mut count = 0_usize;
    let mut letters = script.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        position = position.saturating_add(1);
        if letter == '\n' {
            line = line.saturating_add(1);
        }
        while strings.next_if(|(_, end)| *end <= at).is_some() {}
        let in_string = strings.peek().is_some_and(|(start, _)| *start <= at);
        let is_lone = letter == '\r' && letters.peek().is_none_or(|(_, next)| *next != '\n');
        // A byte order mark at the very beginning is no part of the text.
        let is_odd = turns(letter) || !in_string && (is_lone || at > 0 && is_unseen(letter));
        if is_odd && count < FOUND_MAX {
            count = count.saturating_add(1);
            let message = format!(
                "the character U+{:04X} cannot be seen, or turns the text around it",
                u32::from(letter)
            );
            let help = "take it out, and type the text around it again";
            found.push(
                Finding::new(rule.level, rule.code, message).with_help(help).at(line, position),
            );
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// A carriage return alone ends a comment for one reader, and not for another.
fn has_lone_return(script: &str) -> bool {
    let mut bytes = script.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' && bytes.peek() != Some(&b'\n') {
            return true;
        }
    }
    false
}

/// Where strings stand that are data. What stands between dollars, or in any string of a statement that takes code as a
/// string, is code: whoever reads it reads statements.
fn strings_of(script: &str, dialect: Dialect) -> Vec<(usize, usize)> {
    let mut lexer = Lexer::new(script, dialect);
    let mut strings = Vec::new();
    let mut head = Vec::new();
    while let Ok(Some(token)) = lexer.next() {
        let text = script.get(token.start..token.end).unwrap_or_default();
        if token.kind == Kind::End {
            head.clear();
            continue;
        }
        let is_data = !text.starts_with('$') && !takes_code(&head, dialect);
        if token.kind == Kind::Text && is_data {
            strings.push((token.start, token.end));
        }
        if head.len() < HEAD_TOKENS {
            head.push(text);
        }
    }
    strings
}

/// The tokens of `CREATE OR REPLACE FUNCTION`.
const HEAD_TOKENS: usize = 4;

/// Whether a statement that begins so has its code in a string. In MySQL and SQLite none has.
fn takes_code(head: &[&str], dialect: Dialect) -> bool {
    let is = |word: &str, due: &str| word.eq_ignore_ascii_case(due);
    matches!(dialect, Dialect::PostgreSql | Dialect::Generic)
        && match head {
            [first, ..] if is(first, "DO") => true,
            [first, rest @ ..] if is(first, "CREATE") => {
                rest.iter().any(|word| is(word, "FUNCTION") || is(word, "PROCEDURE"))
            }
            _ => false,
        }
}

/// Whether it changes the order in which the text around it is shown.
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing is shown for it, or a blank that databases take for a letter.
const fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{8}' | '\u{B}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{A0}' | '\u{AD}' | '\u{34F}'
            | '\u{115F}' | '\u{1160}' | '\u{1680}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{206F}' | '\u{2800}'
            | '\u{3000}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}
