//! A request, from its draft to its approval.

pub(super) mod draft;
pub(super) mod plan;
pub(super) mod submit;
pub(super) mod quorum;
pub(super) mod blocking;
pub(super) mod approve;
pub(super) mod check;
pub(super) mod reject;
pub(super) mod request_changes;
pub(super) mod cancel;
pub(super) mod comment;
pub(super) mod threads;
pub(super) mod read;
pub(super) mod diff;
pub(super) mod actions;
pub(super) mod workflow;
pub(super) mod advance;
pub(super) mod promote;
