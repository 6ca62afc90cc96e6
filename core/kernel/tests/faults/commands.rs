//! Commands about a project, by word.

use placet_core::authz::Action;
use placet_core::error::Error;
use placet_core::id::RuleId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, ApplyRoleTemplate, AssignModule, AssignRole, CreateEnvironment,
    CreateModule, CreatePermission, CreateRole, CreateTeam, EndGrant, PutBlockingRule,
    PutQuorumRule, RemoveRule, RetireWorkflow, RoleTemplate, SetAllowedWorkflows, SetArtifactForm,
    SetAutoApproveAi, SetExecution, SetPromotion, SetQuorum, SetRunnerSettings, SetWorkflow,
};
use placet_core::org::{Block, Conditions, Criticality, ExecutionMode, Interval, TeamRole};
use placet_core::request::Quorum;
use placet_core::workflow::Form;

use super::stage::Stage;
use crate::workflows::stories::two_looks;

/// Commands about a project that has one of each kind: what they are about is whatever is there.
pub(super) fn manage(stage: &Stage, verb: &str, by: &Caller, what: &str) -> Result<(), Error> {
    let (gate, project, shop) = (stage.gate(), stage.project(), stage.organisation());
    let valid = Interval::starting(stage.eye.now());
    match verb {
        "module" => {
            let command = CreateModule { project, code: what.parse()?, name: what.parse()? };
            gate.manage(by, &command).map(drop)
        }
        "environment" => {
            let (code, name, criticality) = (what.parse()?, what.parse()?, Criticality::Low);
            let command = CreateEnvironment { project, code, name, priority: 1, criticality };
            gate.manage(by, &command).map(drop)
        }
        "team" => gate.manage(by, &CreateTeam { project, name: what.parse()? }).map(drop),
        "look-after" => {
            let (team, module) = (shop.teams[0].id, shop.modules[0].id);
            gate.manage(by, &AssignModule { project, team, module })
        }
        "role" => gate.manage(by, &CreateRole { project, name: what.parse()? }).map(drop),
        "permit" => {
            let (module, environment, action) = (None, None, what.parse()?);
            gate.manage(by, &CreatePermission { project, module, environment, action }).map(drop)
        }
        "allow" => {
            let (role, permission) = (shop.roles[0].id, shop.permissions[0].id);
            gate.manage(by, &AllowRole { project, role, permission })
        }
        "member" => {
            let (team, user, role) = (shop.teams[0].id, stage.user(what), TeamRole::Member);
            gate.manage(by, &AddMember { project, team, user, role, valid }).map(drop)
        }
        "grant" => {
            let (user, role) = (stage.user(what), shop.roles[0].id);
            gate.manage(by, &AssignRole { project, user, role, valid }).map(drop)
        }
        "template" => {
            let command = ApplyRoleTemplate { project, template: RoleTemplate::Artifact };
            gate.manage(by, &command).map(drop)
        }
        "give" => {
            let (who, name) = what.split_once('=').unwrap();
            let role = shop.roles.iter().find(|role| role.name.as_str() == name).unwrap().id;
            gate.manage(by, &AssignRole { project, user: stage.user(who), role, valid }).map(drop)
        }
        "by-rule" | "quorum" | "workflow" | "only" | "form" | "retire" | "vouch" | "rule"
        | "block" | "unrule" | "promotion" | "automatic" | "settings" => {
            set_rule(stage, verb, by, what)
        }
        _ => {
            // Every right of one person. Those that ended already, where this is said again, stay.
            let (user, now) = (stage.user(what), stage.eye.now());
            let held = shop.grants.iter().filter(|grant| grant.user_id == user);
            held.filter(|grant| grant.valid.contains(now)).try_for_each(|grant| {
                gate.manage(by, &EndGrant { project, grant: grant.id, at: None })
            })
        }
    }
}

/// Commands that say how changes are reviewed and run.
fn set_rule(stage: &Stage, verb: &str, by: &Caller, what: &str) -> Result<(), Error> {
    let (gate, project, shop) = (stage.gate(), stage.project(), stage.organisation());
    match verb {
        "by-rule" => {
            let environment = shop.environments[0].id;
            gate.manage(by, &SetAutoApproveAi { project, environment, is_on: true })
        }
        "quorum" => {
            let quorum = Quorum::n_of(1, Some(shop.roles[0].id))?;
            let environment = shop.environments[0].id;
            gate.manage(by, &SetQuorum { project, environment, quorum })
        }
        "workflow" => {
            let definition = two_looks(what);
            gate.manage(by, &SetWorkflow { project, definition }).map(drop)
        }
        "only" => {
            let (environment, workflows) = (shop.environments[0].id, vec![what.parse()?]);
            gate.manage(by, &SetAllowedWorkflows { project, environment, workflows })
        }
        "form" => {
            let (artifact_type, form) = (what.parse()?, Some(Form::parse("{}")?));
            gate.manage(by, &SetArtifactForm { project, artifact_type, form })
        }
        "retire" => gate.manage(by, &RetireWorkflow { project, name: what.parse()? }),
        "vouch" => {
            let (module, environment, action) = (None, None, Action::CHECK);
            let command = CreatePermission { project, module, environment, action };
            let (role, permission) = (shop.roles[0].id, gate.manage(by, &command)?);
            gate.manage(by, &AllowRole { project, role, permission })
        }
        "rule" => {
            let (name, when) = (what.parse()?, Conditions::default());
            let quorum = Quorum::n_of(1, Some(shop.roles[0].id))?;
            let command = PutQuorumRule { project, rule: None, position: 1, name, when, quorum };
            gate.manage(by, &command).map(drop)
        }
        "block" => {
            // The check of that name must have passed.
            let (name, when) = (what.parse()?, Conditions::default());
            let block = Block::Check(what.parse()?);
            gate.manage(by, &PutBlockingRule { project, rule: None, name, when, block }).map(drop)
        }
        "unrule" => {
            let mut rules = shop.blocking_rules.iter().filter(|rule| rule.name.as_str() == what);
            let rule = rules.next().map_or(RuleId::from_u128(0), |rule| rule.id);
            gate.manage(by, &RemoveRule { project, rule })
        }
        "promotion" => {
            let [from, environment] = ["dev", "prod"].map(|code| stage.environment(code));
            let only_promoted = true;
            let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted };
            gate.manage(by, &rule)
        }
        "automatic" => {
            let (environment, mode) = (stage.environment("dev"), ExecutionMode::Automatic);
            let rule =
                SetExecution { project, environment, runner: None, mode, attempts_max: None };
            gate.manage(by, &rule)
        }
        "settings" => {
            let (environment, runner) = (stage.environment("dev"), "sql".parse()?);
            let settings = format!("{{\"rows_max\":{what}}}");
            gate.manage(by, &SetRunnerSettings { project, environment, runner, settings })
        }
        other => panic!("no such rule: {other}"),
    }
}
