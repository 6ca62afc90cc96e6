//! Permission before anything else; one run at a time, in the order of asking; a late result has no power; a person ends what nobody can tell.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Finding, Gate, Ticket};
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::Slug;
use placet_core::org::command::{EndGrant, SetUserActive};
use placet_core::request::{Request, State, StateName};
use placet_core::runner::{
    Failure, Finding as Found, Job, Outcome, Plan, RunLink, Runner, RunnerInfo,
};
use placet_core::store::{Batch, Key, Stored};
use placet_core::testing::{ManualClock, ScriptedRunner, Seen};

use crate::world::{World, assert_invariants};

/// Requests that may run, all at the target `orders`.
fn approved<const N: usize>(world: &World) -> [RequestId; N] {
    core::array::from_fn(|_| {
        let mut id = None;
        for step in ["draft ana", "submit ana", "approve bo"] {
            world.step(&mut id, step).unwrap();
        }
        id.unwrap()
    })
}

fn bo(world: &World) -> Caller {
    world.caller("bo")
}

fn start(world: &World, id: RequestId) -> Result<Ticket, Error> {
    world.gate.execute(&bo(world), id)
}

fn drive(world: &World, ticket: Ticket) -> Result<Request, Error> {
    world.gate.drive(ticket, &Seen::default())
}

/// The refusal of one who has to wait: how many are ahead.
fn waits(answer: Result<Ticket, Error>) -> String {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), Code::TargetBusy);
    error.details()["ahead"].clone()
}

fn unknown() -> Outcome {
    Outcome::Unknown(Failure::new("timeout", "the line went dead"))
}

/// All that is stored, and how long the log is.
fn everything(world: &World) -> (Vec<(Key, Stored)>, u64) {
    let store = &world.bench.parts.store;
    let rows = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
    (rows, store.log_len().unwrap())
}

#[test]
fn the_end_of_a_run_says_how_the_call_came_in_that_started_it() {
    let world = World::new();
    let [id, other] = approved(&world);
    let ticket = world.gate.execute(&bo(&world).via("cli".parse().unwrap()), id).unwrap();
    world.gate.drive(ticket, &Seen::default()).unwrap();
    world.gate.drive(start(&world, other).unwrap(), &Seen::default()).unwrap();
    let channel_of = |id| {
        let leaves = world.gate.trail(&bo(&world), id).unwrap().into_iter();
        let ended = leaves.map(|(_, leaf)| leaf).filter(|leaf| leaf.event == "run.finished");
        let channels: Vec<_> = ended.map(|leaf| leaf.channel.map(|it| it.to_string())).collect();
        channels
    };
    assert_eq!(channel_of(id), [Some("cli".to_owned())]);
    assert_eq!(channel_of(other), [None], "its host said nothing");
}

#[test]
fn a_run_that_was_stopped_is_stopped_and_asking_again_changes_nothing() {
    let world = World::new();
    let [id] = approved(&world);
    let ticket = start(&world, id).unwrap();
    let first = world.gate.stop(&bo(&world), id).unwrap();
    let before = everything(&world);
    assert_eq!(world.gate.stop(&bo(&world), id).unwrap(), first);
    assert_eq!(world.gate.stop(&world.caller("cy"), id).unwrap(), first);
    assert_eq!(everything(&world), before);
    // It is a step of its own, and no withdrawal of the request.
    let last = world.gate.history(&bo(&world), id).unwrap().pop().unwrap();
    assert_eq!((last.action.as_str(), last.to), ("STOP", StateName::Executing));
    // Who may not stop it is told so the second time too, and an end is an end.
    assert_eq!(world.gate.stop(&world.caller("dora"), id).unwrap_err().code(), Code::Denied);
    drive(&world, ticket).unwrap();
    assert_eq!(world.gate.stop(&bo(&world), id).unwrap_err().code(), Code::WrongState);
}

/// A runner that counts who asked what it is, and cannot say it while `ails` holds a code.
#[derive(Debug)]
struct Unwell {
    inner: Arc<ScriptedRunner>,
    ails: Mutex<Option<Code>>,
    asked: AtomicU64,
}

impl Unwell {
    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Runner for Unwell {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let ails = *self.ails.lock().unwrap();
        match ails {
            Some(code) => Err(Error::new(code, "it cannot say what it is")),
            None if runner.as_str() == "mail" => {
                Ok(RunnerInfo::new(runner.clone(), "1".to_owned(), Digest::of(b"mail")))
            }
            None => self.inner.describe(runner),
        }
    }

