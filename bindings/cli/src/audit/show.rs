//! Entries of the log.

use clap::Args;
use placet::Gate;
use placet::audit::{AuditCursor, AuditQuery, Leaf};
use placet::clock::Timestamp;
use placet::error::Error;
use placet::id::RequestId;
use placet::identity::Caller;
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::request::who;
use crate::text::{Mood, Text};

/// Show entries: all of them for PLATFORM_ADMIN and AUDITOR, those of a request for whoever may read it.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Only this entry, counted from 0, with everything in it.
    index: Option<u64>,
    /// Only about this request.
    #[arg(long, value_name = "REQUEST")]
    request: Option<RequestId>,
    /// Only by this user, by id or e-mail address.
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// Only in this place, and inside of it: `platform`, `shop`, `shop/pagos/prod`.
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Only of this kind: `request.approved`, or `request.` for all that begin so.
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Only at this instant or later, in RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    since: Option<Timestamp>,
    /// Only before this instant, in RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    before: Option<Timestamp>,
    /// The newest entries first.
    #[arg(long)]
    newest_first: bool,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Go on where a page ended, with the same words beside: the `next` that it came with.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<AuditCursor>,
}

impl Show {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        if let Some(index) = self.index {
            return one(&gate, &caller, index);
        }
        let (limit, cursor) = (self.limit, self.cursor.clone());
        let query = self.query(Names::new(&gate, &caller))?;
        let page = gate.query_audit(&caller, &query, cursor.as_ref(), limit)?;
        let mut text = Text::default();
        let rows: Vec<Vec<String>> =
            page.entries.iter().map(|(index, leaf)| row(*index, leaf)).collect();
        text.table(&["entry", "at", "who", "what", "where", "request"], &rows);
        if rows.is_empty() {
            text.line("no entry");
        }
        let next = page.next.map(|cursor| cursor.to_string());
        if let Some(next) = &next {
            text.said(Mood::Quiet, "more:", format_args!("--cursor {next}"));
        }
        let items = page.entries.iter().map(|(index, leaf)| entry_json(*index, leaf));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok(Answer::ok(text, json!({"entries": items, "next": next})))
    }

    fn query(self, names: Names<'_>) -> Result<AuditQuery, Error> {
        let mut query = AuditQuery::default();
        if let Some(id) = self.request {
            query = query.about(id);
        }
        if let Some(user) = self.actor {
            query = query.by(names.user(&user)?);
        }
        if let Some(place) = self.place {
            query = query.within(names.place(&place)?);
        }
        if let Some(event) = self.event {
            query = query.event(&event)?;
        }
        if let Some(since) = self.since {
            query = query.from(since);
        }
        if let Some(before) = self.before {
            query = query.until(before);
        }
        Ok(if self.newest_first { query.newest_first() } else { query })
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
    let who = who(leaf.actor, leaf.by_agent);
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
