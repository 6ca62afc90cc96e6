//! An artifact's life: frozen while it is reviewed, needed by others, published, written again.

use std::sync::Arc;

use placet_core::audit::Leaf;
use placet_core::error::{Code, Error};
use placet_core::gate::{Erasure, Gate, NewArtifact};
use placet_core::id::RequestId;
use placet_core::request::{ArtifactName, Request, RevisionRef};
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{MemoryStore, Store as _};
use placet_core::testing::{Bench, InterleavingStore, Office, Seen};
use placet_core::workflow::Verb;

use crate::world::assert_invariants;

pub(super) struct Desk {
    pub(super) bench: Bench,
    pub(super) gate: Gate,
    pub(super) office: Office,
}

impl Desk {
    pub(super) fn new() -> Self {
        let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let office = Office::found(&gate).unwrap();
        office.give_artifact_roles(&gate).unwrap();
        Self { bench, gate, office }
    }

    pub(super) fn name(&self, number: i64) -> ArtifactName {
        ArtifactName::new(self.office.project, "USER_STORY".parse().unwrap(), number).unwrap()
    }

    pub(super) fn approve(&self, request: &Request) -> Result<Request, Error> {
        let digest = self.gate.view(&self.office.bo, request.header.id)?.digest.unwrap();
        self.gate.approve(&self.office.bo, request.header.id, digest, None)
    }

    pub(super) fn publish(&self, id: RequestId) -> Request {
        let ticket = self.gate.execute(&self.office.bo, id).unwrap();
        self.gate.drive(ticket, &Seen::default()).unwrap()
    }

    fn entries(&self) -> u64 {
        self.bench.parts.store.log_len().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_invariants(&*self.bench.parts.store);
        }
    }
}

#[test]
fn nothing_moves_while_it_is_reviewed() {
    let desk = Desk::new();
    let (gate, ana) = (&desk.gate, &desk.office.ana);
    let request = desk.office.pending_artifact(gate, 42).unwrap();
    let (id, before) = (request.header.id, request.header.change_digest().unwrap());
    let entries = desk.entries();
    let other = desk.office.change("\"another\"").unwrap();
    for caller in [ana, &desk.office.bo] {
        let refused = gate.edit(caller, id, "another", &other).unwrap_err();
        assert_eq!(refused.code(), Code::WrongState);
        assert_eq!(gate.plan(caller, id).unwrap_err().code(), Code::WrongState);
        assert_eq!(gate.delete(caller, id, None).unwrap_err().code(), Code::WrongState);
        assert_eq!(gate.submit(caller, id).unwrap_err().code(), Code::WrongState);
    }
    // A comment says something about it, and changes nothing of it.
    gate.comment(ana, id, "look at the second step").unwrap();
    let after = gate.view(ana, id).unwrap();
    assert_eq!((after.digest, after.header.revision), (Some(before), 1));
    assert_eq!(desk.entries(), entries + 1, "what is refused so is not written");
}

#[test]
fn a_no_and_a_wish_say_why() {
    let desk = Desk::new();
    let (gate, bo) = (&desk.gate, &desk.office.bo);
    let id = desk.office.pending_artifact(gate, 42).unwrap().header.id;
    let entries = desk.entries();
    let long = "x".repeat(10 << 20);
    for (comment, code) in [
        ("", Code::InvalidInput),
        (" \n\t ", Code::InvalidInput),
        ("\u{7}", Code::InvalidInput),
        ("\u{202e}evil", Code::InvalidInput),
        (long.as_str(), Code::TooLarge),
    ] {
        assert_eq!(gate.reject(bo, id, comment).unwrap_err().code(), code);
        assert_eq!(gate.request_changes(bo, id, comment).unwrap_err().code(), code);
        if !comment.trim().is_empty() {
            let ana = &desk.office.ana;
            assert_eq!(gate.withdraw(ana, id, Some(comment)).unwrap_err().code(), code);
            assert_eq!(gate.revert(bo, id, Some(comment)).unwrap_err().code(), code);
            assert_eq!(gate.restore(bo, id, Some(comment)).unwrap_err().code(), code);
            assert_eq!(gate.reopen(ana, id, Some(comment)).unwrap_err().code(), code);
            assert_eq!(gate.delete(ana, id, Some(comment)).unwrap_err().code(), code);
        }
    }
    assert_eq!(desk.entries(), entries);
    gate.request_changes(bo, id, "añade el paso 3 🙂").unwrap();
    let said = gate.history(&desk.office.ana, id).unwrap().pop().unwrap();
    assert_eq!(said.comment.as_deref(), Some("añade el paso 3 🙂"));
}

