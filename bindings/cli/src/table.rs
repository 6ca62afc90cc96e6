//! Columns.

use crate::text::one_line;

/// How many letters a cell shows.
const CELL_CHARS_MAX: usize = 100;

/// A line for the heads, then one for each row. Cells are one line each, whatever is in them.
pub(crate) fn lines(heads: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let shown = |row: &Vec<String>| row.iter().map(|cell| one_line(cell, CELL_CHARS_MAX)).collect();
    let all: Vec<Vec<String>> = core::iter::once(heads).chain(rows.iter().map(shown)).collect();
    let columns = all.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let laid_out = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(laid_out).collect()
}
