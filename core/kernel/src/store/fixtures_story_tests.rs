//! The story that makes a record of every kind and form, for the fixtures.

use std::sync::Arc;

use super::{Batch, MemoryStore, Store as _};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::{CheckReport, Finding, Gate, NewArtifact, Promotion};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::limits::Limits;
use crate::org::command::{
    AddMember, AssignRole, CommandKind, CreateEnvironment, CreateUser, GrantGlobalRole,
    GrantPlugin, OrgCommand, PutBlockingRule, PutQuorumRule, RetentionClass, RevokeGlobalRole,
    RevokePluginGrant, SetAllowedWorkflows, SetArtifactForm, SetAutoApproveAi, SetExecution,
    SetGovernance, SetPlatformGovernance, SetPromotion, SetQuorum, SetRetention, SetRunnerSettings,
    SetWorkflow,
};
use crate::org::{
    Block, Conditions, Criticality, ExecutionMode, FindingIs, GlobalRole, Interval, Slug, TeamRole,
    UserKind,
};
use crate::request::{Change, CheckStatus, Header, Quorum, ThreadPlace};
use crate::runner::{Failure, Outcome, Report};
use crate::testing::{Bench, Office, Seen};
use crate::workflow::{Definition, Form};

/// A request in every state, an organisation with every kind of row, a denial, a queue, a note of a run.
pub(super) fn story(store: &Arc<MemoryStore>) -> Result<(), Error> {
    let bench = Bench::on(Arc::<MemoryStore>::clone(store))?;
    let (gate, runner) = (gate_on(&bench), &bench.runner);
    let office = Office::found(&gate)?;
    let (ana, bo, project, environment) =
        (&office.ana, &office.bo, office.project, office.environment);
    rules(&gate, &office)?;
    let ci = office.with_check(&gate)?;
    gate.manage(&office.root, &SetAutoApproveAi { project, environment, is_on: false })?;
    let name: Slug = "purchase".parse()?;
    let definition = Definition { name, version: 0, ..Definition::change() };
    gate.manage(&office.root, &SetWorkflow { project, definition })?;
    gate.adopt_policies(&office.root, gate.policy_set()?)?;
    let retention = SetRetention { class: RetentionClass::Content, keep_days: Some(365) };
    gate.administer(&office.root, &retention)?;
    grants(&gate, &office)?;
    let denied = gate.request_changes(ana, draft(&gate, &office, "denied")?, "no");
    assert_eq!(denied.unwrap_err().code(), Code::Denied);

    let draft = |title: &str| draft(&gate, &office, title);
    let pending = |title: &str| {
        let id = draft(title)?;
        gate.plan(ana, id)?;
        gate.submit(ana, id)
    };
    let approved = |title: &str| {
        let header = pending(title)?.header;
        gate.approve(bo, header.id, header.change_digest()?, Some("fine"))
            .map(|asked| asked.header.id)
    };
    draft("draft")?;
    let open = pending("pending")?.header;
    check(&gate, &ci, &open)?;
    ask(&gate, ana, open.id)?;
    gate.request_changes(bo, pending("sent back")?.header.id, "add a WHERE")?;
    gate.reject(bo, pending("rejected")?.header.id, "not this week")?;
    gate.cancel(ana, pending("cancelled")?.header.id, Some("the price stays"))?;
    approved("approved")?;
    gate.edit(ana, draft("edited")?, "edited twice", &change("edited")?)?;

    let failure =
        Failure { step: Some("1".to_owned()), ..Failure::new("sql.42601", "syntax error") };
    for (title, outcome) in [
        ("succeeded", Outcome::Succeeded(Report::default())),
        ("failed", Outcome::Failed(failure)),
        ("unknown", Outcome::Unknown(Failure::new("timeout", "the line went dead"))),
        ("verified", Outcome::Unknown(Failure::new("timeout", "the line went dead"))),
        ("reconciled", Outcome::Unknown(Failure::new("timeout", "the line went dead"))),
    ] {
        runner.ends_with(outcome);
        gate.drive(gate.execute(bo, approved(title)?)?, &Seen::default())?;
    }
    gate.verify(bo, find(&gate, &office, "verified"))?;
    runner.reads(Outcome::Unknown(Failure::new("connection", "the target is gone")));
    gate.reconcile(bo, find(&gate, &office, "reconciled"), Finding::NothingDone, "looked at it")?;

    late(&bench, &gate, bo, approved("late")?)?;
    artifacts(&gate, &office)?;

    // The same target: one runs, the other waits.
    let (runs, waits) = (approved("at one target")?, approved("at one target")?);
    drop(gate.execute(bo, runs)?);
    assert_eq!(gate.execute(bo, waits).unwrap_err().code(), Code::TargetBusy);

    govern(&gate, &office)?;
    rest(&gate, &office, &approved)?;

    // An index over a part of the log.
    let mut parts = bench.parts.clone();
    parts.limits.index_entries = 64;
    Gate::new(parts).index_log(|_done, _total| Ok(()))?;

    // A log with a full tile: what was said last is said until there are 256 entries.
    let last = store.log_read(store.log_len()?.saturating_sub(1), 1)?.remove(0);
    while store.log_len()? < 256 {
        store.commit(Batch::default().append(last.clone())).unwrap();
    }
    gate.checkpoint()?;

    // The year is over.
    bench.clock.advance_ms(365 * 24 * 60 * 60 * 1_000);
    gate.seal_years().map(drop)
}

