//! A question, the rows that bear on it, and the names of those rows.

use core::fmt;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::plan::PlanFacts;
use crate::clock::Timestamp;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, TeamId, UserId,
};
use crate::org::{
    GlobalRoleGrant, Grant, Membership, Permission, RolePermission, Team, TeamModule, TeamRole,
    User,
};

/// Where something is done.
///
/// ```
/// use placet_core::authz::{Action, Scope};
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let pagos_in_dev = Scope::module(office.project, office.module, office.environment);
/// assert_eq!(pagos_in_dev.project_id(), Some(office.project));
/// assert!(gate.can(office.bo.user(), &Action::APPROVE, pagos_in_dev));
/// assert!(!gate.can(office.bo.user(), &Action::APPROVE, Scope::Platform));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case", tag = "level")]
#[expect(clippy::exhaustive_enums, reason = "both deciders must cover every level")]
pub enum Scope {
    /// The whole platform: users, projects, global roles.
    Platform,
    /// Inside one project.
    Project {
        /// The project.
        project: ProjectId,
        /// One module of it, or the project as a whole.
        module: Option<ModuleId>,
        /// One environment of it, or none in particular.
        environment: Option<EnvironmentId>,
    },
}

impl Scope {
    /// A project as a whole.
    pub const fn project(project: ProjectId) -> Self {
        Self::Project { project, module: None, environment: None }
    }

    /// One environment of one module.
    pub const fn module(project: ProjectId, module: ModuleId, environment: EnvironmentId) -> Self {
        Self::Project { project, module: Some(module), environment: Some(environment) }
    }

    /// The project, when it is not the platform.
    pub const fn project_id(&self) -> Option<ProjectId> {
        match self {
            Self::Platform => None,
            Self::Project { project, module: _, environment: _ } => Some(*project),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Project { project, module, environment } => {
                write!(f, "{project}")?;
                if let Some(module) = module {
                    write!(f, "/{module}")?;
                }
                if let Some(environment) = environment {
                    write!(f, "/{environment}")?;
                }
                Ok(())
            }
        }
    }
}

/// May `user` do `action` in `scope` at the instant `at`?
///
/// ```
/// use placet_core::authz::{Action, Question, Scope};
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
///
/// // A rule of the house: nothing runs from Christmas on.
/// let christmas = "2026-12-24T12:00:00Z".parse()?;
/// let forbids = |asked: &Question| asked.action == Action::EXECUTE && asked.at >= christmas;
///
/// let scope = Scope::project(office.project);
/// let asked = Question { user: office.bo.user(), action: Action::EXECUTE, scope, at: gate.now() };
/// assert!(!forbids(&asked));
/// assert!(forbids(&Question { at: christmas, ..asked }));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct Question {
    /// Who asks.
    pub user: UserId,
    /// What they want to do.
    pub action: Action,
    /// Where.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
}

/// The names of the rows that make the answer a yes; the audit leaf records them.
///
/// ```
/// use placet_core::authz::{Action, Answer, Scope};
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let (bo, shop) = (office.bo.user(), Scope::project(office.project));
///
/// let Answer::Allowed(witness) = gate.authorize(bo, &Action::APPROVE, shop) else {
///     panic!("bo may approve");
/// };
/// let grants = gate.organisation(&office.root, office.project)?.grants;
/// let by = grants.iter().find(|row| Some(row.id) == witness.grant).expect("it is stored");
/// assert_eq!(by.user_id, bo);
/// assert_eq!(witness.global_role, None); // leg 1 and leg 2, not a role over the platform
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Witness {
    /// The row of `team_members` for leg 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<MembershipId>,
    /// The team of that row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// The row of `user_project_roles` for leg 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The permission of that row's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<PermissionId>,
    /// The global role that was enough by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_role: Option<crate::org::GlobalRole>,
}

