//! Every verb in every state by every kind of caller, on their own and on another's: what is allowed, where it leads,
//! and with which code the rest is refused. What is due stands here as data, beside the definitions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use placet_core::authz::Action;
use placet_core::error::{Code, Error};
use placet_core::gate::{Finding, NewArtifact, NewRequest};
use placet_core::id::{GrantId, RequestId, RoleId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, ApplyRoleTemplate, AssignRole, CreateRole, CreateUser, EndGrant,
    RoleTemplate,
};
use placet_core::org::{Interval, TeamRole, UserKind};
use placet_core::request::{Change, Request, State};
use placet_core::runner::{Failure, Outcome};
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants};

/// Who calls. TINKERER has every permission, and none of the roles that the workflow `artifact` names; AGENT is one that
/// is ADMIN; NOBODY is in the team and has no role.
const CALLERS: [&str; 7] = ["ADMIN", "EDITOR", "REVIEWER", "VIEWER", "TINKERER", "AGENT", "NOBODY"];

/// The permission that each verb takes, and who has it.
const PERMISSIONS: [(&str, &str, &str); 5] = [
    (
        "request",
        "submit delete withdraw reopen edit new_version cancel",
        "ADMIN EDITOR TINKERER AGENT",
    ),
    ("approve", "approve request_changes reject", "ADMIN REVIEWER TINKERER"),
    ("execute", "execute rerun stop verify reconcile", "ADMIN EDITOR TINKERER AGENT"),
    ("revert", "revert", "ADMIN TINKERER AGENT"),
    ("restore", "restore", "ADMIN TINKERER AGENT"),
];

/// What a person alone does, whatever roles an agent has.
const PERSONS_ONLY: &str = "revert restore reconcile";

/// `(from, verb, what the workflow calls it, to, who)`.
type Way = (&'static str, &'static str, &'static str, &'static str, &'static str);

const EVERYBODY: &str = "ADMIN EDITOR REVIEWER TINKERER AGENT";

/// A workflow: its states, the ways that are due, and the verbs that its authors alone have.
struct Due {
    workflow: &'static str,
    states: &'static [&'static str],
    ways: &'static [Way],
    /// Refused for others in whatever state, before anything else.
    authors_first: &'static str,
}

/// The table of transitions of the document, line by line. Besides, the text is edited in the states that it says are
/// editable, and the run of what is synced is verified.
const ARTIFACT: Due = Due {
    workflow: "artifact",
    states: &[
        "DRAFT",
        "PENDING_REVIEW",
        "APPROVED",
        "CHANGES_REQUESTED",
        "REJECTED",
        "SYNCED",
        "DELETED",
    ],
    ways: &[
        ("DRAFT", "submit", "SUBMIT", "PENDING_REVIEW", "ADMIN EDITOR AGENT"),
        ("DRAFT", "delete", "DELETE", "DELETED", "ADMIN EDITOR AGENT"),
        ("PENDING_REVIEW", "approve", "APPROVE", "APPROVED", "ADMIN REVIEWER"),
        (
            "PENDING_REVIEW",
            "request_changes",
            "REQUEST_CHANGES",
            "CHANGES_REQUESTED",
            "ADMIN REVIEWER",
        ),
        ("PENDING_REVIEW", "reject", "REJECT", "REJECTED", "ADMIN REVIEWER"),
        ("PENDING_REVIEW", "withdraw", "CANCEL_REVIEW", "DRAFT", "ADMIN EDITOR AGENT"),
        ("CHANGES_REQUESTED", "submit", "RESUBMIT", "PENDING_REVIEW", "ADMIN EDITOR AGENT"),
        ("CHANGES_REQUESTED", "reopen", "EDIT", "DRAFT", "ADMIN EDITOR AGENT"),
        ("APPROVED", "execute", "SYNC", "SYNCED", "ADMIN EDITOR AGENT"),
        ("APPROVED", "revert", "REVERT", "DRAFT", "ADMIN"),
        ("REJECTED", "restore", "RESTORE", "DRAFT", "ADMIN"),
        ("SYNCED", "new_version", "NEW_VERSION", "DRAFT", "ADMIN EDITOR AGENT"),
        ("DRAFT", "edit", "", "DRAFT", EVERYBODY),
        ("CHANGES_REQUESTED", "edit", "", "CHANGES_REQUESTED", EVERYBODY),
        // Every run can be looked after.
        ("SYNCED", "verify", "", "SYNCED", EVERYBODY),
    ],
    authors_first: "cancel",
};

