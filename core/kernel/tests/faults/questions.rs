//! What is asked of the gate, and what a host does by itself, by word.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{DeepOptions, Ed25519Signer};
use placet_core::authz::{Action, Paging, Scope};
use placet_core::error::Error;
use placet_core::gate::{Erasure, Gate};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AllowRole, CommandKind, CreatePermission, CreateTeam, GrantPlugin, OrgCommand, RetentionClass,
    RevokePluginGrant, SetGovernance, SetRetention,
};
use placet_core::testing::{MemoryHeads, ScriptedAuthorizer};

use super::stage::Stage;

/// The words, each with the one verb that it calls. Whatever it answers is not kept.
pub(super) fn ask(stage: &Stage, verb: &str, by: &Caller, what: &str) -> Option<Result<(), Error>> {
    let answer = about_rights(stage, verb, by).or_else(|| about_the_log(stage, verb, by));
    answer.or_else(|| about_all(stage, verb, by, what))
}

fn about_rights(stage: &Stage, verb: &str, by: &Caller) -> Option<Result<(), Error>> {
    let (gate, approve, now) = (stage.gate(), Action::APPROVE, stage.eye.now());
    let (user, project) = (by.user(), stage.project());
    let (place, page) = (Scope::project(project), Paging::first(9));
    Some(match verb {
        "who-can" => gate.who_can(by, &approve, place, now, page).map(drop),
        "where-can" => gate.where_can(by, user, &approve, now, Paging::first(9)).map(drop),
        "only-by" => gate.only_by(by, user, &approve, now, Paging::first(9)).map(drop),
        "matrix-text" => gate.matrix_text(by, project).map(drop),
        "check-stories" => gate.check_stories(by, "").map(drop),
        "global-roles" => gate.global_roles(by).map(drop),
        "platform-governance" => gate.platform_governance(by).map(drop),
        "plugin-grants" => gate.plugin_grants(by).map(drop),
        "workflows" => gate.workflows(by, project).map(drop),
        "workflow-of" => gate.workflow(by, project, &"change".parse().unwrap(), None).map(drop),
        "policy-set" => gate.policy_set().map(drop),
        "rights-index" => gate.index().map(drop),
        "replay" => gate.replay(by, &ScriptedAuthorizer::agreeing(), 0).map(drop),
        _ => return None,
    })
}

fn about_the_log(stage: &Stage, verb: &str, by: &Caller) -> Option<Result<(), Error>> {
    let gate = stage.gate();
    Some(match verb {
        "refresh" => gate.refresh().map(drop),
        "wait-for-log" => gate.wait_for_log(0, 0).map(drop),
        "export-log" => gate.export(by, |_path, _bytes| Ok(())),
        "export-to" => gate.export_to(by, &mut BTreeMap::new()),
        "verify-deep" => gate.verify_deep(by, &DeepOptions::default(), |_| Ok(())).map(drop),
        "index-log" => gate.index_log(|_done, _total| Ok(())).map(drop),
        "check-log-index" => gate.check_log_index(|_done, _total| Ok(())).map(drop),
        "rebuild-log-index" => gate.rebuild_log_index(|_done, _total| Ok(())).map(drop),
        "prove-consistency" => gate.prove_consistency(1).map(drop),
        "log-key" => gate.log_key().map(drop),
        "check-key" => gate.check_key(),
        "rotate-key" => {
            let next = Ed25519Signer::from_seed("placet.test/log", &[9; 32]).unwrap();
            gate.rotate_key(by, &next)
        }
        "seal-years" => gate.seal_years().map(drop),
        "years" => gate.years(by).map(drop),
        "export-year" => gate.export_year(by, 2026, &mut BTreeMap::new()),
        "anchor" => gate.anchor(&MemoryHeads::default()).map(drop),
        "compare" => gate.compare_with(&MemoryHeads::default()).map(drop),
        _ => return None,
    })
}

/// What changes something that is not one request.
fn about_all(stage: &Stage, verb: &str, by: &Caller, what: &str) -> Option<Result<(), Error>> {
    let (gate, project) = (stage.gate(), stage.project());
    Some(match verb {
        "evidence" => {
            let id = stage.request(what).header.id;
            gate.evidence(by, id, |_path, _bytes| Ok(()))
        }
        "erase" => {
            let comment = Erasure::Comment { request: stage.request(what).header.id, number: 1 };
            gate.erase(by, comment).map(drop)
        }
        "keep-nothing" => {
            let (class, keep_days) = (RetentionClass::Comment, Some(0));
            gate.administer(by, &SetRetention { class, keep_days })
        }
        "grant-plugin" => {
            let (runner, capabilities) = (what.parse().unwrap(), ["http".parse().unwrap()].into());
            gate.administer(by, &GrantPlugin { runner, digest: None, capabilities, dry_run: true })
        }
        "revoke-plugin" => {
            gate.administer(by, &RevokePluginGrant { runner: what.parse().unwrap() })
        }
        "erase-expired" => gate.erase_expired(|_| Ok(())).map(drop),
        "adopt" => adopt(&gate, |digest| gate.adopt_policies(by, digest)),
        "recover-policies" => adopt(&gate, |digest| gate.recover_policies(digest)),
        "let-manage" => let_manage(stage, &gate, by),
        "govern" => {
            let shop = stage.organisation();
            let (module, environment) = (shop.modules[0].id, stage.environment("dev"));
            let commands = [CommandKind::CreateTeam].into_iter().collect();
            gate.manage(by, &SetGovernance { project, module, environment, commands })
        }
        "propose" => {
            let team = CreateTeam { project, name: "Storage".parse().unwrap() };
            gate.propose(by, &OrgCommand::from(team), what).map(drop)
        }
        "lift" => gate.lift_governance(Some(project)),
        _ => return None,
    })
}

/// Prepares the set that decides, and lets it decide.
fn adopt(
    gate: &Gate,
    done: impl FnOnce(placet_core::digest::Digest) -> Result<(), Error>,
) -> Result<(), Error> {
    done(gate.prepare_policies(Arc::new(ScriptedAuthorizer::agreeing())))
}

/// Lets whoever holds the first two roles manage the project, each by a permission of its own.
fn let_manage(stage: &Stage, gate: &Gate, by: &Caller) -> Result<(), Error> {
    let (project, module, environment) = (stage.project(), None, None);
    let command = CreatePermission { project, module, environment, action: Action::MANAGE };
    let permission = gate.manage(by, &command)?;
    stage
        .organisation()
        .roles
        .iter()
        .try_for_each(|role| gate.manage(by, &AllowRole { project, role: role.id, permission }))
}