/// The stored rows that a decision is made from. Whoever decides re-checks each of them: that a row is
/// here says that it is stored, not that it fits the question.
///
/// ```
/// use placet_core::authz::{Facts, Question};
///
/// /// What a policy engine re-checks of the user who asks.
/// fn rule(asked: &Question, facts: &Facts) -> bool {
///     facts.user.id == asked.user
///         && facts.user.is_active
///         && facts.global_roles.iter().all(|row| row.user_id == asked.user)
/// }
/// # use std::sync::Arc;
/// # use placet_core::authz::{Action, Authorizer, PolicyHit, Verdict};
/// # use placet_core::testing::{Bench, Office};
/// # #[derive(Debug)]
/// # struct Engine(fn(&Question, &Facts) -> bool);
/// # impl Authorizer for Engine {
/// #     fn decide(&self, asked: &Question, facts: &Facts) -> Result<Verdict, placet_core::error::Error> {
/// #         let hit = PolicyHit::new("rule".to_owned(), "rule.rs:1".to_owned());
/// #         let permitted_by = if (self.0)(asked, facts) { vec![hit] } else { Vec::new() };
/// #         Ok(Verdict::new(permitted_by, Vec::new(), Vec::new()))
/// #     }
/// #     fn policy_set_digest(&self) -> placet_core::digest::Digest {
/// #         placet_core::digest::Digest::of(b"rule")
/// #     }
/// # }
/// # let mut parts = Bench::on(Arc::new(placet_core::store::MemoryStore::default()))?.parts;
/// # parts.authorizer = Arc::new(Engine(rule));
/// # let gate = placet_core::gate::Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let place = placet_core::authz::Scope::module(office.project, office.module, office.environment);
///
/// assert!(gate.can(office.bo.user(), &Action::APPROVE, place));
/// assert_eq!(gate.disagreements(), 0); // whatever the index allowed, the rule allowed too
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct Facts {
    /// The user who asks.
    pub user: User,
    /// The user's global roles.
    pub global_roles: Vec<GlobalRoleGrant>,
    /// Rows for leg 1, when the index named one.
    pub membership: Option<MembershipRows>,
    /// Rows for leg 2, when the index named one.
    pub grant: Option<GrantRows>,
    /// Who wrote or submitted what `approve` is asked for. None where the question is about no request.
    pub authors: BTreeSet<UserId>,
    /// What the plan of the request says, where the question is about going on with one: submitting, approving, running.
    /// None where it is about what stops or undoes one, or finds out how it ended: no policy about plans may hinder that.
    /// For policies of the host, as the next.
    pub plan: Option<PlanFacts>,
    /// The roles that the user has now in teams of the project, and where the question names a module in
    /// those that look after it. For policies of the host; the permission model itself asks for none.
    pub team_roles: BTreeSet<TeamRole>,
}