const CHANGE: Due = Due {
    workflow: "change",
    states: &[
        "DRAFT",
        "PENDING_APPROVAL",
        "CHANGES_REQUESTED",
        "APPROVED",
        "REJECTED",
        "CANCELLED",
        "EXECUTING",
        "SUCCEEDED",
        "FAILED",
        "UNKNOWN",
    ],
    ways: &[
        ("DRAFT", "submit", "SUBMIT", "PENDING_APPROVAL", EVERYBODY),
        ("DRAFT", "cancel", "CANCEL", "CANCELLED", EVERYBODY),
        ("PENDING_APPROVAL", "approve", "APPROVE", "APPROVED", EVERYBODY),
        ("PENDING_APPROVAL", "request_changes", "REQUEST_CHANGES", "CHANGES_REQUESTED", EVERYBODY),
        ("PENDING_APPROVAL", "reject", "REJECT", "REJECTED", EVERYBODY),
        ("PENDING_APPROVAL", "withdraw", "WITHDRAW", "DRAFT", EVERYBODY),
        ("PENDING_APPROVAL", "cancel", "CANCEL", "CANCELLED", EVERYBODY),
        ("CHANGES_REQUESTED", "submit", "SUBMIT", "PENDING_APPROVAL", EVERYBODY),
        ("CHANGES_REQUESTED", "cancel", "CANCEL", "CANCELLED", EVERYBODY),
        ("APPROVED", "execute", "EXECUTE", "SUCCEEDED", EVERYBODY),
        ("APPROVED", "cancel", "CANCEL", "CANCELLED", EVERYBODY),
        ("EXECUTING", "stop", "STOP", "EXECUTING", EVERYBODY),
        ("FAILED", "rerun", "RERUN", "SUCCEEDED", EVERYBODY),
        ("UNKNOWN", "verify", "VERIFY", "SUCCEEDED", EVERYBODY),
        ("UNKNOWN", "reconcile", "RECONCILE", "SUCCEEDED", EVERYBODY),
        ("SUCCEEDED", "verify", "VERIFY", "SUCCEEDED", EVERYBODY),
        ("FAILED", "verify", "VERIFY", "FAILED", EVERYBODY),
        ("DRAFT", "edit", "", "DRAFT", EVERYBODY),
        ("PENDING_APPROVAL", "edit", "", "DRAFT", EVERYBODY),
        ("CHANGES_REQUESTED", "edit", "", "DRAFT", EVERYBODY),
        ("APPROVED", "edit", "", "DRAFT", EVERYBODY),
    ],
    authors_first: "cancel",
};

fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

fn verbs() -> impl Iterator<Item = &'static str> {
    PERMISSIONS.iter().flat_map(|(_, verbs, _)| verbs.split(' '))
}

impl Due {
    /// What is due: the state that it leads to, or the code of the refusal.
    fn cell(&self, state: &str, verb: &str, who: &str, is_own: bool) -> Result<&'static str, Code> {
        let (_, _, holders) = PERMISSIONS.iter().find(|(_, verbs, _)| has(verbs, verb)).unwrap();
        if who == "NOBODY" {
            return Err(Code::NotFound);
        }
        if !has(holders, who) {
            return Err(Code::Denied);
        }
        if who == "AGENT" && has(PERSONS_ONLY, verb) {
            return Err(Code::Refused);
        }
        if !is_own && has(self.authors_first, verb) {
            return Err(Code::Refused);
        }
        let is_artifact = self.workflow == "artifact";
        let Some((.., to, roles)) =
            self.ways.iter().find(|(from, of, ..)| *from == state && *of == verb)
        else {
            let unpublished = !has("APPROVED SYNCED", state);
            return Err(if is_artifact && has("execute rerun", verb) && unpublished {
                Code::ArtifactNotApproved
            } else {
                Code::WrongState
            });
        };
        // Nobody approves what they wrote, whatever role they hold; an author alone takes a request back.
        if (verb == "approve" && is_own) || (verb == "withdraw" && !is_own) || !has(roles, who) {
            return Err(Code::Refused);
        }
        Ok(to)
    }
}

