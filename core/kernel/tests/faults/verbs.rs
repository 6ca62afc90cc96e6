//! The small language of the stories: `verb who rest`.

use placet_core::audit::{AuditQuery, EventFormat};
use placet_core::authz::{Action, Paging, Question, Scope};
use placet_core::error::{Code, Error};
use placet_core::gate::{CheckReport, Finding, NewArtifact, NewRequest, Promotion};
use placet_core::identity::Caller;
use placet_core::org::GlobalRole;
use placet_core::org::command::{CreateProject, GrantGlobalRole, SetUserActive};
use placet_core::request::StateName;
use placet_core::request::{ArtifactName, Change, CheckStatus, RevisionRef, State, ThreadPlace};
use placet_core::runner::{Failure, Finding as PlanFinding, Level, Outcome, Report};
use placet_core::testing::Seen;

use super::commands::manage;
use super::questions::ask;
use super::stage::Stage;
use crate::world::user;

/// Does one step of a story.
pub(crate) fn act(stage: &Stage, step: &str) -> Result<(), Error> {
    let mut words = step.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (verb, who, what) = (word(), word(), word());
    match verb {
        "fails" | "works" | "unread" | "due" | "blind" | "wait" | "tick" | "recover" | "drop"
        | "renew" | "drive" => run(stage, verb, who),
        "found" => stage.gate().bootstrap(&user(who)).map(drop),
        "user" | "auditor" | "deactivate" | "project" => {
            administer(stage, verb, &stage.caller(who), what)
        }
        "module" | "environment" | "team" | "look-after" | "role" | "permit" | "allow"
        | "member" | "grant" | "quorum" | "revoke" | "template" | "give" | "by-rule"
        | "workflow" | "only" | "form" | "retire" | "rule" | "block" | "unrule" | "vouch"
        | "promotion" | "automatic" | "settings" => manage(stage, verb, &stage.caller(who), what),
        "projects" | "users" | "audit" | "organisation" | "requests" | "can" | "who-and-where"
        | "checkpoint" | "prove" | "query" | "export" | "login" => {
            look(stage, verb, &stage.caller(who))
        }
        "draft" => draft(stage, &stage.caller(who), what, (word(), word(), &[])),
        "batch" => draft(stage, &stage.caller(who), what, (word(), "", &["second"])),
        "artifact" => artifact(stage, &stage.caller(who), what, word()),
        _ => ask(stage, verb, &stage.caller(who), what)
            .unwrap_or_else(|| request(stage, verb, &stage.caller(who), what)),
    }
}

/// What is not asked of the gate by a person.
fn run(stage: &Stage, verb: &str, title: &str) -> Result<(), Error> {
    match verb {
        "fails" => {
            stage.runs_fail.set(true);
            stage.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
        }
        "blind" => {
            stage.is_blind.set(true);
            stage.bench.runner.ends_with(unknown());
        }
        // Plans from here on have something that a person must look at.
        "unread" => stage.bench.runner.plans_as(|_, plan| {
            let (code, message) = ("sql.unparsed".to_owned(), "it could not be parsed".to_owned());
            let finding = PlanFinding::new(Level::Warning, code, message);
            plan.findings.push(PlanFinding { needs_person: true, ..finding });
        }),
        "works" => {
            stage.runs_fail.set(false);
            stage.bench.runner.ends_well();
        }
        "due" => {
            if let Some(ticket) = stage.gate().run_due()? {
                stage.keep(title, ticket);
            }
        }
        "wait" => stage.bench.clock.advance_ms(60_000),
        "tick" => drop(stage.gate().tick()?),
        "recover" => drop(stage.gate().recover()?),
        "drop" => drop(stage.ticket(title)),
        "renew" => {
            // One whose ticket was lost has nothing to renew.
            let Some(ticket) = stage.ticket(title) else { return Ok(()) };
            let key = ticket.lease();
            stage.keep(title, ticket);
            stage.gate().renew(key)?;
        }
        "drive" => {
            let Some(ticket) = stage.ticket(title) else { return stage.wait_for_end(title) };
            let had_failed = stage.failing.failed();
            let ended = stage.gate().drive(ticket, &Seen::default())?;
            if had_failed != stage.failing.failed() && matches!(ended.state, State::Failed(_)) {
                stage.undone.borrow_mut().insert(ended.header.id);
            } else {
                stage.undone.borrow_mut().remove(&ended.header.id);
            }
        }
        other => panic!("no such verb: {other}"),
    }
    Ok(())
}

