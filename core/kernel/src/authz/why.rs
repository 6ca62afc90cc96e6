//! Why not.

/// A denial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Denial;
/// A reason.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reason;
