//! What the examples share: writing to a terminal so that a person can read it.

use core::fmt;
use std::io::{self, IsTerminal as _, Write as _};

/// Writes lines to standard output, with colours only where that is a terminal.
#[derive(Debug)]
pub struct Console {
    colours: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self { colours: io::stdout().is_terminal() }
    }
}

impl Console {
    /// A headline, with a blank line before it.
    pub fn headline(&self, text: &str) {
        self.write(&format!("\n{}", self.painted("1;36", text)));
    }

    /// A line of text.
    pub fn line(&self, text: &str) {
        self.write(&format!("  {text}"));
    }

    /// Something that worked.
    pub fn done(&self, text: &str) {
        self.write(&format!("  {} {text}", self.painted("32", "yes")));
    }

    /// Something that was refused, as it must be.
    pub fn refused(&self, what: &str, why: &impl fmt::Display) {
        self.write(&format!("  {}  {what}\n      {why}", self.painted("31", "no")));
    }

    /// A table: a row of heads, then rows of as many cells.
    pub fn table(&self, heads: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
            let all = cells.chain(heads.get(column).copied());
            all.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let laid_out = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ")
        };
        let head = laid_out(&mut heads.iter().copied());
        self.line(&self.painted("2", head.trim_end()));
        for row in rows {
            self.line(laid_out(&mut row.iter().map(String::as_str)).trim_end());
        }
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn write(&self, text: &str) {
        // A reader that went away (`| head`) is no fault of the story.
        writeln!(io::stdout().lock(), "{text}").unwrap_or_default();
    }
}
