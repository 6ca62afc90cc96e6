//! The seam to a policy engine.

use core::fmt;

use super::question::{Facts, Question};
use crate::digest::Digest;
use crate::error::Error;

/// Decides a question by policies over stored rows. Comes in from outside; see the crate `placet-policies`.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::authz::{Action, Authorizer, Facts, PolicyHit, Question, Scope, Verdict};
/// use placet_core::digest::Digest;
/// use placet_core::error::Error;
/// # use placet_core::gate::Gate;
/// # use placet_core::store::MemoryStore;
/// # use placet_core::testing::{Bench, Office};
///
/// /// Forbids every run, and leaves all else to the index.
/// #[derive(Debug)]
/// struct Freeze;
///
/// impl Authorizer for Freeze {
///     fn decide(&self, question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
///         let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "freeze.rs:8".to_owned())];
///         let frozen = question.action == Action::EXECUTE;
///         let forbidden_by = if frozen { hit("freeze") } else { Vec::new() };
///         Ok(Verdict::new(hit("as-the-index-says"), forbidden_by, Vec::new()))
///     }
///
///     fn policy_set_digest(&self) -> Digest {
///         Digest::of(b"freeze, version 1")
///     }
/// }
/// # let mut parts = Bench::on(Arc::new(MemoryStore::default()))?.parts;
///
/// parts.authorizer = Arc::new(Freeze);
/// let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// assert!(gate.authorize(office.bo.user(), &Action::APPROVE, place).is_allowed());
/// assert!(!gate.authorize(office.bo.user(), &Action::EXECUTE, place).is_allowed());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Authorizer: Send + Sync + fmt::Debug {
    /// Evaluates all policies that apply to `question` over `facts`.
    ///
    /// An `Err` is a denial, and so is a verdict with anything in `errors`.
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error>;

    /// The digest of the policy set that [`Self::decide`] uses now. The audit leaf records it.
    fn policy_set_digest(&self) -> Digest;
}

/// What the policies said.
///
/// ```
/// use placet_core::authz::{PolicyHit, Verdict};
/// let two_legs = vec![PolicyHit::new("two-legs".to_owned(), "base.cedar:1".to_owned())];
/// let freeze = vec![PolicyHit::new("freeze".to_owned(), "house.cedar:3".to_owned())];
///
/// assert!(!Verdict::default().is_allowed()); // nothing permits
/// assert!(Verdict::new(two_legs.clone(), Vec::new(), Vec::new()).is_allowed());
/// assert!(!Verdict::new(two_legs, freeze, Vec::new()).is_allowed());
/// ```
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

    /// Whether this is a yes of the permission model: like [`Self::is_allowed`], and something permits that is not
    /// only a rule of the host. This is what a gate asks for: a permit of the host does not stand in for the
    /// check of the rows.
    ///
    /// ```
    /// use placet_core::authz::{PolicyHit, Verdict};
    /// let open_house = PolicyHit::of_host("open-house".to_owned(), "house.cedar:1".to_owned());
    /// let verdict = Verdict::new(vec![open_house], Vec::new(), Vec::new());
    /// assert!(verdict.is_allowed() && !verdict.confirms());
    /// ```
    pub fn confirms(&self) -> bool {
        self.is_allowed() && self.permitted_by.iter().any(|hit| !hit.is_of_host)
    }
}

/// A policy that took part in a verdict.
///
/// ```
/// use placet_core::authz::{PolicyHit, Reason};
/// // What a policy engine found becomes what the person is told.
/// let hit = PolicyHit::new("freeze".to_owned(), "house.cedar:3".to_owned());
/// let reason = Reason::Forbidden { policy: hit.id, place: hit.place };
/// assert_eq!(reason.to_string(), "the policy `freeze` (house.cedar:3) forbids it");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyHit {
    /// The policy's `@id`.
    pub id: String,
    /// Where its text stands, as `file:line`.
    pub place: String,
    /// Whether it is a rule that the host added to the permission model.
    pub is_of_host: bool,
}

impl PolicyHit {
    /// A hit of a policy that says what the permission model says, for drivers.
    pub const fn new(id: String, place: String) -> Self {
        Self { id, place, is_of_host: false }
    }

    /// A hit of a rule that the host added. Where it permits, that alone opens nothing; see
    /// [`Verdict::confirms`].
    ///
    /// ```
    /// use placet_core::authz::PolicyHit;
    /// let hit = PolicyHit::of_host("freeze".to_owned(), "house.cedar:3".to_owned());
    /// assert!(hit.is_of_host);
    /// ```
    pub const fn of_host(id: String, place: String) -> Self {
        Self { id, place, is_of_host: true }
    }
}
