//! The policies are changed while decisions are made, and no decision is made by two sets or by an old one.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use placet_core::authz::{
    Action, Answer, Authorizer, Facts, PolicyHit, Question, Reason, Scope, Verdict,
};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AssignModule, CreateTeam, EndGrant, GrantGlobalRole, RevokeGlobalRole, SetUserActive,
};
use placet_core::org::{GlobalRole, Interval, TeamRole};
use placet_core::store::{MemoryStore, Store};
use placet_core::testing::InterleavingStore;

use crate::world::{World, assert_invariants};

/// Permits what the index permits, and forbids one action.
#[derive(Debug)]
struct Forbids(&'static str);

impl Authorizer for Forbids {
    fn decide(&self, question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
        let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "house.cedar:1".to_owned())];
        let forbidden = question.action.as_str() == self.0;
        let forbidden = if forbidden { hit("house") } else { Vec::new() };
        Ok(Verdict::new(hit("as-the-index-says"), forbidden, Vec::new()))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

fn approves(gate: &Gate, world: &World) -> Answer {
    let scope = Scope::module(world.project, world.pagos, world.dev);
    gate.authorize(world.people["bo"], &Action::APPROVE, scope)
}

#[test]
fn a_set_decides_on_every_node_from_the_moment_of_its_adoption() {
    let world = World::new();
    let (root, here) = (world.caller("root"), &world.gate);
    let (there, late) =
        (Gate::new(world.bench.parts.clone()), Gate::new(world.bench.parts.clone()));
    let frozen = here.prepare_policies(Arc::new(Forbids("approve")));
    there.prepare_policies(Arc::new(Forbids("approve")));
    for gate in [here, &there, &late] {
        assert!(approves(gate, &world).is_allowed(), "ready is not adopted");
    }

    let by_ana = here.adopt_policies(&world.caller("ana"), frozen).unwrap_err();
    assert_eq!(by_ana.code(), Code::Denied);
    here.adopt_policies(&root, frozen).unwrap();
    let reason = |gate: &Gate| match approves(gate, &world) {
        Answer::Allowed(_) => None,
        Answer::Denied(denial) => denial.reasons.into_iter().next(),
    };
    for gate in [here, &there] {
        assert!(matches!(reason(gate), Some(Reason::Forbidden { .. })), "{:?}", reason(gate));
    }
    assert_eq!(reason(&late), Some(Reason::PolicySetMissing));
    late.prepare_policies(Arc::new(Forbids("approve")));
    assert!(matches!(reason(&late), Some(Reason::Forbidden { .. })));
    let (_, leaf) = here
        .audit(&root, 0)
        .unwrap()
        .into_iter()
        .rfind(|(_, leaf)| leaf.event == "policies.adopted")
        .unwrap();
    assert_eq!(leaf.facts["after"], frozen.to_string());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_set_that_would_lock_its_adopter_out_is_not_adopted() {
    let world = World::new();
    let root = world.caller("root");
    let closed = world.gate.prepare_policies(Arc::new(Forbids("administer")));
    assert_eq!(world.gate.adopt_policies(&root, closed).unwrap_err().code(), Code::Denied);
    assert_ne!(world.gate.policy_set().unwrap(), closed);
}

#[test]
fn a_node_without_the_present_set_does_not_pass_it_by() {
    let world = World::new();
    let root = world.caller("root");
    let own = world.bench.parts.authorizer.policy_set_digest();
    let present = world.gate.prepare_policies(Arc::new(Forbids("deploy")));
    world.gate.adopt_policies(&root, present).unwrap();
    // A set that would have a word in it is in force, and this node does not have it.
    let restarted = Gate::new(world.bench.parts.clone());
    assert!(!approves(&restarted, &world).is_allowed());
    let refused = restarted.adopt_policies(&root, own).unwrap_err();
    assert_eq!(refused.code(), Code::PolicySetMissing, "{refused}");
    assert_eq!(refused.details()["policy_set"], present.to_string());
    assert!(refused.help().unwrap().contains("prepare_policies"));
    assert_eq!(restarted.policy_set().unwrap(), present);
    // Ready again, it is asked.
    restarted.prepare_policies(Arc::new(Forbids("deploy")));
    restarted.adopt_policies(&root, own).unwrap();
    assert!(approves(&restarted, &world).is_allowed());
    assert_invariants(&*world.bench.parts.store);
}

/// Forbids every change of the policies once it is in force: what it forbids before, nobody could adopt it by.
#[derive(Debug, Default)]
struct Vetoes(AtomicBool);

impl Authorizer for Vetoes {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        let forbidden = if self.0.load(Ordering::SeqCst) { "administer" } else { "nothing" };
        Forbids(forbidden).decide(question, facts)
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"vetoes")
    }
}