#[test]
fn what_was_sent_back_is_edited_where_it_is_and_handed_in_again() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let id = desk.office.pending_artifact(gate, 42).unwrap().header.id;
    gate.request_changes(bo, id, "one more step").unwrap();
    let change =
        desk.office.change(r#"{"i_want":"to pay by card","so_that":"it is fast"}"#).unwrap();
    let edited = gate.edit(ana, id, "a better story", &change).unwrap();
    assert_eq!(edited.header.step.as_str(), "CHANGES_REQUESTED");
    let again = gate.submit(ana, id).unwrap();
    assert_eq!(again.header.step.as_str(), "PENDING_REVIEW");
    let steps = gate.history(ana, id).unwrap();
    let told: Vec<String> = steps
        .iter()
        .map(|step| {
            let before = step.from_step.as_ref().map_or("-", |step| step.as_str());
            format!("{} {before} > {} r{}", step.action, step.to_step, step.revision)
        })
        .collect();
    assert_eq!(
        told,
        [
            "DRAFT - > DRAFT r1",
            "PLAN DRAFT > DRAFT r1",
            "SUBMIT DRAFT > PENDING_REVIEW r1",
            "REQUEST_CHANGES PENDING_REVIEW > CHANGES_REQUESTED r1",
            "EDIT CHANGES_REQUESTED > CHANGES_REQUESTED r2",
            "PLAN CHANGES_REQUESTED > CHANGES_REQUESTED r2",
            "RESUBMIT CHANGES_REQUESTED > PENDING_REVIEW r2",
        ]
    );
    let diff = gate.diff(bo, RevisionRef::of(id, 1), RevisionRef::present(id)).unwrap();
    assert_eq!(diff.to_json_patch(), r#"[{"op":"add","path":"/so_that","value":"it is fast"}]"#);
    assert!(diff.title.is_some() && diff.target.is_none());
    for none in [0, 3] {
        let error = gate.diff(bo, RevisionRef::of(id, none), RevisionRef::present(id)).unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
}

#[test]
fn what_is_made_a_draft_again_is_planned_afresh() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let id = desk.office.pending_artifact(gate, 42).unwrap().header.id;
    gate.request_changes(bo, id, "one more step").unwrap();
    assert_eq!(gate.reopen(ana, id, None).unwrap().header.plan, None);
    gate.submit(ana, id).unwrap();
    let steps = gate.history(ana, id).unwrap();
    let plans = steps.iter().filter(|step| step.action == "PLAN").count();
    assert_eq!(plans, 2, "one for each time that it was handed in");
}

#[test]
fn what_others_need_is_not_deleted() {
    let desk = Desk::new();
    let (gate, ana, office) = (&desk.gate, &desk.office.ana, &desk.office);
    let needed = office.artifact(gate, 1).unwrap().header.id;
    let new = NewArtifact { depends_on: [needed].into(), ..office.new_artifact(2).unwrap() };
    let leaning = gate.draft_artifact(ana, &new).unwrap().header;
    assert_eq!(leaning.depends_on, [needed].into());
    let refused = gate.delete(ana, needed, None).unwrap_err();
    assert_eq!((refused.code(), refused.details()["dependants"].as_str()), (Code::InUse, "1"));
    gate.delete(ana, leaning.id, None).unwrap();
    let gone = gate.delete(ana, needed, Some("nobody needs it")).unwrap();
    assert_eq!(gone.header.step.as_str(), "DELETED");
    // Nobody leans on what is gone, on what is not there, or on more than is allowed.
    let entries = desk.entries();
    let new = NewArtifact { depends_on: [needed].into(), ..office.new_artifact(3).unwrap() };
    assert_eq!(gate.draft_artifact(ana, &new).unwrap_err().code(), Code::WrongState);
    let nowhere = RequestId::from_u128(77);
    let new = NewArtifact { depends_on: [nowhere].into(), ..office.new_artifact(3).unwrap() };
    assert_eq!(gate.draft_artifact(ana, &new).unwrap_err().code(), Code::NotFound);
    let many = (0..17).map(RequestId::from_u128).collect();
    let new = NewArtifact { depends_on: many, ..office.new_artifact(3).unwrap() };
    assert_eq!(gate.draft_artifact(ana, &new).unwrap_err().code(), Code::TooLarge);
    for number in [-1, i64::MAX] {
        let new = office.new_artifact(number).unwrap();
        assert_eq!(gate.draft_artifact(ana, &new).unwrap_err().code(), Code::InvalidInput);
    }
    assert_eq!(desk.entries(), entries);
    // Its number is free again, and no version number is given twice.
    let again = office.artifact(gate, 1).unwrap().header;
    assert_eq!(again.artifact.unwrap().version, 2);
}

#[test]
fn the_next_version_is_a_copy_that_none_of_its_authors_approves() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let first = desk.office.approved_artifact(gate, 42).unwrap();
    let id = first.header.id;
    assert_eq!(gate.new_version(ana, id).unwrap_err().code(), Code::WrongState);
    let published = desk.publish(id);
    assert_eq!(published.header.step.as_str(), "SYNCED");
    // Bo copies what Ana wrote: neither of them can approve it.
    let second = gate.new_version(bo, id).unwrap();
    let (old, new) = (gate.view(ana, id).unwrap(), gate.view(ana, second.header.id).unwrap());
    assert_eq!(new.change, old.change);
    assert_eq!(new.header.title, old.header.title);
    let version = second.header.artifact.clone().unwrap();
    assert_eq!((version.version, version.follows), (2, Some(id)));
    assert_eq!(old.header.step.as_str(), "SYNCED", "the published one stays");
    let stays = gate.submit(ana, second.header.id).unwrap_err();
    assert_eq!(stays.code(), Code::QuorumUnsatisfiable, "there is nobody else who could");
    assert!(
        second.header.editors.contains(&ana.user()) && second.header.editors.contains(&bo.user())
    );
    // There is one draft of a version at a time, and what may be published is what the newest says.
    assert_eq!(gate.new_version(ana, id).unwrap_err().code(), Code::WrongState);
    assert!(!gate.is_approved(ana, &desk.name(42)).unwrap());
    assert!(gate.is_request_approved(ana, id).unwrap());
    gate.delete(bo, second.header.id, None).unwrap();
    assert!(gate.is_approved(ana, &desk.name(42)).unwrap());
    let third = gate.new_version(ana, id).unwrap();
    assert_eq!(third.header.artifact.unwrap().version, 3, "no number is used twice");
}

