//! What plugins may reach is an audited change: who says so, what it stops, and what the log shows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use placet_core::audit::Leaf;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Finding, Gate};
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    CommandKind, GrantGlobalRole, GrantPlugin, RevokePluginGrant, SetExecution, SetGovernance,
    SetPlatformGovernance, SetUserActive,
};
use placet_core::org::{ExecutionMode, GlobalRole, GrantStanding, Slug};
use placet_core::request::StateName;
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{Batch, Key, MemoryStore, Store};
use placet_core::testing::{Bench, InterleavingStore, Office, Seen, TrustingStore};

use crate::world::{World, assert_invariants};

fn sql() -> Slug {
    "sql".parse().unwrap()
}

fn grant(capabilities: &[&str]) -> GrantPlugin {
    let capabilities = capabilities.iter().map(|word| word.parse().unwrap()).collect();
    GrantPlugin { runner: sql(), digest: None, capabilities, dry_run: true }
}

fn revoke() -> RevokePluginGrant {
    RevokePluginGrant { runner: sql() }
}

/// A request that went through these steps, in a world.
fn request(world: &World, steps: &[&str]) -> RequestId {
    let mut id = None;
    for step in steps {
        world.step(&mut id, step).unwrap();
    }
    id.unwrap()
}

const APPROVED: &[&str] = &["draft ana", "submit ana", "approve bo"];

fn refused<T>(answer: Result<T, Error>, reason: &str, what: &str) {
    let Err(error) = answer else { panic!("{what}: allowed") };
    assert_eq!(error.code(), Code::PluginNotGranted, "{what}: {error}");
    assert_eq!(error.details()["reason"], reason, "{what}");
    assert_eq!(error.details()["runner"], "sql", "{what}");
    assert!(error.help().is_some(), "{what}");
}

/// The whole log, read by an administrator.
fn log(world: &World) -> Vec<Leaf> {
    let (root, mut all) = (world.caller("root"), Vec::new());
    loop {
        let from = u64::try_from(all.len()).unwrap();
        let page = world.gate.audit(&root, from).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|(_, leaf)| leaf));
    }
}

fn standing(world: &World) -> Option<GrantStanding> {
    world.gate.plugin_grants(&world.caller("root")).unwrap().first().map(|grant| grant.standing)
}

#[test]
fn what_the_host_lets_a_plugin_reach_is_recorded_with_its_first_plan() {
    let world = World::new();
    world.bench.runner.install_asking(b"version 1", &["sql", "http"]);
    let mut id = None;
    world.step(&mut id, "draft ana").unwrap();
    assert_eq!(standing(&world), None, "a draft asks the plugin for nothing that it could reach");
    world.gate.plan(&world.caller("ana"), id.unwrap()).unwrap();
    world.gate.plan(&world.caller("ana"), id.unwrap()).unwrap();
    request(&world, APPROVED);

    let log = log(&world);
    let told: Vec<&Leaf> =
        log.iter().filter(|leaf| leaf.facts.contains_key("first_grant")).collect();
    let [leaf] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (leaf.event.as_str(), leaf.facts["first_grant"].as_str()),
        ("request.planned", "http sql, and dry runs")
    );
    let row = leaf.records.iter().find(|row| row.name == "plugin_grant/sql").unwrap();
    assert!(row.before.is_none() && row.after.is_some());
    let grants = world.gate.plugin_grants(&world.caller("root")).unwrap();
    let words: Vec<&str> = grants[0].capabilities.iter().map(Slug::as_str).collect();
    assert_eq!((grants[0].standing, grants[0].digest), (GrantStanding::Host, None));
    assert_eq!(words, ["http", "sql"]);
    assert_invariants(&*world.bench.parts.store);
}

