//! The page for people: made from leaves and records alone, so that whoever checks a bundle can make it again.

use super::html::Page;
use super::plan::planned;
use super::story::{Story, Told};
use crate::audit::{Decision, Leaf};
use crate::error::Error;
use crate::id::UserId;
use crate::org::Slug;
use crate::request::{HistoryEntry, Revision, ThreadPlace};
use crate::runner::Outcome;

/// One page that needs nothing else: no script, no font, no picture. Its print form is meant for PDF.
const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Evidence of a change request</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #999; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border: 1px solid #ccc; overflow-wrap: anywhere; }
.facts th { width: 13rem; background: #f4f4f4; } thead th { background: #f4f4f4; }
td { white-space: pre-wrap; } pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #ccc; padding: .5rem; }
.note { color: #444; }
@page { size: A4; margin: 18mm; }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 9.5pt; }
  h2 { break-after: avoid; } tr, pre { break-inside: avoid; } thead { display: table-header-group; }
}
</style>
</head>
<body>
";

/// The page that tells `story`. The same story is the same page, byte for byte.
///
/// Fails as the reading of the records does.
pub(crate) fn report(story: &Story) -> Result<String, Error> {
    let told = story.check()?;
    let mut page = Page::default();
    page.raw(HEAD);
    opening(&mut page, story, &told);
    for revision in &told.revisions {
        asked(&mut page, revision)?;
    }
    happened(&mut page, &told);
    questioned(&mut page, &told);
    decided(&mut page, story);
    ran(&mut page, &told);
    vouched(&mut page, story);
    page.raw("</body>\n</html>\n");
    Ok(page.into_text())
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "—".to_owned(), |value| value.to_string())
}

/// Who did it: an agent is told as one.
fn who(actor: Option<UserId>, by_agent: bool) -> String {
    match actor {
        Some(actor) if by_agent => format!("{actor}\nan agent"),
        Some(actor) => actor.to_string(),
        None => "the system".to_owned(),
    }
}

fn opening(page: &mut Page, story: &Story, told: &Told) {
    let header = &told.request.header;
    page.element("h1", &header.title);
    page.element(
        "p class=\"note\"",
        "What was asked for, who agreed, what ran and how it ended, from the audit log and the records that it vouches for. \
         All times are in UTC.",
    );
    let quorum = told.request.state.name();
    let author = |user: &UserId| {
        let note = if header.agents.contains(user) {
            ", an agent"
        } else if header.principals.contains(user) {
            ", for whom it was written"
        } else {
            ""
        };
        format!("{user}{note}")
    };
    page.facts(&[
        ("Request", header.id.to_string()),
        ("State", quorum.to_string()),
        ("Where", header.scope().to_string()),
        ("Asked for by", author(&header.requester)),
        ("Written by", header.editors.iter().map(author).collect::<Vec<_>>().join("\n")),
        ("Asked for at", header.created_at.to_string()),
        ("Last changed at", header.updated_at.to_string()),
        ("Revision", header.revision.to_string()),
        ("What approvals are for", or_none(header.change_digest().ok())),
        ("This page was made at", story.made_at.to_string()),
    ]);
}

fn asked(page: &mut Page, revision: &Revision) -> Result<(), Error> {
    page.element("h2", &format!("Revision {}: what is asked for", revision.revision));
    let change = &revision.change;
    page.facts(&[
        ("Author", revision.author.to_string()),
        ("Runner", change.runner.to_string()),
        (
            "Targets, in their order",
            change.targets().map(Slug::as_str).collect::<Vec<_>>().join("\n"),
        ),
        ("Digest of the payload", crate::digest::Digest::of(change.payload.as_bytes()).to_string()),
    ]);
    page.element("pre", &change.payload);
    if revision.plan.is_none() {
        page.element("p", "No plan was made of it.");
    }
    for (target, plan) in change.targets().zip(revision.plans()) {
        planned(page, target, plan)?;
    }
    Ok(())
}

fn happened(page: &mut Page, told: &Told) {
    page.element("h2", "What happened");
    let steps: Vec<_> = told
        .steps
        .iter()
        .map(|step| {
            let change = format!("{} → {}", or_none(step.from), step.to);
            let comment = step.comment.clone().unwrap_or_default();
            let thread =
                step.thread.map_or_else(String::new, |number| format!("\nthread {number}"));
            [
                step.at.to_string(),
                who(step.actor, step.by_agent),
                format!("{}{thread}", said(step)),
                change,
                step.revision.to_string(),
                comment,
            ]
        })
        .collect();
    page.table(["When", "Who", "What", "State", "Revision", "What they said"], &steps);
}

/// What was done, and what its workflow calls that: a name alone could say what did not happen.
fn said(step: &HistoryEntry) -> String {
    if step.action == step.verb {
        return step.verb.clone();
    }
    format!("{} ({})", step.verb, step.action)
}

