//! Raw Cedar, with the policies of `placet-policies` and the same slice: one entity, and the rows in the context.
//!
//! In its favour: each action has a policy set of its own, with only the policies that can apply to it; and the
//! first of two figures evaluates requests and entities that were made before, which no real host has.

use std::collections::BTreeMap;
use std::fmt::Display;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema,
};
use placet_core::authz::{Facts, Question, Scope};
use placet_core::org::{Interval, UserKind};

type Expr = RestrictedExpression;

const SCHEMA: &str = concat!(
    include_str!("../../../../policies/src/schema.cedarschema"),
    include_str!("../../../../policies/src/rows.cedarschema")
);
const POLICIES: &str = concat!(
    include_str!("../../../../policies/src/base/two_legs.cedar"),
    include_str!("../../../../policies/src/base/read.cedar"),
    include_str!("../../../../policies/src/base/manage.cedar"),
    include_str!("../../../../policies/src/base/platform.cedar"),
    include_str!("../../../../policies/src/base/never.cedar"),
);

#[derive(Debug)]
pub(crate) struct Cedar {
    engine: Authorizer,
    sets: BTreeMap<String, PolicySet>,
    names: BTreeMap<&'static str, EntityTypeName>,
}

/// A request and its entities, ready to be evaluated, and the name of the policy set.
pub(crate) type Asked = (String, Request, Entities);

impl Cedar {
    pub(crate) fn new() -> Self {
        let (schema, _warnings) =
            Schema::from_cedarschema_str(SCHEMA).expect("the schema is well formed");
        let all: PolicySet = POLICIES.parse().expect("the policies are well formed");
        let mut sets: BTreeMap<String, PolicySet> = BTreeMap::new();
        for policy in all.policies() {
            let mut actions: Vec<String> = policy
                .get_valid_request_envs(&schema)
                .filter(|env| env.resource().basename() == "Project")
                .map(|env| env.action().id().unescaped().to_owned())
                .collect();
            actions.sort();
            actions.dedup();
            for action in actions {
                sets.entry(action).or_default().add(policy.clone()).expect("each is added once");
            }
        }
        let kinds =
            ["User", "Project", "Module", "Environment", "Team", "Role", "Permission", "Action"];
        let names = kinds.map(|kind| (kind, kind.parse().expect("a name of a type")));
        Self { engine: Authorizer::new(), sets, names: names.into_iter().collect() }
    }

    pub(crate) fn can(&self, (action, request, entities): &Asked) -> bool {
        let Some(set) = self.sets.get(action) else { return false };
        let response = self.engine.is_authorized(request, set, entities);
        response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
    }

    fn uid(&self, kind: &str, id: &impl Display) -> EntityUid {
        EntityUid::from_type_name_and_id(self.names[kind].clone(), EntityId::new(id.to_string()))
    }

    fn expr(&self, kind: &str, id: &impl Display) -> Expr {
        Expr::new_entity_uid(self.uid(kind, id))
    }

    /// What a host has to make of its rows for each question.
    pub(crate) fn prepare(&self, question: &Question, facts: &Facts) -> Asked {
        let kind = match facts.user.kind {
            UserKind::Person => "person",
            UserKind::Agent => "agent",
        };
        let attributes = [
            ("kind".to_owned(), string(kind)),
            ("active".to_owned(), Expr::new_bool(facts.user.is_active)),
        ];
        let user = Entity::new_with_tags(self.uid("User", &facts.user.id), attributes, [], []);
        let entities = Entities::from_entities([user.expect("plain values")], None);
        let action = match question.action.as_str() {
            "deploy" => "operate",
            known => known,
        };
        let context = Context::from_pairs(self.pairs(question, facts)).expect("no pair twice");
        let project = question.scope.project_id().expect("all questions are about projects");
        let request = Request::new(
            self.uid("User", &question.user),
            self.uid("Action", &action),
            self.uid("Project", &project),
            context,
            None,
        );
        (action.to_owned(), request.expect("no schema to fail"), entities.expect("one entity"))
    }

    fn pairs(&self, question: &Question, facts: &Facts) -> Vec<(String, Expr)> {
        let mut pairs = vec![
            ("action", string(question.action.as_str())),
            ("at", Expr::new_long(question.at.as_micros())),
            ("global_roles", Expr::new_set([])),
            ("authors", Expr::new_set([])),
        ];
        if let Scope::Project { module, environment, .. } = &question.scope {
            pairs.extend(module.map(|id| ("module", self.expr("Module", &id))));
            pairs.extend(environment.map(|id| ("environment", self.expr("Environment", &id))));
        }
        if let Some(rows) = &facts.membership {
            let (row, team) = (&rows.membership, &rows.team);
            let who = [
                ("user", self.expr("User", &row.user_id)),
                ("team", self.expr("Team", &row.team_id)),
            ];
            pairs.push(("team_member", record(who.into_iter().chain(interval(row.valid)))));
            let columns = [
                ("id", self.expr("Team", &team.id)),
                ("project", self.expr("Project", &team.project_id)),
            ];
            pairs.push(("team", record(columns)));
            pairs.extend(rows.team_module.map(|row| {
                let (team, module) =
                    (self.expr("Team", &row.team_id), self.expr("Module", &row.module_id));
                ("team_module", record([("team", team), ("module", module)]))
            }));
        }
        if let Some(rows) = &facts.grant {
            let (row, link, held) = (&rows.grant, &rows.role_permission, &rows.permission);
            let who = [
                ("user", self.expr("User", &row.user_id)),
                ("project", self.expr("Project", &row.project_id)),
                ("role", self.expr("Role", &row.role_id)),
            ];
            pairs.push(("grant", record(who.into_iter().chain(interval(row.valid)))));
            let columns = [
                ("role", self.expr("Role", &link.role_id)),
                ("permission", self.expr("Permission", &link.permission_id)),
            ];
            pairs.push(("role_permission", record(columns)));
            let columns = [
                ("id", self.expr("Permission", &held.id)),
                ("project", self.expr("Project", &held.project_id)),
                ("action", string(held.action.as_str())),
            ];
            let module = held.module_id.map(|id| ("module", self.expr("Module", &id)));
            let environment =
                held.environment_id.map(|id| ("environment", self.expr("Environment", &id)));
            pairs
                .push(("permission", record(columns.into_iter().chain(module).chain(environment))));
        }
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn string(text: &str) -> Expr {
    Expr::new_string(text.to_owned())
}

fn interval(valid: Interval) -> impl Iterator<Item = (&'static str, Expr)> {
    let until = valid.until().map(|until| ("until", Expr::new_long(until.as_micros())));
    [("from", Expr::new_long(valid.from().as_micros()))].into_iter().chain(until)
}

fn record(columns: impl IntoIterator<Item = (&'static str, Expr)>) -> Expr {
    let columns = columns.into_iter().map(|(name, value)| (name.to_owned(), value));
    Expr::new_record(columns).expect("no column twice")
}