/// Each verb that comes to a plugin, in the state that it takes: all of them are refused alike.
#[test]
fn a_version_that_asks_for_more_is_refused_until_it_is_granted() {
    let world = World::new();
    world.bench.runner.install_asking(b"version 1", &["sql"]);
    let (ana, bo, root) = (world.caller("ana"), world.caller("bo"), world.caller("root"));
    let [approved, again] = [(); 2].map(|()| request(&world, APPROVED));
    let pending = request(&world, &["draft ana", "submit ana"]);
    let planned = request(&world, &["draft ana"]);
    world.gate.plan(&ana, planned).unwrap();

    world.bench.runner.install_asking(b"version 2", &["sql", "http"]);
    let reason = "capability";
    let new = world.new_request(world.dev);
    refused(world.gate.draft(&ana, &new), reason, "draft");
    let change = world.change("\"again\"");
    refused(world.gate.edit(&ana, planned, "again", &change), reason, "edit");
    refused(world.gate.plan(&ana, planned), reason, "plan");
    refused(world.gate.submit(&ana, planned), reason, "submit");
    // What rests on the plan of the version before is not gone on with in any case.
    let digest = world.digest(pending);
    let error = world.gate.approve(&bo, pending, digest, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    let error = world.gate.execute(&bo, approved).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    assert_eq!(world.bench.runner.entered(), []);

    world.gate.administer(&root, &grant(&["sql", "http"])).unwrap();
    // Nor does the grant of the new version let it run what was approved for the old one.
    for id in [approved, again] {
        let error = world.gate.execute(&bo, id).unwrap_err();
        assert_eq!(error.code(), Code::DigestMismatch);
    }
    let mut it = Some(approved);
    for step in ["edit ana", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut it, step).unwrap();
    }
    assert_eq!(world.look(approved).state.name(), StateName::Succeeded);

    // The log shows what was refused, and why it was not any more.
    let log = log(&world);
    let mut shown = log.iter().filter_map(|leaf| match leaf.event.as_str() {
        "refused" => (leaf.facts["code"] == "plugin_not_granted").then_some("refused"),
        "platform.plugin_granted" => Some("granted"),
        _ => leaf.facts.contains_key("first_grant").then_some("host"),
    });
    assert_eq!((shown.next(), shown.next()), (Some("host"), Some("refused")));
    assert_eq!(shown.next_back(), Some("granted"));
    let leaf = log.iter().find(|leaf| leaf.event == "platform.plugin_granted").unwrap();
    let facts: BTreeMap<&str, &str> =
        leaf.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let due =
        [("capabilities", "http sql"), ("digest", "any"), ("dry_run", "true"), ("runner", "sql")];
    assert_eq!(facts, BTreeMap::from(due));
    assert_eq!(leaf.actor, Some(root.user()));
    assert!(leaf.records.iter().any(|row| row.name == "plugin_grant/sql" && row.before.is_some()));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_version_that_asks_for_no_more_needs_no_new_grant() {
    let world = World::new();
    world.bench.runner.install_asking(b"version 1", &["sql", "http"]);
    request(&world, APPROVED);
    world.bench.runner.install_asking(b"version 2", &["sql"]);
    request(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
}

#[test]
fn a_grant_for_one_component_is_for_no_other() {
    let world = World::new();
    let (ana, root) = (world.caller("ana"), world.caller("root"));
    let (first, second) = (b"version 1", b"version 2");
    let pinned = GrantPlugin { digest: Some(Digest::of(first)), ..grant(&["sql"]) };
    world.gate.administer(&root, &pinned).unwrap();
    world.bench.runner.install_asking(second, &["sql"]);
    refused(world.gate.draft(&ana, &world.new_request(world.dev)), "digest", "draft");
    // One that asks for less is another one all the same.
    world.bench.runner.install_asking(second, &[]);
    refused(world.gate.draft(&ana, &world.new_request(world.dev)), "digest", "draft");
    world.bench.runner.install_asking(first, &["sql"]);
    let approved = request(&world, APPROVED);

    // What was approved with it stops where the grant is for another one from then on.
    let other = GrantPlugin { digest: Some(Digest::of(second)), ..pinned.clone() };
    world.gate.administer(&root, &other).unwrap();
    refused(world.gate.execute(&world.caller("bo"), approved), "digest", "execute");
    world.gate.administer(&root, &pinned).unwrap();
    world.step(&mut Some(approved), "execute bo").unwrap();
}

#[test]
fn what_was_revoked_is_asked_nothing_until_it_is_granted_anew() {
    let world = World::new();
    let (ana, bo, root) = (world.caller("ana"), world.caller("bo"), world.caller("root"));
    let unknown = || Outcome::Unknown(Failure::new("timeout", "the line went dead"));
    let [planned, pending] =
        [&["draft ana"][..], &["draft ana", "submit ana"]].map(|steps| request(&world, steps));
    world.gate.plan(&ana, planned).unwrap();
    // One after the other: they have one target.
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "no")));
    let failed = request(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
    world.bench.runner.ends_with(unknown());
    let lost = request(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
    let approved = request(&world, APPROVED);
    world.gate.administer(&root, &revoke()).unwrap();

    let reason = "revoked";
    refused(world.gate.draft(&ana, &world.new_request(world.dev)), reason, "draft");
    refused(world.gate.edit(&ana, planned, "x", &world.change("1")), reason, "edit");
    refused(world.gate.plan(&ana, planned), reason, "plan");
    refused(world.gate.submit(&ana, planned), reason, "submit");
    refused(world.gate.approve(&bo, pending, world.digest(pending), None), reason, "approve");
    refused(world.gate.execute(&bo, approved), reason, "execute");
    refused(world.gate.rerun(&bo, failed), reason, "rerun");
    refused(world.gate.verify(&bo, lost), reason, "verify");
    assert_eq!(world.bench.runner.entered().len(), 2);
    // The panel says the same before.
    for (who, id, action) in
        [(&ana, planned, "SUBMIT"), (&bo, pending, "APPROVE"), (&bo, approved, "EXECUTE")]
    {
        let offers = world.gate.actions(who, id).unwrap().offers;
        let offer = offers.iter().find(|offer| offer.action.as_str() == action).unwrap();
        let why = offer.refusal.as_ref().map(Error::code);
        assert_eq!(why, Some(Code::PluginNotGranted), "{action}");
    }
    // Nobody is stuck: what needs no plugin is done, and a person's word counts where it is not asked.
    world.gate.comment(&ana, pending, "it waits").unwrap();
    world.gate.reject(&bo, pending, "not with this plugin").unwrap();
    let found = world.gate.reconcile(&bo, lost, Finding::NothingDone, "looked at it").unwrap();
    assert_eq!(found.state.name(), StateName::Failed);

    // What it asks for, no less: the old grant does not come back by itself.
    let error = world.gate.administer(&root, &revoke()).unwrap_err();
    assert_eq!(error.code(), Code::WrongState);
    world.gate.administer(&root, &grant(&[])).unwrap();
    world.step(&mut Some(approved), "execute bo").unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn one_that_nobody_used_is_kept_from_being_used() {
    let world = World::new();
    world.gate.administer(&world.caller("root"), &revoke()).unwrap();
    assert_eq!(standing(&world), Some(GrantStanding::Revoked));
    let new = world.new_request(world.dev);
    refused(world.gate.draft(&world.caller("ana"), &new), "revoked", "draft");
}

#[test]
fn a_grant_for_no_plugin_or_for_too_much_is_not_stored() {
    let world = World::new();
    let root = world.caller("root");
    let own = GrantPlugin { runner: "placet".parse().unwrap(), ..grant(&[]) };
    let capabilities = (0..65).map(|number| format!("c{number}").parse().unwrap()).collect();
    let much = GrantPlugin { capabilities, ..grant(&[]) };
    let code = |answer: Result<(), Error>| answer.unwrap_err().code();
    assert_eq!(code(world.gate.administer(&root, &own)), Code::InvalidInput);
    assert_eq!(code(world.gate.administer(&root, &much)), Code::TooLarge);
    let own = RevokePluginGrant { runner: own.runner };
    assert_eq!(code(world.gate.administer(&root, &own)), Code::InvalidInput);
    assert_eq!(standing(&world), None);
    // A plugin cannot ask for what has no name in a log either.
    let many: Vec<String> = (0..65).map(|number| format!("c{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (what, asked) in [("no code", &["SQL ; --"][..]), ("too much", &many)] {
        world.bench.runner.install_asking(what.as_bytes(), asked);
        let id = request(&world, &["draft ana"]);
        refused(world.gate.plan(&world.caller("ana"), id), "capability", what);
    }
    assert_eq!(standing(&world), None);
}

/// Who may say what a plugin reaches, and who may read it: everybody tries, and the log has each no.
#[test]
fn the_matrix_of_callers() {
    let world = World::new();
    let root = world.caller("root");
    let auditor = GrantGlobalRole { user: world.people["aud"], role: GlobalRole::Auditor };
    world.gate.administer(&root, &auditor).unwrap();
    let stopped = GrantGlobalRole { user: world.people["cy"], role: GlobalRole::PlatformAdmin };
    world.gate.administer(&root, &stopped).unwrap();
    let stop = SetUserActive { user: world.people["cy"], active: false };
    world.gate.administer(&root, &stop).unwrap();
    let nobody = Caller::authenticated(placet_core::id::UserId::from_u128(7));

    let mut table = String::new();
    for name in ["root", "aud", "ana", "bo", "cy", "dora", "eve", "robot", "nobody"] {
        let caller = if name == "nobody" { nobody } else { world.caller(name) };
        let before = world.gate.plugin_grants(&root).unwrap();
        let answers = [
            world.gate.administer(&caller, &grant(&["sql"])),
            world.gate.administer(&caller, &revoke()),
            world.gate.plugin_grants(&caller).map(drop),
        ];
        if name != "root" {
            assert_eq!(world.gate.plugin_grants(&root).unwrap(), before, "{name} changed a grant");
        }
        let words =
            answers.map(|answer| answer.map_or_else(|error| error.code().as_str(), |()| "yes"));
        table.extend([name, ": ", &words.join(" "), "\n"]);
    }
    let due = "root: yes yes yes\naud: denied denied yes\nana: denied denied denied\nbo: denied denied denied\n\
               cy: denied denied denied\ndora: denied denied denied\neve: denied denied denied\n\
               robot: denied denied denied\nnobody: denied denied denied\n";
    assert_eq!(table, due);
    let denied: BTreeSet<_> = log(&world)
        .into_iter()
        .filter(|leaf| leaf.event == "denied")
        .filter_map(|leaf| leaf.actor)
        .collect();
    assert_eq!(denied.len(), 8, "a denial of each");
}

#[test]
fn a_grant_can_need_approval_itself() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    office.let_all_manage(&gate).unwrap();
    let Office { project, module, environment, root, ana, bo, .. } = office;
    let commands = CommandKind::RIGHTS.iter().copied().collect();
    gate.manage(&root, &SetGovernance { project, module, environment, commands }).unwrap();
    for user in [ana.user(), bo.user()] {
        let role = GlobalRole::PlatformAdmin;
        gate.administer(&root, &GrantGlobalRole { user, role }).unwrap();
    }
    let commands = [CommandKind::GrantPlugin].into();
    let governed = SetPlatformGovernance { project, module, environment, commands };
    gate.administer(&root, &governed).unwrap();
    bench.runner.install_asking(b"version 1", &["http"]);

    let command = grant(&["http"]);
    let error = gate.administer(&root, &command).unwrap_err();
    assert_eq!(error.code(), Code::ApprovalRequired);
    let id = gate.propose(&ana, &command.into(), "let it reach http").unwrap().header.id;
    let asked = gate.submit(&ana, id).unwrap().header;
    gate.approve(&bo, id, asked.change_digest().unwrap(), None).unwrap();
    assert!(gate.plugin_grants(&root).unwrap().is_empty(), "the gate's own runner has none");
    gate.drive(gate.execute(&bo, id).unwrap(), &Seen::default()).unwrap();
    assert_eq!(gate.plugin_grants(&root).unwrap()[0].standing, GrantStanding::Granted);
}

#[test]
fn an_administrator_can_take_dry_runs_away() {
    let world = World::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    world.bench.runner.plans_as(move |job, _plan| tell.lock().unwrap().push(job.dry_run));
    let id = request(&world, &["draft ana"]);
    world.gate.plan(&world.caller("ana"), id).unwrap();
    let no_trial = GrantPlugin { dry_run: false, ..grant(&[]) };
    world.gate.administer(&world.caller("root"), &no_trial).unwrap();
    world.gate.plan(&world.caller("ana"), id).unwrap();
    assert_eq!(*told.lock().unwrap(), [true, false]);
}

#[test]
fn what_the_gate_would_start_by_itself_is_held_back() {
    let world = World::new();
    let (project, environment, mode) = (world.project, world.dev, ExecutionMode::Automatic);
    let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
    world.gate.manage(&world.caller("root"), &rule).unwrap();
    let id = request(&world, APPROVED);
    world.gate.administer(&world.caller("root"), &revoke()).unwrap();
    assert!(world.gate.run_due().unwrap().is_none());
    let (_, last) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!(
        (last.event.as_str(), last.facts["because"].as_str()),
        ("run.held_back", "plugin_not_granted")
    );
}

/// A store of a version that recorded no grants: what was approved there runs, and is recorded then.
#[test]
fn what_was_approved_before_there_were_grants_is_recorded_when_it_runs() {
    let world = World::new();
    let [first, waits] = [(); 2].map(|()| request(&world, APPROVED));
    let key = Key::from_segments(&["plugin_grant", "sql"]);
    world.bench.parts.store.commit(Batch::default().remove(key)).unwrap();
    let gate = Gate::new(world.bench.parts.clone());
    let bo = world.caller("bo");
    let ticket = gate.execute(&bo, first).unwrap();
    // Who waits for the target writes no state.
    assert_eq!(gate.execute(&bo, waits).unwrap_err().code(), Code::TargetBusy);
    gate.drive(ticket, &Seen::default()).unwrap();
    let trail = gate.trail(&bo, first).unwrap();
    let (_, started) = trail.iter().find(|(_, leaf)| leaf.event == "run.started").unwrap();
    assert_eq!(started.facts["first_grant"], "none, and dry runs");
    gate.drive(gate.execute(&bo, waits).unwrap(), &Seen::default()).unwrap();
}

/// Plays an execution, in which the grant is revoked before the `nth` call of the store. Answers whether that happened,
/// and whether the run was recorded as started after the revocation.
fn revoked_meanwhile(nth: u64, is_broken: bool) -> (bool, bool) {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let world = Arc::new(World::on(Arc::clone(&memory)).unwrap());
    let id = request(&world, APPROVED);
    let under: Arc<dyn Store> =
        if is_broken { Arc::new(TrustingStore::over(memory)) } else { memory };
    let store = Arc::new(InterleavingStore::new(under));
    let mut parts = world.bench.parts.clone();
    parts.store = Arc::<InterleavingStore>::clone(&store);
    let gate = Gate::new(parts);
    let other = Arc::clone(&world);
    store.before(nth, move || {
        other.gate.administer(&other.caller("root"), &revoke()).unwrap();
    });
    let started = gate.execute(&world.caller("bo"), id);
    if !is_broken {
        assert_invariants(&*world.bench.parts.store);
    }
    let log = log(&world);
    let place = |event: &str| log.iter().position(|leaf| leaf.event == event);
    let (revoked, recorded) = (place("platform.plugin_revoked"), place("run.started"));
    // Whoever was told that it started finds it in the log, and whoever was refused does not.
    assert_eq!(started.is_ok(), recorded.is_some(), "moment {nth}");
    if let Err(error) = started {
        assert_eq!(error.code(), Code::PluginNotGranted, "moment {nth}: {error}");
    }
    let is_late = revoked.zip(recorded).is_some_and(|(revoked, recorded)| revoked < recorded);
    (store.happened(), is_late)
}

#[test]
fn nothing_starts_after_its_grant_was_revoked_whenever_that_came() {
    let mut moments = 0;
    while let (true, is_late) = revoked_meanwhile(moments, false) {
        assert!(!is_late, "moment {moments}: it started after its grant was revoked");
        moments += 1;
    }
    assert!(moments > 2, "only {moments} moments");
}

/// The check is checked: a store that loses the race of the two lets a revoked plugin start.
#[test]
fn a_start_that_overlooks_a_revocation_is_noticed() {
    let is_late = (0..20).any(|nth| matches!(revoked_meanwhile(nth, true), (true, true)));
    assert!(is_late, "nobody would notice");
}
