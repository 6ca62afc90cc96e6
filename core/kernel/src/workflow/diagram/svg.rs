//! A workflow as a picture: boxes for the states, arrows for the ways between them.

use core::fmt::{self, Write as _};

use super::layout::{Layout, Line, SPACE, Side, Square, Way, lay_out};
use super::{Definition, arrows};

/// The most letters of a label, and of the words at an arrow.
const LABEL_MAX: usize = 40;
const WORDS_MAX: usize = 60;
/// How round the corners of arrows are.
const BEND: usize = 6;

const STYLE: &str = "<style>text{font:12px sans-serif;fill:#222}.c{font-size:10px;fill:#555}\
    rect{fill:#f6f8fa;stroke:#57606a}rect.sync{fill:#e6f4ea}rect.first{stroke-width:3}\
    path{fill:none;stroke:#8c959f}</style>";

impl Definition {
    /// The workflow as an SVG picture that stands for itself: no script, no font and nothing else from outside. Texts
    /// are escaped. The states stand below each other in their order, so an author says how it looks.
    ///
    /// ```
    /// use placet_core::workflow::Definition;
    ///
    /// let picture = Definition::artifact().to_svg();
    /// assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// assert_eq!(picture.matches("<rect ").count(), 7);
    /// assert_eq!(picture.matches("<path class=\"way\"").count(), 12);
    /// ```
    pub fn to_svg(&self) -> String {
        let arrows: Vec<(usize, usize, String)> = arrows(self)
            .into_iter()
            .map(|(from, to, words)| (from, to, shortened(&words, WORDS_MAX)))
            .collect();
        let labels: Vec<String> =
            self.states.iter().map(|state| shortened(state.label.as_str(), LABEL_MAX)).collect();
        let texts: Vec<usize> = self
            .states
            .iter()
            .zip(&labels)
            .map(|(state, label)| wide(label, 9).max(wide(state.code.as_str(), 7)))
            .collect();
        let ways: Vec<Way> = arrows
            .iter()
            .map(|(from, to, words)| Way { from: *from, to: *to, words: wide(words, 7) })
            .collect();
        let Layout { width, height, boxes, lines } = lay_out(&texts, &ways);
        let mut text = String::new();
        let mut put = |written: fmt::Arguments<'_>| {
            // Writing to a `String` cannot fail.
            let _never_fails = writeln!(text, "{written}");
        };
        put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
        ));
        put(format_args!("<title>{} {}</title>{STYLE}", self.name, self.version));
        put(format_args!(
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" style=\"fill:#8c959f\"/></marker></defs>"
        ));
        for (line, (_, _, words)) in lines.iter().zip(&arrows) {
            put(format_args!("{}", arrow(line, words)));
        }
        for ((state, label), Square { x, y, width, height }) in
            self.states.iter().zip(&labels).zip(boxes)
        {
            let first = if state.code == self.initial { " first" } else { "" };
            let sync = if state.is_syncable { " sync" } else { "" };
            let middle = (x.saturating_add(width / 2), y.saturating_add(height / 2));
            put(format_args!(
                "<rect class=\"state{first}{sync}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" \
                 height=\"{height}\" rx=\"8\"/>"
            ));
            put(format_args!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                middle.0,
                middle.1.saturating_sub(3),
                escaped(label)
            ));
            put(format_args!(
                "<text class=\"c\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                middle.0,
                middle.1.saturating_add(13),
                state.code
            ));
        }
        text.push_str("</svg>\n");
        text
    }
}

/// How wide a text is at most, in a letter size of which capital letters have `letter` on average.
fn wide(text: &str, letter: usize) -> usize {
    let one = |it: char| if it.is_ascii() { letter } else { letter.saturating_mul(2) };
    text.chars().map(one).fold(0, usize::saturating_add)
}

/// One arrow, and its words over the piece of it where it begins.
fn arrow(line: &Line, words: &str) -> String {
    let Line { side, start: (x1, y1), lane, end: (x2, y2) } = *line;
    let (corner, word_x, anchor) = match side {
        Side::Left => (lane.saturating_add(BEND), x1.saturating_sub(SPACE), "end"),
        Side::Right => (lane.saturating_sub(BEND), x1.saturating_add(SPACE), "start"),
    };
    let (above, below) = if y1 < y2 {
        (y1.saturating_add(BEND), y2.saturating_sub(BEND))
    } else {
        (y1.saturating_sub(BEND), y2.saturating_add(BEND))
    };
    format!(
        "<path class=\"way\" d=\"M{x1} {y1}H{corner}Q{lane} {y1} {lane} {above}V{below}\
         Q{lane} {y2} {corner} {y2}H{x2}\" marker-end=\"url(#tip)\"/>\
         <text class=\"c\" x=\"{word_x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
        y1.saturating_sub(4),
        escaped(words)
    )
}

fn shortened(text: &str, letters_max: usize) -> String {
    if text.chars().count() <= letters_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
