//! Steps of workflows with more states than `change` has, and steps back in any.

use clap::Args;
use placet::Gate;
use placet::error::Error;
use placet::id::RequestId;
use placet::identity::Caller;
use placet::request::Request;
use placet::workflow::ActionCode;
use serde_json::{Value, json};

use super::look::moved;
use crate::console::{Answer, error_fields};
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// A request, and what to say with the step.
#[derive(Args, Debug)]
pub(crate) struct Commented {
    /// The request.
    id: RequestId,
    /// Why.
    #[arg(long)]
    comment: Option<String>,
}

/// Take a way of its workflow that stays in its phase, such as from one review to the next.
#[derive(Args, Debug)]
pub(crate) struct Advance {
    /// The request.
    id: RequestId,
    /// The action of the way, as the workflow calls it.
    action: ActionCode,
    /// Why.
    #[arg(long)]
    comment: Option<String>,
}

/// What the principal may do with it now, and why not the rest.
#[derive(Args, Debug)]
pub(crate) struct Actions {
    /// The request.
    id: RequestId,
}

/// A verb of the gate that takes a comment or none.
type Verb = fn(&Gate, &Caller, RequestId, Option<&str>) -> Result<Request, Error>;

impl Commented {
    pub(crate) fn run(self, ground: &Ground, verb: Verb) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&verb(&gate, &caller, self.id, self.comment.as_deref())?)
    }

    /// Takes it back from those who would approve it.
    pub(crate) fn withdraw(self, ground: &Ground) -> Result<Answer, Error> {
        self.run(ground, |gate, caller, id, comment| gate.withdraw(caller, id, comment))
    }

    /// Makes a draft of what was sent back.
    pub(crate) fn reopen(self, ground: &Ground) -> Result<Answer, Error> {
        self.run(ground, |gate, caller, id, comment| gate.reopen(caller, id, comment))
    }

    /// Deletes a draft.
    pub(crate) fn delete(self, ground: &Ground) -> Result<Answer, Error> {
        self.run(ground, |gate, caller, id, comment| gate.delete(caller, id, comment))
    }

    /// Undoes an approval.
    pub(crate) fn revert(self, ground: &Ground) -> Result<Answer, Error> {
        self.run(ground, |gate, caller, id, comment| gate.revert(caller, id, comment))
    }

    /// Brings back what was rejected.
    pub(crate) fn restore(self, ground: &Ground) -> Result<Answer, Error> {
        self.run(ground, |gate, caller, id, comment| gate.restore(caller, id, comment))
    }
}

impl Advance {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.advance(&caller, self.id, &self.action, self.comment.as_deref())?)
    }
}

impl Actions {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let panel = gate.actions(&caller, self.id)?;
        let mut text = Text::default();
        text.head(format_args!("{} ({})", panel.label, panel.step));
        for offer in &panel.offers {
            let comment = if offer.needs_comment { ", with a comment" } else { "" };
            let way = format!("{} to {}{comment}", offer.action, offer.to);
            match &offer.refusal {
                None => text.said(Mood::Good, "yes", way),
                Some(why) => text.said(Mood::Quiet, "no ", format_args!("{way}: {why}")),
            };
        }
        let offers = panel.offers.iter().map(|offer| {
            json!({
                "action": offer.action.as_str(),
                "verb": offer.verb.as_str(),
                "to": offer.to.as_str(),
                "needs_comment": offer.needs_comment,
                "refusal": offer.refusal.as_ref().map(error_fields),
            })
        });
        let json = json!({
            "step": panel.step.as_str(),
            "label": panel.label.as_str(),
            "is_editable": panel.is_editable,
            "is_syncable": panel.is_syncable,
            "offers": offers.collect::<Vec<Value>>(),
        });
        Ok(Answer::ok(text, json))
    }
}
