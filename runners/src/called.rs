//! How a run ended whose steps are calls to other systems. A call that was accepted has begun something, and only the plugin
//! knows how to learn how that ended; so its word counts, within what the host saw. A call whose answer was lost leaves
//! the run unknown, whatever the plugin says. A run that did not send every approved step did not succeed.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::clock::Timestamp;
use placet_core::runner::{Failure, Outcome, Plan, Report};

use crate::bindings::types;
use crate::call::Ended;
use crate::convert::{clean, failure_from};
use crate::ledger::{Ledger, Progress};
use crate::notes::Noted;

/// The failure of a run that was entered twice.
pub(crate) fn entered_before() -> Failure {
    Failure::new("entered_before", "this run was entered before; what it sent is to be verified")
}

/// Judges an execution.
pub(crate) fn of_execute(ended: Ended<types::Outcome>) -> Outcome {
    let Ended { answer, ledger } = ended;
    let Ledger { progress, applied, failure, in_doubt, .. } = ledger;
    if progress == Progress::Sent {
        let why = "a call was sent, and its answer was lost";
        let lost = failure.unwrap_or_else(|| Failure::new("call_lost", why));
        return Outcome::Unknown(Failure { applied, step: in_doubt, ..lost });
    }
    let is_whole = progress == Progress::Committed;
    match answer {
        Ok(types::Outcome::Succeeded(said)) if is_whole => Outcome::Succeeded(report(&said)),
        Ok(types::Outcome::Succeeded(_)) => {
            let seen = failure.unwrap_or_else(said_too_much);
            Outcome::Failed(Failure { applied, ..seen })
        }
        // What was sent was accepted: the plugin knows what became of it.
        Ok(types::Outcome::Failed(said)) if is_whole => {
            Outcome::Failed(Failure { applied, ..failure_from(&said) })
        }
        Ok(types::Outcome::Failed(said)) => {
            let seen = failure.unwrap_or_else(|| failure_from(&said));
            Outcome::Failed(Failure { applied, ..seen })
        }
        Ok(types::Outcome::Unknown(said)) if applied.is_empty() => {
            Outcome::Failed(failure.unwrap_or_else(|| failure_from(&said)))
        }
        Ok(types::Outcome::Unknown(said)) => {
            Outcome::Unknown(Failure { applied, ..failure_from(&said) })
        }
        Err(trap) => {
            let trapped = Failure::new(trap.code.clone(), trap.message);
            if !applied.is_empty() {
                return Outcome::Unknown(Failure { applied, ..trapped });
            }
            // A limit or the deadline ended it: that says more than what it led to.
            let seen = failure.filter(|_| trap.code == "runner_fault");
            Outcome::Failed(seen.unwrap_or(trapped))
        }
    }
}

fn report(said: &types::Report) -> Report {
    Report { summary: clean(&said.summary), ..Report::default() }
}

fn said_too_much() -> Failure {
    let why = "the plugin said that it succeeded, and not every approved step was accepted";
    Failure::new("runner_fault", why)
}

/// What the host's own notes say without a look: a run that sent nothing, or only what was refused.
pub(crate) fn by_notes(approved: &Plan, noted: &BTreeMap<String, Noted>) -> Option<Outcome> {
    if noted.is_empty() {
        // Its lease is over, and without it nothing is noted, and nothing sent.
        let why = "the run was not begun: nothing of it was sent";
        return Some(Outcome::Failed(Failure::new("not_begun", why)));
    }
    let is_without_effect = noted.values().all(|noted| matches!(noted, Noted::Refused(_)));
    let (step, code) = noted.iter().find_map(|(step, noted)| match noted {
        Noted::Refused(code) => Some((step, code)),
        Noted::Intent(_) | Noted::Ended(_) | Noted::Accepted(_) => None,
    })?;
    let is_ours = approved.steps.iter().any(|approved| approved.id == *step);
    (is_without_effect && is_ours).then(|| {
        let why = "what was sent was refused, and nothing took effect";
        Outcome::Failed(Failure { step: Some(step.clone()), ..Failure::new(code.clone(), why) })
    })
}