#[test]
fn the_next_version_needs_nothing_that_was_given_up() {
    let desk = Desk::new();
    let (gate, ana, office) = (&desk.gate, &desk.office.ana, &desk.office);
    let needed = office.pending(gate).unwrap().header.id;
    let kept = office.artifact(gate, 1).unwrap().header.id;
    let new = NewArtifact { depends_on: [needed, kept].into(), ..office.new_artifact(2).unwrap() };
    let id = gate.draft_artifact(ana, &new).unwrap().header.id;
    let pending = gate.submit(ana, id).unwrap();
    desk.approve(&pending).unwrap();
    assert_eq!(desk.publish(id).header.step.as_str(), "SYNCED");
    gate.cancel(ana, needed, None).unwrap();
    let second = gate.new_version(ana, id).unwrap();
    assert_eq!(second.header.depends_on, [kept].into());
}

/// Somebody erases the published version at each moment of making the next one.
#[test]
fn what_is_erased_meanwhile_does_not_come_back() {
    const SECRET: &str = "Ana Quispe 4711";
    for moment in 0.. {
        let kept = Arc::new(MemoryStore::default());
        let bench = Bench::on(Arc::<MemoryStore>::clone(&kept)).unwrap();
        let gate = Arc::new(Gate::new(bench.parts.clone()));
        let office = Office::found(&gate).unwrap();
        office.give_artifact_roles(&gate).unwrap();
        let (title, body) = (SECRET.to_owned(), format!("\"{SECRET}\""));
        let new = NewArtifact { title, body, ..office.new_artifact(42).unwrap() };
        let id = gate.draft_artifact(&office.ana, &new).unwrap().header.id;
        let digest = gate.submit(&office.ana, id).unwrap().header.change_digest().unwrap();
        gate.approve(&office.bo, id, digest, None).unwrap();
        gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();

        let store = Arc::new(InterleavingStore::new(Arc::<MemoryStore>::clone(&kept)));
        let mut parts = bench.parts;
        parts.store = Arc::<InterleavingStore>::clone(&store);
        let other = Gate::new(parts);
        other.view(&office.ana, id).unwrap();
        let (eraser, root) = (Arc::clone(&gate), office.root);
        store.before(moment, move || {
            eraser.erase(&root, Erasure::Request(id)).unwrap();
        });
        let made = other.new_version(&office.ana, id);
        if !store.happened() {
            assert!(made.is_ok() && moment > 3, "{moment}");
            return;
        }
        let entries = kept.log_read(0, usize::MAX).unwrap();
        let leaves = entries.iter().map(|entry| Leaf::from_bytes(entry).unwrap().event);
        let events: Vec<String> = leaves.collect();
        let at = |event: &str| events.iter().position(|one| one == event);
        let drafted = at("request.version_drafted");
        assert_eq!(made.is_ok(), drafted.is_some(), "{moment}");
        let erased = at("text.erased").unwrap();
        assert!(drafted.is_none_or(|drafted| drafted < erased), "{moment}: it came back");
    }
}

