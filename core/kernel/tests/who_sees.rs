//! Who learns that something is there: lists, refusals, and names, also where a policy closes a place.

use std::collections::BTreeSet;
use std::sync::Arc;

use placet_core::authz::{
    Action, Authorizer, Facts, Language, PolicyHit, Question, Scope, Verdict,
};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, NewRequest};
use placet_core::id::{EnvironmentId, RequestId, RoleId};
use placet_core::org::Interval;
use placet_core::org::command::{AllowRole, AssignRole, CreatePermission, CreateRole};

use crate::world::World;

/// Permits what the index permits, and closes one place to readers.
#[derive(Debug)]
struct Closes(EnvironmentId);

impl Authorizer for Closes {
    fn decide(&self, question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
        let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "house.cedar:1".to_owned())];
        let there = matches!(question.scope, Scope::Project { environment, .. } if environment == Some(self.0));
        let closed = there && question.action == Action::READ;
        Ok(Verdict::new(hit("base"), if closed { hit("closed") } else { Vec::new() }, Vec::new()))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"closes")
    }
}

/// The world, where nobody reads in `environment`.
fn closed(world: &World, environment: EnvironmentId) -> Gate {
    let mut parts = world.bench.parts.clone();
    parts.authorizer = Arc::new(Closes(environment));
    Gate::new(parts)
}

/// A role of the project that may do each of these, where it is said.
fn role(world: &World, name: &str, allowed: &[(&str, Option<EnvironmentId>)]) -> RoleId {
    let (root, project) = (world.caller("root"), world.project);
    let role = CreateRole { project, name: name.parse().unwrap() };
    let role = world.gate.manage(&root, &role).unwrap();
    for (action, environment) in allowed {
        let action: Action = action.parse().unwrap();
        let rows = world.gate.organisation(&root, project).unwrap().permissions;
        let is_it = |row: &&placet_core::org::Permission| {
            row.module_id.is_none() && row.environment_id == *environment && row.action == action
        };
        let permission = rows.iter().find(is_it).map(|row| row.id);
        let permission = permission.unwrap_or_else(|| {
            let (module, environment) = (None, *environment);
            let command = CreatePermission { project, module, environment, action: action.clone() };
            world.gate.manage(&root, &command).unwrap()
        });
        world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    }
    role
}

fn assign(world: &World, name: &str, role: RoleId) {
    let (project, user) = (world.project, world.people[name]);
    let valid = Interval::starting(world.now());
    let command = AssignRole { project, user, role, valid };
    world.gate.manage(&world.caller("root"), &command).unwrap();
}

fn listed(gate: &Gate, world: &World, name: &str) -> Result<Vec<RequestId>, Code> {
    let page = gate.requests(&world.caller(name), world.project, None);
    let page = page.map_err(|error| error.code())?;
    Ok(page.items.iter().map(|line| line.id).collect())
}

/// Whoever reads the whole project reads no request of a place that a policy closes, also not in a list.
#[test]
fn a_list_shows_what_can_be_viewed_and_nothing_else() {
    let world = World::new();
    let draft = |environment| {
        let new = world.new_request(environment);
        world.gate.draft(&world.caller("ana"), &new).unwrap().header.id
    };
    let (dev, prod) = (draft(world.dev), draft(world.prod));
    assert_eq!(listed(&world.gate, &world, "ana"), Ok(vec![dev, prod]));
    let gate = closed(&world, world.prod);
    assert_eq!(gate.view(&world.caller("ana"), prod).unwrap_err().code(), Code::NotFound);
    assert_eq!(listed(&gate, &world, "ana"), Ok(vec![dev]));
}

/// How often each question was asked.
#[derive(Debug, Default)]
struct Counts(std::sync::Mutex<Vec<Scope>>);

impl Authorizer for Counts {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        self.0.lock().unwrap().push(question.scope);
        Closes(EnvironmentId::from_u128(0)).decide(question, facts)
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"counts")
    }
}

#[test]
fn a_list_asks_once_about_each_place() {
    let world = World::new();
    for environment in [world.dev, world.prod, world.dev, world.dev, world.prod] {
        world.gate.draft(&world.caller("ana"), &world.new_request(environment)).unwrap();
    }
    let counts = Arc::new(Counts::default());
    let mut parts = world.bench.parts.clone();
    parts.authorizer = Arc::<Counts>::clone(&counts);
    assert_eq!(listed(&Gate::new(parts), &world, "ana").unwrap().len(), 5);
    let asked = counts.0.lock().unwrap();
    let places: BTreeSet<Scope> = asked.iter().copied().collect();
    // The project as a whole, and each of the two places.
    assert_eq!((asked.len(), places.len()), (3, 3), "{asked:?}");
}

