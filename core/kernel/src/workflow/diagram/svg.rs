//! A workflow as a picture: states in rows by how far they are from the first, arrows between them.

use core::fmt::{self, Write as _};

use super::{Definition, arrows};

const BOX_WIDTH: usize = 210;
const BOX_HEIGHT: usize = 46;
const COLUMN: usize = 330;
const ROW: usize = 150;
const MARGIN: usize = 60;
const LETTER: usize = 6;

const STYLE: &str = "<style>text{font:12px sans-serif;fill:#222}.c{font-size:10px;fill:#555}\
    rect{fill:#f6f8fa;stroke:#57606a}rect.sync{fill:#e6f4ea}rect.first{stroke-width:3}\
    path{fill:none;stroke:#8c959f}</style>";

/// Where a box is.
#[derive(Clone, Copy, Debug, Default)]
struct Spot {
    row: usize,
    x: usize,
    y: usize,
}

impl Definition {
    /// The workflow as an SVG picture that stands for itself: no script, no font and nothing else from outside. Texts
    /// are escaped.
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
        let arrows = arrows(self);
        let spots = laid_out(self, &arrows);
        let far = |of: fn(&Spot) -> usize| spots.iter().map(of).max().unwrap_or_default();
        let width = far(|spot| spot.x).saturating_add(BOX_WIDTH + MARGIN * 3);
        let height = far(|spot| spot.y).saturating_add(BOX_HEIGHT + MARGIN);
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
        for (number, (from, to, caption)) in arrows.iter().enumerate() {
            if let (Some(from), Some(to)) = (spots.get(*from), spots.get(*to)) {
                put(format_args!("{}", arrow(*from, *to, number, &arrows, caption)));
            }
        }
        for (state, spot) in self.states.iter().zip(&spots) {
            let Spot { x, y, .. } = *spot;
            let first = if state.code == self.initial { " first" } else { "" };
            let sync = if state.is_syncable { " sync" } else { "" };
            let middle = x.saturating_add(BOX_WIDTH / 2);
            put(format_args!(
                "<rect class=\"state{first}{sync}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" \
                 height=\"{BOX_HEIGHT}\" rx=\"8\"/>"
            ));
            let label: String = shortened(state.label.as_str(), 30);
            put(format_args!(
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                y.saturating_add(20),
                escaped(&label)
            ));
            put(format_args!(
                "<text class=\"c\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                y.saturating_add(36),
                state.code
            ));
        }
        text.push_str("</svg>\n");
        text
    }
}

/// Each state in the row of its shortest way from the first; what nothing leads to comes last.
fn laid_out(definition: &Definition, arrows: &[(usize, usize, String)]) -> Vec<Spot> {
    let count = definition.states.len();
    let mut rows: Vec<Option<usize>> = definition
        .states
        .iter()
        .map(|state| (state.code == definition.initial).then_some(0))
        .collect();
    for row in 0..count {
        let is_here = |at: &usize| rows.get(*at).is_some_and(|found| *found == Some(row));
        let next: Vec<usize> =
            arrows.iter().filter(|(from, _, _)| is_here(from)).map(|(_, to, _)| *to).collect();
        for to in next {
            if let Some(found @ None) = rows.get_mut(to) {
                *found = Some(row.saturating_add(1));
            }
        }
    }
    let last = rows.iter().flatten().max().map_or(0, |row| row.saturating_add(1));
    let mut taken = vec![0_usize; last.saturating_add(1)];
    let spots = rows.into_iter().map(|row| {
        let row = row.unwrap_or(last);
        let column = taken.get_mut(row).map_or(0, |next| {
            let column = *next;
            *next = next.saturating_add(1);
            column
        });
        let x = MARGIN.saturating_add(column.saturating_mul(COLUMN));
        Spot { row, x, y: MARGIN.saturating_add(row.saturating_mul(ROW)) }
    });
    spots.collect()
}

/// One arrow with its words. Arrows of one pair bend more and more, so that none hides another.
fn arrow(
    from: Spot,
    to: Spot,
    number: usize,
    arrows: &[(usize, usize, String)],
    caption: &str,
) -> String {
    let half = BOX_WIDTH / 2;
    let pair = |at: usize| arrows.get(at).map(|(from, to, _)| (from.min(to), from.max(to)));
    let beside = (0..number).filter(|at| pair(*at) == pair(number)).count();
    let bend = beside.saturating_add(1).saturating_mul(26);
    let middle = |spot: Spot| spot.x.saturating_add(half);
    // Forward from below to above, backward and within a row at the right side.
    let is_forward = to.row > from.row;
    let (start, end, by) = if is_forward {
        let start = (middle(from), from.y.saturating_add(BOX_HEIGHT));
        let end = (middle(to), to.y);
        let by = (start.0.midpoint(end.0).saturating_add(bend), start.1.midpoint(end.1));
        (start, end, by)
    } else {
        let right = |spot: Spot| spot.x.saturating_add(BOX_WIDTH);
        let (low, high) = (BOX_HEIGHT / 3, BOX_HEIGHT * 2 / 3);
        let start = (right(from), from.y.saturating_add(low));
        let end = (right(to), to.y.saturating_add(high));
        let by = (start.0.max(end.0).saturating_add(bend), start.1.midpoint(end.1));
        (start, end, by)
    };
    let words = shortened(caption, 44);
    let left = by.0.saturating_sub(words.chars().count().saturating_mul(LETTER) / 2);
    let mut text = String::new();
    let ((x1, y1), (x2, y2), (x, y)) = (start, end, by);
    let _never_fails = write!(
        text,
        "<path class=\"way\" d=\"M{x1} {y1}Q{x} {y} {x2} {y2}\" marker-end=\"url(#tip)\"/>\
         <text class=\"c\" x=\"{left}\" y=\"{}\">{}</text>",
        y.saturating_add(beside.saturating_mul(12)),
        escaped(&words)
    );
    text
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
