//! Everything that can go wrong, once: each call fails, loses its answer, or is the last one before the end; and
//! the run is cancelled at each of its looks.

use std::collections::BTreeMap;

use placet_core::runner::{Outcome, Plan};

use super::link::Link;
use super::report::ExamReport;
use super::room::{Room, When, now, told};
use super::world::Trouble;

/// So many calls of a run are disturbed. A run with more of them does the same over and over.
const CALLS_MAX: usize = 300;

type Sample<'a> = (Option<usize>, &'a str);

/// How often each word was said.
#[derive(Debug, Default)]
struct Tally {
    said: BTreeMap<&'static str, usize>,
    places: usize,
}

impl Tally {
    fn add(&mut self, word: &'static str) {
        let count = self.said.entry(word).or_default();
        *count = count.saturating_add(1);
    }

    /// What was tried at `what`, and where that was not all of it, says so.
    fn told_up_to(&self, what: &str) -> String {
        if self.places < CALLS_MAX {
            return self.told(what);
        }
        self.told(&format!("{what}, and more that were not disturbed"))
    }

    fn told(&self, what: &str) -> String {
        let words: Vec<String> =
            self.said.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let all: usize = self.said.values().sum();
        let words = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        format!("{all} runs, {} {what}: {words}", self.places)
    }
}

/// Disturbs a run that would succeed.
pub(super) fn blows(room: &Room<'_>, sample: Sample<'_>, plan: &Plan, report: &mut ExamReport) {
    let number = sample.0;
    report.add("errors.truthful", number, errors(room, sample.1, plan));
    report.add("checkpoints.truthful", number, checkpoints(room, sample.1, plan));
    report.add("cancel.stops", number, cancels(room, sample.1, plan));
    report.add("kill.verified", number, kills(room, sample.1, plan));
}

fn link() -> Link {
    Link::at(now(When::default()))
}

/// Whether what is said is true, and it is the plugin that says it: where a plugin claims what the host did not see,
/// the host says `runner_fault`.
fn honest(room: &Room<'_>, plan: &Plan, said: &Outcome) -> Result<&'static str, String> {
    let word = room.is_true(said, plan)?;
    match said {
        Outcome::Failed(failure) | Outcome::Unknown(failure) if failure.code == "runner_fault" => {
            Err(format!("the host does not believe it: {}", told(said)))
        }
        Outcome::Succeeded(_) | Outcome::Failed(_) | Outcome::Unknown(_) => Ok(word),
    }
}

/// What is found out afterwards is true, changes nothing, and leaves open only what the target cannot tell.
fn verified(
    room: &Room<'_>,
    payload: &str,
    plan: &Plan,
    after: &Link,
) -> Result<&'static str, String> {
    let before = room.world.applied();
    let read = room.verify(payload, plan, after);
    let word = honest(room, plan, &read).map_err(|why| format!("then verify: {why}"))?;
    if room.world.applied() != before {
        return Err("then verify changed something".to_owned());
    }
    if word == "unknown" && !room.world.is_in_doubt() {
        return Err(format!("then verify: the target can tell, and it says {}", told(&read)));
    }
    Ok(word)
}

/// Each call fails or loses its answer: failed or unknown, never succeeded.
fn errors(room: &Room<'_>, payload: &str, plan: &Plan) -> Result<String, String> {
    let mut tally = Tally::default();
    for number in 0..CALLS_MAX {
        for fault in Trouble::FAULTS {
            let link = link();
            let said = room.execute(payload, plan, (Some((number, fault)), &link));
            let Some(call) = room.world.calls().get(number).cloned() else {
                return Ok(tally.told("calls"));
            };
            let at = |why: String| format!("{fault:?} at call {number}, `{call}`: {why}");
            let word = honest(room, plan, &said).map_err(at)?;
            if word == "succeeded" {
                return Err(at("it says succeeded".to_owned()));
            }
            verified(room, payload, plan, &link).map_err(at)?;
            tally.add(word);
        }
        tally.places = number.saturating_add(1);
    }
    Ok(tally.told_up_to("calls"))
}

/// Each checkpoint cannot be kept: what is said is true all the same.
fn checkpoints(room: &Room<'_>, payload: &str, plan: &Plan) -> Result<String, String> {
    let mut tally = Tally::default();
    for number in 0..CALLS_MAX {
        let link = link().failing_at(number);
        let said = room.execute(payload, plan, (None, &link));
        if link.checkpoints_asked() <= number {
            break;
        }
        let at = |why: String| format!("checkpoint {number} cannot be kept: {why}");
        tally.add(honest(room, plan, &said).map_err(at)?);
        verified(room, payload, plan, &link).map_err(at)?;
        tally.places = number.saturating_add(1);
    }
    Ok(tally.told_up_to("checkpoints"))
}

/// Cancelled at each look: nothing new begins, and what is said is true.
fn cancels(room: &Room<'_>, payload: &str, plan: &Plan) -> Result<String, String> {
    let mut tally = Tally::default();
    for look in 0..CALLS_MAX {
        let link = Link::cancelled_at(now(When::default()), look);
        let said = room.execute(payload, plan, (None, &link));
        if !link.was_cancelled() {
            break;
        }
        let at = |why: String| format!("cancelled at look {look}: {why}");
        let word = honest(room, plan, &said).map_err(at)?;
        match &said {
            Outcome::Failed(failure) if failure.code != "cancelled" => {
                return Err(at(format!("it says {}", told(&said))));
            }
            Outcome::Succeeded(_) => return Err(at("it went on to its end".to_owned())),
            Outcome::Failed(_) | Outcome::Unknown(_) => tally.add(word),
        }
        verified(room, payload, plan, &link).map_err(at)?;
        tally.places = look.saturating_add(1);
    }
    Ok(tally.told_up_to("looks"))
}

/// Everything ends before or after each call, and nobody hears anything of the run: what is found out in the target is
/// the truth.
fn kills(room: &Room<'_>, payload: &str, plan: &Plan) -> Result<String, String> {
    let mut tally = Tally::default();
    for number in 0..CALLS_MAX {
        for death in Trouble::DEATHS {
            let link = link();
            let _unheard = room.execute(payload, plan, (Some((number, death)), &link));
            let Some(call) = room.world.calls().get(number).cloned() else {
                return Ok(tally.told("calls"));
            };
            let at = |why: String| format!("{death:?} at call {number}, `{call}`: {why}");
            tally.add(verified(room, payload, plan, &link).map_err(at)?);
        }
        tally.places = number.saturating_add(1);
    }
    Ok(tally.told_up_to("calls"))
}
