//! A plan in the report: what would run, what it does to its target, and what an approver should have known.

use super::html::Page;
use crate::error::Error;
use crate::org::Slug;
use crate::runner::{Finding, Lock, Plan, Step};

/// The plan for one target.
pub(super) fn planned(page: &mut Page, target: &Slug, plan: &Plan) -> Result<(), Error> {
    let digest = plan.digest()?;
    let sentence = format!("What the runner says it would do at {target} (digest {digest}):");
    page.element("p", &sentence);
    let steps: Vec<_> = plan.steps.iter().map(step).collect();
    page.table(["Step", "Title", "What runs", "Risk, effect", "Impact", "Digest"], &steps);
    if let Some(basis) = plan.basis {
        page.element("p", &format!("It rests on what the target had then (digest {basis})."));
    }
    let findings: Vec<_> = plan.findings.iter().map(found).collect();
    if !findings.is_empty() {
        let head = ["Level", "Code", "What an approver should know", "Where", "What to do"];
        page.table(head, &findings);
    }
    if plan.needs_person() {
        page.element("p", "A person had to look at it: no rule could approve it alone.");
    }
    Ok(())
}

fn step(step: &Step) -> [String; 6] {
    [
        step.id.clone(),
        step.title.clone(),
        step.body.clone(),
        format!("{:?}, {:?}", step.risk, step.effect).to_lowercase(),
        impact(step),
        step.body_digest.to_string(),
    ]
}

/// What a step does to its target, a line each.
fn impact(step: &Step) -> String {
    let mut lines = vec![step.kind.clone()];
    lines.extend(step.estimated_rows.map(|rows| format!("about {rows} rows")));
    let lock = step.impact.lock;
    lines.extend((lock != Lock::None).then(|| format!("lock: {}", lock.as_str())));
    lines.extend(step.impact.rewrites.then(|| "writes a table anew".to_owned()));
    if step.changes() {
        let undone = if step.reversible { "can be undone" } else { "cannot be undone" };
        lines.push(undone.to_owned());
    }
    let objects = step.impact.objects.join(", ");
    lines.extend((!objects.is_empty()).then(|| format!("touches {objects}")));
    lines.join("\n")
}

fn found(finding: &Finding) -> [String; 5] {
    let place = [
        finding.step.as_ref().map(|step| format!("step {step}")),
        finding.line.map(|line| format!("line {line}")),
        finding.position.map(|position| format!("character {position}")),
    ];
    let person = finding.needs_person.then(|| "a person must look at it".to_owned());
    let to_do: Vec<String> = finding.help.iter().cloned().chain(person).collect();
    [
        format!("{:?}", finding.level).to_lowercase(),
        finding.code.clone(),
        finding.message.clone(),
        place.into_iter().flatten().collect::<Vec<_>>().join(", "),
        to_do.join("\n"),
    ]
}
