//! Texts, gone for good.

use clap::Subcommand;
use placet::error::Error;
use placet::id::RequestId;
use placet_core::gate::Erasure;
use serde_json::json;

use crate::console::Answer;
use crate::ground::Ground;
use crate::names::Names;
use crate::text::{Mood, Text};

/// Erase texts for good, for PLATFORM_ADMIN. Proofs and checkpoints made before stay as good as ever.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Erase {
    /// A user's name and e-mail address. The user must not be active.
    User {
        /// The user, by id or e-mail address.
        user: String,
    },
    /// All that a request says. It must be over.
    Request {
        /// The request.
        id: RequestId,
    },
    /// The comment of one step.
    Comment {
        /// The request.
        id: RequestId,
        /// The step's number in its history.
        number: u32,
    },
}

impl Erase {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let what = match self {
            Self::User { user } => Erasure::User(Names::new(&gate, &caller).user(&user)?),
            Self::Request { id } => Erasure::Request(id),
            Self::Comment { id, number } => Erasure::Comment { request: id, number },
        };
        let erased = gate.erase(&caller, what)?;
        let mut text = Text::default();
        text.said(Mood::Good, "erased:", format_args!("{erased} texts"));
        Ok(Answer::ok(text, json!({"erased": erased})))
    }
}