    fn validate(&self, _runner: &Slug, payload: &str) -> Result<Vec<Found>, Error> {
        self.inner.validate(&"sql".parse()?, payload)
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        self.inner.plan(job, link)
    }

    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.inner.execute(job, approved, link)
    }

    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.inner.verify(job, approved, link)
    }
}

/// A gate on the same store, with such a runner.
fn unwell(world: &World) -> (Gate, Arc<Unwell>) {
    let inner = Arc::clone(&world.bench.runner);
    let runner = Arc::new(Unwell { inner, ails: Mutex::default(), asked: AtomicU64::new(0) });
    let mut parts = world.bench.parts.clone();
    parts.runner = Arc::<Unwell>::clone(&runner);
    (Gate::new(parts), runner)
}

#[test]
fn a_runner_is_asked_nothing_for_somebody_who_may_not_run_it() {
    let world = World::new();
    let [id, waits] = approved(&world);
    world.gate.cancel(&world.caller("ana"), waits, None).unwrap();
    let (gate, runner) = unwell(&world);
    let refused = |name: &str, id| gate.execute(&world.caller(name), id).unwrap_err().code();
    assert_eq!(refused("dora", id), Code::Denied);
    assert_eq!(refused("eve", id), Code::NotFound);
    assert_eq!(refused("bo", waits), Code::WrongState);
    assert_eq!(runner.asked(), 0);
    // Nobody but those who may run it hears what ails it.
    *runner.ails.lock().unwrap() = Some(Code::LimitReached);
    assert_eq!(refused("dora", id), Code::Denied);
    assert_eq!(refused("bo", id), Code::LimitReached);
    // Rights that another node took away meanwhile count here too.
    let end = SetUserActive { user: bo(&world).user(), active: false };
    world.gate.administer(&world.caller("root"), &end).unwrap();
    assert_eq!(refused("bo", id), Code::NotFound);
}

#[test]
fn the_runner_that_is_asked_is_the_one_that_was_approved_meanwhile_on_another_node() {
    let world = World::new();
    let [id] = approved(&world);
    let (here, runner) = unwell(&world);
    let mut parts = world.bench.parts.clone();
    parts.runner = runner;
    let there = Gate::new(parts);
    here.comment(&bo(&world), id, "here it is remembered with the runner `sql`").unwrap();
    let ana = world.caller("ana");
    let mut change = world.change("\"hello\"");
    change.runner = "mail".parse().unwrap();
    there.edit(&ana, id, "send a mail", &change).unwrap();
    there.submit(&ana, id).unwrap();
    there.approve(&bo(&world), id, world.digest(id), None).unwrap();
    here.drive(here.execute(&bo(&world), id).unwrap(), &Seen::default()).unwrap();
}

#[test]
fn only_a_runner_that_is_not_there_is_taken_for_missing() {
    let world = World::new();
    let [id, ran] = approved(&world);
    let (gate, runner) = unwell(&world);
    gate.drive(gate.execute(&bo(&world), ran).unwrap(), &Seen::default()).unwrap();
    for (ails, answer) in [
        (Code::UnknownRunner, Code::DigestMismatch),
        (Code::RunnerFault, Code::RunnerFault),
        (Code::Internal, Code::Internal),
    ] {
        *runner.ails.lock().unwrap() = Some(ails);
        assert_eq!(gate.execute(&bo(&world), id).unwrap_err().code(), answer);
        assert_eq!(gate.verify(&bo(&world), ran).unwrap_err().code(), answer);
    }
    assert_eq!(world.look(id).state.name(), StateName::Approved);
    *runner.ails.lock().unwrap() = None;
    gate.drive(gate.execute(&bo(&world), id).unwrap(), &Seen::default()).unwrap();
}

