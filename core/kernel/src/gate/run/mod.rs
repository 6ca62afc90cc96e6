//! Runs: how they start, hold their lease, end, and are found out about.

pub(super) mod start;
pub(super) mod execute;
pub(super) mod rerun;
pub(super) mod due;
pub(super) mod drive;
pub(super) mod watch;
pub(super) mod lease;
pub(super) mod turn;
pub(super) mod renew;
pub(super) mod recover;
pub(super) mod verify;
pub(super) mod reconcile;
pub(super) mod ran;
