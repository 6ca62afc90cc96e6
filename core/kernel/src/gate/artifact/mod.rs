//! What the workflow `artifact` has beside the verbs of every request.

pub(super) mod draft;
pub(super) mod auto_approve;
pub(super) mod withdraw;
pub(super) mod delete;
pub(super) mod reopen;
pub(super) mod revert;
pub(super) mod restore;
pub(super) mod new_version;
pub(super) mod publish;
pub(super) mod handed_on;
