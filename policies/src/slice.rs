//! A question and its rows, as Cedar sees them.
//!
//! Rows are translated column by column and never compared here: the policies compare.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use placet_core::authz::{Facts, GrantRows, MembershipRows, PlanFacts, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::org::{Interval, User, UserKind};

use crate::action::{CedarAction, Level};

type Expr = RestrictedExpression;
type Pairs = Vec<(String, Expr)>;

/// The names of entity types and actions, parsed once.
#[derive(Debug)]
pub(crate) struct Names {
    user: EntityTypeName,
    project: EntityTypeName,
    module: EntityTypeName,
    environment: EntityTypeName,
    team: EntityTypeName,
    role: EntityTypeName,
    permission: EntityTypeName,
    platform: EntityUid,
    actions: BTreeMap<CedarAction, EntityUid>,
}

impl Names {
    pub(crate) fn new() -> Result<Self, Error> {
        let action = type_name("Action")?;
        let named = |known: CedarAction| (known, entity(&action, &known.as_str()));
        Ok(Self {
            user: type_name("User")?,
            project: type_name(Level::Project.type_name())?,
            module: type_name("Module")?,
            environment: type_name("Environment")?,
            team: type_name("Team")?,
            role: type_name("Role")?,
            permission: type_name("Permission")?,
            platform: entity(&type_name(Level::Platform.type_name())?, &"platform"),
            actions: CedarAction::ALL.into_iter().map(named).collect(),
        })
    }

    /// The user's row as the one entity that policies can read attributes of.
    pub(crate) fn entities(&self, user: &User) -> Result<Entities, Error> {
        let attributes = [
            ("kind".to_owned(), text(kind_text(user.kind))),
            ("active".to_owned(), Expr::new_bool(user.is_active)),
        ];
        let entity = Entity::new_with_tags(entity(&self.user, &user.id), attributes, [], [])
            .map_err(internal)?;
        Entities::from_entities([entity], None).map_err(internal)
    }

    /// The question with its rows, for the base policies.
    pub(crate) fn base_request(
        &self,
        question: &Question,
        facts: &Facts,
    ) -> Result<Request, Error> {
        let mut pairs = self.shared_pairs(question);
        let mut roles = Vec::with_capacity(facts.global_roles.len());
        for row in &facts.global_roles {
            let user = expr(&self.user, &row.user_id);
            roles.push(record([("user", user), ("role", text(row.role.as_str()))])?);
        }
        pairs.push(("global_roles".to_owned(), Expr::new_set(roles)));
        let authors = facts.authors.iter().map(|id| expr(&self.user, id));
        pairs.push(("authors".to_owned(), Expr::new_set(authors)));
        if let Some(rows) = &facts.membership {
            self.push_membership(&mut pairs, rows)?;
        }
        if let Some(rows) = &facts.grant {
            self.push_grant(&mut pairs, rows)?;
        }
        self.request(question, pairs)
    }

    /// The question and what the plan says, for the policies of the host.
    pub(crate) fn host_request(
        &self,
        question: &Question,
        facts: &Facts,
    ) -> Result<Request, Error> {
        const MINUTE: i64 = 60_000_000;
        const DAY: i64 = 1_440 * MINUTE;
        let at = question.at.as_micros();
        let mut pairs = self.shared_pairs(question);
        let roles = facts.team_roles.iter().map(|role| text(role.as_str()));
        pairs.extend([
            ("team_roles".to_owned(), Expr::new_set(roles)),
            ("level".to_owned(), text(Level::of(&question.scope).as_str())),
            // 1970-01-01 was a Thursday, three days after a Monday.
            (
                "weekday".to_owned(),
                Expr::new_long(((at / DAY).saturating_add(3) % 7).saturating_add(1)),
            ),
            ("minute".to_owned(), Expr::new_long(at % DAY / MINUTE)),
        ]);
        if let Some(plan) = &facts.plan {
            pairs.push(("plan".to_owned(), plan_record(plan)?));
        }
        self.request(question, pairs)
    }

    fn shared_pairs(&self, question: &Question) -> Pairs {
        let mut pairs = vec![
            ("action".to_owned(), text(question.action.as_str())),
            ("at".to_owned(), instant(question.at)),
        ];
        if let Scope::Project { module, environment, .. } = &question.scope {
            if let Some(module) = module {
                pairs.push(("module".to_owned(), expr(&self.module, module)));
            }
            if let Some(environment) = environment {
                let environment = expr(&self.environment, environment);
                pairs.push(("environment".to_owned(), environment));
            }
        }
        pairs
    }

