//! Plans whose steps are calls to other systems. What a call does is not in its text, so the host takes each for grave; a
//! plan that holds anything but calls is refused.

use placet_core::error::{Code, Error};
use placet_core::id::RunId;
use placet_core::org::Slug;
use placet_core::runner::{Effect, Finding, Impact, Level, Lock, Plan, Risk, Step};
use placet_exchange::Exchange;
use placet_target_deploy::DeployTarget;

use crate::bindings::types;
use crate::convert::{bounded, clean, plan_from};
use crate::limits::RunnerLimits;
use crate::link::request;
use crate::state::Reach;

use super::rollback;

/// The most steps of one plan: a run notes 64 KiB at most, and each step takes several notes of plugin and host.
pub(super) const STEPS_MAX: usize = 25;

/// The plan as people see it.
pub(super) fn complete(
    mut planned: types::ChangePlan,
    target: &Slug,
    (reach, limits): (&Reach, &RunnerLimits),
) -> Result<Plan, Error> {
    let undoing = core::mem::take(&mut planned.rollback).unwrap_or_default();
    let mut plan = plan_from(planned, target, &reach.connections, limits)?;
    let count = plan.steps.len();
    if count > STEPS_MAX {
        let message = format!("the plan has {count} calls, and a run makes at most {STEPS_MAX}");
        return Err(Error::new(Code::LimitReached, message)
            .with_help("split the change into several requests"));
    }
    let targets = reach.target.deploy()?;
    let (is_reversible, told) = rollback::of_calls(&undoing, targets)?;
    for step in &mut plan.steps {
        let call = call_of(&step.id, &step.body)?;
        grave(step, is_reversible);
        plan.findings.extend(not_allowed(targets, step, &call));
    }
    plan.findings.extend(told);
    bounded(&mut plan.findings);
    Ok(plan)
}

pub(super) fn call_of(id: &str, body: &str) -> Result<Exchange, Error> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    // There is no run yet. Its name is as long as each, for limits count it.
    let some_run = RunId::from_u128(0).to_string();
    let call = Exchange::parse(body).and_then(|call| call.filled(&some_run));
    let why = match call {
        Ok(call) if is_plain => return Ok(call),
        // It is a part of the key by which the other system knows the call again.
        Ok(_) => format!("the id `{}` of a step is not of visible letters", clean(id)),
        Err(refused) => format!("step `{}`: {refused}", clean(id)),
    };
    Err(Error::new(Code::RunnerFault, format!("the plugin planned what is no call: {why}"))
        .with_help("use another build of the plugin, and tell its author"))
}

fn grave(step: &mut Step, is_reversible: bool) {
    "deploy".clone_into(&mut step.kind);
    step.risk = step.risk.max(Risk::High);
    step.effect = Effect::AtMostOnce;
    step.estimated_rows = None;
    step.reversible = is_reversible;
    let objects = core::mem::take(&mut step.impact.objects);
    step.impact = Impact { lock: Lock::None, rewrites: false, objects };
}

/// What the target would refuse is told before anybody agrees to it: in the run, the steps before it took effect already.
fn not_allowed(target: &DeployTarget, step: &Step, call: &Exchange) -> Option<Finding> {
    let why = refused_by(target, call)?;
    let help = "have an operator allow it at the target, or correct the environment's settings";
    let finding = Finding::new(Level::Error, "deploy.not_allowed".to_owned(), why);
    Some(Finding { step: Some(step.id.clone()), help: Some(help.to_owned()), ..finding })
}

/// Why the target would refuse a call, where it is known before.
pub(super) fn refused_by(target: &DeployTarget, call: &Exchange) -> Option<String> {
    match call {
        Exchange::Http(call) => {
            let name = clean(&call.endpoint);
            let Some(endpoint) = target.endpoint(&call.endpoint) else {
                return Some(format!("the target has no endpoint `{name}`"));
            };
            let refused = endpoint.check(&request(call)).err()?;
            Some(format!("the endpoint `{name}` refuses it: {}", told(&refused)))
        }
        Exchange::Command(call) => {
            let name = clean(&call.name);
            let Some(command) = target.command(&call.name) else {
                return Some(format!("the target has no command `{name}`"));
            };
            let refused = command.check(&call.arguments, &call.stdin).err()?;
            Some(format!("the command `{name}` refuses it: {}", told(&refused)))
        }
    }
}

fn told(refused: &impl core::fmt::Display) -> String {
    clean(&refused.to_string())
}
