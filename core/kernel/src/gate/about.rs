//! What a question is about besides its place: who wrote the request, and what its plan says.

use std::collections::BTreeSet;

use crate::authz::PlanFacts;
use crate::digest::Digest;
use crate::error::Error;
use crate::gate::txn::Txn;
use crate::id::UserId;
use crate::request::{Header, Revision};
use crate::runner::Plan;

/// The fact of a leaf that is the digest of what policies were told of a plan. Where it is missing, they were told none.
pub(super) const TOLD: &str = "plan_told";

/// What policies are told besides who, what and where.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    /// Who wrote it, where the question is whether somebody may approve it.
    pub(super) authors: BTreeSet<UserId>,
    /// What its plan says, where the question is whether somebody may go on with it.
    pub(super) plan: Option<PlanFacts>,
    // What the log says of that.
    pub(super) digest: Option<Digest>,
}

impl About {
    /// About nothing but what these people wrote.
    pub(super) fn written_by(authors: BTreeSet<UserId>) -> Self {
        Self { authors, ..Self::default() }
    }

    /// The same, written by these people.
    pub(super) fn with_authors(self, authors: BTreeSet<UserId>) -> Self {
        Self { authors, ..self }
    }
}

impl Txn<'_> {
    /// What policies are told of going on with the request as it is now.
    pub(super) fn about(&mut self, header: &Header) -> Result<About, Error> {
        if header.plan.is_none() {
            return Ok(About::default());
        }
        let revision = self.revision(header)?;
        let plan = told_of(&revision);
        // The nonce keeps whoever reads the log from trying what a plan may have said.
        let digest = Some(Digest::of_json(&(header.nonce, &plan))?);
        Ok(About { authors: BTreeSet::new(), plan: Some(plan), digest })
    }

    /// Keeps for the leaf what was told.
    pub(super) fn note_told(&mut self, about: &About) {
        if about.digest.is_some() {
            self.told = about.digest;
        }
    }
}

/// What policies are told of the plans of a revision.
pub(super) fn told_of(revision: &Revision) -> PlanFacts {
    PlanFacts::of(&revision.plans().collect::<Vec<&Plan>>())
}