#[test]
fn only_what_is_approved_is_published() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let name = desk.name(42);
    let said = |error: &Error| (error.code(), error.to_string());
    let no = (Code::ArtifactNotApproved, "Artifact not approved".to_owned());
    assert_eq!(gate.is_approved(ana, &name).unwrap_err().code(), Code::NotFound);
    let id = desk.office.artifact(gate, 42).unwrap().header.id;
    for step in ["draft", "pending", "sent back", "pending again", "withdrawn"] {
        match step {
            "pending" | "pending again" => drop(gate.submit(ana, id).unwrap()),
            "sent back" => drop(gate.request_changes(bo, id, "no").unwrap()),
            "withdrawn" => drop(gate.withdraw(ana, id, None).unwrap()),
            _ => {}
        }
        assert!(!gate.is_approved(ana, &name).unwrap(), "{step}");
        assert_eq!(said(&gate.check_publishable(ana, &name).unwrap_err()), no, "{step}");
        assert_eq!(said(&gate.execute(bo, id).unwrap_err()), no, "{step}");
    }
    let pending = gate.submit(ana, id).unwrap();
    desk.approve(&pending).unwrap();
    assert!(gate.is_approved(ana, &name).unwrap());
    assert_eq!(gate.check_publishable(ana, &name).unwrap().header.id, id);
    // A run that fails leaves it approved, and it can be reverted then.
    desk.bench.runner.ends_with(Outcome::Failed(Failure::new("jira.503", "not now")));
    let failed = desk.publish(id);
    assert_eq!((failed.state.name().as_str(), failed.header.step.as_str()), ("FAILED", "APPROVED"));
    assert!(gate.is_approved(ana, &name).unwrap());
    gate.revert(bo, id, Some("the target is gone")).unwrap();
    assert!(!gate.is_approved(ana, &name).unwrap());
    // Written and approved anew, it runs anew: a first attempt with a fence of its own.
    assert_eq!(gate.submit(ana, id).unwrap_err().code(), Code::Refused);
    gate.edit(ana, id, "another", &desk.office.change("\"another\"").unwrap()).unwrap();
    let pending = gate.submit(ana, id).unwrap();
    desk.approve(&pending).unwrap();
    let synced = desk.publish(id);
    assert_eq!((synced.header.step.as_str(), synced.header.attempts), ("SYNCED", 1));
    assert_eq!(synced.header.fence, 2);
    assert!(gate.is_approved(ana, &name).unwrap());
    assert_eq!(gate.execute(bo, id).unwrap_err().code(), Code::WrongState);
}