#[test]
fn the_veto_of_the_set_in_force_is_passed_by_only_where_it_is_lost() {
    let world = World::new();
    let root = world.caller("root");
    let own = world.bench.parts.authorizer.policy_set_digest();
    let veto = Arc::new(Vetoes::default());
    let vetoes = world.gate.prepare_policies(Arc::<Vetoes>::clone(&veto));
    world.gate.adopt_policies(&root, vetoes).unwrap();
    veto.0.store(true, Ordering::SeqCst);
    assert_eq!(world.gate.adopt_policies(&root, own).unwrap_err().code(), Code::Denied);
    // Where it is there it is asked, and no other verb is a way around it.
    assert_eq!(world.gate.recover_policies(own).unwrap_err().code(), Code::WrongState);

    let restarted = Gate::new(world.bench.parts.clone());
    assert_eq!(restarted.adopt_policies(&root, own).unwrap_err().code(), Code::PolicySetMissing);
    let unknown = restarted.recover_policies(Digest::of(b"nobody has it")).unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    restarted.recover_policies(own).unwrap();
    assert!(approves(&restarted, &world).is_allowed());
    let log = restarted.audit(&root, 0).unwrap();
    let (_, leaf) = log.iter().rfind(|(_, leaf)| leaf.event == "policies.recovered").unwrap();
    assert_eq!((leaf.actor, leaf.decisions.len()), (None, 0));
    assert_eq!(leaf.facts["before"], vetoes.to_string());
    assert_eq!(leaf.facts["after"], own.to_string());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_denial_for_want_of_the_set_names_the_set_that_was_wanted() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let digest = world.digest(id.unwrap());
    let adopted = world.gate.prepare_policies(Arc::new(Forbids("deploy")));
    world.gate.adopt_policies(&world.caller("root"), adopted).unwrap();
    let restarted = Gate::new(world.bench.parts.clone());
    restarted.approve(&world.caller("bo"), id.unwrap(), digest, None).unwrap_err();
    let log = world.gate.audit(&world.caller("root"), 0).unwrap();
    let (_, leaf) = log.last().unwrap();
    assert_eq!(leaf.event, "denied");
    assert_eq!(leaf.decisions[0].because, ["policy_set_missing"]);
    assert_eq!(leaf.decisions[0].policy_set, adopted);
}

#[test]
fn the_set_that_decides_stays_however_many_are_made_ready() {
    let world = World::new();
    let root = world.caller("root");
    let decides = world.gate.prepare_policies(Arc::new(Forbids("deploy")));
    world.gate.adopt_policies(&root, decides).unwrap();
    for other in ["a", "b", "c", "d", "e", "f"] {
        world.gate.prepare_policies(Arc::new(Forbids(other)));
        assert!(approves(&world.gate, &world).is_allowed(), "{other}");
    }
}

/// Nobody asks anything between: the node must know by itself which one decides, also where another adopted it.
#[test]
fn a_burst_of_preparations_pushes_out_no_set_that_decides() {
    let world = World::new();
    let root = world.caller("root");
    let there = Gate::new(world.bench.parts.clone());
    let decides = world.gate.prepare_policies(Arc::new(Forbids("deploy")));
    there.prepare_policies(Arc::new(Forbids("deploy")));
    world.gate.adopt_policies(&root, decides).unwrap();
    for gate in [&world.gate, &there] {
        for other in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            gate.prepare_policies(Arc::new(Forbids(other)));
        }
        assert!(approves(gate, &world).is_allowed());
        // The four that were made ready last are there, and no other.
        for (other, code) in [("e", Some(Code::NotFound)), ("f", None), ("i", None)] {
            let adopted = gate.adopt_policies(&root, Digest::of(other.as_bytes()));
            assert_eq!(adopted.err().map(|error| error.code()), code, "{other}");
            gate.prepare_policies(Arc::new(Forbids("deploy")));
        }
        gate.adopt_policies(&root, decides).unwrap();
    }
}

/// A rule of a host that permits everything, beside a base that permits nothing.
#[derive(Debug)]
struct OpenHouse;

impl Authorizer for OpenHouse {
    fn decide(&self, question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
        let hit = PolicyHit::of_host("open-house".to_owned(), "house.cedar:1".to_owned());
        let base = PolicyHit::new("base".to_owned(), "base.cedar:1".to_owned());
        let confirms = question.action != Action::APPROVE;
        let permitted = if confirms { vec![base, hit] } else { vec![hit] };
        Ok(Verdict::new(permitted, Vec::new(), Vec::new()))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"open house")
    }
}

