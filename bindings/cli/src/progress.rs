//! Bars for long work. Nobody but a person at a terminal gets one.

use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

/// A bar on standard error, or nothing where nobody watches. It is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Counts up to `total`, or up to nobody knows where.
    pub(crate) fn new(console: Console, what: &'static str, total: Option<u64>) -> Self {
        let bar = if console.is_watched() {
            ProgressBar::new(total.unwrap_or_default())
        } else {
            ProgressBar::hidden()
        };
        let form =
            if total.is_some() { "{msg} {wide_bar} {pos}/{len}" } else { "{msg} {spinner} {pos}" };
        // A form that cannot be read is no reason to stop the work.
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar }
    }

    /// One more.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// What is counted from here on.
    pub(crate) fn name(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    /// So many of so many.
    pub(crate) fn at(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    /// Shows a line above the bar.
    pub(crate) fn above(&self, show: impl FnOnce()) {
        self.bar.suspend(show);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
