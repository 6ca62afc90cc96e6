//! The compiled index: the rule of the permission model over one project, ready to be asked.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Rule};
use super::question::{Question, Scope, Witness};
use super::why::{Denial, Reason};
use crate::clock::Timestamp;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, RoleId, TeamId, UserId,
};
use crate::org::book::Book;
use crate::org::{GlobalRole, Interval, User, UserKind};

/// What is known of the asking user beside the project.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) user: User,
    pub(crate) global_roles: Vec<GlobalRole>,
}

/// One project, arranged by user.
#[derive(Debug, Default)]
pub(crate) struct Index {
    memberships: BTreeMap<UserId, Vec<(Interval, MembershipId, TeamId)>>,
    modules: BTreeMap<TeamId, BTreeSet<ModuleId>>,
    grants: BTreeMap<UserId, Vec<(Interval, GrantId, RoleId)>>,
    permissions: BTreeMap<RoleId, Vec<Held>>,
}

/// The row that would have fitted at another instant, and when it holds.
type NotLive<Id> = Option<(Id, Interval)>;

#[derive(Debug)]
struct Held {
    id: PermissionId,
    action: Action,
    module: Option<ModuleId>,
    environment: Option<EnvironmentId>,
}

impl Held {
    fn fits(&self, action: &Action, module: Option<ModuleId>, env: Option<EnvironmentId>) -> bool {
        self.action == *action
            && (self.module.is_none() || self.module == module)
            && (self.environment.is_none() || self.environment == env)
    }
}

impl Index {
    pub(crate) fn build(book: &Book) -> Self {
        let mut index = Self::default();
        for row in book.memberships.values() {
            let of_user = index.memberships.entry(row.user_id).or_default();
            of_user.push((row.valid, row.id, row.team_id));
        }
        for (team, module) in &book.team_modules {
            index.modules.entry(*team).or_default().insert(*module);
        }
        for row in book.grants.values() {
            index.grants.entry(row.user_id).or_default().push((row.valid, row.id, row.role_id));
        }
        for (role, permission) in &book.role_permissions {
            let Some(row) = book.permissions.get(permission) else { continue };
            index.permissions.entry(*role).or_default().push(Held {
                id: row.id,
                action: row.action.clone(),
                module: row.module_id,
                environment: row.environment_id,
            });
        }
        index
    }

    /// Leg 1: a live membership in a team of `module`, or of the project where there is none.
    fn leg_1(
        &self,
        user: UserId,
        module: Option<ModuleId>,
        at: Timestamp,
    ) -> Result<(MembershipId, TeamId), NotLive<MembershipId>> {
        let rows = self.memberships.get(&user).map(Vec::as_slice).unwrap_or_default();
        let looks_after = |team: &TeamId| {
            module.is_none_or(|m| self.modules.get(team).is_some_and(|of| of.contains(&m)))
        };
        let mut fitting = rows.iter().filter(|(_, _, team)| looks_after(team));
        let mut ended = None;
        for (valid, membership, team) in fitting.by_ref() {
            if valid.contains(at) {
                return Ok((*membership, *team));
            }
            ended = Some((*membership, *valid));
        }
        Err(ended)
    }

    /// Leg 2: a live grant of a role with a permission that fits.
    fn leg_2(
        &self,
        question: &Question,
        module: Option<ModuleId>,
        environment: Option<EnvironmentId>,
    ) -> Result<(GrantId, PermissionId), NotLive<(GrantId, RoleId)>> {
        let rows = self.grants.get(&question.user).map(Vec::as_slice).unwrap_or_default();
        let mut ended = None;
        for (valid, grant, role) in rows {
            let held = self.permissions.get(role).map(Vec::as_slice).unwrap_or_default();
            let fitting = held.iter().find(|p| p.fits(&question.action, module, environment));
            match fitting {
                Some(permission) if valid.contains(question.at) => {
                    return Ok((*grant, permission.id));
                }
                Some(_) => ended = Some(((*grant, *role), *valid)),
                None => {}
            }
        }
        Err(ended)
    }

    /// The grant by which `user` holds `role` at `at`, if there is one.
    pub(crate) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        let rows = self.grants.get(&user)?;
        rows.iter().find(|(valid, _, of)| *of == role && valid.contains(at)).map(|row| row.1)
    }

    /// The widest place in which `user` may read: the whole project, else a module or an environment.
    /// Whoever reads anything of a project sees that it is there.
    pub(crate) fn read_place(&self, user: UserId, at: Timestamp) -> Option<PlaceIds> {
        let live = self.grants.get(&user)?.iter().filter(|(valid, _, _)| valid.contains(at));
        let held = live.filter_map(|(_, _, role)| self.permissions.get(role)).flatten();
        let places = held.filter(|p| p.action == Action::READ).map(|p| (p.module, p.environment));
        places.min_by_key(|(m, e)| (m.is_some(), e.is_some()))
    }

    /// Everyone who has any grant in the project, live or not.
    pub(crate) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.grants.keys().copied()
    }
}

