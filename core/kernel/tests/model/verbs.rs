//! Every public verb of the gate, in a form in which anybody can call it about the one request. A verb that is called in
//! several ways has a line for each: `name:way`.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{AuditQuery, DeepOptions, Ed25519Signer, EventFormat};
use placet_core::authz::{Action, Paging, Question, Scope};
use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::gate::{CheckReport, Erasure, Finding, Gate, Promotion};
use placet_core::org::UserKind;
use placet_core::org::command::{
    CreateTeam, CreateUser, GrantPlugin, OrgCommand, RenameProject, RevokePluginGrant, UpdateModule,
};
use placet_core::request::{ArtifactName, CheckStatus, RevisionRef, ThreadPlace};
use placet_core::runner::{Failure, Outcome, Report};
use placet_core::testing::{MemoryHeads, ScriptedAuthorizer, Seen};

use super::rules::Who;
use super::stage::Stage;

/// One way to call a verb.
#[derive(Debug)]
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// Whether the model moves the request by it. Such verbs are tried in every situation, the others in one of each
    /// state.
    pub(crate) moves: bool,
    pub(crate) call: fn(&Stage, &Who) -> Result<(), Error>,
}

/// Verbs that take no caller: it is the same whoever stands there.
const WITHOUT_CALLER: &[&str] = &[
    "tick",
    "recover",
    "renew",
    "erase_expired",
    "bootstrap",
    "lift_governance",
    "prepare_policies",
    "recover_policies",
    "policy_set",
    "index",
    "limits",
    "now",
    "steady_ms",
    "disagreements",
    "new",
    "wait_for_log",
    "refresh",
    "index_log",
    "check_log_index",
    "rebuild_log_index",
    "checkpoint",
    "verifier_key",
    "origin",
    "prove",
    "prove_consistency",
    "log_key",
    "check_key",
    "seal_years",
    "run_due",
    "anchor",
    "compare_with",
];

impl Verb {
    /// Who calls it: in `all` situations everybody; else those who have a right that a request's way depends on.
    pub(crate) fn callers(&self, all: bool) -> &'static [Who] {
        if WITHOUT_CALLER.contains(&self.name) {
            &[Who::Ana]
        } else if all {
            Who::ALL
        } else {
            Who::WITH_A_PART
        }
    }
}

macro_rules! verbs {
    (moves { $($move:literal: $act:expr;)* } stays { $($stay:literal: $look:expr;)* }) => {
        pub(crate) const VERBS: &[Verb] = &[
            $(Verb { name: $move, moves: true, call: |s, who| $act(s, *who).map(drop) },)*
            $(Verb { name: $stay, moves: false, call: |s, who| $look(s, *who).map(drop) },)*
        ];
    };
}

/// Gives a closure of the table its types.
fn call<T>(act: fn(&Stage, Who) -> Result<T, Error>) -> fn(&Stage, Who) -> Result<T, Error> {
    act
}