/// Judges a verification that began at `now`: the plugin's finding, where it looked, and not beyond what the host noted. That
/// a call had no effect is not believed while it may still be under way.
pub(crate) fn of_verify(
    ended: Ended<types::Outcome>,
    approved: &Plan,
    (noted, now): (&BTreeMap<String, Noted>, Timestamp),
) -> Outcome {
    let Ended { answer, ledger } = ended;
    let at = |step: &str| noted.get(step);
    let steps = || approved.steps.iter().map(|step| step.id.as_str());
    let had_effect = |step: &&str| matches!(at(step), Some(Noted::Accepted(_) | Noted::Ended(_)));
    let applied: Vec<String> = steps().filter(had_effect).map(str::to_owned).collect();
    let is_open = |step: &&str| matches!(at(step), Some(Noted::Intent(_)));
    let open: BTreeSet<&str> = steps().filter(is_open).collect();
    let is_sent = |step: &str| matches!(at(step), Some(Noted::Accepted(_) | Noted::Intent(_)));
    let is_whole = steps().all(is_sent);
    let unknown =
        |failure: Failure| Outcome::Unknown(Failure { applied: applied.clone(), ..failure });
    let said = match answer {
        Ok(said) => said,
        Err(trap) => return unknown(Failure::new(trap.code, trap.message)),
    };
    if ledger.reads_answered == 0 && !matches!(said, types::Outcome::Unknown(_)) {
        let why = "the plugin says what became of it, and no other system answered it";
        return unknown(Failure::new("not_read", why));
    }
    match said {
        types::Outcome::Succeeded(said) if is_whole => Outcome::Succeeded(report(&said)),
        types::Outcome::Succeeded(_) if open.is_empty() => {
            Outcome::Failed(Failure { applied, ..said_too_much() })
        }
        types::Outcome::Succeeded(_) => unknown(said_too_much()),
        types::Outcome::Failed(said)
            if open.iter().any(|step| {
                !said.applied.iter().any(|id| id == step)
                    && at(step).is_some_and(|noted| noted.may_be_sent_at(now))
            }) =>
        {
            unknown(failure_from(&said))
        }
        types::Outcome::Failed(said) => {
            // What the host does not know of a step, the look found out.
            let found = |step: &&str| {
                had_effect(step) || open.contains(step) && said.applied.iter().any(|id| id == step)
            };
            let applied = steps().filter(found).map(str::to_owned).collect();
            Outcome::Failed(Failure { applied, ..failure_from(&said) })
        }
        types::Outcome::Unknown(said) => unknown(failure_from(&said)),
    }
}

#[cfg(test)]
mod tests {
    use placet_core::digest::Digest;
    use placet_core::runner::{Effect, Impact, Lock, Risk, Step};

    use super::*;

    const UNTIL: Timestamp = Timestamp::from_micros(1_000_000);

    fn looked_back(noted: &str, claims: &[&str], now_micros: i64) -> (&'static str, Vec<String>) {
        let step = Step {
            id: "a".to_owned(),
            title: "a call".to_owned(),
            body: "{}".to_owned(),
            body_digest: Digest::of(b"{}"),
            target: "orders".parse().unwrap(),
            kind: "deploy".to_owned(),
            risk: Risk::High,
            effect: Effect::AtMostOnce,
            estimated_rows: None,
            reversible: false,
            impact: Impact { lock: Lock::None, rewrites: false, objects: Vec::new() },
        };
        let plan = Plan::new(vec![step], Vec::new());
        let run = placet_core::id::RunId::from_u128(1);
        let notes = [(crate::notes::key(run, "a"), noted.to_owned())];
        let noted = crate::notes::of_run(&notes, run);
        let said = types::Failure {
            applied: claims.iter().map(|&id| id.to_owned()).collect(),
            code: "said".to_owned(),
            message: String::new(),
            step: None,
            retryable: false,
            details: None,
        };
        let ledger = Ledger { reads_answered: 1, ..Ledger::default() };
        let ended = Ended { answer: Ok(types::Outcome::Failed(said)), ledger };
        match of_verify(ended, &plan, (&noted, Timestamp::from_micros(now_micros))) {
            Outcome::Failed(failure) => ("failed", failure.applied),
            Outcome::Unknown(failure) => ("unknown", failure.applied),
            Outcome::Succeeded(report) => panic!("{report:?}"),
        }
    }

    #[test]
    fn that_a_call_had_no_effect_is_not_believed_while_it_may_be_under_way() {
        let sent = format!("intent {UNTIL}");
        assert_eq!(looked_back(&sent, &[], 999_999), ("unknown", vec![]));
        assert_eq!(looked_back(&sent, &[], 1_000_000), ("unknown", vec![]));
        assert_eq!(looked_back(&sent, &[], 1_000_001), ("failed", vec![]));
        // It took effect: no more will come.
        assert_eq!(looked_back(&sent, &["a"], 0), ("failed", vec!["a".to_owned()]));
        // When it is over, nobody knows.
        assert_eq!(looked_back("intent", &[], i64::from(u32::MAX)), ("unknown", vec![]));
        // It was answered.
        assert_eq!(looked_back("done 201", &[], 0), ("failed", vec!["a".to_owned()]));
    }
}
