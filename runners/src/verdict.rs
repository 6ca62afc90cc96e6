//! How a run ended, by what the host saw. What the plugin says counts only where it agrees: once the host
//! saw every step run and confirmed, the run succeeded, however the plugin ended. What was sent and not
//! confirmed is unknown. Everything else failed, and tells which steps took effect all the same.

use placet_core::runner::{Failure, Outcome, Report};

use crate::bindings::types;
use crate::call::{Ended, Trap};
use crate::convert::{clean, failure_from};
use crate::ledger::{Ledger, Progress, Seen};

/// Judges an execution.
pub(crate) fn of_execute(ended: Ended<types::Outcome>) -> Outcome {
    let Ended { answer, ledger } = ended;
    match ledger.progress {
        Progress::Committed => of_committed(answer, ledger),
        Progress::Sent => {
            let why = match answer {
                Err(trap) => trap.message,
                Ok(_) => "the commit was sent, and its answer was lost".to_owned(),
            };
            let lost = Failure::new("commit_lost", why);
            let step = ledger.in_doubt;
            Outcome::Unknown(Failure { applied: ledger.applied, step, ..lost })
        }
        // What was not confirmed was not committed: an open transaction went with its session.
        Progress::Open | Progress::Nothing => Outcome::Failed(of_nothing(answer, ledger)),
    }
}

fn of_committed(answer: Result<types::Outcome, Trap>, ledger: Ledger) -> Outcome {
    // The host let the commit through only after every approved step, and saw the answer.
    let (summary, after) = match answer {
        Ok(types::Outcome::Succeeded(report)) => (clean(&report.summary), None),
        Ok(types::Outcome::Failed(_)) => broke_off("it said that it failed".to_owned()),
        Ok(types::Outcome::Unknown(_)) => broke_off("it said that it could not tell".to_owned()),
        Err(trap) => broke_off(format!("{}: {}", trap.code, clean(&trap.message))),
    };
    let has_changed = ledger.artifacts.is_empty();
    let mut details = serde_json::Map::new();
    if let Some(why) = after {
        details.insert("after_commit".to_owned(), why.into());
    }
    if !has_changed {
        details.insert("rows_answered".to_owned(), ledger.answered.into());
    }
    let details = (!details.is_empty()).then(|| serde_json::Value::Object(details).to_string());
    let rows_affected = has_changed.then_some(ledger.rows);
    Outcome::Succeeded(Report { summary, rows_affected, details, artifacts: ledger.artifacts })
}

fn broke_off(why: String) -> (String, Option<String>) {
    let summary = "every step ran and the commit was confirmed; after it the plugin broke off";
    (summary.to_owned(), Some(why))
}

fn of_nothing(answer: Result<types::Outcome, Trap>, ledger: Ledger) -> Failure {
    let seen = ledger.failure;
    let failure = match answer {
        // A limit or the deadline ended it: that says more than what it led to.
        Err(trap) if trap.code != "runner_fault" => Failure::new(trap.code, trap.message),
        Err(trap) => seen.unwrap_or_else(|| Failure::new(trap.code, trap.message)),
        Ok(types::Outcome::Failed(said)) => seen.unwrap_or_else(|| failure_from(&said)),
        Ok(types::Outcome::Succeeded(_)) => seen.unwrap_or_else(|| {
            Failure::new(
                "runner_fault",
                "the plugin said that it succeeded, and the host saw no commit",
            )
        }),
        Ok(types::Outcome::Unknown(said)) => seen.unwrap_or_else(|| failure_from(&said)),
    };
    // Some answers were kept before one could not be: whoever reads the outcome must know of them.
    let kept: Vec<_> = ledger.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    let details = with_kept(failure.details, &kept);
    Failure { applied: ledger.applied, details, ..failure }
}

/// The details, and with them what is kept.
fn with_kept(details: Option<String>, kept: &[&str]) -> Option<String> {
    if kept.is_empty() {
        return details;
    }
    let read = details.map(|text| serde_json::from_str(&text).unwrap_or_else(|_| text.into()));
    let mut members = match read {
        None => serde_json::Map::new(),
        Some(serde_json::Value::Object(members)) => members,
        Some(other) => serde_json::Map::from_iter([("details".to_owned(), other)]),
    };
    members.insert("kept".to_owned(), kept.into());
    Some(serde_json::Value::Object(members).to_string())
}

/// Judges a verification: only what stands in the target resolves an outcome.
pub(crate) fn of_verify(ended: Ended<types::Outcome>) -> Outcome {
    let Ended { answer, ledger } = ended;
    match (ledger.marker, answer) {
        (Seen::There, _) => Outcome::Succeeded(Report {
            summary: "the marker row is there: it was committed".to_owned(),
            ..Report::default()
        }),
        (Seen::Absent(applied), _) => {
            let why = if applied.is_empty() {
                "the marker row is not there, and nothing can write it any more"
            } else {
                "some steps are marked as done, and nothing can do the others any more"
            };
            Outcome::Failed(Failure { applied, ..Failure::new("not_committed", why) })
        }
        (Seen::Untold, _) => Outcome::Unknown(Failure::new(
            "unknown",
            "the target cannot tell whether it was committed",
        )),
        (Seen::Unread, Err(trap)) => Outcome::Unknown(Failure::new(trap.code, trap.message)),
        (Seen::Unread, Ok(_)) => Outcome::Unknown(ledger.failure.unwrap_or_else(|| {
            Failure::new("runner_fault", "the plugin did not look at the marker")
        })),
    }
}
