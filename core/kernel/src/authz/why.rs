//! Why not: the legs that failed, and what would have to be true.

use core::fmt;

use super::action::Action;
use crate::error::Code;
use crate::id::{GrantId, MembershipId};
use crate::org::Interval;

/// A no, with everything that stood in the way.
///
/// Its text form is one sentence for a person.
///
/// ```
/// use placet_core::authz::{Action, Answer, Scope};
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let place = Scope::module(office.project, office.module, office.environment);
///
/// let answer = gate.authorize(office.root.user(), &Action::APPROVE, place);
/// let Answer::Denied(denial) = answer else { panic!("root has no legs") };
/// assert_eq!(denial.reasons.len(), 2);
/// assert_eq!(
///     denial.to_string(),
///     "not a member of any team that looks after `shop/pagos`; \
///      no role with the permission `approve` in `shop/pagos/dev`",
/// );
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Denial {
    /// Each of these by itself was enough for the no.
    pub reasons: Vec<Reason>,
}

/// One thing that stands in the way.
///
/// ```
/// use placet_core::authz::{Action, Reason, Scope};
/// # use placet_core::authz::Answer;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let place = Scope::module(office.project, office.module, office.environment);
/// # let ana = office.ana.user();
/// # let answer = gate.authorize(ana, &Action::APPROVE, place);
/// # let Answer::Denied(denial) = answer else { panic!("ana may not") };
///
/// // A program offers the next step; the code is what the audit log records.
/// let reason = &denial.reasons[0];
/// assert_eq!(reason.code(), "no_grant");
/// if let Reason::NoGrant { action, place } = reason {
///     assert_eq!(format!("ask for `{action}` in {place}"), "ask for `approve` in shop/pagos/dev");
/// }
/// # assert!(matches!(reason, Reason::NoGrant { .. }));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The user is not active.
    InactiveUser,
    /// The project has no such module or environment.
    NoSuchPlace,
    /// An agent never approves.
    AgentNeverApproves,
    /// An agent never manages a project or the platform: it would set its own rules.
    AgentNeverManages,
    /// Leg 1: no membership in any team that looks after the module (or, for a whole project, in any
    /// team of it).
    NoMembership {
        /// What the team would have to look after: the module's code, or the project's.
        of: String,
    },
    /// Leg 1: there is a fitting membership, but not at this instant.
    MembershipNotLive {
        /// The row of `team_members`.
        membership: MembershipId,
        /// When it holds.
        valid: Interval,
    },
    /// Leg 2: no grant of a role with the permission.
    NoGrant {
        /// The action that the permission would have to be for.
        action: Action,
        /// Where it would have to be, by codes.
        place: String,
    },
    /// Leg 2: there is a fitting grant, but not at this instant.
    GrantNotLive {
        /// The row of `user_project_roles`.
        grant: GrantId,
        /// The role's name.
        role: String,
        /// When it holds.
        valid: Interval,
    },
    /// This takes one of these global roles.
    NoGlobalRole {
        /// Their names, joined.
        any_of: &'static str,
    },
    /// The action does not exist at this level.
    WrongLevel {
        /// The action.
        action: Action,
    },
    /// A policy forbids it.
    Forbidden {
        /// The policy's id.
        policy: String,
        /// Where its text stands.
        place: String,
    },
    /// Another set of policies was adopted, and this node does not have it.
    PolicySetMissing,
    /// No decision came about, because something failed.
    Undecided {
        /// The code of what failed.
        code: Code,
    },
    /// A policy could not be evaluated.
    PolicyFailed,
    /// The two deciders do not agree. The host is told; nobody is let in.
    Disagreement,
}

impl Denial {
    /// A denial for one reason.
    pub(crate) fn because(reason: Reason) -> Self {
        Self { reasons: vec![reason] }
    }

    /// The stable codes of the reasons, for the audit log; a policy is named.
    pub(crate) fn codes(&self) -> Vec<String> {
        let code = |reason: &Reason| {
            let code = reason.code();
            if let Reason::Forbidden { policy, .. } = reason {
                return format!("{code}:{policy}");
            }
            code.to_owned()
        };
        self.reasons.iter().map(code).collect()
    }
}