/// The rows behind leg 1.
///
/// ```
/// use placet_core::authz::{MembershipRows, Question, Scope};
/// use placet_core::org::TeamModule;
///
/// /// Leg 1, checked again: a membership that holds now, in a team that looks after the module.
/// fn leg_1(asked: &Question, rows: &MembershipRows) -> bool {
///     let Scope::Project { project, module, .. } = asked.scope else { return false };
///     let (row, team) = (&rows.membership, &rows.team);
///     let looks_after =
///         module.map(|module_id| TeamModule { team_id: row.team_id, module_id }) == rows.team_module;
///     (row.user_id, row.team_id, team.project_id) == (asked.user, team.id, project)
///         && row.valid.contains(asked.at)
///         && looks_after
/// }
/// # use placet_core::authz::Facts;
/// # fn rule(asked: &Question, facts: &Facts) -> bool {
/// #     facts.membership.as_ref().is_none_or(|rows| leg_1(asked, rows))
/// # }
/// # use std::sync::Arc;
/// # use placet_core::authz::{Action, Authorizer, PolicyHit, Verdict};
/// # use placet_core::testing::{Bench, Office};
/// # #[derive(Debug)]
/// # struct Engine(fn(&Question, &Facts) -> bool);
/// # impl Authorizer for Engine {
/// #     fn decide(&self, asked: &Question, facts: &Facts) -> Result<Verdict, placet_core::error::Error> {
/// #         let hit = PolicyHit::new("rule".to_owned(), "rule.rs:1".to_owned());
/// #         let permitted_by = if (self.0)(asked, facts) { vec![hit] } else { Vec::new() };
/// #         Ok(Verdict::new(permitted_by, Vec::new(), Vec::new()))
/// #     }
/// #     fn policy_set_digest(&self) -> placet_core::digest::Digest {
/// #         placet_core::digest::Digest::of(b"rule")
/// #     }
/// # }
/// # let mut parts = Bench::on(Arc::new(placet_core::store::MemoryStore::default()))?.parts;
/// # parts.authorizer = Arc::new(Engine(rule));
/// # let gate = placet_core::gate::Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let place = placet_core::authz::Scope::module(office.project, office.module, office.environment);
///
/// assert!(gate.can(office.ana.user(), &Action::REQUEST, place));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct MembershipRows {
    /// The membership.
    pub membership: Membership,
    /// Its team.
    pub team: Team,
    /// The team's assignment to the module of the question; none for a question about a whole project.
    pub team_module: Option<TeamModule>,
}

/// The rows behind leg 2.
///
/// ```
/// use placet_core::authz::{GrantRows, Question, Scope};
///
/// /// Leg 2, checked again: a grant that holds now, of a role with a permission for this place.
/// fn leg_2(asked: &Question, rows: &GrantRows) -> bool {
///     let Scope::Project { project, module, environment } = asked.scope else { return false };
///     let (grant, link, held) = (&rows.grant, &rows.role_permission, &rows.permission);
///     (grant.user_id, grant.project_id, held.project_id) == (asked.user, project, project)
///         && grant.valid.contains(asked.at)
///         && (link.role_id, link.permission_id) == (grant.role_id, held.id)
///         && held.action == asked.action
///         && (held.module_id.is_none() || held.module_id == module)
///         && (held.environment_id.is_none() || held.environment_id == environment)
/// }
/// # use placet_core::authz::Facts;
/// # fn rule(asked: &Question, facts: &Facts) -> bool {
/// #     facts.grant.as_ref().is_none_or(|rows| leg_2(asked, rows))
/// # }
/// # use std::sync::Arc;
/// # use placet_core::authz::{Action, Authorizer, PolicyHit, Verdict};
/// # use placet_core::testing::{Bench, Office};
/// # #[derive(Debug)]
/// # struct Engine(fn(&Question, &Facts) -> bool);
/// # impl Authorizer for Engine {
/// #     fn decide(&self, asked: &Question, facts: &Facts) -> Result<Verdict, placet_core::error::Error> {
/// #         let hit = PolicyHit::new("rule".to_owned(), "rule.rs:1".to_owned());
/// #         let permitted_by = if (self.0)(asked, facts) { vec![hit] } else { Vec::new() };
/// #         Ok(Verdict::new(permitted_by, Vec::new(), Vec::new()))
/// #     }
/// #     fn policy_set_digest(&self) -> placet_core::digest::Digest {
/// #         placet_core::digest::Digest::of(b"rule")
/// #     }
/// # }
/// # let mut parts = Bench::on(Arc::new(placet_core::store::MemoryStore::default()))?.parts;
/// # parts.authorizer = Arc::new(Engine(rule));
/// # let gate = placet_core::gate::Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let place = placet_core::authz::Scope::module(office.project, office.module, office.environment);
///
/// assert!(gate.can(office.bo.user(), &Action::EXECUTE, place));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct GrantRows {
    /// The grant.
    pub grant: Grant,
    /// The link from the grant's role to the permission.
    pub role_permission: RolePermission,
    /// The permission.
    pub permission: Permission,
}