/// A run that is declared over, and ends after all.
fn late(bench: &Bench, gate: &Gate, bo: &Caller, id: RequestId) -> Result<(), Error> {
    let (other, clock) = (Gate::new(bench.parts.clone()), Arc::clone(&bench.clock));
    bench.runner.meanwhile(move || {
        assert_eq!(other.tick().unwrap(), [], "it is seen for the first time");
        clock.advance_ms(other.limits().lease_ms);
        assert_eq!(other.tick().unwrap().len(), 1);
    });
    let late = gate.drive(gate.execute(bo, id)?, &Seen::default());
    assert_eq!(late.unwrap_err().code(), Code::LeaseLost);
    Ok(())
}

/// An artifact that another one needs; and one that an agent made, and a rule approved.
fn artifacts(gate: &Gate, office: &Office) -> Result<(), Error> {
    let (root, project, environment) = (&office.root, office.project, office.environment);
    let needed = office.approved_artifact(gate, 42)?.header.id;
    let leaning = NewArtifact { depends_on: [needed].into(), ..office.new_artifact(43)? };
    gate.draft_artifact(&office.ana, &leaning)?;
    gate.manage(root, &SetAutoApproveAi { project, environment, is_on: true })?;
    let workflows = vec!["artifact".parse()?, "change".parse()?];
    gate.manage(root, &SetAllowedWorkflows { project, environment, workflows })?;
    let (artifact_type, form) = ("USER_STORY".parse()?, Some(Form::parse("{}")?));
    gate.manage(root, &SetArtifactForm { project, artifact_type, form })?;
    let (email, display_name) = ("bot@example.org".parse()?, "Bot".parse()?);
    let agent = CreateUser { kind: UserKind::Agent, email, display_name };
    let user = gate.administer(root, &agent)?;
    let shop = gate.organisation(root, project)?;
    let (team, valid) = (shop.teams.first().map(|team| team.id), Interval::starting(gate.now()));
    let editor = shop.roles.iter().find(|role| role.name.as_str() == "EDITOR").map(|role| role.id);
    let (team, role) = team.zip(editor).unwrap();
    let member = TeamRole::Member;
    gate.manage(root, &AddMember { project, team, user, role: member, valid })?;
    gate.manage(root, &AssignRole { project, user, role, valid })?;
    let bot = Caller::authenticated(user);
    let id = gate.draft_artifact(&bot, &office.new_artifact(44)?)?.header.id;
    assert!(gate.submit(&bot, id)?.approved().is_some_and(|approved| approved.by_rule.is_some()));
    Ok(())
}

/// A quorum, and a rule of each kind.
fn rules(gate: &Gate, office: &Office) -> Result<(), Error> {
    let (project, environment) = (office.project, office.environment);
    let quorum = Quorum::n_of(1, None)?;
    gate.manage(&office.root, &SetQuorum { project, environment, quorum })?;
    let (position, name, when) = (1, "in dev".parse()?, Conditions::default());
    let quorum = Quorum::n_of(1, None)?;
    gate.manage(
        &office.root,
        &PutQuorumRule { project, rule: None, position, name, when, quorum },
    )?;
    let (name, when) = ("nothing odd".parse()?, Conditions::default());
    let block = Block::Finding(FindingIs::Code("scripted.look".to_owned()));
    gate.manage(&office.root, &PutBlockingRule { project, rule: None, name, when, block })?;
    Ok(())
}

fn check(gate: &Gate, ci: &Caller, header: &Header) -> Result<(), Error> {
    let (name, digest, details) = ("tests".parse()?, header.change_digest()?, "12 ran".to_owned());
    let report = CheckReport { digest, name, status: CheckStatus::Passed, details };
    gate.report_check(ci, header.id, &report).map(drop)
}

/// Threads of every kind.
fn ask(gate: &Gate, ana: &Caller, id: RequestId) -> Result<(), Error> {
    gate.open_thread(ana, id, ThreadPlace::Step(1), "is there an index?")?;
    gate.reply(ana, id, 0, "there is")?;
    gate.resolve_thread(ana, id, 0)?;
    gate.open_thread(ana, id, ThreadPlace::Request, "and who pays?")?;
    gate.open_thread(ana, id, ThreadPlace::Revision(1), "why all of them?").map(drop)
}