impl Reason {
    /// Whether nothing was decided: something failed, which is a no, and says nothing of rights.
    pub(crate) const fn is_a_doubt(&self) -> bool {
        matches!(
            self,
            Self::PolicySetMissing
                | Self::Undecided { .. }
                | Self::PolicyFailed
                | Self::Disagreement
        )
    }

    /// Whether it could be mended by rows: somebody activated, a membership, a grant, a global role.
    pub(crate) const fn is_about_rows(&self) -> bool {
        match self {
            Self::InactiveUser
            | Self::NoMembership { .. }
            | Self::MembershipNotLive { .. }
            | Self::NoGrant { .. }
            | Self::GrantNotLive { .. }
            | Self::NoGlobalRole { .. } => true,
            Self::NoSuchPlace
            | Self::AgentNeverApproves
            | Self::AgentNeverManages
            | Self::WrongLevel { .. }
            | Self::Forbidden { .. }
            | Self::PolicySetMissing
            | Self::Undecided { .. }
            | Self::PolicyFailed
            | Self::Disagreement => false,
        }
    }

    /// Whether it says what stands in the way, and not that deciding failed.
    pub(crate) const fn is_decision(&self) -> bool {
        !matches!(self, Self::Undecided { .. } | Self::PolicyFailed | Self::Disagreement)
    }

    /// The stable code that the audit log records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InactiveUser => "inactive_user",
            Self::NoSuchPlace => "no_such_place",
            Self::AgentNeverApproves => "agent_never_approves",
            Self::AgentNeverManages => "agent_never_manages",
            Self::NoMembership { .. } => "no_membership",
            Self::MembershipNotLive { .. } => "membership_not_live",
            Self::NoGrant { .. } => "no_grant",
            Self::GrantNotLive { .. } => "grant_not_live",
            Self::NoGlobalRole { .. } => "no_global_role",
            Self::WrongLevel { .. } => "wrong_level",
            Self::Forbidden { .. } => "forbidden",
            Self::PolicySetMissing => "policy_set_missing",
            Self::Undecided { .. } => "undecided",
            Self::PolicyFailed => "policy_failed",
            Self::Disagreement => "disagreement",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, reason) in self.reasons.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            fmt::Display::fmt(reason, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InactiveUser => f.write_str("the user is not active"),
            Self::NoSuchPlace => f.write_str("there is no such place in the project"),
            Self::AgentNeverApproves => f.write_str("an agent never approves"),
            Self::AgentNeverManages => f.write_str("an agent never manages"),
            Self::NoMembership { of } => {
                write!(f, "not a member of any team that looks after `{of}`")
            }
            Self::MembershipNotLive { membership, valid } => {
                write!(f, "the membership `{membership}` holds {}", span(*valid))
            }
            Self::NoGrant { action, place } => {
                write!(f, "no role with the permission `{action}` in `{place}`")
            }
            Self::GrantNotLive { grant, role, valid } => {
                write!(f, "the grant `{grant}` of the role `{role}` holds {}", span(*valid))
            }
            Self::NoGlobalRole { any_of } => write!(f, "this takes the global role {any_of}"),
            Self::WrongLevel { action } => {
                write!(f, "the action `{action}` does not exist at this level")
            }
            Self::Forbidden { policy, place } => {
                write!(f, "the policy `{policy}` ({place}) forbids it")
            }
            Self::PolicySetMissing => {
                f.write_str("this node does not have the set of policies that was adopted")
            }
            Self::Undecided { code } => write!(f, "no decision came about: `{code}`"),
            Self::PolicyFailed => f.write_str("a policy could not be evaluated"),
            Self::Disagreement => f.write_str("the two deciders do not agree"),
        }
    }
}

fn span(valid: Interval) -> String {
    valid.until().map_or_else(
        || format!("from {} on", valid.from()),
        |until| format!("from {} until {until}", valid.from()),
    )
}