/// The world, with somebody for each kind of caller, who was EDITOR while they wrote.
struct Stage {
    world: World,
    people: BTreeMap<&'static str, UserId>,
    next: i64,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let root = world.caller("root");
        let mut people = BTreeMap::new();
        // Somebody else writes, and somebody else agrees.
        for name in CALLERS.into_iter().chain(["WRITER", "JUDGE"]) {
            let kind = if name == "AGENT" { UserKind::Agent } else { UserKind::Person };
            let email = format!("{}@example.com", name.to_lowercase()).parse().unwrap();
            let user = CreateUser { kind, email, display_name: name.parse().unwrap() };
            let user = world.gate.administer(&root, &user).unwrap();
            let (project, team, role) = (world.project, world.checkout, TeamRole::Member);
            let valid = Interval::starting(world.now());
            let command = AddMember { project, team, user, role, valid };
            world.gate.manage(&root, &command).unwrap();
            people.insert(name, user);
        }
        Self { world, people, next: 0 }
    }

    fn caller(&self, name: &str) -> Caller {
        Caller::authenticated(self.people[name])
    }

    fn grant(&self, name: &str, role: RoleId) -> GrantId {
        let (project, user) = (self.world.project, self.people[name]);
        let valid = Interval::starting(self.world.now());
        let command = AssignRole { project, user, role, valid };
        self.world.gate.manage(&self.world.caller("root"), &command).unwrap()
    }

    /// Everybody is EDITOR; the judge is ADMIN. Answers the roles by name, and the grants that end later.
    fn everybody_writes(&self) -> (BTreeMap<&'static str, RoleId>, Vec<GrantId>) {
        let (gate, root, project) =
            (&self.world.gate, self.world.caller("root"), self.world.project);
        let template = ApplyRoleTemplate { project, template: RoleTemplate::Artifact };
        let made = gate.manage(&root, &template).unwrap();
        let mut roles = BTreeMap::new();
        for (name, role) in ["ADMIN", "EDITOR", "REVIEWER", "VIEWER"].into_iter().zip(&made) {
            assert_eq!(role.name.as_str(), name);
            roles.insert(name, role.id);
        }
        let name = "Tinkerer".parse().unwrap();
        let tinkerer = gate.manage(&root, &CreateRole { project, name }).unwrap();
        roles.insert("TINKERER", tinkerer);
        let permissions = gate.organisation(&root, project).unwrap().permissions;
        for row in permissions.iter().filter(|row| row.action != Action::MANAGE) {
            if row.module_id.is_none() && row.environment_id.is_none() {
                let (role, permission) = (tinkerer, row.id);
                gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
            }
        }
        self.grant("WRITER", roles["EDITOR"]);
        self.grant("JUDGE", roles["ADMIN"]);
        let grants = CALLERS.iter().map(|name| self.grant(name, roles["EDITOR"])).collect();
        (roles, grants)
    }

    /// From now on everybody is what they are called.
    fn everybody_is_themselves(&self, roles: &BTreeMap<&str, RoleId>, written: Vec<GrantId>) {
        let (root, project) = (self.world.caller("root"), self.world.project);
        for grant in written {
            let command = EndGrant { project, grant, at: None };
            self.world.gate.manage(&root, &command).unwrap();
        }
        for name in CALLERS {
            let role = if name == "AGENT" { "ADMIN" } else { name };
            if let Some(role) = roles.get(role) {
                self.grant(name, *role);
            }
        }
    }

    /// A request of `author` in that state.
    fn request(&mut self, due: &Due, state: &str, author: &str) -> RequestId {
        self.next += 1;
        let (gate, number) = (&self.world.gate, self.next);
        let (author, judge) = (&self.caller(author), &self.caller("JUDGE"));
        let change = self.change();
        let (project, module, environment) = (self.world.project, self.world.pagos, self.world.dev);
        let title = format!("number {number}");
        let id = if due.workflow == "artifact" {
            let Change { runner, target, payload: body, .. } = change;
            let artifact_type = "TEST_CASE".parse().unwrap();
            let (artifact_id, depends_on) = (number, [].into());
            #[rustfmt::skip]
            let new = NewArtifact {
                project, module, environment, artifact_type, artifact_id, title, body, runner,
                target, depends_on,
            };
            gate.draft_artifact(author, &new).unwrap().header.id
        } else {
            let new = NewRequest { project, module, environment, title, change };
            gate.draft(author, &new).unwrap().header.id
        };
        let submit = || gate.submit(author, id).map(drop).unwrap();
        let approve = || {
            submit();
            let digest = gate.view(judge, id).unwrap().digest.unwrap();
            gate.approve(judge, id, digest, None).map(drop).unwrap();
        };
        let run = |outcome: Option<Outcome>| {
            approve();
            if let Some(outcome) = outcome {
                self.world.bench.runner.ends_with(outcome);
            }
            gate.drive(gate.execute(judge, id).unwrap(), &Seen::default()).map(drop).unwrap();
        };
        let why = || Failure::new("sql.1", "it says");
        match state {
            "DRAFT" => {}
            "DELETED" => drop(gate.delete(author, id, None).unwrap()),
            "CANCELLED" => drop(gate.cancel(author, id, None).unwrap()),
            "PENDING_REVIEW" | "PENDING_APPROVAL" => submit(),
            "CHANGES_REQUESTED" => {
                submit();
                gate.request_changes(judge, id, "one more step").map(drop).unwrap();
            }
            "REJECTED" => {
                submit();
                gate.reject(judge, id, "not needed").map(drop).unwrap();
            }
            "APPROVED" => approve(),
            "EXECUTING" => {
                approve();
                drop(gate.execute(judge, id).unwrap());
            }
            "SYNCED" | "SUCCEEDED" => run(None),
            "FAILED" => run(Some(Outcome::Failed(why()))),
            "UNKNOWN" => run(Some(Outcome::Unknown(why()))),
            other => panic!("no such state: {other}"),
        }
        assert_eq!(gate.view(judge, id).unwrap().header.step.as_str(), state);
        id
    }

    /// A change with a target of its own: none waits for another.
    fn change(&self) -> Change {
        let target = format!("target-{}", self.next).parse().unwrap();
        Change::new("sql".parse().unwrap(), target, "\"a text\"", self.world.gate.limits()).unwrap()
    }

    /// Does it, and answers the request that it made or moved.
    fn act(&self, verb: &str, who: &str, id: RequestId) -> Result<Request, Error> {
        let (gate, caller) = (&self.world.gate, &self.caller(who));
        let unknown = || Outcome::Unknown(Failure::new("gone", "nobody can tell"));
        match verb {
            "submit" => gate.submit(caller, id),
            "approve" => {
                let seen = gate.view(&self.caller("JUDGE"), id).unwrap();
                let none = placet_core::digest::Digest::of(b"no plan");
                gate.approve(caller, id, seen.digest.unwrap_or(none), None)
            }
            "request_changes" => gate.request_changes(caller, id, "one more step"),
            "reject" => gate.reject(caller, id, "not needed"),
            "withdraw" => gate.withdraw(caller, id, None),
            "delete" => gate.delete(caller, id, None),
            "cancel" => gate.cancel(caller, id, None),
            "reopen" => gate.reopen(caller, id, None),
            "edit" => gate.edit(caller, id, "another text", &self.change()),
            "revert" => gate.revert(caller, id, None),
            "restore" => gate.restore(caller, id, None),
            "new_version" => gate.new_version(caller, id),
            "execute" => gate.drive(gate.execute(caller, id)?, &Seen::default()),
            "rerun" => gate.drive(gate.rerun(caller, id)?, &Seen::default()),
            "stop" => gate.stop(caller, id),
            "verify" => gate.verify(caller, id).map(|(request, _)| request),
            "reconcile" => {
                self.world.bench.runner.reads(unknown());
                let answer = gate.reconcile(caller, id, Finding::Done, "looked at it");
                // Who was refused before had nobody look.
                self.world.bench.runner.forgets_readings();
                answer
            }
            other => panic!("no such verb: {other}"),
        }
    }
}