/// A batch that has begun, a second attempt, a promotion, and one that the gate will run.
fn rest(
    gate: &Gate,
    office: &Office,
    approved: &impl Fn(&str) -> Result<RequestId, Error>,
) -> Result<(), Error> {
    let (bo, seen, project) = (&office.bo, Seen::default(), office.project);
    let batch = change("canary")?.and_then_at(["second".parse()?], &Limits::default())?;
    let batch = gate.draft_and_submit(&office.ana, &office.request(batch))?.header;
    gate.approve(bo, batch.id, batch.change_digest()?, None)?;
    gate.drive(gate.execute(bo, batch.id)?, &seen)?;
    gate.drive(gate.rerun(bo, find(gate, office, "failed"))?, &seen)?;

    let (code, name, criticality) = ("prod".parse()?, "Production".parse()?, Criticality::Critical);
    let prod = CreateEnvironment { project, code, name, priority: 2, criticality };
    let (environment, from) = (gate.manage(&office.root, &prod)?, office.environment);
    let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: true };
    gate.manage(&office.root, &rule)?;
    let to = Promotion { environment, targets: Vec::new() };
    gate.promote(&office.ana, find(gate, office, "succeeded"), &to)?;

    let (runner, mode) = (Some("sql".parse()?), ExecutionMode::Automatic);
    let rule = SetExecution { project, environment: from, runner, mode, attempts_max: Some(2) };
    gate.manage(&office.root, &rule)?;
    let (runner, settings) = ("sql".parse()?, r#"{"rows_max":1000}"#.to_owned());
    let rule = SetRunnerSettings { project, environment, runner, settings };
    gate.manage(&office.root, &rule)?;
    approved("due").map(drop)
}

pub(super) fn gate_on(bench: &Bench) -> Gate {
    bench.runner.notes("half of it");
    Gate::new(bench.parts.clone())
}

/// A change whose target has the title's name.
fn change(title: &str) -> Result<Change, Error> {
    let target: Slug = title.replace(' ', "-").parse()?;
    Change::new("sql".parse()?, target, "\"a change\"", &Limits::default())
}

fn draft(gate: &Gate, office: &Office, title: &str) -> Result<RequestId, Error> {
    let mut new = office.request(change(title)?);
    title.clone_into(&mut new.title);
    gate.draft(&office.ana, &new).map(|request| request.header.id)
}

/// The first request with that title.
pub(super) fn find(gate: &Gate, office: &Office, title: &str) -> RequestId {
    let all = gate.requests(&office.ana, office.project, None).unwrap().items;
    all.into_iter().find(|request| request.title == title).unwrap().id
}

/// What plugins may reach, said in each way; the host's own word for `sql` comes with the first plan.
fn grants(gate: &Gate, office: &Office) -> Result<(), Error> {
    let (runner, digest) = ("mail".parse()?, Some(Digest::of(b"mail 1")));
    let capabilities = ["http".parse()?].into();
    let granted = GrantPlugin { runner, digest, capabilities, dry_run: false };
    gate.administer(&office.root, &granted)?;
    gate.administer(&office.root, &RevokePluginGrant { runner: "shell".parse()? })
}

/// Commands that need approval themselves, of the project and of the platform, and one that was carried out.
fn govern(gate: &Gate, office: &Office) -> Result<(), Error> {
    office.let_all_manage(gate)?;
    let (project, module, environment) = (office.project, office.module, office.environment);
    let commands = CommandKind::RIGHTS.iter().copied().collect();
    gate.manage(&office.root, &SetGovernance { project, module, environment, commands })?;
    let grant = GrantGlobalRole { user: office.ana.user(), role: GlobalRole::PlatformAdmin };
    gate.administer(&office.root, &grant)?;
    let grant = GrantGlobalRole { user: office.bo.user(), role: GlobalRole::PlatformAdmin };
    gate.administer(&office.root, &grant)?;
    let commands = [CommandKind::RevokeGlobalRole].into();
    let platform = SetPlatformGovernance { project, module, environment, commands };
    gate.administer(&office.root, &platform)?;
    let revoke = RevokeGlobalRole { user: office.root.user(), role: GlobalRole::PlatformAdmin };
    gate.propose(&office.ana, &OrgCommand::from(revoke), "proposed")?;
    let quorum = SetQuorum { project, environment, quorum: Quorum::n_of(1, None)? };
    let id = gate.propose(&office.ana, &OrgCommand::from(quorum), "carried out")?.header.id;
    let asked = gate.submit(&office.ana, id)?.header;
    gate.approve(&office.bo, id, asked.change_digest()?, None)?;
    gate.drive(gate.execute(&office.bo, id)?, &Seen::default()).map(drop)
}
