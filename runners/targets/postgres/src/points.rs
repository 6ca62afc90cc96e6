//! Where a test may stop a run.

/// Every point that a session of this target reaches, in the order of a run.
///
/// They are passed to [`placet_target::points::reached`], which does nothing without its feature `testing`.
///
/// ```
/// use placet_target_postgres::POINTS;
/// assert!(POINTS.contains(&"postgres.commit.sent"));
/// ```
pub const POINTS: &[&str] = &[
    "postgres.opened",
    "postgres.locked",
    "postgres.tables.made",
    "postgres.begun",
    "postgres.executing",
    "postgres.executed",
    "postgres.kept.locked",
    "postgres.kept",
    "postgres.marker.written",
    "postgres.step.written",
    "postgres.commit.sent",
    "postgres.commit.confirmed",
    "postgres.rolled_back",
    "postgres.intent.sent",
    "postgres.intent.confirmed",
    "postgres.alone.sent",
    "postgres.alone.confirmed",
    "postgres.done.sent",
    "postgres.done.confirmed",
    "postgres.intent.removed",
];
