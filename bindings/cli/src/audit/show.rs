//! Entries of the log.

use clap::Args;
use placet::Gate;
use placet::audit::Leaf;
use placet::authz::{Action, Scope};
use placet::clock::Timestamp;
use placet::error::Error;
use placet::id::{RequestId, UserId};
use placet::identity::Caller;
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::text::{Mood, Text};

/// Show entries: all of them for PLATFORM_ADMIN and AUDITOR, those of a request for whoever may read it.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Only this entry, counted from 0, with everything in it.
    index: Option<u64>,
    /// Begin here.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Only about this request.
    #[arg(long, value_name = "REQUEST")]
    request: Option<RequestId>,
    /// Only by this user, by id or e-mail address.
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// Only in this project, by code or id.
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// Only of this kind: `request.approved`, or `request.` for all that begin so.
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Only at this instant or later, in RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    since: Option<Timestamp>,
    /// Only before this instant, in RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    before: Option<Timestamp>,
}

/// What an entry must be to be shown.
#[derive(Debug)]
struct Wanted {
    request: Option<RequestId>,
    actor: Option<UserId>,
    project: Option<placet::id::ProjectId>,
    event: Option<String>,
    since: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Wanted {
    fn has(&self, leaf: &Leaf) -> bool {
        let project = leaf.scope.as_ref().and_then(Scope::project_id);
        let event = self.event.as_deref();
        self.request.is_none_or(|id| leaf.request == Some(id))
            && self.actor.is_none_or(|id| leaf.actor == Some(id))
            && self.project.is_none_or(|id| project == Some(id))
            && event.is_none_or(|word| {
                leaf.event == word || word.ends_with('.') && leaf.event.starts_with(word)
            })
            && self.since.is_none_or(|since| leaf.at >= since)
            && self.before.is_none_or(|before| leaf.at < before)
    }
}

impl Show {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        if let Some(index) = self.index {
            return one(&gate, &caller, index);
        }
        let names = Names::new(&gate, &caller);
        let wanted = Wanted {
            request: self.request,
            actor: self.actor.as_deref().map(|text| names.user(text)).transpose()?,
            project: self.project.as_deref().map(|text| names.project(text)).transpose()?,
            event: self.event,
            since: self.since,
            before: self.before,
        };
        let (found, next) = page(&gate, &caller, &wanted, (self.from, self.limit.max(1)))?;
        let mut text = Text::default();
        let rows: Vec<Vec<String>> = found.iter().map(|(index, leaf)| row(*index, leaf)).collect();
        text.table(&["entry", "at", "who", "what", "where", "request"], &rows);
        if rows.is_empty() {
            text.line("no entry");
        }
        if let Some(next) = next {
            text.said(Mood::Quiet, "more:", format_args!("--from {next}"));
        }
        let items = found.iter().map(|(index, leaf)| entry_json(*index, leaf));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok(Answer::ok(text, json!({"entries": items, "next": next})))
    }
}

/// Entries, and where the next ones begin.
type Found = (Vec<(u64, Leaf)>, Option<u64>);

/// The entries that are wanted, from one on, and where the next ones begin.
fn page(
    gate: &Gate,
    caller: &Caller,
    wanted: &Wanted,
    (mut from, limit): (u64, usize),
) -> Result<Found, Error> {
    let mut found = Vec::new();
    // Asked without a trace: whoever audits need not see the request, and was denied nothing.
    let audits = || gate.authorize(caller.user(), &Action::AUDIT, Scope::Platform).is_allowed();
    if let Some(id) = wanted.request
        && !audits()
    {
        let trail = gate.trail(caller, id)?.into_iter();
        found.extend(trail.filter(|(index, leaf)| *index >= from && wanted.has(leaf)));
        let next = found.get(limit).map(|(index, _)| *index);
        found.truncate(limit);
        return Ok((found, next));
    }
    loop {
        let entries = gate.audit(caller, from)?;
        let Some((last, _)) = entries.last() else { return Ok((found, None)) };
        from = last.saturating_add(1);
        for (index, leaf) in entries.into_iter().filter(|(_, leaf)| wanted.has(leaf)) {
            if found.len() >= limit {
                return Ok((found, Some(index)));
            }
            found.push((index, leaf));
        }
    }
}

fn one(gate: &Gate, caller: &Caller, index: u64) -> Result<Answer, Error> {
    let found = gate.audit(caller, index)?.into_iter().next();
    let Some((index, leaf)) = found else {
        // The gate's own words for it.
        return gate.prove(index).map(|_| Answer::ok(Text::default(), Value::Null));
    };
    let json = entry_json(index, &leaf)?;
    let mut text = Text::default();
    text.head(format_args!("entry {index}: {}", leaf.event));
    for (name, value) in json.get("leaf").and_then(Value::as_object).into_iter().flatten() {
        match value.as_str() {
            Some(value) => text.field(name, value),
            None => text.field(name, value),
        };
    }
    Ok(Answer::ok(text, json))
}

fn row(index: u64, leaf: &Leaf) -> Vec<String> {
    let who = leaf.actor.map_or_else(|| "the system".to_owned(), |user| user.to_string());
    let what = match &leaf.outcome {
        Some(outcome) => format!("{} ({outcome})", leaf.event),
        None => leaf.event.clone(),
    };
    let place = leaf.scope.map(|scope| scope.to_string()).unwrap_or_default();
    let request = leaf.request.map(|id| id.to_string()).unwrap_or_default();
    vec![index.to_string(), leaf.at.to_string(), who, what, place, request]
}

fn entry_json(index: u64, leaf: &Leaf) -> Result<Value, Error> {
    Ok(json!({"index": index, "leaf": json_of(leaf)?}))
}
