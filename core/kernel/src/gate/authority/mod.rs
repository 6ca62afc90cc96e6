//! What decides, and why: the policies, their stories, and explanations.

pub(super) mod policies;
pub(super) mod stories;
pub(super) mod replay;
pub(super) mod explain;
pub(super) mod reverse;
