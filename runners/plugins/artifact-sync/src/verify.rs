//! Finds out what became of a run, by the properties of the issues.

use alloc::format;
use alloc::vec::Vec;

use placet_plugin_sdk::once::{self, Noted};
use placet_plugin_sdk::{Job, Outcome, Step, Stop, report};

use crate::Host;
use crate::execute::{prepare, published};
use crate::find::{Found, find, property};
use crate::issue::Approved;
use crate::settings::{Absent, Settings};

/// Verifies the approved steps.
pub(crate) fn verify(host: &impl Host, job: &Job, approved: &[Step]) -> Outcome {
    let (settings, steps) = match prepare(job, approved) {
        Ok(prepared) => prepared,
        // What cannot be read now may have been read then.
        Err(stop) => return Stop::unknown(&stop.code, stop.message).at(None, Vec::new()),
    };
    let notes = once::noted(host, &job.id.idempotency_key);
    let mut applied = Vec::new();
    for (id, step) in &steps {
        if let Err(stop) = one(host, &settings, step, notes.get(id)) {
            return stop.at(Some(id), applied);
        }
        applied.push(id.clone());
    }
    Outcome::Succeeded(report(&published(applied.len()), None))
}

/// `Ok`: it is there.
fn one(
    host: &impl Host,
    settings: &Settings,
    step: &Approved,
    noted: Option<&Noted>,
) -> Result<(), Stop> {
    let deadline = match noted {
        // It was answered.
        Some(Noted::Done | Noted::Begun(_)) => return Ok(()),
        Some(Noted::Intent { deadline }) => Some(deadline.as_str()),
        None => None,
    };
    let never = || Stop::before("artifact.not_begun", "it was never sent");
    let unknown = |message| match deadline {
        Some(_) => Stop::unknown("artifact.unknown", message),
        None => never(),
    };
    let there = if let Some(key) = &step.key {
        property(host, settings, key).map(Some)
    } else {
        match find(host, settings, &step.property.id) {
            Ok(Found::Nothing) => Ok(None),
            Ok(Found::One { property, .. }) => Ok(Some(property)),
            Ok(Found::Several(count)) => {
                let message = format!("`{}` is published as {count} issues", step.property.id);
                return Err(Stop::unknown("artifact.twice", message));
            }
            Err(unread) => Err(unread),
        }
    };
    // One issue is read as it is at this moment; a search may be late.
    let is_certain = step.key.is_some() || settings.absent == Absent::NotBegun;
    match there {
        Err(unread) => Err(unknown(unread.message)),
        // What is not noted was not sent: somebody else published it, and this run did not.
        Ok(Some(there)) if there == step.property && noted.is_none() => {
            let message = format!("`{}` was published meanwhile; plan again", there.id);
            Err(Stop::before("artifact.there", message))
        }
        Ok(Some(there)) if there == step.property => Ok(()),
        // It may have been there, before somebody wrote a later one.
        Ok(Some(there)) if there.version >= step.property.version => {
            Err(unknown(format!("it is there in version {}", there.version)))
        }
        Ok(_) => {
            let is_over = deadline
                .is_some_and(|deadline| once::is_past(&host.now(), deadline, settings.settle_s));
            if is_certain && is_over {
                return Err(Stop::before("artifact.not_begun", "it did not take effect"));
            }
            Err(unknown(format!("`{}` is not there", step.property.id)))
        }
    }
}
