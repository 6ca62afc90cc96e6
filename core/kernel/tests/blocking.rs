//! What stops an approval although enough people would agree: findings, and checks of the host's.

use placet_core::authz::Action;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::CheckReport;
use placet_core::id::{RequestId, RuleId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignRole, CreatePermission, CreateRole, CreateUser, PutBlockingRule,
    RemoveRule, SetUserActive,
};
use placet_core::org::{Block, Conditions, Criticality, FindingIs, Interval, TeamRole, UserKind};
use placet_core::request::{CheckStatus, StateName};
use placet_core::runner::Level;
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants, user};

/// The examples, and an agent that reports checks.
fn with_ci() -> (World, Caller) {
    let world = World::new();
    let (root, project, valid) =
        (world.caller("root"), world.project, Interval::starting(world.now()));
    let ci = CreateUser { kind: UserKind::Agent, ..user("ci") };
    let ci = world.gate.administer(&root, &ci).unwrap();
    let (team, role) = (world.checkout, TeamRole::Member);
    world.gate.manage(&root, &AddMember { project, team, user: ci, role, valid }).unwrap();
    let name = "CI".parse().unwrap();
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    for action in [Action::CHECK, Action::REQUEST] {
        let held = world.gate.organisation(&root, project).unwrap().permissions;
        let held = held.iter().find(|row| row.action == action).map(|row| row.id);
        let (module, environment) = (None, None);
        let permission = held.unwrap_or_else(|| {
            let command = CreatePermission { project, module, environment, action };
            world.gate.manage(&root, &command).unwrap()
        });
        world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    }
    world.gate.manage(&root, &AssignRole { project, user: ci, role, valid }).unwrap();
    (world, Caller::authenticated(ci))
}

fn blocks(world: &World, name: &str, when: Conditions, block: Block) -> RuleId {
    let name = name.parse().unwrap();
    let command = PutBlockingRule { project: world.project, rule: None, name, when, block };
    world.gate.manage(&world.caller("root"), &command).unwrap()
}

fn pending(world: &World, payload: &str) -> RequestId {
    let mut new = world.new_request(world.dev);
    new.change = world.change(payload);
    world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap().header.id
}

fn report(world: &World, id: RequestId, status: CheckStatus) -> CheckReport {
    let (name, details) = ("tests".parse().unwrap(), "12 ran".to_owned());
    CheckReport { digest: world.digest(id), name, status, details }
}

fn approve(world: &World, id: RequestId) -> Result<StateName, Error> {
    let approved = world.gate.approve(&world.caller("bo"), id, world.digest(id), None);
    approved.map(|request| request.state.name())
}

