//! A workflow as a Mermaid state diagram.

use core::fmt::{self, Write as _};

use super::{Definition, arrows};
use crate::workflow::explore::is_end;

impl Definition {
    /// The workflow as a Mermaid state diagram (`stateDiagram-v2`). Labels are quoted, so that they say what they say
    /// and nothing else.
    ///
    /// ```
    /// use placet_core::workflow::Definition;
    ///
    /// let text = Definition::artifact().to_mermaid();
    /// assert!(text.starts_with("stateDiagram-v2\n    [*] --> DRAFT\n"));
    /// assert!(text.contains("    PENDING_REVIEW --> APPROVED: APPROVE (ADMIN, REVIEWER)\n"));
    /// assert!(text.contains("    REJECTED --> [*]\n"));
    /// ```
    pub fn to_mermaid(&self) -> String {
        let mut text = "stateDiagram-v2\n".to_owned();
        let mut line = |written: fmt::Arguments<'_>| {
            // Writing to a `String` cannot fail.
            let _never_fails = writeln!(text, "    {written}");
        };
        line(format_args!("[*] --> {}", self.initial));
        for state in &self.states {
            line(format_args!("state \"{}\" as {}", quoted(state.label.as_str()), state.code));
        }
        for (from, to, caption) in arrows(self) {
            if let (Some(from), Some(to)) = (self.states.get(from), self.states.get(to)) {
                line(format_args!("{} --> {}: {}", from.code, to.code, quoted(&caption)));
            }
        }
        // Where a run may fail too, it is no end of its own.
        for state in self.states.iter().filter(|state| state.phases.iter().all(|it| is_end(*it))) {
            line(format_args!("{} --> [*]", state.code));
        }
        text
    }
}

/// A text without letters that mean something to Mermaid, each as its number.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '"' | '#' | ';' | ':' | '<' | '>' | '&' | '{' | '}' | '\\' | '%') {
            let _never_fails = write!(out, "#{};", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}
