//! What is different between two texts.

use core::str::FromStr;

use clap::Args;
use placet::error::{Code, Error};
use placet::id::RequestId;
use placet::request::{Altered, RevisionRef};
use serde_json::{Value, json};

use crate::console::Answer;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// What is different between two texts: revisions of one request, or of two, such as two versions of an artifact.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The first text: `req_…` as it is now, or `req_…@2` as its second revision was.
    before: Which,
    /// The second text.
    after: Which,
}

/// A request, and one of its revisions or the present one.
#[derive(Clone, Copy, Debug)]
struct Which(RevisionRef);

impl FromStr for Which {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some((id, revision)) = text.split_once('@') else {
            return Ok(Self(RevisionRef::present(text.parse::<RequestId>()?)));
        };
        let revision = revision.parse().map_err(|source| {
            Error::new(Code::InvalidInput, "the revision is not a number")
                .with_help("write it after the id: `req_…@2`")
                .with_source(source)
        })?;
        Ok(Self(RevisionRef::of(id.parse()?, revision)))
    }
}

impl Diff {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let found = gate.diff(&caller, self.before.0, self.after.0)?;
        let mut text = Text::default();
        let words = [("title", &found.title), ("runner", &found.runner), ("target", &found.target)];
        for (name, altered) in words {
            if let Some(Altered { before, after, .. }) = altered {
                text.field(name, format_args!("{before} → {after}"));
            }
        }
        for step in &found.operations {
            let value = step.value.as_deref().unwrap_or_default();
            text.said(Mood::Head, step.kind.as_str(), format_args!("{} {value}", step.path));
        }
        if words.iter().all(|(_, altered)| altered.is_none()) && found.operations.is_empty() {
            text.line(if found.is_same_payload { "the same" } else { "the same in other words" });
        }
        let both = |altered: &Option<Altered>| {
            altered.as_ref().map(|it| json!({"before": it.before, "after": it.after}))
        };
        let patch: Value = serde_json::from_str(&found.to_json_patch()).map_err(|source| {
            Error::new(Code::Internal, "a difference has no JSON form").with_source(source)
        })?;
        let json = json!({
            "title": both(&found.title),
            "runner": both(&found.runner),
            "target": both(&found.target),
            "is_same_payload": found.is_same_payload,
            "patch": patch,
        });
        Ok(Answer::ok(text, json))
    }
}