#[test]
fn what_may_have_been_left_is_not_done_twice_by_the_way_back() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let id = desk.office.approved_artifact(gate, 42).unwrap().header.id;
    let mut failure = Failure::new("jira.500", "half of it");
    failure.applied = vec!["1".to_owned()];
    desk.bench.runner.ends_with(Outcome::Failed(failure));
    desk.publish(id);
    assert_eq!(gate.rerun(bo, id).unwrap_err().code(), Code::Refused);
    gate.revert(bo, id, Some("half of it is there")).unwrap();
    let refused = gate.submit(ana, id).unwrap_err();
    assert_eq!(refused.code(), Code::Refused);
    assert!(refused.to_string().starts_with("revision 1 of"), "{refused}");
    let last = gate.history(ana, id).unwrap().pop().unwrap();
    assert_eq!(last.action, "REVERT", "not even a plan is made");
    let offers = gate.actions(ana, id).unwrap().offers;
    let submit = offers.iter().find(|offer| offer.action.as_str() == "SUBMIT").unwrap();
    assert_eq!(submit.refusal.as_ref().unwrap().code(), Code::Refused);
    assert_eq!(desk.bench.runner.entered().len(), 1);
    // What is left to do is written down, and agreed to.
    gate.edit(ana, id, "the rest", &desk.office.change("\"the rest\"").unwrap()).unwrap();
    let pending = gate.submit(ana, id).unwrap();
    desk.approve(&pending).unwrap();
    assert_eq!(desk.publish(id).header.step.as_str(), "SYNCED");
}

#[test]
fn a_panel_says_what_its_verbs_do() {
    let desk = Desk::new();
    let (gate, office) = (&desk.gate, &desk.office);
    let id = office.approved_artifact(gate, 42).unwrap().header.id;
    desk.bench.runner.ends_with(Outcome::Failed(Failure::new("jira.503", "not now")));
    desk.publish(id);
    // What failed is published by running it again, which the workflow calls as before.
    let sync = || {
        let offers = gate.actions(&office.bo, id).unwrap().offers;
        let sync = offers.into_iter().find(|offer| offer.action.as_str() == "SYNC").unwrap();
        (sync.verb, sync.refusal.map(|why| why.code()))
    };
    assert_eq!(sync(), (Verb::Rerun, None));
    desk.bench.runner.loses_target("shop");
    assert_eq!(sync(), (Verb::Rerun, Some(Code::UnknownTarget)));
    desk.bench.runner.finds_targets();
    let mut failure = Failure::new("jira.500", "half of it");
    failure.applied = vec!["1".to_owned()];
    desk.bench.runner.ends_with(Outcome::Failed(failure));
    gate.drive(gate.rerun(&office.bo, id).unwrap(), &Seen::default()).unwrap();
    assert_eq!(sync(), (Verb::Rerun, Some(Code::Refused)));
    assert_eq!(gate.rerun(&office.bo, id).unwrap_err().code(), Code::Refused);
}

#[test]
fn an_approval_that_was_undone_counts_no_more() {
    let desk = Desk::new();
    let (gate, ana, bo) = (&desk.gate, &desk.office.ana, &desk.office.bo);
    let id = desk.office.approved_artifact(gate, 42).unwrap().header.id;
    gate.revert(bo, id, None).unwrap();
    assert_eq!(gate.execute(bo, id).unwrap_err().code(), Code::ArtifactNotApproved);
    gate.submit(ana, id).unwrap();
    assert_eq!(gate.execute(bo, id).unwrap_err().code(), Code::ArtifactNotApproved);
    let view = gate.view(ana, id).unwrap();
    let placet_core::request::State::PendingApproval(pending) = view.state else { panic!() };
    assert!(pending.approvals.is_empty());
}

#[test]
fn a_target_that_nobody_knows_is_refused_before_the_run() {
    let desk = Desk::new();
    let (gate, bo) = (&desk.gate, &desk.office.bo);
    let id = desk.office.approved_artifact(gate, 42).unwrap().header.id;
    desk.bench.runner.loses_target("shop");
    let entries = desk.entries();
    assert_eq!(gate.execute(bo, id).unwrap_err().code(), Code::UnknownTarget);
    assert_eq!(desk.entries(), entries);
    assert!(desk.bench.runner.entered().is_empty());
    let offers = gate.actions(bo, id).unwrap().offers;
    let sync = offers.iter().find(|offer| offer.action.as_str() == "SYNC").unwrap();
    assert_eq!(sync.refusal.as_ref().unwrap().code(), Code::UnknownTarget);
    desk.bench.runner.finds_targets();
    assert_eq!(desk.publish(id).header.step.as_str(), "SYNCED");
}

