//! From one state to the next.

use clap::Args;
use placet::digest::Digest;
use placet::error::Error;
use placet::id::RequestId;

use super::look::moved;
use super::plan::{plan_json, tell_plan};
use crate::console::Answer;
use crate::ground::Ground;
use crate::text::Text;

/// What its runner would do.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// The request.
    id: RequestId,
}

impl Plan {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let plan = gate.plan(&caller, self.id)?;
        let mut text = Text::default();
        tell_plan(&mut text, &plan);
        Ok(Answer::ok(text, plan_json(&plan)?))
    }
}

/// Ask for approval.
#[derive(Args, Debug)]
pub(crate) struct Submit {
    /// The request.
    id: RequestId,
}

impl Submit {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.submit(&caller, self.id)?)
    }
}

/// Approve exactly what a digest names.
#[derive(Args, Debug)]
pub(crate) struct Approve {
    /// The request.
    id: RequestId,
    /// The digest of what you read: `request show` prints it.
    #[arg(long)]
    digest: Digest,
    /// What to say with it.
    #[arg(long)]
    comment: Option<String>,
}

impl Approve {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.approve(&caller, self.id, self.digest, self.comment.as_deref())?)
    }
}

/// Reject it for good.
#[derive(Args, Debug)]
pub(crate) struct Reject {
    /// The request.
    id: RequestId,
    /// Why.
    #[arg(long)]
    comment: String,
}

impl Reject {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.reject(&caller, self.id, &self.comment)?)
    }
}

/// Send it back to its author.
#[derive(Args, Debug)]
pub(crate) struct RequestChanges {
    /// The request.
    id: RequestId,
    /// What is to change.
    #[arg(long)]
    comment: String,
}

impl RequestChanges {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.request_changes(&caller, self.id, &self.comment)?)
    }
}

/// Say something about it.
#[derive(Args, Debug)]
pub(crate) struct Comment {
    /// The request.
    id: RequestId,
    /// What to say.
    text: String,
}

impl Comment {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.comment(&caller, self.id, &self.text)?)
    }
}

/// Give it up before it runs.
#[derive(Args, Debug)]
pub(crate) struct Cancel {
    /// The request.
    id: RequestId,
    /// Why.
    #[arg(long)]
    comment: Option<String>,
}

impl Cancel {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.cancel(&caller, self.id, self.comment.as_deref())?)
    }
}

/// Ask a run to stop.
#[derive(Args, Debug)]
pub(crate) struct Stop {
    /// The request.
    id: RequestId,
}

impl Stop {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.stop(&caller, self.id)?)
    }
}