/// Two places are readable by rows, and a policy closes the one that is looked at first.
#[test]
fn a_closed_place_keeps_nobody_from_another_that_they_read() {
    let world = World::new();
    let watcher = role(&world, "Watcher", &[("read", Some(world.dev)), ("read", Some(world.prod))]);
    assign(&world, "eve", watcher);
    let draft = |environment| {
        let new = world.new_request(environment);
        world.gate.draft(&world.caller("ana"), &new).unwrap().header.id
    };
    let (dev, prod) = (draft(world.dev), draft(world.prod));
    assert_eq!(listed(&world.gate, &world, "eve"), Ok(vec![dev, prod]));
    assert_eq!(listed(&closed(&world, world.dev), &world, "eve"), Ok(vec![prod]));
    assert_eq!(listed(&closed(&world, world.prod), &world, "eve"), Ok(vec![dev]));
    assert_eq!(listed(&world.gate, &world, "aud"), Err(Code::NotFound));
}

/// Eve reads in prod and nowhere else. What is in dev is not there for her, whatever verb she tries.
#[test]
fn a_refusal_tells_nothing_of_a_place_that_the_caller_does_not_read() {
    let world = World::new();
    let watcher = role(&world, "Watcher", &[("read", Some(world.prod))]);
    assign(&world, "eve", watcher);
    let (mut dev, mut prod) = (None, None);
    for (id, environment) in [(&mut dev, "dev"), (&mut prod, "prod")] {
        world.step(id, &format!("draft ana {environment}")).unwrap();
        world.step(id, "submit ana").unwrap();
    }
    let unknown = RequestId::from_u128(12_345);
    for step in [
        "edit eve",
        "submit eve",
        "reject eve no",
        "return eve no",
        "cancel eve",
        "comment eve hi",
        "execute eve",
    ] {
        let told = |id: RequestId| {
            let error = world.step(&mut Some(id), step).unwrap_err();
            (
                error.code(),
                error.to_string().replace(&id.to_string(), "it"),
                error.details().clone(),
            )
        };
        let (hidden, nothing) = (told(dev.unwrap()), told(unknown));
        assert_eq!(hidden, nothing, "{step}");
        assert_eq!(hidden.0, Code::NotFound, "{step}");
        if !step.starts_with("comment") {
            // Where she reads, she is told why.
            assert_eq!(told(prod.unwrap()).0, Code::Denied, "{step}");
        }
    }
    // Nor which places there are.
    let draft = |environment| {
        let new = NewRequest { environment, ..world.new_request(world.dev) };
        world.gate.draft(&world.caller("eve"), &new).unwrap_err()
    };
    let invented = draft(EnvironmentId::from_u128(12_345));
    assert_eq!(draft(world.dev).to_string(), invented.to_string());
    assert_eq!(draft(world.dev).code(), Code::NotFound);
    assert_eq!(draft(world.prod).code(), Code::Denied);
    // The project itself she sees: what she lacks there is told.
    let command = CreateRole { project: world.project, name: "Mine".parse().unwrap() };
    let refused = world.gate.manage(&world.caller("eve"), &command).unwrap_err();
    assert_eq!(refused.code(), Code::Denied);
}

/// Dora manages the project and audits nothing: she learns of nobody who has no row in it.
#[test]
fn a_manager_learns_of_nobody_outside_the_project() {
    let world = World::new();
    let manager = role(&world, "Manager", &[("manage", None)]);
    assign(&world, "dora", manager);
    let check = |name: &str, who: &str| {
        let line = format!("{who}@example.org | read | shop | no");
        let told = world.gate.check_stories(&world.caller(name), &line);
        told.map(drop)
            .map_err(|error| (error.code(), error.to_string(), error.help().map(str::to_owned)))
    };
    assert_eq!(check("dora", "ana"), Ok(()));
    assert_eq!(check("dora", "dora"), Ok(()));
    let nobody = check("dora", "nobody");
    assert_eq!(nobody.as_ref().unwrap_err().0, Code::NotFound);
    for outside in ["eve", "aud", "root"] {
        assert_eq!(check("dora", outside), nobody, "{outside}");
    }
    assert_eq!(check("root", "eve"), Ok(()));
    assert!(check("root", "nobody").unwrap_err().1.contains("nobody has the e-mail address"));

    let why = |name: &str, who: &str| {
        let (user, scope) = (world.people[who], Scope::project(world.project));
        let question = Question { user, action: Action::READ, scope, at: world.gate.now() };
        let told = world.gate.explain(&world.caller(name), &question).unwrap();
        assert!(told.sentence(Language::English).starts_with(&told.user_name));
        told.user_name
    };
    assert_eq!(why("dora", "ana"), "ana");
    assert_eq!(why("dora", "eve"), world.people["eve"].to_string());
    assert_eq!(why("root", "eve"), "eve");
}

#[test]
fn a_table_has_so_many_stories_and_not_one_more() {
    let world = World::new();
    let stories = |count: usize| "ana@example.org | read | shop | yes\n".repeat(count);
    let check = |count| world.gate.check_stories(&world.caller("root"), &stories(count));
    assert_eq!(check(10_001).unwrap_err().code(), Code::TooLarge);
    assert_eq!(check(10_000).unwrap().len(), 10_000);
}