#[test]
fn a_target_has_one_run_at_a_time_and_a_fair_queue() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let ticket = start(&world, first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    assert_eq!(waits(start(&world, third)), "2");
    assert_eq!(waits(start(&world, second)), "1", "asking again keeps the place");
    drive(&world, ticket).unwrap();
    // It is free now, and still not the third one's turn.
    assert_eq!(waits(start(&world, third)), "1");
    drive(&world, start(&world, second).unwrap()).unwrap();
    drive(&world, start(&world, third).unwrap()).unwrap();
    assert_eq!(world.bench.runner.entered().len(), 3);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_stops_asking_loses_the_place() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let ticket = start(&world, first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    assert_eq!(waits(start(&world, third)), "2");
    drive(&world, ticket).unwrap();
    world.bench.clock.advance_ms(world.gate.limits().lease_ms);
    drive(&world, start(&world, third).unwrap()).unwrap();
}

#[test]
fn a_wall_clock_that_jumps_takes_nobodys_place_and_keeps_none() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let ticket = start(&world, first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    let clock = &world.bench.clock;
    for jumped in [world.now().plus_ms(3_600_000), "2026-02-07T12:00:00Z".parse().unwrap()] {
        clock.set(jumped);
        assert_eq!(waits(start(&world, third)), "2");
    }
    // Nobody hears of the second one for the length of a lease, on a clock that was set back.
    clock.advance_ms(world.gate.limits().lease_ms);
    assert_eq!(waits(start(&world, third)), "1");
    drive(&world, ticket).unwrap();
    drive(&world, start(&world, third).unwrap()).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn two_nodes_keep_one_queue_without_comparing_their_clocks() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let lease_ms = world.gate.limits().lease_ms;
    let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap()));
    clock.advance_ms(1_000_000);
    let mut parts = world.bench.parts.clone();
    parts.clock = Arc::<ManualClock>::clone(&clock);
    let there = Gate::new(parts);
    let ticket = start(&world, first).unwrap();
    // The second asks here and the third there, years apart, and both keep their places.
    for _ in 0..10 {
        assert_eq!(waits(start(&world, second)), "1");
        assert_eq!(waits(there.execute(&bo(&world), third)), "2");
        clock.advance_ms(lease_ms / 2);
        world.bench.clock.advance_ms(lease_ms / 2);
    }
    drive(&world, ticket).unwrap();
    assert_eq!(waits(there.execute(&bo(&world), third)), "1");
    // The second goes away. A node that sees its place for the first time now gives it a lease's length more.
    let late = Gate::new(world.bench.parts.clone());
    assert_eq!(waits(late.execute(&bo(&world), third)), "1");
    clock.advance_ms(lease_ms);
    there.drive(there.execute(&bo(&world), third).unwrap(), &Seen::default()).unwrap();
}

