//! Where an earlier attempt ran, for a runner that is asked to put back what it changed.

use crate::error::Error;
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::id::RequestId;
use crate::org::Slug;
use crate::request::Run;
use crate::runner::{Outcome, Place};

impl Gate {
    /// Its place and its target. None while it runs, while nobody knows how it ended, and where there is none.
    pub(in crate::gate) fn ran_at(
        &self,
        request: RequestId,
        revision: u32,
        attempt: u32,
    ) -> Result<Option<(Place, Slug)>, Error> {
        self.consult(|txn| {
            let (revision, attempt) = (format!("{revision:010}"), format!("{attempt:010}"));
            let Some(run) = txn.get::<Run>(&[&request.to_string(), &revision, &attempt])? else {
                return Ok(None);
            };
            if !matches!(run.outcome, Some(Outcome::Succeeded(_) | Outcome::Failed(_))) {
                return Ok(None);
            }
            let header = txn.request(request)?.header;
            let shelf = txn
                .shelf(header.project_id)?
                .ok_or_else(|| not_found(&format!("project `{}`", header.project_id)))?;
            let place = Place {
                project: shelf.book.project.code.clone(),
                module: shelf.book.module(header.module_id)?.code.clone(),
                environment: shelf.book.environment(header.environment_id)?.code.clone(),
            };
            Ok(Some((place, run.target)))
        })
    }
}
