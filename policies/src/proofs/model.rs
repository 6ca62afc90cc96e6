//! What the solver found, as a question with its rows.

use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, EvalResult};
use cedar_policy_symcc::Env;
use placet_core::authz::{Action, Facts, GrantRows, MembershipRows, PlanFacts, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::id::{GrantId, MembershipId, ProjectId, UserId};
use placet_core::org::{
    GlobalRole, GlobalRoleGrant, Grant, Interval, Membership, Permission, RolePermission, Team,
    TeamModule, TeamRole, User, UserKind,
};
use serde::Deserialize;

use super::joined::internal;

/// The question that `env` is about, and its rows.
pub(super) fn question(env: &Env) -> Result<(Question, Facts), Error> {
    let missing = || Error::new(Code::Internal, "the solver's example has a part missing");
    let context = env.request.context().ok_or_else(missing)?.to_json_value().map_err(internal)?;
    let Joined { base: asked, host } = serde_json::from_value(context).map_err(internal)?;
    let principal = env.request.principal().ok_or_else(missing)?;
    let resource = env.request.resource().ok_or_else(missing)?;
    let mut names = Names::default();
    let user = names.id(principal.id().unescaped(), UserId::from_u128);
    let scope = match resource.type_name().basename() {
        "Platform" => Scope::Platform,
        _ => Scope::Project {
            project: names.id(resource.id().unescaped(), ProjectId::from_u128),
            module: asked
                .module
                .as_ref()
                .map(|id| names.of(id, placet_core::id::ModuleId::from_u128)),
            environment: asked
                .environment
                .as_ref()
                .map(|id| names.of(id, placet_core::id::EnvironmentId::from_u128)),
        },
    };
    let at = Timestamp::from_micros(asked.at);
    let question = Question { user, action: names.action(&asked.action)?, scope, at };
    let facts = Facts {
        user: user_row(env, principal, user)?,
        global_roles: names.global_roles(&asked.global_roles),
        membership: names.membership(&asked)?,
        grant: names.grant(&asked)?,
        authors: asked.authors.iter().map(|id| names.of(id, UserId::from_u128)).collect(),
        plan: host.plan,
        team_roles: host.team_roles,
    };
    Ok((question, facts))
}

fn user_row(env: &Env, principal: &EntityUid, id: UserId) -> Result<User, Error> {
    let entity = env.entities.get(principal);
    let read = |name: &str| entity.and_then(|entity| entity.attr(name)).and_then(Result::ok);
    let is_agent = matches!(read("kind"), Some(EvalResult::String(kind)) if kind == "agent");
    Ok(User {
        id,
        kind: if is_agent { UserKind::Agent } else { UserKind::Person },
        email: "someone@example.org".parse()?,
        display_name: "Someone".parse()?,
        is_active: matches!(read("active"), Some(EvalResult::Bool(true))),
    })
}

/// The parts of a context that rows come from; the rest of the host's part follows from the question.
#[derive(Deserialize)]
struct Joined {
    base: Asked,
    host: HostAsked,
}

#[derive(Deserialize)]
struct HostAsked {
    team_roles: BTreeSet<TeamRole>,
    plan: Option<PlanFacts>,
}

#[derive(Deserialize)]
struct Asked {
    action: String,
    at: i64,
    module: Option<Id>,
    environment: Option<Id>,
    global_roles: Vec<RoleOfUser>,
    authors: Vec<Id>,
    team_member: Option<MemberRow>,
    team: Option<TeamRow>,
    team_module: Option<TeamModuleRow>,
    grant: Option<GrantRow>,
    role_permission: Option<RolePermissionRow>,
    permission: Option<PermissionRow>,
}

#[derive(Deserialize)]
struct Id {
    #[serde(rename = "__entity")]
    entity: Named,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct RoleOfUser {
    user: Id,
    role: String,
}

#[derive(Deserialize)]
struct MemberRow {
    user: Id,
    team: Id,
    from: i64,
    until: Option<i64>,
}

#[derive(Deserialize)]
struct TeamRow {
    id: Id,
    project: Id,
}

#[derive(Deserialize)]
struct TeamModuleRow {
    team: Id,
    module: Id,
}

#[derive(Deserialize)]
struct GrantRow {
    user: Id,
    project: Id,
    role: Id,
    from: i64,
    until: Option<i64>,
}

#[derive(Deserialize)]
struct RolePermissionRow {
    role: Id,
    permission: Id,
}

#[derive(Deserialize)]
struct PermissionRow {
    id: Id,
    project: Id,
    module: Option<Id>,
    environment: Option<Id>,
    action: String,
}

/// The solver's names become ids and actions. What is one already, because a policy names it, stays as it is; the
/// others are numbered.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u128>,
}

impl Names {
    fn number(&mut self, text: &str) -> u128 {
        // High enough that no id in a policy is one of them.
        const FIRST: u128 = 0xA000_0000_0000_0000_0000_0000_0000_0001;
        let next = FIRST.saturating_add(u128::try_from(self.numbers.len()).unwrap_or_default());
        *self.numbers.entry(text.to_owned()).or_insert(next)
    }

    fn id<T: FromStr>(&mut self, text: &str, make: fn(u128) -> T) -> T {
        text.parse().unwrap_or_else(|_| make(self.number(text)))
    }

    fn of<T: FromStr>(&mut self, id: &Id, make: fn(u128) -> T) -> T {
        self.id(&id.entity.id, make)
    }

    fn action(&mut self, text: &str) -> Result<Action, Error> {
        text.parse().or_else(|_| {
            let number = self.number(&format!("action {text}")) & 0xFFFF;
            format!("custom-{number}").parse()
        })
    }

    /// A role that there is not makes no difference: no policy can name it, and none counts roles.
    fn global_roles(&mut self, rows: &[RoleOfUser]) -> Vec<GlobalRoleGrant> {
        let roles = [GlobalRole::PlatformAdmin, GlobalRole::Auditor];
        let known = rows.iter().filter_map(|row| {
            let role = roles.into_iter().find(|role| role.as_str() == row.role)?;
            Some(GlobalRoleGrant { user_id: self.of(&row.user, UserId::from_u128), role })
        });
        known.collect()
    }

    fn membership(&mut self, asked: &Asked) -> Result<Option<MembershipRows>, Error> {
        let (Some(row), Some(team)) = (&asked.team_member, &asked.team) else { return Ok(None) };
        let id_of_team = placet_core::id::TeamId::from_u128;
        Ok(Some(MembershipRows {
            membership: Membership {
                id: MembershipId::from_u128(1),
                team_id: self.of(&row.team, id_of_team),
                user_id: self.of(&row.user, UserId::from_u128),
                role: TeamRole::Member,
                valid: interval(row.from, row.until)?,
            },
            team: Team {
                id: self.of(&team.id, id_of_team),
                project_id: self.of(&team.project, ProjectId::from_u128),
                name: "Team".parse()?,
            },
            team_module: asked.team_module.as_ref().map(|row| TeamModule {
                team_id: self.of(&row.team, id_of_team),
                module_id: self.of(&row.module, placet_core::id::ModuleId::from_u128),
            }),
        }))
    }

    fn grant(&mut self, asked: &Asked) -> Result<Option<GrantRows>, Error> {
        let (Some(row), Some(link), Some(permission)) =
            (&asked.grant, &asked.role_permission, &asked.permission)
        else {
            return Ok(None);
        };
        let id_of_role = placet_core::id::RoleId::from_u128;
        let id_of_permission = placet_core::id::PermissionId::from_u128;
        Ok(Some(GrantRows {
            grant: Grant {
                id: GrantId::from_u128(1),
                project_id: self.of(&row.project, ProjectId::from_u128),
                user_id: self.of(&row.user, UserId::from_u128),
                role_id: self.of(&row.role, id_of_role),
                valid: interval(row.from, row.until)?,
            },
            role_permission: RolePermission {
                role_id: self.of(&link.role, id_of_role),
                permission_id: self.of(&link.permission, id_of_permission),
            },
            permission: Permission {
                id: self.of(&permission.id, id_of_permission),
                project_id: self.of(&permission.project, ProjectId::from_u128),
                module_id: permission
                    .module
                    .as_ref()
                    .map(|id| self.of(id, placet_core::id::ModuleId::from_u128)),
                environment_id: permission
                    .environment
                    .as_ref()
                    .map(|id| self.of(id, placet_core::id::EnvironmentId::from_u128)),
                action: self.action(&permission.action)?,
            },
        }))
    }
}

fn interval(from: i64, until: Option<i64>) -> Result<Interval, Error> {
    Interval::new(Timestamp::from_micros(from), until.map(Timestamp::from_micros))
}
