//! The labelled points of a run on this target.

macro_rules! points {
    ($($name:ident = $label:literal, $what:literal;)*) => {
        $(#[doc = $what] pub(crate) const $name: &str = $label;)*

        /// The labels of the points that a session reaches, for tests that kill a process at each.
        ///
        /// ```
        /// assert!(placet_target_mysql::POINTS.contains(&"mysql.commit.sent"));
        /// ```
        pub const POINTS: &[&str] = &[$($name),*];
    };
}

points! {
    OPENED = "mysql.opened", "Logged in, and set up.";
    LOCKED = "mysql.locked", "The lock of the attempt is held.";
    TABLES_READY = "mysql.tables.ready", "The tables of the marks are there.";
    BEGUN = "mysql.begun", "The transaction is open.";
    EXECUTING = "mysql.executing", "A statement of the plan is about to be sent.";
    EXECUTED = "mysql.executed", "It was answered.";
    ROWS_LOCKED = "mysql.kept.locked", "The rows that a statement touches are read and locked.";
    KEPT = "mysql.kept.written", "What puts them back is written.";
    MARKER_WRITTEN = "mysql.marker.written", "The mark is written, and not committed.";
    COMMIT_SENDING = "mysql.commit.sending", "COMMIT is about to be sent.";
    COMMIT_SENT = "mysql.commit.sent", "COMMIT was sent.";
    COMMIT_CONFIRMED = "mysql.commit.confirmed", "COMMIT was answered.";
    INTENT_SENT = "mysql.intent.sent", "The intent mark was sent.";
    INTENT_CONFIRMED = "mysql.intent.confirmed", "The intent mark is committed.";
    ALONE_SENT = "mysql.alone.sent", "A statement without a transaction is about to be sent.";
    ALONE_CONFIRMED = "mysql.alone.confirmed", "It was answered.";
    DONE_SENT = "mysql.done.sent", "The done mark was sent.";
    DONE_CONFIRMED = "mysql.done.confirmed", "The done mark is committed.";
    ROLLBACK_SENT = "mysql.rollback.sent", "ROLLBACK was sent.";
    ROLLED_BACK = "mysql.rolled.back", "ROLLBACK was answered.";
}
