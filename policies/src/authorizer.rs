//! The decision.

use core::fmt;

use placet_core::authz::{Authorizer, Facts, Question, Verdict};
use placet_core::digest::Digest;
use placet_core::error::Error;

use crate::action::{CedarAction, Level};
use crate::builder::Builder;
use crate::sets::Sets;
use crate::slice::Names;

/// Decides by Cedar policies: the permission model of placet, and what the host adds to it.
///
/// All policies are parsed, validated and sorted by action when it is made; a decision reads no file,
/// takes no lock and keeps nothing, so one authorizer serves all threads.
///
/// ```
/// use placet_core::authz::Authorizer;
/// use placet_policies::CedarAuthorizer;
///
/// let authorizer = CedarAuthorizer::new()?;
/// assert_eq!(authorizer.policy_set_digest(), CedarAuthorizer::new()?.policy_set_digest());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub struct CedarAuthorizer {
    pub(crate) names: Names,
    pub(crate) base: Sets,
    pub(crate) host: Sets,
    pub(crate) digest: Digest,
}

impl CedarAuthorizer {
    /// An authorizer with the base policies only.
    ///
    /// Fails with [`Code::InvalidPolicy`] or [`Code::Internal`] when the base policies do not fit their
    /// schema, which is a fault of this library.
    ///
    /// [`Code::InvalidPolicy`]: placet_core::error::Code::InvalidPolicy
    /// [`Code::Internal`]: placet_core::error::Code::Internal
    ///
    /// ```
    /// let authorizer = placet_policies::CedarAuthorizer::new()?;
    /// assert!(authorizer.policy_text("placet:two-legs").is_some());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts an authorizer with policies of the host.
    ///
    /// ```
    /// use placet_policies::CedarAuthorizer;
    ///
    /// let freeze = "@id(\"freeze\") forbid (principal, action == Action::\"execute\", resource);";
    /// let authorizer = CedarAuthorizer::builder().host_policies("house.cedar", freeze).build()?;
    /// assert_eq!(authorizer.policy_text("freeze"), Some(freeze));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn builder() -> Builder {
        Builder::new()
    }

    /// The text of the policy with this `@id`, for explanations. `None` when there is no such policy.
    ///
    /// ```
    /// let authorizer = placet_policies::CedarAuthorizer::new()?;
    /// assert!(authorizer.policy_text("placet:inactive-user").is_some_and(|t| t.contains("forbid")));
    /// assert_eq!(authorizer.policy_text("nobody-wrote-this"), None);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn policy_text(&self, id: &str) -> Option<&str> {
        let loaded = self.base.policies().get(id).or_else(|| self.host.policies().get(id))?;
        Some(&loaded.text)
    }
}

impl Authorizer for CedarAuthorizer {
    /// Evaluates the base policies over `question` and `facts`, and the policies of the host over
    /// `question` and the user's row.
    ///
    /// When something forbids, Cedar does not say what else permits: `permitted_by` then names fewer
    /// policies than hold.
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        let place = (CedarAction::of(&question.action), Level::of(&question.scope));
        let mut verdict = Verdict::default();
        let base = self.base.at(place.0, place.1);
        let host = self.host.at(place.0, place.1);
        if base.is_none() && host.is_none() {
            return Ok(verdict);
        }
        let entities = self.names.entities(&facts.user)?;
        if let Some(set) = base {
            let request = self.names.base_request(question, facts)?;
            self.base.evaluate(set, &request, &entities, &mut verdict);
        }
        if let Some(set) = host {
            let request = self.names.host_request(question, facts)?;
            self.host.evaluate(set, &request, &entities, &mut verdict);
        }
        Ok(verdict)
    }

    fn policy_set_digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for CedarAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CedarAuthorizer")
            .field("base_policies", &self.base.policies().len())
            .field("host_policies", &self.host.policies().len())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
