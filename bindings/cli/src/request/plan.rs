//! A plan, as a person reads it before they agree.

use placet::error::Error;
use placet::runner::{Finding, Level, Lock, Plan, Step};
use serde_json::{Value, json};

use crate::console::json_of;
use crate::text::{Mood, Text};

/// The steps as a table, and what was found.
pub(crate) fn tell_plan(text: &mut Text, plan: &Plan) {
    let rows: Vec<Vec<String>> = plan.steps.iter().map(row).collect();
    text.table(&["step", "kind", "risk", "rows", "impact", "touches", "what"], &rows);
    for finding in &plan.findings {
        tell_finding(text, finding);
    }
    if plan.needs_person() {
        text.said(Mood::Odd, "needs a person:", "no rule approves it alone");
    }
}

fn row(step: &Step) -> Vec<String> {
    let rows = step.estimated_rows.map_or_else(String::new, |rows| rows.to_string());
    vec![
        step.id.clone(),
        step.kind.clone(),
        step.risk.as_str().to_owned(),
        rows,
        impact(step),
        step.impact.objects.join(" "),
        step.body.clone(),
    ]
}

/// What a step does besides: its lock, whole tables, and whether there is a way back.
fn impact(step: &Step) -> String {
    let lock = step.impact.lock;
    let parts = [
        (lock != Lock::None).then(|| format!("lock {}", lock.as_str())),
        step.impact.rewrites.then(|| "table written anew".to_owned()),
        (step.kind != "read" && !step.reversible).then(|| "cannot be undone".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What was found, where, and what to do about it.
pub(crate) fn tell_finding(text: &mut Text, finding: &Finding) {
    let (mood, word) = match finding.level {
        Level::Info => (Mood::Quiet, "info"),
        Level::Warning => (Mood::Odd, "warning"),
        Level::Error => (Mood::Bad, "error"),
    };
    let place = [
        finding.step.as_ref().map(|step| format!("step {step}")),
        finding.line.map(|line| format!("line {line}")),
        finding.position.map(|position| format!("character {position}")),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
    let says = format_args!("{}{place}", finding.message);
    text.said(mood, &format!("{word}[{}]:", finding.code), says);
    if let Some(help) = &finding.help {
        text.line(format_args!("  help: {help}"));
    }
    if finding.needs_person {
        text.line("  a person must look at it");
    }
}

pub(crate) fn plan_json(plan: &Plan) -> Result<Value, Error> {
    let digest = plan.digest()?.to_string();
    Ok(json!({"plan": json_of(plan)?, "plan_digest": digest}))
}