#[test]
fn a_permit_of_the_host_does_not_stand_in_for_the_check_of_the_rows() {
    let world = World::new();
    let open = world.gate.prepare_policies(Arc::new(OpenHouse));
    world.gate.adopt_policies(&world.caller("root"), open).unwrap();
    let dev = Scope::module(world.project, world.pagos, world.dev);
    let ask = |name: &str, action| world.gate.authorize(world.people[name], &action, dev);
    let before = world.gate.disagreements();
    // The index says yes and no base policy confirms it: an alarm, and a no.
    let Answer::Denied(denial) = ask("bo", Action::APPROVE) else { panic!("a permit alone") };
    assert_eq!(denial.reasons, [Reason::Disagreement]);
    assert!(world.gate.disagreements() > before);
    assert!(ask("bo", Action::EXECUTE).is_allowed());
    // The index says no, and nobody is asked.
    assert!(!ask("eve", Action::EXECUTE).is_allowed());
}

/// At each moment of an approval another node adopts a set that forbids it: it counts before, or not at all.
#[test]
fn no_approval_rests_on_a_set_that_was_replaced() {
    let mut moments = 0;
    for nth in 0.. {
        let kept: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let world = Arc::new(World::on(Arc::clone(&kept)).unwrap());
        let mut id = None;
        for step in ["draft ana", "submit ana"] {
            world.step(&mut id, step).unwrap();
        }
        let (id, digest) = (id.unwrap(), world.digest(id.unwrap()));
        let store = Arc::new(InterleavingStore::new(kept));
        let mut parts = world.bench.parts.clone();
        parts.store = Arc::<InterleavingStore>::clone(&store);
        let gate = Gate::new(parts);
        for gate in [&gate, &world.gate] {
            gate.prepare_policies(Arc::new(Forbids("approve")));
        }
        let other = Arc::clone(&world);
        store.before(nth, move || {
            let frozen = Forbids("approve").policy_set_digest();
            other.gate.adopt_policies(&other.caller("root"), frozen).unwrap();
        });
        let approved = gate.approve(&world.caller("bo"), id, digest, None);
        if !store.happened() {
            approved.unwrap();
            break;
        }
        moments += 1;
        let log = world.gate.audit(&world.caller("root"), 0).unwrap();
        let index = |event: &str| log.iter().position(|(_, leaf)| leaf.event == event);
        match approved {
            Ok(_) => assert!(index("request.approved") < index("policies.adopted"), "moment {nth}"),
            Err(error) => assert_eq!(error.code(), Code::Denied, "moment {nth}"),
        }
        assert_invariants(&*world.bench.parts.store);
    }
    assert!(moments > 5, "only {moments} moments");
}

/// Permits what the index permits, and lets something happen before it says so.
struct Meanwhile(Mutex<Box<dyn FnMut() + Send>>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meanwhile").finish_non_exhaustive()
    }
}

impl Authorizer for Meanwhile {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        (self.0.lock().unwrap())();
        Forbids("nothing").decide(question, facts)
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"meanwhile")
    }
}

/// Whether somebody was shown something by a verb that only reads.
type Reads = fn(&Gate, &World, &Caller, RequestId) -> bool;

const READS: [(&str, Reads); 6] = [
    ("view", |gate, _, caller, id| gate.view(caller, id).is_ok()),
    ("history", |gate, _, caller, id| gate.history(caller, id).is_ok()),
    ("requests", |gate, world, caller, _| gate.requests(caller, world.project, None).is_ok()),
    ("projects", |gate, _, caller, _| !gate.projects(caller).unwrap().is_empty()),
    ("organisation", |gate, world, caller, _| gate.organisation(caller, world.project).is_ok()),
    ("authorize", |gate, world, caller, _| {
        let place = Scope::module(world.project, world.pagos, world.dev);
        gate.authorize(caller.user(), &Action::READ, place).is_allowed()
    }),
];

/// Takes the right to read away from `ana`.
type Takes = fn(&World);

/// What that right is taken away by.
const TAKES: [(&str, Takes); 3] = [
    ("a set that forbids it", |world| {
        let shut = world.gate.prepare_policies(Arc::new(Forbids("read")));
        world.gate.adopt_policies(&world.caller("root"), shut).unwrap();
    }),
    ("the end of her grant", |world| {
        let (root, project) = (world.caller("root"), world.project);
        let grants = world.gate.organisation(&root, project).unwrap().grants;
        for grant in grants.iter().filter(|row| row.user_id == world.people["ana"]) {
            world.gate.manage(&root, &EndGrant { project, grant: grant.id, at: None }).unwrap();
        }
    }),
    ("her dismissal", |world| {
        let command = SetUserActive { user: world.people["ana"], active: false };
        world.gate.administer(&world.caller("root"), &command).unwrap();
    }),
];

