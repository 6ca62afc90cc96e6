//! The seam to a policy engine.

use core::fmt;

use super::question::{Facts, Question};
use crate::digest::Digest;
use crate::error::Error;

/// Decides a question by policies over stored rows. Comes in from outside; see the crate `placet-policies`.
pub trait Authorizer: Send + Sync + fmt::Debug {
    /// Evaluates all policies that apply to `question` over `facts`.
    ///
    /// An `Err` is a denial, and so is a verdict with anything in `errors`.
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error>;

    /// The digest of the policy set that [`Self::decide`] uses now. The audit leaf records it.
    fn policy_set_digest(&self) -> Digest;
}

/// What the policies said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The policies that permit. Empty means: none does.
    pub permitted_by: Vec<PolicyHit>,
    /// The policies that forbid. One is enough for a denial.
    pub forbidden_by: Vec<PolicyHit>,
    /// Policies that could not be evaluated. One is enough for a denial.
    pub errors: Vec<String>,
}

impl Verdict {
    /// A verdict from its parts, for drivers.
    pub const fn new(
        permitted_by: Vec<PolicyHit>,
        forbidden_by: Vec<PolicyHit>,
        errors: Vec<String>,
    ) -> Self {
        Self { permitted_by, forbidden_by, errors }
    }

    /// Whether this is a yes: something permits, nothing forbids, nothing failed.
    pub fn is_allowed(&self) -> bool {
        !self.permitted_by.is_empty() && self.forbidden_by.is_empty() && self.errors.is_empty()
    }
}

/// A policy that took part in a verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyHit {
    /// The policy's `@id`.
    pub id: String,
    /// Where its text stands, as `file:line`.
    pub place: String,
}

impl PolicyHit {
    /// A hit from its parts, for drivers.
    pub const fn new(id: String, place: String) -> Self {
        Self { id, place }
    }
}
