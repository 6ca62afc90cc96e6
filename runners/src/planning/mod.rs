//! What the host adds to a plan, by its own look at the text and at the target and not by what the plugin says: what
//! the steps do, what they rest on, how many rows they may touch, and whether anybody can put back what they change.

mod reading; // what each step does
mod basis; // what it rests on
mod look; // a session of the host's own
mod keeping; // what can be put back
mod rows; // how many rows
mod calls; // plans of calls to other systems
mod rollback; // what would take a plan back

use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{Finding, Level, Plan};

pub(crate) use basis::objects;

use crate::bindings::types;
use crate::convert::{bounded, plan_from};
use crate::mode::Mode;
use crate::review;
use crate::state::{Reach, State};
use look::Look;

/// The most queries of one plan: what each answers is kept open until all are answered.
const QUERIES_MAX: usize = 100;

/// The plan as people see it, from what the plugin planned.
pub(crate) fn complete(
    state: &mut State,
    mut planned: types::ChangePlan,
    target: &Slug,
) -> Result<Plan, Error> {
    // A transaction that the plugin left open would be in the way.
    state.end_handles();
    let tried = core::mem::take(&mut state.ledger.tried);
    let kept_rows_max = state.limits.kept_rows_max;
    let Some(reach) = &state.reach else {
        return Err(Error::new(Code::Internal, "a plan was made that reaches nothing"));
    };
    if reach.target.is_deploy() {
        return calls::complete(planned, target, (reach, &state.limits));
    }
    let undoing = core::mem::take(&mut planned.rollback).unwrap_or_default();
    let mut plan = plan_from(planned, target, &reach.connections, &state.limits)?;
    plan.findings.extend(rollback::of_statements(&undoing));
    reading::reread(&mut plan, reach.target.dialect(), &tried);
    for step in &mut plan.steps {
        // The host says below of which steps it knows better.
        step.reversible = step.kind == "read";
    }
    let mut found = reverted(&mut plan, reach)?;
    if !plan.steps.is_empty() && plan.findings.iter().all(|finding| finding.level < Level::Error) {
        let mut look = Look::at(reach)?;
        let named: Vec<_> = plan
            .steps
            .iter()
            .map(|step| (step.kind.as_str(), step.body.as_str(), &*step.impact.objects))
            .collect();
        if let Some(objects) = objects(&named) {
            plan.basis = look.digest(&objects)?;
            found.extend(no_basis(&plan));
        }
        found.extend(rows::estimate(&mut look, &mut plan, reach)?);
        found.extend(keeping::judge(&mut look, &mut plan, reach, kept_rows_max)?);
    }
    found.extend(unanswered(&plan, reach));
    if let Some(script) = reach.asked.script() {
        let dialect = reach.target.dialect();
        let reviewers = reach.reviewers.iter();
        found.extend(reviewers.flat_map(|reviewer| reviewer.review(dialect, script)));
    }
    let suppressions = reach.asked.suppressions();
    let tuned = found
        .into_iter()
        .filter_map(|finding| review::tuned(finding, &reach.settings, suppressions));
    plan.findings.extend(tuned);
    bounded(&mut plan.findings);
    Ok(plan)
}

/// A revert is what the target said that it is, and nothing besides.
fn reverted(plan: &mut Plan, reach: &Reach) -> Result<Vec<Finding>, Error> {
    let Some(of) = reach.asked.revert else { return Ok(Vec::new()) };
    let inverse = reach.inverse.as_deref().unwrap_or_default();
    if !plan.steps.iter().map(|step| &step.body).eq(inverse) || inverse.is_empty() {
        let message = "the plugin planned something else than what puts the attempt back";
        return Err(Error::new(Code::RunnerFault, message)
            .with_help("use another build of the plugin, and tell its author"));
    }
    plan.steps.iter_mut().for_each(reading::as_revert);
    let message = format!(
        "it puts back what attempt {} at revision {} of `{}` changed; each statement changes one row, and only while \
         that row is as the attempt left it",
        of.attempt, of.revision, of.request
    );
    let finding = Finding::new(Level::Info, "sql.revert".to_owned(), message);
    // A second person agrees, whatever a rule says.
    Ok(vec![Finding { needs_person: true, ..finding }])
}

/// Where the target does not tell how its tables are made, nobody notices that they changed after the plan.
fn no_basis(plan: &Plan) -> Option<Finding> {
    if plan.basis.is_some() || plan.steps.iter().all(|step| step.kind == "read") {
        return None;
    }
    let message = "this target does not tell how its tables are made: what changes there after the plan goes unnoticed";
    let finding = Finding::new(Level::Warning, "sql.no_basis".to_owned(), message.to_owned());
    let help = "run it soon after it was planned, or use a driver that tells";
    Some(Finding { help: Some(help.to_owned()), ..finding })
}

/// A query whose answer nobody keeps is of no use to anybody, and too many of them are a report.
fn unanswered(plan: &Plan, reach: &Reach) -> Option<Finding> {
    if plan.steps.is_empty() || Mode::of(plan, &reach.asked) != Mode::Answers {
        return None;
    }
    let (code, message, help) = if reach.results.is_none() {
        let help = "give the host a place for the results of queries, or ask for a change";
        ("sql.no_results", "this host keeps no answers of queries".to_owned(), help)
    } else if plan.steps.len() > QUERIES_MAX {
        let message = format!("one request asks at most {QUERIES_MAX} queries");
        ("sql.too_many_queries", message, "split them into several requests")
    } else {
        return None;
    };
    let finding = Finding::new(Level::Error, code.to_owned(), message);
    Some(Finding { help: Some(help.to_owned()), ..finding })
}