/// A gate whose policies let `happens` happen before each of their answers, with the world around it.
fn interrupted(happens: impl Fn(&World) + Send + 'static) -> (Arc<World>, Gate, RequestId) {
    let world = Arc::new(World::new());
    let mut id = None;
    world.step(&mut id, "draft ana").unwrap();
    // A grant that ends at its first instant would never have been.
    world.bench.clock.advance_ms(1_000);
    let (mut parts, other) = (world.bench.parts.clone(), Arc::clone(&world));
    parts.authorizer = Arc::new(Meanwhile(Mutex::new(Box::new(move || happens(&other)))));
    let gate = Gate::new(parts);
    gate.prepare_policies(Arc::new(Forbids("read")));
    (world, gate, id.unwrap())
}

#[test]
fn what_was_taken_away_while_somebody_looked_is_not_shown() {
    for (verb, reads) in READS {
        let (world, gate, id) = interrupted(|_| ());
        assert!(reads(&gate, &world, &world.caller("ana"), id), "{verb}");
        for (what, take) in TAKES {
            let taken = Mutex::new(false);
            let (world, gate, id) = interrupted(move |world| {
                if !std::mem::replace(&mut *taken.lock().unwrap(), true) {
                    take(world);
                }
            });
            let shown = reads(&gate, &world, &world.caller("ana"), id);
            assert!(!shown, "{verb} in the middle of which {what} came");
            assert_eq!(gate.disagreements(), 0, "{verb}, {what}");
            assert_invariants(&*world.bench.parts.store);
        }
    }
}

#[test]
fn who_loses_a_global_role_in_the_middle_of_a_look_is_refused() {
    let role = GlobalRole::Auditor;
    let (world, gate, _) = interrupted(move |world| {
        let revoke = RevokeGlobalRole { user: world.people["aud"], role };
        // The second time it is gone already.
        drop(world.gate.administer(&world.caller("root"), &revoke));
    });
    let auditor = world.caller("aud");
    let command = GrantGlobalRole { user: auditor.user(), role };
    world.gate.administer(&world.caller("root"), &command).unwrap();
    assert_eq!(gate.users(&auditor, None).unwrap_err().code(), Code::Denied);
    assert_invariants(&*world.bench.parts.store);
}

/// The organisation changes during each look: it is looked at again as often as a lost race, and then it is told.
#[test]
fn a_look_that_never_holds_still_ends() {
    let looks = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&looks);
    let (world, gate, id) = interrupted(move |world| {
        let mut looks = counted.lock().unwrap();
        *looks += 1;
        let name = format!("team {looks}").parse().unwrap();
        let command = CreateTeam { project: world.project, name };
        world.gate.manage(&world.caller("root"), &command).unwrap();
    });
    let error = gate.view(&world.caller("ana"), id).unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert_eq!(*looks.lock().unwrap(), gate.limits().conflict_retries_max + 1);
}

/// Permits what the index permits, and keeps what it was told.
#[derive(Debug, Default)]
struct Listens(Mutex<Vec<BTreeSet<TeamRole>>>);

impl Authorizer for Listens {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        self.0.lock().unwrap().push(facts.team_roles.clone());
        Forbids("nothing").decide(question, facts)
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"listens")
    }
}

#[test]
fn a_policy_is_told_what_somebody_is_in_the_teams_of_the_module() {
    let world = World::new();
    let (root, project, user) = (world.caller("root"), world.project, world.people["bo"]);
    let ears = Arc::new(Listens::default());
    let digest = world.gate.prepare_policies(Arc::<Listens>::clone(&ears));
    world.gate.adopt_policies(&root, digest).unwrap();
    let told = |scope| {
        assert!(world.gate.authorize(user, &Action::APPROVE, scope).is_allowed());
        ears.0.lock().unwrap().pop().unwrap().into_iter().collect::<Vec<_>>()
    };
    let pagos = Scope::module(project, world.pagos, world.dev);
    assert_eq!(told(pagos), [TeamRole::Member]);

    // A substitute for a minute, in another team that does not look after the module.
    let team = CreateTeam { project, name: "night watch".parse().unwrap() };
    let team = world.gate.manage(&root, &team).unwrap();
    let valid = Interval::new(world.now(), Some(world.now().plus_ms(60_000))).unwrap();
    let role = TeamRole::LeaderTemp;
    world.gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
    assert_eq!(told(pagos), [TeamRole::Member]);
    world.gate.manage(&root, &AssignModule { project, team, module: world.pagos }).unwrap();
    assert_eq!(told(pagos), [TeamRole::LeaderTemp, TeamRole::Member]);
    world.bench.clock.advance_ms(60_000);
    assert_eq!(told(pagos), [TeamRole::Member]);
}
