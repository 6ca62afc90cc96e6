//! The organisation and who may change it.

pub(super) mod bootstrap;
pub(super) mod administer;
pub(super) mod manage;
pub(super) mod governance;
pub(super) mod lift;
pub(super) mod propose;
pub(super) mod apply;
pub(super) mod room;
pub(super) mod workflows;
pub(super) mod plugins;
pub(super) mod login;
pub(super) mod read;
