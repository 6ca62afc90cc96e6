//! What a request asks for, revision by revision, as it is stored.

use serde::{Deserialize, Serialize};

use super::change::{Change, Header};
use super::diff::Text;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{RequestId, UserId};
use crate::org::Slug;
use crate::runner::Plan;
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;

/// One revision as it is stored: written once, never changed, except that its plan is added. Readers get its
/// parts from the gate's view.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the stored form")]
pub(crate) struct Revision {
    pub(crate) request: RequestId,
    // From 1.
    pub(crate) revision: u32,
    pub(crate) author: UserId,
    pub(crate) title: String,
    pub(crate) change: Change,
    // Once it was made; of a batch, that for its canary.
    pub(crate) plan: Option<Plan>,
    // Those for the other targets of a batch, in their order.
    pub(crate) then: Vec<Plan>,
}

impl Revision {
    pub(crate) const fn new(
        request: RequestId,
        revision: u32,
        author: UserId,
        title: String,
        change: Change,
    ) -> Self {
        Self { request, revision, author, title, change, plan: None, then: Vec::new() }
    }

    /// What two revisions are compared by.
    pub(crate) fn text(&self) -> Text<'_> {
        let targets: Vec<&str> = self.change.targets().map(Slug::as_str).collect();
        let Change { runner, payload, .. } = &self.change;
        Text { title: &self.title, runner: runner.as_str(), target: targets.join(", "), payload }
    }

    /// The plans, in the order of the targets.
    pub(crate) fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plan.iter().chain(&self.then)
    }

    /// The digest of its plans.
    pub(crate) fn plans_digest(&self) -> Result<Digest, Error> {
        let digests = self.plans().map(Plan::digest).collect::<Result<Vec<_>, _>>()?;
        match digests.as_slice() {
            [only] => Ok(*only),
            several => Digest::of_json(&several),
        }
    }

    /// Whether a person must look at one of its plans.
    pub(crate) fn needs_person(&self) -> bool {
        self.plans().any(Plan::needs_person)
    }

    /// The plan for one of its targets.
    pub(crate) fn plan_at(&self, target: &Slug) -> Result<&Plan, Error> {
        let mut plans = self.change.targets().zip(self.plans());
        plans.find_map(|(at, plan)| (at == target).then_some(plan)).ok_or_else(|| {
            let sentence = format!("`{}` has no plan for the target `{target}`", self.request);
            Error::new(Code::DigestMismatch, sentence)
                .with_help("do not run it; compare the store with the audit log")
        })
    }

    /// Checks that payload, targets and plans are still what the header's digests say.
    pub(crate) fn check_digests(&self, header: &Header) -> Result<(), Error> {
        let mismatch = |what: &str| {
            Error::new(
                Code::DigestMismatch,
                format!("the stored {what} of `{}` is not what was approved", header.id),
            )
            .with_help("do not run it; compare the store with the audit log, then draft it again")
        };
        if Digest::of(self.change.payload.as_bytes()) != header.payload_digest
            || self.change.runner != header.runner
            || !self.change.targets().eq(header.targets())
        {
            return Err(mismatch("payload"));
        }
        let is_whole = self.plans().count() == header.targets().count();
        match &header.plan {
            // Findings are not signed. Of these, a store that was changed must not be able to drop one.
            Some(note) if note.needs_person != self.needs_person() => Err(mismatch("plan")),
            Some(note) if is_whole && self.plans_digest()? == note.plan_digest => Ok(()),
            Some(_) | None => Err(mismatch("plan")),
        }
    }
}

impl Record for Revision {
    const KIND: &'static str = "revision";
    const ERASABLE: &'static [Erasable] = &[
        erasable("/title", "\"(erased)\""),
        erasable("/change/payload", "\"null\""),
        erasable("/plan", "null"),
        erasable("/then", "[]"),
    ];

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string(), format!("{:010}", self.revision)]
    }
}
