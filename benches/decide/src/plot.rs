//! The figures as a picture: a bar for each decider, in each world, on a logarithmic axis.

use std::fmt::Write as _;

use crate::figures::Figures;

const LEFT: f64 = 220.0;
const WIDTH: f64 = 560.0;
const BAR: f64 = 15.0;
const GAP: f64 = 12.0;
const TOP: f64 = 64.0;
/// The axis goes from 10 ns to 100 µs.
const FIRST: f64 = 1.0;
const LAST: f64 = 5.0;
/// Dark on light, told apart also without colour.
const FILLS: [&str; 3] = ["#9ecae1", "#4292c6", "#084594"];

fn x(ns: f64) -> f64 {
    LEFT + WIDTH * ((ns.max(1.0).log10() - FIRST) / (LAST - FIRST)).clamp(0.0, 1.0)
}

/// A time in words, whole nanoseconds or microseconds with so many digits after the point.
fn label(ns: f64, digits: usize) -> String {
    if ns < 1_000.0 { format!("{ns:.0} ns") } else { format!("{:.digits$} µs", ns / 1e3) }
}

pub(crate) fn svg(all: &[Figures]) -> String {
    let names: Vec<&str> = all
        .last()
        .map(|figures| figures.engines.iter().map(|engine| engine.name).collect())
        .unwrap_or_default();
    let group = BAR * all.len() as f64 + GAP;
    let bottom = TOP + group * names.len() as f64;
    let mut out = String::new();
    let mut write = || {
        let (width, height) = (LEFT + WIDTH + 90.0, bottom + 50.0);
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="black">"#
        )?;
        writeln!(out, r#"<rect width="{width}" height="{height}" fill="white"/>"#)?;
        writeln!(
            out,
            r#"<text x="16" y="24" font-size="15">CPU time of one decision, mean (shorter is better, logarithmic)</text>"#
        )?;
        for (at, figures) in all.iter().enumerate() {
            let left = LEFT + 190.0 * at as f64;
            let (users, projects) = (figures.size.users, figures.size.projects);
            writeln!(
                out,
                r#"<rect x="{left}" y="36" width="12" height="12" fill="{}"/>"#,
                FILLS[at % 3]
            )?;
            writeln!(out, r#"<text x="{}" y="46">{users} users / {projects}</text>"#, left + 18.0)?;
        }
        writeln!(out, r#"<text x="16" y="46">users / projects:</text>"#)?;
        for power in 1..=5 {
            let ns = 10_f64.powi(power);
            let at = x(ns);
            writeln!(
                out,
                r##"<line x1="{at}" y1="{TOP}" x2="{at}" y2="{bottom}" stroke="#cccccc"/>"##
            )?;
            let (y, text) = (bottom + 18.0, label(ns, 0));
            writeln!(out, r#"<text x="{at}" y="{y}" text-anchor="middle">{text}</text>"#)?;
        }
        writeln!(
            out,
            r#"<text x="{}" y="{}" text-anchor="middle">CPU time</text>"#,
            LEFT + WIDTH / 2.0,
            bottom + 38.0
        )?;
        for (row, name) in names.iter().enumerate() {
            let y = TOP + group * row as f64 + GAP / 2.0;
            let middle = y + BAR * all.len() as f64 / 2.0 + 4.0;
            writeln!(
                out,
                r#"<text x="{}" y="{middle}" text-anchor="end">{name}</text>"#,
                LEFT - 10.0
            )?;
            for (at, figures) in all.iter().enumerate() {
                let Some(engine) = figures.engine(name) else { continue };
                let (y, end) = (y + BAR * at as f64, x(engine.mean_ns));
                let (width, fill) = (end - LEFT, FILLS[at % 3]);
                writeln!(
                    out,
                    r#"<rect x="{LEFT}" y="{y}" width="{width:.1}" height="{}" fill="{fill}"/>"#,
                    BAR - 2.0
                )?;
                let (left, text) = (end + 5.0, label(engine.mean_ns, 1));
                writeln!(
                    out,
                    r#"<text x="{left:.1}" y="{:.1}" font-size="10">{text}</text>"#,
                    y + BAR - 5.0
                )?;
            }
        }
        writeln!(out, "</svg>")
    };
    write().expect("a text takes all that is written to it");
    out
}
