//! The labelled points of this driver.

use placet_target::points::reached;

/// The points of [`placet_target::points`] that a session on a SQLite file reaches.
///
/// ```
/// assert!(placet_target_sqlite::POINTS.contains(&"sqlite.commit.sent"));
/// ```
pub const POINTS: &[&str] = &[
    OPENED,
    BEGUN,
    EXECUTING,
    EXECUTED,
    KEEPING,
    ROWS_READ,
    KEPT,
    MARKER_WRITTEN,
    COMMIT_SENT,
    COMMIT_CONFIRMED,
    STEP_WRITTEN,
    STEP_SENT,
    STEP_CONFIRMED,
    ROLLING_BACK,
    ROLLED_BACK,
    ASKING,
    ASKED,
];

pub(super) const OPENED: &str = "sqlite.opened";
pub(super) const BEGUN: &str = "sqlite.begun";
pub(super) const EXECUTING: &str = "sqlite.executing";
pub(super) const EXECUTED: &str = "sqlite.executed";
pub(super) const KEEPING: &str = "sqlite.keeping";
pub(super) const ROWS_READ: &str = "sqlite.keeping.rows_read";
pub(super) const KEPT: &str = "sqlite.kept";
pub(super) const MARKER_WRITTEN: &str = "sqlite.marker.written";
pub(super) const COMMIT_SENT: &str = "sqlite.commit.sent";
pub(super) const COMMIT_CONFIRMED: &str = "sqlite.commit.confirmed";
pub(super) const STEP_WRITTEN: &str = "sqlite.step.written";
pub(super) const STEP_SENT: &str = "sqlite.step.sent";
pub(super) const STEP_CONFIRMED: &str = "sqlite.step.confirmed";
pub(super) const ROLLING_BACK: &str = "sqlite.rolling_back";
pub(super) const ROLLED_BACK: &str = "sqlite.rolled_back";
pub(super) const ASKING: &str = "sqlite.asking";
pub(super) const ASKED: &str = "sqlite.asked";

/// Says that a session is there.
pub(super) fn at(label: &'static str) {
    reached(label);
}
