//! The question "may they?", and the proof of a yes.
//!
//! Two implementations answer it and must agree: the index in this module, and an [`Authorizer`] that
//! comes in from outside and evaluates policies over the very rows that the index names.

mod action;
mod question;
mod plan;
mod authorizer;
mod permit;
mod answer;
pub(crate) mod index;
mod why;
mod explanation;
mod permission_string;
mod story;

pub use action::{Action, Rule};
pub(crate) use answer::{Asker, Known, answer};
pub use authorizer::{Authorizer, PolicyHit, Verdict};
pub use explanation::{Answer, Explanation, Language, Missing};
pub use index::{
    ActionHandle, Index, IndexBuilder, IndexExplanation, Leg, Paging, PlaceHandle, Places, WhoCan,
};
pub(crate) use index::{Listing, by_role, rights_bytes};
pub(crate) use permission_string::check_is_no_context;
pub use permission_string::{PermissionContext, PermissionString};
pub use permit::{
    ActionKind, Administer, Approve, Audit, Execute, Manage, Permit, Read, ReportCheck, Restore,
    Revert, Submit,
};
pub use plan::PlanFacts;
pub use question::{Facts, GrantRows, MembershipRows, Question, Scope, Witness};
pub(crate) use story::{Story, StoryPlace, at_line, parse_stories};
pub use why::{Denial, Reason};