#[test]
fn a_finding_stops_an_approval_where_a_rule_says_so() {
    let world = World::new();
    let mut elsewhere = Conditions::default();
    elsewhere.criticality = Some(Criticality::High);
    blocks(&world, "not where it hurts", elsewhere, Block::Finding(FindingIs::Level(Level::Info)));
    let id = pending(&world, "\"look\"");
    let code = Block::Finding(FindingIs::Code("scripted.look".to_owned()));
    let rule = blocks(&world, "nothing odd", Conditions::default(), code);
    let error = approve(&world, id).unwrap_err();
    assert_eq!(error.code(), Code::Blocked);
    assert_eq!(
        world.named(&error.to_string()),
        "the rule `nothing odd` stops `it`: its plan has such a finding"
    );
    assert_eq!(error.details()["rule"], rule.to_string());
    assert_eq!(world.look(id).state.name(), StateName::PendingApproval, "nothing is written");
    // Others are not concerned, and nor is this one without the rule.
    assert_eq!(approve(&world, pending(&world, "1")).unwrap(), StateName::Approved);
    let remove = RemoveRule { project: world.project, rule };
    world.gate.manage(&world.caller("root"), &remove).unwrap();
    assert_eq!(approve(&world, id).unwrap(), StateName::Approved);
    // It holds for what is approved already, too: an approval is no way past it.
    blocks(
        &world,
        "none at all",
        Conditions::default(),
        Block::Finding(FindingIs::Level(Level::Info)),
    );
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::Blocked);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_check_must_have_passed_for_exactly_this_change() {
    let (world, ci) = with_ci();
    blocks(&world, "tested", Conditions::default(), Block::Check("tests".parse().unwrap()));
    let id = pending(&world, "1");
    let refused = |sentence: &str| {
        let error = approve(&world, id).unwrap_err();
        assert_eq!(error.code(), Code::Blocked);
        assert_eq!(
            world.named(&error.to_string()),
            format!("the rule `tested` stops `it`: {sentence}")
        );
    };
    refused("the check `tests` was not reported for this change");
    let failed = report(&world, id, CheckStatus::Failed);
    world.gate.report_check(&ci, id, &failed).unwrap();
    refused("the check `tests` failed");
    let passed = report(&world, id, CheckStatus::Passed);
    world.gate.report_check(&ci, id, &passed).unwrap();
    let seen = world.gate.view(&world.caller("ana"), id).unwrap().checks;
    assert_eq!(
        (seen.len(), seen[0].status, seen[0].details.as_str()),
        (1, CheckStatus::Passed, "12 ran")
    );
    assert_eq!(approve(&world, id).unwrap(), StateName::Approved);

    // An edit makes it void.
    let change = world.change("2");
    world.gate.edit(&world.caller("ana"), id, "again", &change).unwrap();
    world.gate.submit(&world.caller("ana"), id).unwrap();
    refused("the check `tests` was not reported for this change");
    assert!(world.gate.view(&world.caller("ana"), id).unwrap().checks.is_empty());
    let error = world.gate.report_check(&ci, id, &passed).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    let passed = report(&world, id, CheckStatus::Passed);
    world.gate.report_check(&ci, id, &passed).unwrap();
    assert_eq!(approve(&world, id).unwrap(), StateName::Approved);

    // One that fails afterwards stops the run.
    world.gate.report_check(&ci, id, &report(&world, id, CheckStatus::Failed)).unwrap();
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::Blocked);
    assert!(world.bench.runner.entered().is_empty());
    world.gate.report_check(&ci, id, &passed).unwrap();
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    world.gate.drive(ticket, &Seen::default()).unwrap();
    let error = world.gate.report_check(&ci, id, &passed).unwrap_err();
    assert_eq!(error.code(), Code::WrongState);
    let steps = world.gate.history(&world.caller("ana"), id).unwrap();
    assert_eq!(steps.iter().filter(|step| step.action == "CHECK").count(), 5);
    let trail = world.gate.trail(&world.caller("ana"), id).unwrap();
    let facts = |status: &str| {
        let told = trail.iter().filter(|(_, leaf)| leaf.event == "request.check_reported");
        told.filter(|(_, leaf)| leaf.facts["check"] == "tests" && leaf.facts["status"] == status)
            .count()
    };
    assert_eq!((facts("passed"), facts("failed")), (3, 2));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_check_counts_no_more_than_whoever_reported_it() {
    let (world, ci) = with_ci();
    blocks(&world, "tested", Conditions::default(), Block::Check("tests".parse().unwrap()));
    let (ana, root) = (world.caller("ana"), world.caller("root"));
    // Whoever reported it hands it in: then they are an author, of the same change.
    let draft = world.gate.draft(&ana, &world.new_request(world.dev)).unwrap().header.id;
    world.gate.plan(&ana, draft).unwrap();
    world.gate.report_check(&ci, draft, &report(&world, draft, CheckStatus::Passed)).unwrap();
    world.gate.submit(&ci, draft).unwrap();
    let error = approve(&world, draft).unwrap_err();
    assert_eq!(error.code(), Code::Blocked);
    assert!(error.to_string().ends_with("who is among the authors by now"), "{error}");
    // Nor does an author vouch for it through somebody else.
    let for_ana = ci.on_behalf_of(ana.user());
    let other = pending(&world, "2");
    let told = report(&world, other, CheckStatus::Passed);
    assert_eq!(world.gate.report_check(&for_ana, other, &told).unwrap_err().code(), Code::Refused);
    let bo_for_ana = world.caller("bo").on_behalf_of(ana.user());
    let given = world.gate.approve(&bo_for_ana, other, world.digest(other), None);
    assert_eq!(given.unwrap_err().code(), Code::Refused);
    // Whoever reported it left: what is approved already does not run by their word.
    let id = pending(&world, "1");
    world.gate.report_check(&ci, id, &report(&world, id, CheckStatus::Passed)).unwrap();
    assert_eq!(approve(&world, id).unwrap(), StateName::Approved);
    let active = |active| SetUserActive { user: ci.user(), active };
    world.gate.administer(&root, &active(false)).unwrap();
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::Blocked);
    assert!(error.to_string().ends_with("may not report checks here any more"), "{error}");
    assert!(world.bench.runner.entered().is_empty());
    world.gate.administer(&root, &active(true)).unwrap();
    drop(world.gate.execute(&world.caller("bo"), id).unwrap());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_report_that_is_not_as_it_must_be_writes_nothing() {
    let (world, ci) = with_ci();
    let id = pending(&world, "1");
    let store = &world.bench.parts.store;
    let mut last = store.log_len().unwrap();
    let mut refused = |caller: &Caller, id: RequestId, report: &CheckReport, code: Code| {
        let error = world.gate.report_check(caller, id, report).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.help().is_some());
        // Only the refusal itself may be noted.
        let len = store.log_len().unwrap();
        assert!(
            len - last <= u64::from(matches!(code, Code::Denied | Code::Refused | Code::NotFound)),
            "{code}"
        );
        last = len;
        let seen = world.gate.view(&world.caller("ana"), id);
        assert!(seen.map_or(true, |view| view.checks.is_empty()));
    };
    let good = report(&world, id, CheckStatus::Passed);
    for details in ["bell\u{7}", "turned \u{202e}txt.exe"] {
        let bad = CheckReport { details: details.to_owned(), ..good.clone() };
        refused(&ci, id, &bad, Code::InvalidInput);
    }
    let long = CheckReport { details: "x".repeat(10 << 20), ..good.clone() };
    refused(&ci, id, &long, Code::TooLarge);
    let other = CheckReport { digest: Digest::of(b"another"), ..good.clone() };
    refused(&ci, id, &other, Code::DigestMismatch);
    refused(&ci, RequestId::from_u128(7777), &good, Code::NotFound);
    refused(&world.caller("bo"), id, &good, Code::Denied);
    refused(&world.caller("eve"), id, &good, Code::NotFound);

    // Nobody vouches for what they wrote, also who only edited it.
    let mut new = world.new_request(world.dev);
    new.change = world.change("7");
    let own = world.gate.draft(&ci, &new).unwrap().header.id;
    world.gate.plan(&ci, own).unwrap();
    let digest = world.digest(own);
    let error = world.gate.report_check(&ci, own, &CheckReport { digest, ..good.clone() });
    assert_eq!(error.unwrap_err().code(), Code::Refused);

    // There is an end to them.
    for number in 0..32 {
        let name = format!("check-{number}").parse().unwrap();
        world.gate.report_check(&ci, id, &CheckReport { name, ..good.clone() }).unwrap();
    }
    let error = world.gate.report_check(&ci, id, &good).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
    let emoji =
        CheckReport {
            name: "check-1".parse().unwrap(), details: "👍 שלום".to_owned(), ..good
        };
    assert_eq!(world.gate.report_check(&ci, id, &emoji).unwrap().details, "👍 שלום");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_a_check_said_can_be_erased() {
    let (world, ci) = with_ci();
    let id = pending(&world, "1");
    world.gate.report_check(&ci, id, &report(&world, id, CheckStatus::Passed)).unwrap();
    world.gate.cancel(&world.caller("ana"), id, None).unwrap();
    let root = world.caller("root");
    assert!(world.gate.erase(&root, placet_core::gate::Erasure::Request(id)).unwrap() > 0);
    assert_eq!(world.gate.erase(&root, placet_core::gate::Erasure::Request(id)).unwrap(), 0);
    let bytes = world.bench.parts.store.scan(
        &placet_core::store::Key::from_segments(&["check"]),
        None,
        usize::MAX,
    );
    let bytes = String::from_utf8(bytes.unwrap()[0].1.value.clone()).unwrap();
    assert!(!bytes.contains("12 ran"), "{bytes}");
    assert_invariants(&*world.bench.parts.store);
}