/// Plays every cell. Answers how many were allowed, and how many refused; and the lines of those that were not as due.
fn play(due: &Due) -> (usize, usize, String) {
    let mut stage = Stage::new();
    let (roles, written) = stage.everybody_writes();
    // One request for all that is refused, since that changes nothing, and one for each cell that is allowed.
    let mut cells = Vec::new();
    for (who, is_own) in CALLERS.into_iter().flat_map(|who| [(who, true), (who, false)]) {
        let author = if is_own { who } else { "WRITER" };
        for state in due.states {
            let kept = stage.request(due, state, author);
            for verb in verbs() {
                let answer = due.cell(state, verb, who, is_own);
                let id = if answer.is_ok() { stage.request(due, state, author) } else { kept };
                cells.push((who, is_own, *state, verb, id, answer));
            }
        }
    }
    stage.everybody_is_themselves(&roles, written);
    let (mut allowed, mut refused, mut wrong) = (0, 0, String::new());
    for (who, is_own, state, verb, id, answer) in cells {
        let cell = format!("{who} {verb} {} in {state}", if is_own { "their own" } else { "it" });
        // What the panel says, it says before.
        let offered = offered(&stage, due, (who, verb, state), id);
        let found = stage.act(verb, who, id);
        let found = found.map(|request| request.header.step.to_string()).map_err(|e| e.code());
        if found != answer.map(str::to_owned) {
            writeln!(wrong, "{cell}: {answer:?} is due, and it was {found:?}").unwrap();
        }
        if let Some(offered) = offered
            && offered != answer.is_ok()
        {
            writeln!(wrong, "{cell}: {answer:?} is due, and the panel says {offered}").unwrap();
        }
        let there = stage.world.gate.view(&stage.caller("JUDGE"), id).unwrap();
        match answer {
            // The published version stays.
            Ok(_) if verb == "new_version" => assert_eq!(there.header.step.as_str(), state),
            Ok(_) => allowed += 1,
            Err(_) => {
                refused += 1;
                if there.header.step.as_str() != state {
                    writeln!(wrong, "{cell}: it is {} now", there.header.step).unwrap();
                }
            }
        }
        let is_running = matches!(there.state, State::Executing(_));
        assert!(!is_running || state == "EXECUTING", "{cell}");
    }
    assert_invariants(&*stage.world.bench.parts.store);
    (allowed, refused, wrong)
}

