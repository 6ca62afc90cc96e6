//! What a person reads. Whatever comes from outside passes [`clean`], so that nothing of it controls a terminal.

use core::fmt::{Display, Write as _};

use clap::builder::styling::{AnsiColor, Style};

use crate::table;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();

/// How much of a piece of text from outside is shown in one cell or field.
const SHOWN_CHARS_MAX: usize = 4_000;

/// Lines for a person, with styles that are taken away where the output is not a terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    written: String,
}

/// What a word means to the reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    Good,
    Bad,
    Odd,
    Quiet,
    Head,
}

impl Mood {
    const fn style(self) -> Style {
        match self {
            Self::Good => GOOD,
            Self::Bad => BAD,
            Self::Odd => ODD,
            Self::Quiet => DIM,
            Self::Head => BOLD,
        }
    }
}

impl Text {
    /// A line.
    pub(crate) fn line(&mut self, line: impl Display) -> &mut Self {
        self.push(&clean(&line.to_string()));
        self.push("\n");
        self
    }

    /// A headline, with an empty line before it unless it is the first.
    pub(crate) fn head(&mut self, head: impl Display) -> &mut Self {
        if !self.written.is_empty() {
            self.push("\n");
        }
        self.styled(Mood::Head, head);
        self.push("\n");
        self
    }

    /// A line that begins with a word that says how good it is.
    pub(crate) fn said(&mut self, mood: Mood, word: &str, rest: impl Display) -> &mut Self {
        self.styled(mood, word);
        let rest = rest.to_string();
        if !rest.is_empty() {
            self.push(" ");
        }
        self.line(rest)
    }

    /// A name and a value, the names in a column.
    pub(crate) fn field(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.styled(Mood::Quiet, format_args!("{name:<12}"));
        self.push(" ");
        let value = value.to_string();
        let shown = clean(&shortened(&value, SHOWN_CHARS_MAX)).replace('\n', "\n             ");
        self.push(&shown);
        self.push("\n");
        self
    }

    /// A table; nothing where it has no rows.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) -> &mut Self {
        if rows.is_empty() {
            return self;
        }
        let mut lines = table::lines(heads, rows).into_iter();
        if let Some(head) = lines.next() {
            self.styled(Mood::Quiet, head);
            self.push("\n");
        }
        for line in lines {
            self.push(&line);
            self.push("\n");
        }
        self
    }

    /// Everything of another text.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.push(&other.written);
        self
    }

    /// With the styles in it.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    fn styled(&mut self, mood: Mood, text: impl Display) {
        let style = mood.style();
        let text = clean(&text.to_string());
        // Writing into a string does not fail.
        let _written = write!(self.written, "{style}{text}{style:#}");
    }

    fn push(&mut self, text: &str) {
        self.written.push_str(text);
    }
}

/// The text without anything that moves a cursor, changes a colour or turns the direction of writing. Line breaks
/// stay.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_harmful = letter.is_control() && letter != '\n'
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
            || ('\u{202a}'..='\u{202e}').contains(&letter)
            || ('\u{2066}'..='\u{2069}').contains(&letter);
        if letter == '\t' {
            cleaned.push_str("    ");
        } else if is_harmful {
            cleaned.push('\u{fffd}');
        } else {
            cleaned.push(letter);
        }
    }
    cleaned
}

/// On one line, and no longer than that many letters.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    shortened(&clean(&words.join(" ")), chars_max)
}

fn shortened(text: &str, chars_max: usize) -> String {
    let mut shown: String = text.chars().take(chars_max).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