verbs! {
    moves {
        "edit": call(|s, by| s.gate.edit(&s.caller(by), s.id(), "again", &s.change("\"again\"")?));
        "plan": call(|s, by| s.gate.plan(&s.caller(by), s.id()));
        "submit": call(|s, by| s.gate.submit(&s.caller(by), s.id()));
        "approve": call(|s, by| s.gate.approve(&s.caller(by), s.id(), digest(s), None));
        "approve:stale": call(|s, by| s.gate.approve(&s.caller(by), s.id(), Digest::of(b"older"), None));
        "reject": call(|s, by| s.gate.reject(&s.caller(by), s.id(), "no"));
        "request_changes": call(|s, by| s.gate.request_changes(&s.caller(by), s.id(), "not so"));
        "cancel": call(|s, by| s.gate.cancel(&s.caller(by), s.id(), None));
        "execute": call(|s, by| s.gate.execute(&s.caller(by), s.id()).map(|it| s.keep(it.lease())));
        "drive": call(|s, by| driven(s, by, Outcome::Succeeded(Report::default())));
        "drive:failed": call(|s, by| driven(s, by, Outcome::Failed(Failure::new("sql.1", "no"))));
        "drive:unknown": call(|s, by| driven(s, by, unknown()));
        "rerun": call(|s, by| s.gate.rerun(&s.caller(by), s.id()).map(|it| s.keep(it.lease())));
        "withdraw": call(|s, by| s.gate.withdraw(&s.caller(by), s.id(), None));
        "stop": call(|s, by| s.gate.stop(&s.caller(by), s.id()));
        "verify": call(|s, by| {
            s.reads(Outcome::Succeeded(Report::default()));
            s.gate.verify(&s.caller(by), s.id())
        });
        "reconcile": call(|s, by| {
            s.reads(unknown());
            s.gate.reconcile(&s.caller(by), s.id(), Finding::NothingDone, "looked at it")
        });
        "tick": call(|s, _| {
            s.gate.tick()?;
            s.wait_ms(s.gate.limits().lease_ms);
            s.gate.tick()
        });
        "recover": call(|s, _| s.restarted().recover());
    }
    stays {
        // Other requests.
        "draft": call(|s, by| s.gate.draft(&s.caller(by), &s.office().request(s.office().change("1")?)));
        "draft_and_submit": call(|s, by| {
            s.gate.draft_and_submit(&s.caller(by), &s.office().request(s.office().change("2")?))
        });
        "propose": call(|s, by| s.gate.propose(&s.caller(by), &OrgCommand::from(team(s)?), "a team"));
        "draft_in": call(|s, by| {
            let new = s.office().request(s.office().change("3")?);
            s.gate.draft_in(&s.caller(by), &new, &"change".parse()?)
        });
        "draft_artifact": call(|s, by| {
            s.gate.draft_artifact(&s.caller(by), &s.office().new_artifact(1)?)
        });
        "promote": call(|s, by| {
            let to = Promotion { environment: s.office().environment, targets: Vec::new() };
            s.gate.promote(&s.caller(by), s.id(), &to)
        });
        // Ways that `change` does not have, and what starts by itself only where that was asked for.
        "reopen": call(|s, by| s.gate.reopen(&s.caller(by), s.id(), None));
        "delete": call(|s, by| s.gate.delete(&s.caller(by), s.id(), None));
        "revert": call(|s, by| s.gate.revert(&s.caller(by), s.id(), None));
        "restore": call(|s, by| s.gate.restore(&s.caller(by), s.id(), None));
        "new_version": call(|s, by| s.gate.new_version(&s.caller(by), s.id()));
        "advance": call(|s, by| {
            s.gate.advance(&s.caller(by), s.id(), &"APPROVE".parse()?, Some("so be it"))
        });
        "run_due": call(|s, _| s.gate.run_due());
        // Said about it.
        "report_check": call(|s, by| {
            let (name, details) = ("tests".parse()?, "12 ran".to_owned());
            let report =
                CheckReport { digest: digest(s), name, status: CheckStatus::Passed, details };
            s.gate.report_check(&s.caller(by), s.id(), &report)
        });
        "comment": call(|s, by| s.gate.comment(&s.caller(by), s.id(), "soon"));
        "open_thread": call(|s, by| {
            s.gate.open_thread(&s.caller(by), s.id(), ThreadPlace::Request, "who pays?")
        });
        "reply": call(|s, by| s.gate.reply(&s.caller(by), s.id(), 0, "the shop"));
        "resolve_thread": call(|s, by| s.gate.resolve_thread(&s.caller(by), s.id(), 0));
        "reopen_thread": call(|s, by| s.gate.reopen_thread(&s.caller(by), s.id(), 0));
        "threads": call(|s, by| s.gate.threads(&s.caller(by), s.id(), None));
        "posts": call(|s, by| s.gate.posts(&s.caller(by), s.id(), 0));
        "erase": call(|s, by| {
            s.gate.erase(&s.caller(by), Erasure::Comment { request: s.id(), number: 0 })
        });
        "erase_expired": call(|s, _| s.gate.erase_expired(|_| Ok(())));
        // The run's lease, while it runs and afterwards: only a ticket gives its key.
        "renew": call(|s, _| s.lease().map_or(Ok(()), |key| s.gate.renew(key).map(drop)));
        // The organisation.
        "bootstrap": call(|s, _| s.gate.bootstrap(&user()?));
        "manage": call(|s, by| {
            let (project, module) = (s.office().project, s.office().module);
            s.gate.manage(&s.caller(by), &UpdateModule { project, module, name: "Pagos".parse()? })
        });
        "administer": call(|s, by| {
            let project = s.office().project;
            s.gate.administer(&s.caller(by), &RenameProject { project, name: "Shop".parse()? })
        });
        "administer:grant_plugin": call(|s, by| {
            let (runner, capabilities) = ("mail".parse()?, ["http".parse()?].into());
            let grant = GrantPlugin { runner, digest: None, capabilities, dry_run: false };
            s.gate.administer(&s.caller(by), &grant)
        });
        "administer:revoke_plugin_grant": call(|s, by| {
            s.gate.administer(&s.caller(by), &RevokePluginGrant { runner: "mail".parse()? })
        });
        "plugin_grants": call(|s, by| s.gate.plugin_grants(&s.caller(by)));
        "organisation": call(|s, by| s.gate.organisation(&s.caller(by), s.office().project));
        "platform_governance": call(|s, by| s.gate.platform_governance(&s.caller(by)));
        "lift_governance": call(|s, _| s.gate.lift_governance(Some(s.office().project)));
        "users": call(|s, by| s.gate.users(&s.caller(by), None));
        "global_roles": call(|s, by| s.gate.global_roles(&s.caller(by)));
        "record_login": call(|s, by| s.gate.record_login(&s.caller(by)));
        // Policies.
        "prepare_policies": call(|s, _| {
            Ok(s.gate.prepare_policies(Arc::new(ScriptedAuthorizer::agreeing())))
        });
        "adopt_policies": call(|s, by| s.gate.adopt_policies(&s.caller(by), s.gate.policy_set()?));
        "recover_policies": call(|s, _| s.gate.recover_policies(s.gate.policy_set()?));
        "policy_set": call(|s, _| s.gate.policy_set());
        // Questions about rights.
        "can": call(|s, by| Ok(s.gate.can(s.user(by), &Action::APPROVE, place(s))));
        "authorize": call(|s, by| Ok(s.gate.authorize(s.user(by), &Action::APPROVE, place(s))));
        "explain": call(|s, by| s.gate.explain(&s.caller(by), &question(s, by)));
        "explain_request": call(|s, by| {
            s.gate.explain_request(&s.caller(by), s.id(), s.user(by), &Action::APPROVE)
        });
        "who_can": call(|s, by| {
            s.gate.who_can(&s.caller(by), &Action::APPROVE, place(s), s.gate.now(), Paging::first(9))
        });
        "who_can_without": call(|s, by| {
            let (now, away) = (s.gate.now(), [s.user(Who::Bo)]);
            s.gate.who_can_without(&s.caller(by), &Action::APPROVE, place(s), now, &away, Paging::first(9))
        });
        "where_can": call(|s, by| {
            let (user, now) = (s.user(by), s.gate.now());
            s.gate.where_can(&s.caller(by), user, &Action::APPROVE, now, Paging::first(9))
        });
        "only_by": call(|s, by| {
            let (user, now) = (s.user(by), s.gate.now());
            s.gate.only_by(&s.caller(by), user, &Action::APPROVE, now, Paging::first(9))
        });
        "matrix": call(|s, by| s.gate.matrix(&s.caller(by), s.user(by), s.gate.now(), Paging::first(9)));
        "matrix_text": call(|s, by| s.gate.matrix_text(&s.caller(by), s.office().project));
        "check_stories": call(|s, by| s.gate.check_stories(&s.caller(by), ""));
        "index": call(|s, _| s.gate.index());
        "replay": call(|s, by| {
            s.gate.replay(&s.caller(by), &ScriptedAuthorizer::agreeing(), 0)
        });
        // Looking.
        "actions": call(|s, by| s.gate.actions(&s.caller(by), s.id()));
        "diff": call(|s, by| {
            let it = RevisionRef::present(s.id());
            s.gate.diff(&s.caller(by), it, it)
        });
        "is_approved": call(|s, by| s.gate.is_approved(&s.caller(by), &story(s)?));
        "is_request_approved": call(|s, by| s.gate.is_request_approved(&s.caller(by), s.id()));
        "check_publishable": call(|s, by| s.gate.check_publishable(&s.caller(by), &story(s)?));
        "workflows": call(|s, by| s.gate.workflows(&s.caller(by), s.office().project));
        "workflow": call(|s, by| {
            s.gate.workflow(&s.caller(by), s.office().project, &"change".parse()?, None)
        });
        "view": call(|s, by| s.gate.view(&s.caller(by), s.id()));
        "history": call(|s, by| s.gate.history(&s.caller(by), s.id()));
        "requests": call(|s, by| s.gate.requests(&s.caller(by), s.office().project, None));
        "projects": call(|s, by| s.gate.projects(&s.caller(by)));
        "limits": call(|s, _| Ok(s.gate.limits().lease_ms));
        "now": call(|s, _| Ok(s.gate.now()));
        "steady_ms": call(|s, _| Ok(s.gate.steady_ms()));
        "disagreements": call(|s, _| Ok(s.gate.disagreements()));
        "new": call(|s, _| Ok(s.copied()));
        "wait_for_log": call(|s, _| s.gate.wait_for_log(0, 0));
        "refresh": call(|s, _| s.gate.refresh());
        // The log.
        "trail": call(|s, by| s.gate.trail(&s.caller(by), s.id()));
        "audit": call(|s, by| s.gate.audit(&s.caller(by), 0));
        "query_audit": call(|s, by| {
            s.gate.query_audit(&s.caller(by), &AuditQuery::default(), None, 5)
        });
        "export_events": call(|s, by| {
            s.gate.export_events(&s.caller(by), &EventFormat::Cef, None, |_event| Ok(()))
        });
        "evidence": call(|s, by| s.gate.evidence(&s.caller(by), s.id(), |_path, _bytes| Ok(())));
        "export": call(|s, by| s.gate.export(&s.caller(by), |_path, _bytes| Ok(())));
        "export_to": call(|s, by| s.gate.export_to(&s.caller(by), &mut BTreeMap::new()));
        "verify_deep": call(|s, by| {
            s.gate.verify_deep(&s.caller(by), &DeepOptions::default(), |_| Ok(()))
        });
        "index_log": call(|s, _| s.gate.index_log(|_done, _total| Ok(())));
        "check_log_index": call(|s, _| s.gate.check_log_index(|_done, _total| Ok(())));
        "rebuild_log_index": call(|s, _| s.gate.rebuild_log_index(|_done, _total| Ok(())));
        "checkpoint": call(|s, _| s.gate.checkpoint());
        "verifier_key": call(|s, _| Ok(s.gate.verifier_key().to_string()));
        "origin": call(|s, _| Ok(s.gate.origin().to_owned()));
        "prove": call(|s, _| s.gate.prove(0));
        "prove_consistency": call(|s, _| s.gate.prove_consistency(1));
        "log_key": call(|s, _| s.gate.log_key());
        "check_key": call(|s, _| s.gate.check_key());
        "rotate_key": call(|s, by| {
            let next = Ed25519Signer::from_seed("placet.test/log", &[9; 32])?;
            if by == Who::Root {
                // This gate would sign nothing afterwards.
                return s.copied().gate.rotate_key(&s.caller(by), &next);
            }
            s.gate.rotate_key(&s.caller(by), &next)
        });
        "seal_years": call(|s, _| s.gate.seal_years());
        "years": call(|s, by| s.gate.years(&s.caller(by)));
        "export_year": call(|s, by| s.gate.export_year(&s.caller(by), 2026, &mut BTreeMap::new()));
        "anchor": call(|s, _| s.gate.anchor(&MemoryHeads::default()));
        "compare_with": call(|s, _| s.gate.compare_with(&MemoryHeads::default()));
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown(Failure::new("timeout", "the line went dead"))
}

/// What an approver sees now.
fn digest(s: &Stage) -> Digest {
    s.view().digest.unwrap_or_else(|| Digest::of(b"no plan"))
}

fn driven(s: &Stage, by: Who, outcome: Outcome) -> Result<(), Error> {
    let ticket = s.gate.execute(&s.caller(by), s.id())?;
    s.keep(ticket.lease());
    s.ends_with(outcome);
    s.gate.drive(ticket, &Seen::default()).map(drop)
}

fn place(s: &Stage) -> Scope {
    Scope::module(s.office().project, s.office().module, s.office().environment)
}

fn question(s: &Stage, by: Who) -> Question {
    Question { user: s.user(by), action: Action::APPROVE, scope: place(s), at: Gate::now(&s.gate) }
}

fn team(s: &Stage) -> Result<CreateTeam, Error> {
    Ok(CreateTeam { project: s.office().project, name: "Storage".parse()? })
}

/// The name of an artifact.
fn story(s: &Stage) -> Result<ArtifactName, Error> {
    ArtifactName::new(s.office().project, "USER_STORY".parse()?, 1)
}

fn user() -> Result<CreateUser, Error> {
    let (email, display_name) = ("first@example.org".parse()?, "First".parse()?);
    Ok(CreateUser { kind: UserKind::Person, email, display_name })
}
