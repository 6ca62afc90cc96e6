//! Finds out what became of a run. It reads: notes, lists and states, never more.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::once::{self, Noted};
use placet_plugin_sdk::{Job, Outcome, Step, Stop};

use crate::execute::{self, finished, several};
use crate::follow::{Followed, Patience, Place};
use crate::look::{self, Marked};
use crate::plan::Prepared;
use crate::template::{self, Absent, CommandCheck, Lookup};
use crate::{Host, health, render};

/// Verifies the approved steps.
pub(crate) fn verify(host: &impl Host, job: &Job, approved: &[Step]) -> Outcome {
    let prepared = match Prepared::of(job) {
        Ok(prepared) => prepared,
        Err(refusal) => {
            return Stop::unknown(refusal.code, refusal.message).at(None, Vec::new());
        }
    };
    let run = job.id.idempotency_key.as_str();
    let values = execute::reading(&prepared, run);
    let notes = once::noted(host, run);
    let reading = Reading { followed: Followed { host, run, values: &values } };
    let mut applied = Vec::new();
    for step in approved {
        let Some(template) = prepared.steps().iter().find(|template| template.id == step.id) else {
            let message = "the settings do not know this step any more".to_string();
            return Stop::unknown("deploy.changed", message).at(Some(&step.id), applied);
        };
        let call = render::write(template, &prepared.values).map(|call| call.to_text());
        if call.as_ref() != Ok(&step.body) {
            // Where another call would be found says nothing of this one.
            let message = "it is not what the settings say any more".to_string();
            return Stop::unknown("deploy.changed", message).at(Some(&step.id), applied);
        }
        if let Err(stop) = reading.step(template, notes.get(&step.id)) {
            return stop.at(Some(&step.id), applied);
        }
        applied.push(step.id.clone());
    }
    let well = health::check(host, &prepared.deployment.health, &values);
    finished(&well, applied)
}

struct Reading<'a, H> {
    followed: Followed<'a, H>,
}

impl<H: Host> Reading<'_, H> {
    /// `Ok`: it took effect.
    fn step(&self, step: &template::Step, noted: Option<&Noted>) -> Result<(), Stop> {
        match (noted, &step.poll) {
            (Some(Noted::Done), _) => return Ok(()),
            (Some(Noted::Begun(note)), Some(poll)) => {
                if let Some(place) = Place::from_note(note) {
                    return self.followed.to_its_end(step, poll, place, Patience::Look).into();
                }
            }
            _ => {}
        }
        let deadline = match noted {
            Some(Noted::Intent { deadline }) => Some(deadline.as_str()),
            // It began, and so it is never said that it did not.
            Some(Noted::Begun(_) | Noted::Done) => Some(""),
            None => None,
        };
        match (&step.verify, &step.check) {
            (Some(verify), _) => self.by_marker(step, verify, deadline),
            (None, Some(check)) if noted.is_some() => self.by_command(check, deadline),
            _ => Err(absent(deadline, "nothing says whether it began")),
        }
    }

    fn by_marker(
        &self,
        step: &template::Step,
        verify: &Lookup,
        deadline: Option<&str>,
    ) -> Result<(), Stop> {
        let own = step.http.as_ref().map_or("", |http| http.endpoint.as_str());
        let Followed { host, values, .. } = self.followed;
        match (look::by_marker(host, verify, own, values), &step.poll) {
            (Marked::One(Some(id)), Some(poll)) => {
                let place = Place::Begun(id);
                self.followed.to_its_end(step, poll, place, Patience::Look).into()
            }
            (Marked::One(_), None) => Ok(()),
            (Marked::One(None), Some(_)) => {
                let message = "it began, and nothing says what it is called".to_string();
                Err(Stop::unknown("deploy.no_id", message))
            }
            (Marked::Several(count), _) => Err(several(count)),
            (Marked::Nothing, _) => {
                let settled = verify.absent == Absent::NotBegun
                    && deadline.is_some_and(|deadline| {
                        once::is_past(&host.now(), deadline, verify.settle_s)
                    });
                Err(absent(deadline.filter(|_| !settled), "it is not listed"))
            }
            (Marked::Cannot(why), _) => Err(absent(deadline, &why)),
        }
    }

    fn by_command(&self, check: &CommandCheck, deadline: Option<&str>) -> Result<(), Stop> {
        let unknown = |message: String| Stop::unknown("deploy.unknown", message);
        let Followed { host, values, .. } = self.followed;
        let call = render::check(check, values).map_err(unknown)?;
        match host.run(&call.name, &call.arguments, &call.stdin) {
            Ok(output) if check.done.contains(&output.exit_code) => Ok(()),
            Ok(output) if check.not_begun.contains(&output.exit_code) => {
                // A command that is under way has not done what the check looks for either.
                let now = host.now();
                let is_over = |deadline| once::is_past(&now, deadline, check.settle_s);
                if deadline.is_some_and(is_over) {
                    let message = "the check says that it was not".to_string();
                    return Err(Stop::before("deploy.not_begun", message));
                }
                Err(unknown("it was not yet, and may be under way".to_string()))
            }
            Ok(_) | Err(_) => Err(unknown("the check could not tell".to_string())),
        }
    }
}

/// Nothing of it is to be seen. Without a note before it, it was never sent.
fn absent(deadline: Option<&str>, why: &str) -> Stop {
    match deadline {
        None => Stop::before("deploy.not_begun", "it was never sent".to_string()),
        Some(_) => Stop::unknown("deploy.unknown", why.to_string()),
    }
}
