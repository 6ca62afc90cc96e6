//! Talks to the database through the host.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::sql::{Connection, Error};
use placet_plugin_sdk::{ChangePlan, Failure, Job, Outcome, context, failure, report};

use crate::CONNECTION;
use crate::review::{Review, finding, review};

/// Reviews the payload in the dialect of the target, and tries it where a dry run is granted.
pub fn plan(job: &Job) -> Result<ChangePlan, String> {
    let connection = Connection::open(CONNECTION).map_err(|error| said(&error))?;
    let mut reviewed = review(&job.payload, &job.settings, &connection.dialect());
    if !reviewed.is_refused() {
        dry_run(&connection, &mut reviewed)?;
    }
    Ok(ChangePlan {
        steps: reviewed.steps,
        findings: reviewed.findings,
        // The host computes it.
        digest: String::new(),
        rollback: None,
    })
}

fn dry_run(connection: &Connection, reviewed: &mut Review) -> Result<(), String> {
    let transaction = match connection.begin() {
        Ok(transaction) => transaction,
        Err(Error::Denied(why)) => {
            let message = format!("nothing was tried: {why}");
            reviewed.findings.push(finding("info", "sql.no_dry_run", message, None, None));
            return Ok(());
        }
        Err(error) => return Err(said(&error)),
    };
    let mut failed = None;
    for (step, line) in reviewed.steps.iter_mut().zip(&reviewed.lines) {
        match transaction.execute(&step.body, &[]) {
            Ok(rows) => step.estimated_rows = (step.kind != "read").then(|| rows.affected()),
            Err(error @ (Error::Db(_) | Error::Denied(_) | Error::Invalid(_))) => {
                let code =
                    if let Error::Db(_) = error { "sql.dry_run_failed" } else { "sql.denied" };
                // Later statements may rest on this one: what they would say means nothing.
                failed = Some(finding("error", code, said(&error), Some(&step.id), Some(*line)));
                break;
            }
            Err(error) => return Err(said(&error)),
        }
    }
    reviewed.findings.extend(failed);
    transaction.rollback().map_err(|error| said(&error))
}

/// Executes the approved steps in one transaction.
pub fn execute(approved: &ChangePlan) -> Outcome {
    match run(approved) {
        Ok(rows) => {
            let statements = match approved.steps.len() {
                1 => "1 statement".to_string(),
                count => format!("{count} statements"),
            };
            Outcome::Succeeded(report(&format!("committed {statements}"), Some(rows)))
        }
        Err((Error::Unknown(why), step)) => Outcome::Unknown(of_error(&Error::Unknown(why), step)),
        Err((error, step)) => Outcome::Failed(of_error(&error, step)),
    }
}

fn run(approved: &ChangePlan) -> Result<u64, (Error, Option<String>)> {
    let outside = |error| (error, None);
    let connection = Connection::open(CONNECTION).map_err(outside)?;
    let transaction = connection.begin().map_err(outside)?;
    let total = u64::try_from(approved.steps.len()).ok();
    let mut changed = 0_u64;
    for (done, step) in (0_u64..).zip(&approved.steps) {
        context::progress(&step.id, done, total, Some(&step.title));
        match transaction.execute(&step.body, &[]) {
            Ok(rows) => changed = changed.saturating_add(rows.affected()),
            Err(error) => {
                if let Err(again) = transaction.rollback() {
                    context::log(
                        "warn",
                        &format!("the rollback failed too: {}", said(&again)),
                        &[],
                    );
                }
                return Err((error, Some(step.id.clone())));
            }
        }
    }
    transaction.commit().map_err(outside)?;
    Ok(changed)
}

/// Reads the marker row.
pub fn verify() -> Outcome {
    match Connection::open(CONNECTION).and_then(|connection| connection.marker()) {
        Ok(Some(true)) => {
            Outcome::Succeeded(report("the marker row is there: it was committed", None))
        }
        Ok(Some(false)) => Outcome::Failed(failure(
            "not_committed",
            "the marker row is not there, and nothing can write it any more",
        )),
        Ok(None) => Outcome::Unknown(failure("unknown", "the target cannot tell")),
        Err(error) => Outcome::Unknown(of_error(&error, None)),
    }
}

fn of_error(error: &Error, step: Option<String>) -> Failure {
    let code = match error {
        Error::Denied(_) => "denied",
        Error::Invalid(_) => "invalid",
        Error::Db(db) => &db.code,
        Error::Connection(_) => "target_unavailable",
        Error::Unknown(_) => "unknown",
        Error::Timeout => "timeout",
        Error::Cancelled => "cancelled",
        Error::Limit(_) => "limit",
    };
    Failure { step, applied: Vec::new(), ..failure(code, &said(error)) }
}

fn said(error: &Error) -> String {
    match error {
        Error::Db(db) => db.message.clone(),
        Error::Denied(why)
        | Error::Invalid(why)
        | Error::Connection(why)
        | Error::Unknown(why)
        | Error::Limit(why) => why.clone(),
        Error::Timeout => "the deadline passed".to_string(),
        Error::Cancelled => "the run was cancelled".to_string(),
    }
}