fn administer(stage: &Stage, verb: &str, by: &Caller, what: &str) -> Result<(), Error> {
    let gate = stage.gate();
    match verb {
        "user" => gate.administer(by, &user(what)).map(drop),
        "auditor" => {
            let role = GlobalRole::Auditor;
            gate.administer(by, &GrantGlobalRole { user: stage.user(what), role })
        }
        "deactivate" => {
            gate.administer(by, &SetUserActive { user: stage.user(what), active: false })
        }
        _ => {
            let command = CreateProject { code: what.parse()?, name: what.parse()? };
            gate.administer(by, &command).map(drop)
        }
    }
}

fn look(stage: &Stage, verb: &str, by: &Caller) -> Result<(), Error> {
    let gate = stage.gate();
    match verb {
        "projects" => gate.projects(by).map(drop),
        "users" => gate.users(by, None).map(drop),
        "audit" => gate.audit(by, 0).map(drop),
        "organisation" => gate.organisation(by, stage.project()).map(drop),
        "requests" => gate.requests(by, stage.project(), None).map(drop),
        "who-and-where" => {
            let (bo, approve, now) = (stage.user("bo"), Action::APPROVE, stage.eye.now());
            let (scope, page) = (Scope::project(stage.project()), Paging::first(10));
            gate.who_can_without(by, &approve, scope, now, &[bo], page)?;
            gate.matrix(by, bo, now, Paging::first(10)).map(drop)
        }
        "login" => gate.record_login(&by.via("cli".parse()?)),
        "query" => {
            let query = AuditQuery::default().event("org.")?.newest_first();
            let page = gate.query_audit(by, &query, None, 5)?;
            assert_eq!(page.entries.len(), 5);
            Ok(())
        }
        "export" => gate.export_events(by, &EventFormat::Cef, None, |_event| Ok(())).map(drop),
        "checkpoint" => gate.checkpoint().map(drop),
        "prove" => gate.prove(0).map(drop),
        _ => {
            let shop = stage.organisation();
            let scope = Scope::module(shop.project.id, shop.modules[0].id, shop.environments[0].id);
            let answer = gate.authorize(by.user(), &Action::APPROVE, scope);
            answer.is_allowed().then_some(()).ok_or_else(|| Error::new(Code::Denied, "they cannot"))
        }
    }
}

fn change(stage: &Stage, payload: &str) -> Result<Change, Error> {
    Change::new("sql".parse()?, "orders".parse()?, payload, stage.eye.limits())
}