/// Answers `question` from the index. `project` is `None` for the platform.
pub(crate) fn answer(
    question: &Question,
    asker: &Asker,
    project: Option<(&Book, &Index)>,
) -> Result<Witness, Denial> {
    if asker.user.id != question.user {
        return Err(Denial::because(Reason::Disagreement));
    }
    if !asker.user.is_active {
        return Err(Denial::because(Reason::InactiveUser));
    }
    let manages = matches!(question.action.rule(), Rule::Manage | Rule::Administer);
    if asker.user.kind == UserKind::Agent && manages {
        return Err(Denial::because(Reason::AgentNeverManages));
    }
    let wrong_level = || Denial::because(Reason::WrongLevel { action: question.action.clone() });
    match (question.action.rule(), &question.scope) {
        (Rule::Administer, Scope::Platform) => global(asker, &[GlobalRole::PlatformAdmin]),
        (Rule::Audit, _) => global(asker, &[GlobalRole::PlatformAdmin, GlobalRole::Auditor]),
        (Rule::Administer, Scope::Project { .. })
        | (Rule::TwoLegs | Rule::Read | Rule::Manage, Scope::Platform) => Err(wrong_level()),
        (
            rule @ (Rule::TwoLegs | Rule::Read | Rule::Manage),
            Scope::Project { module, environment, .. },
        ) => {
            let Some((book, index)) = project else { return Err(wrong_level()) };
            let place = (*module, *environment);
            match rule {
                Rule::Read => global(asker, &[GlobalRole::Auditor])
                    .or_else(|_| leg_2_only(question, place, book, index)),
                Rule::Manage => global(asker, &[GlobalRole::PlatformAdmin])
                    .or_else(|_| leg_2_only(question, (None, None), book, index)),
                Rule::TwoLegs | Rule::Administer | Rule::Audit => {
                    two_legs(question, asker, place, book, index)
                }
            }
        }
    }
}

fn global(asker: &Asker, any_of: &[GlobalRole]) -> Result<Witness, Denial> {
    let held = any_of.iter().find(|role| asker.global_roles.contains(role)).copied();
    if held.is_some() {
        return Ok(Witness { global_role: held, ..Witness::default() });
    }
    let any_of = if any_of.len() > 1 { "PLATFORM_ADMIN or AUDITOR" } else { "PLATFORM_ADMIN" };
    Err(Denial::because(Reason::NoGlobalRole { any_of }))
}

/// A module and an environment of a project, where the question names them.
pub(crate) type PlaceIds = (Option<ModuleId>, Option<EnvironmentId>);

fn leg_2_only(
    question: &Question,
    (module, environment): PlaceIds,
    book: &Book,
    index: &Index,
) -> Result<Witness, Denial> {
    match index.leg_2(question, module, environment) {
        Ok((grant, permission)) => {
            Ok(Witness { grant: Some(grant), permission: Some(permission), ..Witness::default() })
        }
        Err(ended) => Err(Denial::because(no_grant(question, (module, environment), book, ended))),
    }
}

fn two_legs(
    question: &Question,
    asker: &Asker,
    (module, environment): PlaceIds,
    book: &Book,
    index: &Index,
) -> Result<Witness, Denial> {
    let mut reasons = Vec::new();
    if asker.user.kind == UserKind::Agent && question.action == Action::APPROVE {
        reasons.push(Reason::AgentNeverApproves);
    }
    let leg_1 = index.leg_1(question.user, module, question.at);
    let leg_2 = index.leg_2(question, module, environment);
    if let Err(ended) = leg_1 {
        reasons.push(ended.map_or_else(
            || Reason::NoMembership { of: place_text(book, (module, None)) },
            |(membership, valid)| Reason::MembershipNotLive { membership, valid },
        ));
    }
    if let Err(ended) = leg_2 {
        reasons.push(no_grant(question, (module, environment), book, ended));
    }
    match (leg_1, leg_2) {
        (Ok((membership, team)), Ok((grant, permission))) if reasons.is_empty() => Ok(Witness {
            membership: Some(membership),
            team: Some(team),
            grant: Some(grant),
            permission: Some(permission),
            global_role: None,
        }),
        _ => Err(Denial { reasons }),
    }
}

fn no_grant(
    question: &Question,
    place: PlaceIds,
    book: &Book,
    ended: NotLive<(GrantId, RoleId)>,
) -> Reason {
    ended.map_or_else(
        || Reason::NoGrant { action: question.action.clone(), place: place_text(book, place) },
        |((grant, role), valid)| {
            let role = book.roles.get(&role).map_or("", |row| row.name.as_str()).to_owned();
            Reason::GrantNotLive { grant, role, valid }
        },
    )
}

/// `shop/pagos/prod`; `*` stands for a level that is left open above one that is not.
fn place_text(book: &Book, (module, environment): PlaceIds) -> String {
    let project = book.project.code.as_str();
    let module = module.map(|id| book.modules.get(&id).map_or("?", |row| row.code.as_str()));
    let environment =
        environment.map(|id| book.environments.get(&id).map_or("?", |row| row.code.as_str()));
    match (module, environment) {
        (None, None) => project.to_owned(),
        (Some(module), None) => format!("{project}/{module}"),
        (module, Some(environment)) => {
            format!("{project}/{}/{environment}", module.unwrap_or("*"))
        }
    }
}