    fn push_membership(&self, pairs: &mut Pairs, rows: &MembershipRows) -> Result<(), Error> {
        let MembershipRows { membership, team, team_module } = rows;
        let row = live_record(
            [
                ("user", expr(&self.user, &membership.user_id)),
                ("team", expr(&self.team, &membership.team_id)),
            ],
            membership.valid,
        )?;
        pairs.push(("team_member".to_owned(), row));
        let row = record([
            ("id", expr(&self.team, &team.id)),
            ("project", expr(&self.project, &team.project_id)),
        ])?;
        pairs.push(("team".to_owned(), row));
        if let Some(row) = team_module {
            let row = record([
                ("team", expr(&self.team, &row.team_id)),
                ("module", expr(&self.module, &row.module_id)),
            ])?;
            pairs.push(("team_module".to_owned(), row));
        }
        Ok(())
    }

    fn push_grant(&self, pairs: &mut Pairs, rows: &GrantRows) -> Result<(), Error> {
        let GrantRows { grant, role_permission, permission } = rows;
        let row = live_record(
            [
                ("user", expr(&self.user, &grant.user_id)),
                ("project", expr(&self.project, &grant.project_id)),
                ("role", expr(&self.role, &grant.role_id)),
            ],
            grant.valid,
        )?;
        pairs.push(("grant".to_owned(), row));
        let row = record([
            ("role", expr(&self.role, &role_permission.role_id)),
            ("permission", expr(&self.permission, &role_permission.permission_id)),
        ])?;
        pairs.push(("role_permission".to_owned(), row));
        let module = permission.module_id.map(|id| ("module", expr(&self.module, &id)));
        let environment =
            permission.environment_id.map(|id| ("environment", expr(&self.environment, &id)));
        let row = [
            ("id", expr(&self.permission, &permission.id)),
            ("project", expr(&self.project, &permission.project_id)),
            ("action", text(permission.action.as_str())),
        ];
        let row = record(row.into_iter().chain(module).chain(environment))?;
        pairs.push(("permission".to_owned(), row));
        Ok(())
    }

    fn request(&self, question: &Question, pairs: Pairs) -> Result<Request, Error> {
        let action = self.actions.get(&CedarAction::of(&question.action)).cloned();
        let action = action.ok_or_else(|| Error::new(Code::Internal, "an action has no name"))?;
        let resource = match &question.scope {
            Scope::Platform => self.platform.clone(),
            Scope::Project { project, .. } => entity(&self.project, project),
        };
        let context = Context::from_pairs(pairs).map_err(internal)?;
        let principal = entity(&self.user, &question.user);
        Request::new(principal, action, resource, context, None).map_err(internal)
    }
}

fn type_name(name: &str) -> Result<EntityTypeName, Error> {
    name.parse().map_err(internal)
}

fn entity(type_name: &EntityTypeName, id: &impl fmt::Display) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id.to_string()))
}

fn expr(type_name: &EntityTypeName, id: &impl fmt::Display) -> Expr {
    Expr::new_entity_uid(entity(type_name, id))
}

/// What the plan says, column by column.
fn plan_record(plan: &PlanFacts) -> Result<Expr, Error> {
    let PlanFacts {
        risk,
        lock,
        rewrites,
        rows,
        kinds,
        irreversible,
        needs_person,
        findings,
        objects,
        objects_known,
    } = plan;
    let texts = |words: &BTreeSet<String>| Expr::new_set(words.iter().map(|word| text(word)));
    // More rows than can be written are as many as can be.
    let rows = rows.map(|rows| ("rows", Expr::new_long(i64::try_from(rows).unwrap_or(i64::MAX))));
    let columns = [
        ("risk", text(risk.as_str())),
        ("lock", text(lock.as_str())),
        ("rewrites", Expr::new_bool(*rewrites)),
        ("kinds", texts(kinds)),
        ("irreversible", Expr::new_bool(*irreversible)),
        ("needs_person", Expr::new_bool(*needs_person)),
        ("findings", texts(findings)),
        ("objects", texts(objects)),
        ("objects_known", Expr::new_bool(*objects_known)),
    ];
    record(columns.into_iter().chain(rows))
}

fn live_record<const N: usize>(
    columns: [(&'static str, Expr); N],
    valid: Interval,
) -> Result<Expr, Error> {
    let until = valid.until().map(|until| ("until", instant(until)));
    record(columns.into_iter().chain([("from", instant(valid.from()))]).chain(until))
}

fn record(columns: impl IntoIterator<Item = (&'static str, Expr)>) -> Result<Expr, Error> {
    let columns = columns.into_iter().map(|(name, value)| (name.to_owned(), value));
    Expr::new_record(columns).map_err(internal)
}

fn instant(at: Timestamp) -> Expr {
    Expr::new_long(at.as_micros())
}

fn text(text: &str) -> Expr {
    Expr::new_string(text.to_owned())
}

const fn kind_text(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Person => "person",
        UserKind::Agent => "agent",
    }
}

fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "a question could not be put to the policies").with_source(source)
}