#[test]
fn what_nobody_with_the_role_could_approve_is_not_submitted() {
    let desk = Desk::new();
    let (gate, office) = (&desk.gate, &desk.office);
    let id = office.artifact(gate, 42).unwrap().header.id;
    // Bo may approve here by a role of his own, and by the workflow as ADMIN only.
    let shop = gate.organisation(&office.root, office.project).unwrap();
    let admin = shop.roles.iter().find(|role| role.name.as_str() == "ADMIN").unwrap().id;
    let (project, user) = (office.project, office.bo.user());
    let grant = shop.grants.iter().find(|row| row.role_id == admin).unwrap().id;
    let end = placet_core::org::command::EndGrant { project, grant, at: None };
    gate.manage(&office.root, &end).unwrap();
    assert!(office.pending(gate).is_ok(), "a change he may approve");
    let refused = gate.submit(&office.ana, id).unwrap_err();
    assert_eq!(refused.code(), Code::QuorumUnsatisfiable);
    assert_eq!(refused.details()["able"], "0");
    let reviewer = shop.roles.iter().find(|role| role.name.as_str() == "REVIEWER").unwrap().id;
    let valid = placet_core::org::Interval::starting(gate.now());
    let give = placet_core::org::command::AssignRole { project, user, role: reviewer, valid };
    gate.manage(&office.root, &give).unwrap();
    assert_eq!(gate.submit(&office.ana, id).unwrap().header.step.as_str(), "PENDING_REVIEW");
}

#[test]
fn whoever_lost_the_role_since_approved_nothing() {
    let desk = Desk::new();
    let (gate, office) = (&desk.gate, &desk.office);
    let id = office.approved_artifact(gate, 42).unwrap().header.id;
    // Bo may still approve and execute by a role of his own; ADMIN he is no longer.
    let shop = gate.organisation(&office.root, office.project).unwrap();
    let admin = shop.roles.iter().find(|role| role.name.as_str() == "ADMIN").unwrap().id;
    let editor = shop.roles.iter().find(|role| role.name.as_str() == "EDITOR").unwrap().id;
    let (project, user) = (office.project, office.bo.user());
    let grant = shop.grants.iter().find(|row| row.role_id == admin).unwrap().id;
    let end = placet_core::org::command::EndGrant { project, grant, at: None };
    gate.manage(&office.root, &end).unwrap();
    let valid = placet_core::org::Interval::starting(gate.now());
    let give = placet_core::org::command::AssignRole { project, user, role: editor, valid };
    gate.manage(&office.root, &give).unwrap();
    let refused = gate.execute(&office.bo, id).unwrap_err();
    assert_eq!(refused.code(), Code::Refused);
    assert!(refused.to_string().contains("no longer counts"), "{refused}");
}

#[test]
fn a_change_is_no_artifact() {
    let desk = Desk::new();
    let (gate, ana, office) = (&desk.gate, &desk.office.ana, &desk.office);
    let new = office.request(office.change("1").unwrap());
    let artifact = "artifact".parse().unwrap();
    assert_eq!(gate.draft_in(ana, &new, &artifact).unwrap_err().code(), Code::InvalidInput);
    let id = office.approved(gate).unwrap().header.id;
    // What is no artifact is in the wrong state, and not unapproved.
    let pending = office.pending(gate).unwrap().header.id;
    assert_eq!(gate.execute(&office.bo, pending).unwrap_err().code(), Code::WrongState);
    assert!(gate.is_request_approved(ana, id).unwrap());
    assert!(!gate.is_request_approved(ana, pending).unwrap());
}

#[test]
fn nobody_learns_of_an_artifact_that_they_may_not_read() {
    let desk = Desk::new();
    let gate = &desk.gate;
    desk.office.artifact(gate, 42).unwrap();
    let stranger = placet_core::identity::Caller::authenticated(desk.office.root.user());
    let there = gate.is_approved(&stranger, &desk.name(42)).unwrap_err();
    let not_there = gate.is_approved(&stranger, &desk.name(43)).unwrap_err();
    let told = |error: &Error| (error.code(), error.to_string().replace("43", "42"));
    assert_eq!(told(&there), told(&not_there));
    assert_eq!(there.code(), Code::NotFound);
}