fn questioned(page: &mut Page, told: &Told) {
    if told.threads.is_empty() {
        return;
    }
    page.element("h2", "What was asked on the way");
    let rows: Vec<_> = told
        .threads
        .iter()
        .map(|thread| {
            let about = match thread.place {
                ThreadPlace::Request => "the request".to_owned(),
                ThreadPlace::Revision(number) => format!("revision {number}"),
                ThreadPlace::Step(number) => {
                    format!("step {number} of the plan of revision {}", thread.revision)
                }
            };
            let resolved = thread.resolution.map_or_else(
                || "it is open".to_owned(),
                |done| format!("resolved at {} by {}", done.at, done.by),
            );
            let opened = format!("{} by {}", thread.opened_at, thread.opened_by);
            [thread.number.to_string(), about, opened, resolved]
        })
        .collect();
    page.table(["Thread", "About", "Opened", "Resolved"], &rows);
}

fn decided(page: &mut Page, story: &Story) {
    page.element("h2", "What was decided, and on which rows");
    page.element(
        "p class=\"note\"",
        "Each decision names the membership, grant and permission, or the global role, that made it a yes, and the set of \
         policies that judged.",
    );
    let mut rows = Vec::new();
    for (index, leaf) in &story.leaves {
        for decision in &leaf.decisions {
            let answer = if decision.allowed { "yes" } else { "no" };
            let at = format!("{index}\n{}", leaf.event);
            let change = or_none(leaf.change);
            rows.push([
                at,
                decision.user.to_string(),
                decision.action.to_string(),
                format!("{answer}\n{}", reasons(decision)),
                change,
                decision.policy_set.to_string(),
            ]);
        }
    }
    page.table(
        ["Leaf", "Who", "Action", "Answer, and by which rows", "About the change", "Policies"],
        &rows,
    );
}

fn reasons(decision: &Decision) -> String {
    let mut lines = Vec::new();
    if let Some(witness) = &decision.witness {
        lines.extend(witness.membership.map(|id| format!("membership {id}")));
        lines.extend(witness.team.map(|id| format!("team {id}")));
        lines.extend(witness.grant.map(|id| format!("grant {id}")));
        lines.extend(witness.permission.map(|id| format!("permission {id}")));
        lines.extend(witness.global_role.map(|role| format!("global role {}", role.as_str())));
    }
    lines.extend(decision.because.iter().cloned());
    lines.join("\n")
}

fn ran(page: &mut Page, told: &Told) {
    page.element("h2", "What ran, and how it ended");
    if told.runs.is_empty() {
        page.element("p", "Nothing ran.");
    }
    for run in &told.runs {
        page.facts(&[
            ("Run", run.id.to_string()),
            (
                "Revision, attempt, fence",
                format!("{}, {}, {}", run.revision, run.attempt, run.fence),
            ),
            ("Target", run.target.to_string()),
            ("Started by", who(Some(run.started_by), run.by_agent)),
            ("Started at", run.started_at.to_string()),
            ("Ended at", or_none(run.ended_at)),
            (
                "Outcome",
                run.outcome.as_ref().map_or_else(|| "it has not ended".to_owned(), outcome),
            ),
            ("What came too late", run.late.as_ref().map_or_else(|| "—".to_owned(), outcome)),
        ]);
    }
    if let Some(read) = told.request.state.ended().and_then(|ended| ended.last_read.as_ref()) {
        page.facts(&[
            ("Read in the target at", read.at.to_string()),
            ("What was read there", outcome(&read.outcome)),
        ]);
    }
    if let Some(by) = told.request.state.ended().and_then(|ended| ended.declared_by) {
        page.facts(&[("The outcome is the word of", by.to_string())]);
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded(report) => {
            let rows =
                report.rows_affected.map_or_else(String::new, |rows| format!("\nrows: {rows}"));
            format!("succeeded\n{}{rows}", report.summary)
        }
        Outcome::Failed(failure) => {
            format!("failed, known not to have completed\n{}: {}", failure.code, failure.message)
        }
        Outcome::Unknown(failure) => {
            format!("unknown\n{}: {}", failure.code, failure.message)
        }
    }
}

fn vouched(page: &mut Page, story: &Story) {
    page.element("h2", "What vouches for it");
    page.facts(&[
        ("Log", story.head.origin().to_owned()),
        ("Entries in the log", story.head.size().to_string()),
        ("Root of the log", story.head.root().to_string()),
    ]);
    let leaf_row = |(index, leaf): &(u64, Leaf)| {
        let actor = who(leaf.actor, leaf.by_agent);
        let outcome = leaf.outcome.clone().unwrap_or_default();
        let wrote: Vec<&str> = leaf.records.iter().map(|row| row.name.as_str()).collect();
        [
            index.to_string(),
            leaf.at.to_string(),
            leaf.event.clone(),
            actor,
            outcome,
            wrote.join("\n"),
        ]
    };
    let leaves: Vec<_> = story.leaves.iter().map(leaf_row).collect();
    page.table(["Leaf", "When", "Event", "Who", "Outcome", "Records that it left"], &leaves);
    page.element("p class=\"note\"", "README.md beside this page says how to check all of it.");
}
