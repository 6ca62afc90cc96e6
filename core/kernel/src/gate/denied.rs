//! Denials leave a leaf too: one for each actor, action, scope and minute, so that nobody can flood
//! the log by being refused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Gate;
use super::about::TOLD;
use super::txn::{Sight, Txn};
use crate::audit::{Event, Leaf};
use crate::authz::{Action, Scope};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::UserId;
use crate::org::book::{Epoch, PLATFORM};
use crate::store::records::{self, Record};

/// Says that a denial of this kind was recorded in this minute.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DenialNote {
    of: String,
    minute: i64,
}

impl Record for DenialNote {
    const KIND: &'static str = "denial";

    fn path(&self) -> Vec<String> {
        vec![self.of.clone(), self.minute.to_string()]
    }
}

const MINUTE_MICROS: i64 = 60_000_000;
/// The events of these leaves.
const DENIED: &str = "denied";
const REFUSED: &str = "refused";

impl DenialNote {
    fn of(
        (user, action, scope): (UserId, &Action, Scope),
        code: &str,
        at: Timestamp,
    ) -> Result<Self, Error> {
        let of = Digest::of_json(&(user, action, scope, code))?.to_string();
        let minute = at.as_micros().checked_div(MINUTE_MICROS).unwrap_or_default();
        Ok(Self { of, minute })
    }
}

/// The notes that may have been written with `leaf`: one for each action that its actor was judged for. None where
/// it tells of no denial.
pub(crate) fn notes_of(leaf: &Leaf) -> Vec<DenialNote> {
    let (Some(user), Some(scope), Some(code)) = (leaf.actor, leaf.scope, leaf.facts.get("code"))
    else {
        return Vec::new();
    };
    if leaf.event != DENIED && leaf.event != REFUSED {
        return Vec::new();
    }
    let judged = leaf.decisions.iter().filter(|decision| decision.user == user);
    let actions: BTreeSet<&Action> = judged.map(|decision| &decision.action).collect();
    let notes =
        actions.into_iter().map(|action| DenialNote::of((user, action, scope), code, leaf.at));
    notes.filter_map(Result::ok).collect()
}

impl Gate {
    /// Records that a verb was refused, and hands its error on. A store that cannot record it changes
    /// nothing about the refusal.
    pub(super) fn note_refusal(&self, txn: Txn<'_>, error: Error) -> Error {
        let denied = txn.decisions.iter().any(|decision| !decision.allowed)
            && matches!(error.code(), Code::Denied | Code::NotFound);
        // A store that failed on the way to a denial is a fault, and no refusal of anybody.
        if !denied && !is_refused(error.code()) {
            return error;
        }
        match self.record_refusal(txn, &error) {
            Ok(()) | Err(_) => error,
        }
    }

    fn record_refusal(&self, txn: Txn<'_>, error: &Error) -> Result<(), Error> {
        let Some((user, action, scope)) = txn.asked.clone() else { return Ok(()) };
        // Before there is an organisation there is nobody to answer to, and leaf 0 is its founding.
        if self.parts.store.get(&records::key_of::<Epoch>(&[PLATFORM]))?.is_none() {
            return Ok(());
        }
        let note = DenialNote::of((user, &action, scope), error.code().as_str(), txn.now)?;
        let mut noting = Txn::new(self, Sight::Remembered);
        if noting.get::<DenialNote>(&[&note.of, &note.minute.to_string()])?.is_some() {
            return Ok(());
        }
        noting.put(&note)?;
        let by_agent = txn.is_agent(user);
        noting.decisions = txn.decisions;
        let event = if is_refused(error.code()) { Event::Refused } else { Event::Denied };
        let mut leaf = Leaf::new(event, txn.now);
        leaf.actor = Some(user);
        leaf.by_agent = by_agent;
        leaf.scope = Some(scope);
        leaf.request = txn.about;
        leaf.facts.insert("code".to_owned(), error.code().to_string());
        leaf.facts.extend(txn.told.map(|told| (TOLD.to_owned(), told.to_string())));
        // A lost race is the same note, written by somebody else.
        noting.commit(Some(leaf)).map(drop)
    }
}

/// Whether a rule says no whoever asks.
const fn is_refused(code: Code) -> bool {
    matches!(code, Code::Refused | Code::PluginNotGranted)
}