#[test]
fn whoever_is_edited_leaves_the_queue_and_asks_at_the_end_again() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let ticket = start(&world, first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    assert_eq!(waits(start(&world, third)), "2");
    let ana = world.caller("ana");
    for target in ["another", "orders"] {
        let mut change = world.change("\"again\"");
        change.target = target.parse().unwrap();
        world.gate.edit(&ana, second, "again", &change).unwrap();
        assert_invariants(&*world.bench.parts.store);
        assert_eq!(waits(start(&world, third)), "1", "nobody who must be approved anew is ahead");
        world.gate.submit(&ana, second).unwrap();
        world.gate.approve(&bo(&world), second, world.digest(second), None).unwrap();
    }
    assert_eq!(waits(start(&world, second)), "2");
    drive(&world, ticket).unwrap();
    drive(&world, start(&world, third).unwrap()).unwrap();
    drive(&world, start(&world, second).unwrap()).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn one_lease_that_cannot_be_read_keeps_no_other_from_being_declared_over() {
    let world = World::new();
    let ids = ["one", "two", "three"].map(|target| {
        let mut new = world.new_request(world.dev);
        new.change.target = target.parse().unwrap();
        let id = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap().header.id;
        world.gate.approve(&bo(&world), id, world.digest(id), None).unwrap();
        drop(start(&world, id).unwrap());
        id
    });
    let [first, damaged, last] = ids;
    let (key, store) =
        (Key::from_segments(&["live", &damaged.to_string()]), &world.bench.parts.store);
    store.commit(Batch::default().put(key, b"not a lease".to_vec())).unwrap();
    world.bench.clock.advance_ms(world.gate.limits().lease_ms);
    let failed = world.gate.tick().unwrap_err();
    assert_eq!(failed.code(), Code::StoreDamaged);
    assert!(failed.to_string().contains(&damaged.to_string()), "{failed}");
    assert_eq!((&*failed.details()["failed"], &*failed.details()["declared"]), ("1", "2"));
    for id in [first, last] {
        assert_eq!(world.look(id).state.name(), StateName::Unknown);
    }
    // Nobody knows about that one, and nothing runs there.
    assert_eq!(world.look(damaged).state.name(), StateName::Executing);
}

#[test]
fn waiting_is_no_right_to_run() {
    let world = World::new();
    let [first, second] = approved(&world);
    let ticket = start(&world, first).unwrap();
    // Nobody without the right gets a place, and nothing of one who waits was started.
    let dora = world.gate.execute(&world.caller("dora"), second).unwrap_err();
    assert_eq!(dora.code(), Code::Denied);
    assert_eq!(waits(start(&world, second)), "1");
    assert_eq!(world.look(second).state.name(), StateName::Approved);
    world.gate.cancel(&world.caller("ana"), second, None).unwrap();
    drive(&world, ticket).unwrap();
    assert_eq!(start(&world, second).unwrap_err().code(), Code::WrongState);
}

#[test]
fn a_run_that_nobody_can_tell_about_keeps_its_turn() {
    let world = World::new();
    let [first, second] = approved(&world);
    world.bench.runner.ends_with(unknown());
    drive(&world, start(&world, first).unwrap()).unwrap();
    let busy = start(&world, second).unwrap_err();
    assert_eq!(busy.details()["holder"], first.to_string());
    // Verifying that cannot tell changes nothing of it; one that can, does.
    world.bench.runner.reads(unknown());
    world.gate.verify(&bo(&world), first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    world.gate.verify(&bo(&world), first).unwrap();
    drive(&world, start(&world, second).unwrap()).unwrap();
}

#[test]
fn a_late_result_is_kept_and_changes_nothing() {
    let world = World::new();
    let [id] = approved(&world);
    let gate = Gate::new(world.bench.parts.clone());
    let clock = Arc::clone(&world.bench.clock);
    world.bench.runner.meanwhile(move || {
        // Another node sees the lease, and nobody renews it for its length.
        assert_eq!(gate.tick().unwrap(), []);
        clock.advance_ms(gate.limits().lease_ms);
        assert_eq!(gate.tick().unwrap(), [id]);
    });
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
    let late = drive(&world, start(&world, id).unwrap()).unwrap_err();
    assert_eq!(late.code(), Code::LeaseLost);
    let view = world.gate.view(&bo(&world), id).unwrap();
    assert_eq!(view.state.name(), StateName::Unknown);
    let run = view.runs.last().unwrap();
    assert!(matches!(run.outcome, Some(Outcome::Unknown(_))), "{run:?}");
    assert!(matches!(run.late, Some(Outcome::Failed(_))), "{run:?}");
    assert_invariants(&*world.bench.parts.store);
}

/// The plugin was replaced while an outcome was unknown: it is not asked, and a person is heard.
#[test]
fn another_plugin_keeps_nobody_from_ending_what_is_unknown() {
    let world = World::new();
    let [id, next] = approved(&world);
    world.bench.runner.ends_with(unknown());
    drive(&world, start(&world, id).unwrap()).unwrap();
    world.bench.runner.install(b"the next version");
    assert_eq!(world.gate.verify(&bo(&world), id).unwrap_err().code(), Code::DigestMismatch);
    let request = world.gate.reconcile(&bo(&world), id, Finding::Done, "looked at it").unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded);
    // The target is free: what is refused now is the other plugin.
    assert_eq!(start(&world, next).unwrap_err().code(), Code::DigestMismatch);
}

#[test]
fn a_person_says_what_nobody_can_tell_and_why() {
    for (finding, state) in
        [(Finding::Done, StateName::Succeeded), (Finding::NothingDone, StateName::Failed)]
    {
        let world = World::new();
        let [id, next] = approved(&world);
        let declare =
            |name: &str, why: &str| world.gate.reconcile(&world.caller(name), id, finding, why);
        assert_eq!(declare("bo", "early").unwrap_err().code(), Code::WrongState);
        world.bench.runner.ends_with(unknown());
        drive(&world, start(&world, id).unwrap()).unwrap();
        assert_eq!(declare("bo", " ").unwrap_err().code(), Code::InvalidInput);
        assert_eq!(declare("dora", "it is there").unwrap_err().code(), Code::Denied);
        // Where the target can tell, nobody's word is needed; the double reads success.
        let told = declare("bo", "looked at the table").unwrap_err();
        assert_eq!((told.code(), world.look(id).state.name()), (Code::Refused, StateName::Unknown));
        world.bench.runner.reads(unknown());
        let request = declare("bo", "looked at the table").unwrap();
        assert_eq!(request.state.name(), state);
        let history = world.gate.history(&bo(&world), id).unwrap();
        let last = history.last().unwrap();
        assert_eq!((last.action.as_str(), last.actor), ("RECONCILE", Some(bo(&world).user())));
        assert_eq!(last.comment.as_deref(), Some("looked at the table"));
        let (_, leaf) = world.gate.trail(&bo(&world), id).unwrap().pop().unwrap();
        assert_eq!(leaf.event, "run.reconciled");
        // Once it is known it stays, and the target is free.
        assert_eq!(declare("bo", "no, wait").unwrap_err().code(), Code::WrongState);
        drive(&world, start(&world, next).unwrap()).unwrap();
        assert_invariants(&*world.bench.parts.store);
    }
}

#[test]
fn an_agent_says_nothing_about_what_nobody_can_tell() {
    let world = World::new();
    let [id] = approved(&world);
    world.bench.runner.ends_with(unknown());
    drive(&world, start(&world, id).unwrap()).unwrap();
    let robot = world.people["robot"];
    let robot = Caller::authenticated(robot);
    // It may run changes, and verify; it may not declare.
    let said = world.gate.reconcile(&robot, id, Finding::Done, "done").unwrap_err();
    assert_eq!(said.code(), Code::Refused, "{said}");
    world.gate.verify(&robot, id).unwrap();
}

#[test]
fn a_wall_clock_that_jumps_ends_no_run_and_revives_no_grant() {
    let world = World::new();
    let [id, second] = approved(&world);
    let clock = &world.bench.clock;
    let ticket = start(&world, id).unwrap();
    clock.set(world.now().plus_ms(3_600_000));
    assert_eq!(world.gate.tick().unwrap(), []);
    world.gate.renew(ticket.lease()).unwrap();
    assert_eq!(drive(&world, ticket).unwrap().state.name(), StateName::Succeeded);
    // Bo loses the role now; then the clock is set back to a time at which he had it.
    let (root, project) = (world.caller("root"), world.project);
    let grants = world.gate.organisation(&root, project).unwrap().grants;
    for grant in grants.iter().filter(|grant| grant.user_id == bo(&world).user()) {
        world.gate.manage(&root, &EndGrant { project, grant: grant.id, at: None }).unwrap();
    }
    clock.set("2026-02-07T12:00:00Z".parse().unwrap());
    assert!(start(&world, second).is_err(), "a grant that ended is live again");
    let other_node = Gate::new(world.bench.parts.clone());
    assert!(other_node.execute(&bo(&world), second).is_err(), "on another node");
}

#[test]
fn whoever_is_withdrawn_leaves_the_queue() {
    let world = World::new();
    let [first, second, third] = approved(&world);
    let ticket = start(&world, first).unwrap();
    assert_eq!(waits(start(&world, second)), "1");
    assert_eq!(waits(start(&world, third)), "2");
    world.gate.cancel(&world.caller("ana"), second, None).unwrap();
    drive(&world, ticket).unwrap();
    drive(&world, start(&world, third).unwrap()).unwrap();
}

#[test]
fn a_look_that_cannot_tell_hides_neither_the_cause_nor_the_end() {
    let world = World::new();
    let [id] = approved(&world);
    world.bench.runner.ends_with(unknown());
    drive(&world, start(&world, id).unwrap()).unwrap();
    let run = |world: &World| world.gate.view(&bo(world), id).unwrap().runs.pop().unwrap();
    let ended_at = run(&world).ended_at;
    world.bench.clock.advance_ms(5_000);
    let blind = Outcome::Unknown(Failure::new("locked", "it cannot tell"));
    world.bench.runner.reads(blind.clone());
    let (request, _) = world.gate.verify(&bo(&world), id).unwrap();
    let State::Unknown(state) = request.state else { panic!("it is known") };
    assert_eq!(state.ended.outcome, unknown());
    assert_eq!(state.ended.last_read.unwrap().outcome, blind);
    world.gate.verify(&bo(&world), id).unwrap();
    assert_eq!(run(&world).ended_at, ended_at);
}