/// Whether the panel offers the caller that verb; nothing where it does not speak of it.
fn offered(
    stage: &Stage,
    due: &Due,
    (who, verb, state): (&str, &str, &str),
    id: RequestId,
) -> Option<bool> {
    let panel = stage.world.gate.actions(&stage.caller(who), id);
    if who == "NOBODY" {
        assert_eq!(panel.unwrap_err().code(), Code::NotFound);
        return None;
    }
    let panel = panel.unwrap();
    assert_eq!(panel.step.as_str(), state);
    let named: Vec<&str> = panel.offers.iter().map(|offer| offer.action.as_str()).collect();
    let mut ways: Vec<&str> = Vec::new();
    for (from, _, action, ..) in due.ways {
        if *from == state && !action.is_empty() {
            ways.push(action);
        }
    }
    assert_eq!(named, ways, "{state}");
    let offer = panel.offers.iter().find(|offer| offer.verb.as_str() == verb)?;
    assert!(offer.refusal.as_ref().is_none_or(|why| why.help().is_some()), "{offer:?}");
    Some(offer.refusal.is_none())
}

#[test]
fn every_cell_of_the_workflow_artifact_is_as_the_table_says() {
    let (allowed, refused, wrong) = play(&ARTIFACT);
    eprintln!("artifact: {allowed} cells allowed, {refused} refused");
    assert_eq!(wrong, "");
    // 7 states, 17 verbs, 7 callers, own and another's.
    assert_eq!(verbs().count(), 17);
    assert!(allowed > 50 && allowed + refused > 1_400, "{allowed} {refused}");
}

#[test]
fn every_cell_of_the_workflow_change_is_as_the_table_says() {
    let (allowed, refused, wrong) = play(&CHANGE);
    eprintln!("change: {allowed} cells allowed, {refused} refused");
    assert_eq!(wrong, "");
    assert!(allowed > 100 && allowed + refused > 2_000, "{allowed} {refused}");
}

/// A table in which one cell is other than it should be does not pass.
#[test]
fn one_wrong_cell_is_noticed() {
    // ADMIN approves what they wrote: the data says yes, and the gate says no.
    let mut stage = Stage::new();
    let (roles, written) = stage.everybody_writes();
    let id = stage.request(&ARTIFACT, "PENDING_REVIEW", "ADMIN");
    stage.everybody_is_themselves(&roles, written);
    let refused = stage.act("approve", "ADMIN", id).unwrap_err();
    assert_eq!(refused.code(), Code::Refused, "separation of duties wins over a role");
    assert_eq!(ARTIFACT.cell("PENDING_REVIEW", "approve", "ADMIN", true), Err(Code::Refused));
    assert_eq!(ARTIFACT.cell("PENDING_REVIEW", "approve", "ADMIN", false), Ok("APPROVED"));
}
