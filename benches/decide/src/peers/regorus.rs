//! regorus: data indexed by user and project, the policy compiled to a program of its virtual machine.
//!
//! In its favour: each role's permissions stand under action, module and environment, each team's modules
//! are a set, and questions are values already.

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Engine, Rc, Value};
use serde_json::{Map, json};

use crate::world::{ACTIONS, NOW, Question, World};

const POLICY: &str = r#"
package placet

default allow := false

allow if {
    active
    input.leg == 1
    granted
}

allow if {
    active
    input.leg == 2
    granted
    member
}

active if {
    not input.person
    data.users[input.user].a
}

active if {
    input.person
    data.users[input.user].a
    data.users[input.user].k == "person"
}

granted if {
    some grant in data.users[input.user].p[input.project].g
    grant.f <= input.at
    input.at < grant.u
    some module in input.modules
    some environment in input.environments
    data.projects[input.project].roles[grant.w][input.action][module][environment]
}

member if {
    some row in data.users[input.user].p[input.project].m
    row.f <= input.at
    input.at < row.u
    data.projects[input.project].teams[row.w][input.module]
}
"#;

pub(crate) struct Regorus {
    vm: RegoVM,
}

fn name(id: u128) -> String {
    format!("{id:032x}")
}

impl Regorus {
    pub(crate) fn new(world: &World) -> Self {
        let mut engine = Engine::new();
        engine.add_policy("placet.rego".to_owned(), POLICY.to_owned()).expect("it is well formed");
        let entry: Rc<str> = "data.placet.allow".into();
        let compiled = engine.compile_with_entrypoint(&entry).expect("it compiles");
        let program = Compiler::compile_from_policy(&compiled, &[&entry]).expect("it compiles");
        let mut vm = RegoVM::new_with_policy(compiled);
        vm.load_program(program);
        vm.set_data(data(world)).expect("no rule and datum share a name");
        Self { vm }
    }

    pub(crate) fn prepare(world: &World, asked: &Question) -> Value {
        let (person, place) =
            (&world.users[asked.user as usize], &world.projects[asked.project as usize]);
        let wide = asked.widened();
        let of = |ids: &[u128], at: u8| {
            usize::from(at).checked_sub(1).map_or_else(|| "-".to_owned(), |at| name(ids[at]))
        };
        Value::from(json!({
            "user": name(person.id),
            "project": name(place.id),
            "action": ACTIONS[usize::from(asked.action)],
            "module": of(&place.modules, wide.module),
            "modules": ["*", of(&place.modules, wide.module)],
            "environments": ["*", of(&place.environments, wide.environment)],
            "leg": if asked.takes_grant_only() { 1 } else { 2 },
            "person": asked.takes_person(),
            "at": NOW,
        }))
    }

    pub(crate) fn can(&mut self, asked: &Value) -> bool {
        self.vm.set_input(asked.clone());
        self.vm.execute_entry_point_by_index(0).is_ok_and(|found| found == Value::from(true))
    }
}

/// One value after the other, so that no second copy of a large world exists.
fn data(world: &World) -> Value {
    let mut projects = Value::new_object();
    for place in &world.projects {
        let star = |ids: &[u128], at: u8| {
            usize::from(at).checked_sub(1).map_or_else(|| "*".to_owned(), |at| name(ids[at]))
        };
        let mut roles = Map::new();
        for role in &place.roles {
            let mut by_action = json!({});
            for held in &role.permissions {
                let (module, environment) = (
                    star(&place.modules, held.module),
                    star(&place.environments, held.environment),
                );
                by_action[ACTIONS[usize::from(held.action)]][module][environment] = true.into();
            }
            roles.insert(name(role.id), by_action);
        }
        let mut teams = Map::new();
        for team in &place.teams {
            let named = |(at, id): (usize, &u128)| {
                (team.modules >> (at + 1) & 1 == 1).then(|| (name(*id), true.into()))
            };
            let mut modules: Map<_, _> =
                place.modules.iter().enumerate().filter_map(named).collect();
            modules.insert("-".to_owned(), true.into());
            teams.insert(name(team.id), modules.into());
        }
        put(&mut projects, name(place.id), json!({ "roles": roles, "teams": teams }));
    }
    let mut users = Value::new_object();
    for (number, person) in (0_u32..).zip(&world.users) {
        let mut held = Map::new();
        for (kind, rows) in [("m", world.memberships_of(number)), ("g", world.grants_of(number))] {
            for row in rows {
                let place = &world.projects[row.project as usize];
                let at = row.what as usize;
                let what = if kind == "m" { place.teams[at].id } else { place.roles[at].id };
                let row = json!({ "f": row.from, "u": row.until, "w": name(what) });
                let here =
                    held.entry(name(place.id)).or_insert_with(|| json!({ "m": [], "g": [] }));
                if let Some(rows) = here[kind].as_array_mut() {
                    rows.push(row);
                }
            }
        }
        let kind = if person.is_agent { "agent" } else { "person" };
        put(&mut users, name(person.id), json!({ "a": person.is_active, "k": kind, "p": held }));
    }
    let mut data = Value::new_object();
    put_value(&mut data, "projects".to_owned(), projects);
    put_value(&mut data, "users".to_owned(), users);
    data
}

fn put(object: &mut Value, key: String, value: serde_json::Value) {
    put_value(object, key, Value::from(value));
}

fn put_value(object: &mut Value, key: String, value: Value) {
    let map = object.as_object_mut().expect("it is an object");
    map.insert(Value::from(key), value);
}