fn draft(
    stage: &Stage,
    by: &Caller,
    title: &str,
    (environment, workflow, then): (&str, &str, &[&str]),
) -> Result<(), Error> {
    let shop = stage.organisation();
    let module = shop.modules.iter().find(|row| row.code.as_str() == "pagos").unwrap().id;
    let environment = stage.environment(environment);
    let then = then.iter().map(|name| name.parse().unwrap());
    let change = change(stage, r#"{"sql":"SELECT 1"}"#)?.and_then_at(then, stage.eye.limits())?;
    let (project, title) = (shop.project.id, title.to_owned());
    let new = NewRequest { project, module, environment, title, change };
    if workflow.is_empty() {
        return stage.gate().draft(by, &new).map(drop);
    }
    stage.gate().draft_in(by, &new, &workflow.parse()?).map(drop)
}

/// A user story. What it needs is the request of that title, if there is one.
fn artifact(stage: &Stage, by: &Caller, title: &str, needs: &str) -> Result<(), Error> {
    let shop = stage.organisation();
    let module = shop.modules.iter().find(|row| row.code.as_str() == "pagos").unwrap().id;
    let new = NewArtifact {
        project: shop.project.id,
        module,
        environment: shop.environments[0].id,
        artifact_type: "USER_STORY".parse()?,
        artifact_id: title.bytes().map(i64::from).sum(),
        title: title.to_owned(),
        body: r#"{"i_want":"to pay"}"#.to_owned(),
        runner: "sql".parse()?,
        target: "orders".parse()?,
        depends_on: Some(needs)
            .filter(|needs| !needs.is_empty())
            .map(|needs| stage.request(needs).header.id)
            .into_iter()
            .collect(),
    };
    stage.gate().draft_artifact(by, &new).map(drop)
}

/// The name of a user story.
fn name_of(stage: &Stage, title: &str) -> Result<ArtifactName, Error> {
    let number = title.bytes().map(i64::from).sum();
    ArtifactName::new(stage.project(), "USER_STORY".parse()?, number)
}

fn unknown() -> Outcome {
    Outcome::Unknown(Failure::new("timeout", "the line went dead"))
}

/// Verbs about the request with a title.
fn request(stage: &Stage, verb: &str, by: &Caller, title: &str) -> Result<(), Error> {
    let (gate, header) = (stage.gate(), stage.request(title).header);
    let id = header.id;
    match verb {
        "plan" => gate.plan(by, id).map(drop),
        "submit" => gate.submit(by, id).map(drop),
        "edit" => gate.edit(by, id, title, &change(stage, r#"{"sql":"SELECT 2"}"#)?).map(drop),
        "approve" => gate.approve(by, id, header.change_digest()?, Some("fine")).map(drop),
        "check" => {
            let (name, details) = ("tests".parse()?, "12 ran".to_owned());
            let (digest, status) = (header.change_digest()?, CheckStatus::Passed);
            gate.report_check(by, id, &CheckReport { digest, name, status, details }).map(drop)
        }
        "return" => gate.request_changes(by, id, "name the table").map(drop),
        "reject" => gate.reject(by, id, "not in December").map(drop),
        "cancel" => gate.cancel(by, id, None).map(drop),
        "withdraw" => gate.withdraw(by, id, Some("not yet")).map(drop),
        "delete" => gate.delete(by, id, None).map(drop),
        "reopen" => gate.reopen(by, id, None).map(drop),
        "revert" => gate.revert(by, id, Some("wrong release")).map(drop),
        "restore" => gate.restore(by, id, None).map(drop),
        "new-version" => gate.new_version(by, id).map(drop),
        "actions" => gate.actions(by, id).map(drop),
        "diff" => {
            let (first, last) = (RevisionRef::of(id, 1), RevisionRef::present(id));
            gate.diff(by, first, last).map(drop)
        }
        "publish" => {
            let name = name_of(stage, title)?;
            gate.is_request_approved(by, id)?;
            gate.is_approved(by, &name)?;
            gate.check_publishable(by, &name).map(drop)
        }
        // Only for the check of the checks: a verb that hides what went wrong in it.
        "hush" => {
            let _hidden = gate.comment(by, id, "soon");
            Ok(())
        }
        "comment" => gate.comment(by, id, "soon").map(drop),
        "pass" => gate.advance(by, id, &"PASS".parse()?, Some("the terms are ours")).map(drop),
        "ask" => gate.open_thread(by, id, ThreadPlace::Step(1), "is there an index?").map(drop),
        "reply" => gate.reply(by, id, 0, "there is").map(drop),
        "resolve" => gate.resolve_thread(by, id, 0).map(drop),
        "ask-again" => gate.reopen_thread(by, id, 0).map(drop),
        "threads" => {
            assert_eq!(gate.threads(by, id, None)?.items.len(), 1);
            gate.posts(by, id, 0).map(drop)
        }
        "execute" | "rerun" | "promote" | "settle" | "stop" | "verify" | "reconcile" => {
            its_run(stage, verb, by, title)
        }
        "view" => gate.view(by, id).map(drop),
        "history" => gate.history(by, id).map(drop),
        "trail" => gate.trail(by, id).map(drop),
        "explain" => {
            let (user, action, scope) = (by.user(), Action::APPROVE, header.scope());
            let at = gate.now();
            gate.explain_request(by, id, user, &action)?;
            gate.explain(by, &Question { user, action, scope, at }).map(drop)
        }
        other => panic!("no such verb: {other}"),
    }
}

/// Verbs about the run of the request with a title.
fn its_run(stage: &Stage, verb: &str, by: &Caller, title: &str) -> Result<(), Error> {
    let (gate, id) = (stage.gate(), stage.request(title).header.id);
    match verb {
        "execute" => gate.execute(by, id).map(|ticket| stage.keep(title, ticket)),
        "rerun" => gate.rerun(by, id).map(|ticket| stage.keep(title, ticket)),
        "promote" => {
            let to = Promotion { environment: stage.environment("prod"), targets: Vec::new() };
            gate.promote(by, id, &to).map(drop)
        }
        // Whatever went wrong in its last run is looked at, and what failed is run again.
        "settle" => {
            let state = stage.request(title).state.name();
            if state == StateName::Unknown {
                request(stage, "verify", by, title)?;
                return request(stage, "settle", by, title);
            }
            if state == StateName::Failed {
                let ended = gate.drive(gate.rerun(by, id)?, &Seen::default())?;
                stage.undone.borrow_mut().remove(&ended.header.id);
            }
            Ok(())
        }
        "stop" => gate.stop(by, id).map(drop),
        "verify" => {
            stage.bench.runner.reads(match (stage.is_blind.get(), stage.is_made(id)) {
                (true, _) => unknown(),
                (false, true) => Outcome::Succeeded(Report::default()),
                (false, false) => Outcome::Failed(Failure::new("absent", "it is not there")),
            });
            gate.verify(by, id).map(drop)
        }
        "reconcile" => {
            let found = if stage.is_made(id) { Finding::Done } else { Finding::NothingDone };
            // A person's word is for what the target cannot tell.
            stage.bench.runner.reads(unknown());
            gate.reconcile(by, id, found, "looked at the table").map(drop)
        }
        other => panic!("no such verb of a run: {other}"),
    }
}
