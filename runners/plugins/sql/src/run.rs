//! Talks to the database through the host.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::sql::{Connection, Error, Transaction};
use placet_plugin_sdk::{ChangePlan, Failure, Job, Outcome, Step, context, failure, report};
use placet_sql_review::{Payload, Script, title};

use crate::CONNECTION;
use crate::review::{Review, finding, review};

/// Reviews the payload in the dialect of the target, and tries it where a dry run is granted.
pub fn plan(job: &Job) -> Result<ChangePlan, String> {
    let connection = Connection::open(CONNECTION).map_err(|error| said(&error))?;
    let mut reviewed = match Payload::from_json(&job.payload) {
        Ok(Payload::Revert(of)) => {
            let inverse = connection.inverse(&of.request, of.revision, of.attempt);
            of_inverse(inverse.map_err(|error| said(&error))?)
        }
        Ok(Payload::Script(_)) | Err(_) => {
            review(&job.payload, &job.settings, &connection.dialect())
        }
    };
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

/// The statements that put an attempt back, as steps. The host says of each what it names and how it is undone.
fn of_inverse(statements: Vec<String>) -> Review {
    let mut reviewed = Review::default();
    for (index, body) in statements.into_iter().enumerate() {
        reviewed.lines.push(1);
        reviewed.steps.push(Step {
            id: format!("s{}", index.saturating_add(1)),
            title: title(&body),
            body,
            // The host computes it.
            body_digest: String::new(),
            target: CONNECTION.to_string(),
            kind: "write".to_string(),
            risk: "medium".to_string(),
            effect: "transactional".to_string(),
            estimated_rows: None,
            reversible: false,
            lock: "rows".to_string(),
            rewrites: false,
            objects: Vec::new(),
        });
    }
    reviewed
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
        if step.effect != "transactional" {
            let message = "it runs outside a transaction, so that nothing was tried from here on";
            let (id, line) = (Some(step.id.as_str()), Some(*line));
            failed = Some(finding("info", "sql.not_tried", message.to_string(), id, line));
            break;
        }
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

/// How the host will let the approved steps run. It decides the same by itself, and refuses everything else.
enum Mode {
    Together,
    OneByOne,
    Answers,
}

fn mode(job: &Job, approved: &ChangePlan) -> Mode {
    let asked = Payload::from_json(&job.payload);
    let by_steps = matches!(
        asked,
        Ok(Payload::Script(Script { mode: Some(placet_sql_review::Mode::Steps), .. }))
    );
    if approved.steps.iter().all(|step| step.kind == "read") {
        Mode::Answers
    } else if by_steps || approved.steps.iter().any(|step| step.effect != "transactional") {
        Mode::OneByOne
    } else {
        Mode::Together
    }
}

/// Executes the approved steps.
pub fn execute(job: &Job, approved: &ChangePlan) -> Outcome {
    let statements = match approved.steps.len() {
        1 => "1 statement".to_string(),
        count => format!("{count} statements"),
    };
    let (done, said) = match mode(job, approved) {
        Mode::Together => (together(approved), format!("committed {statements}")),
        Mode::OneByOne => (one_by_one(approved), format!("committed {statements} one by one")),
        Mode::Answers => (answers(approved), format!("answered {statements}")),
    };
    match done {
        Ok(rows) => Outcome::Succeeded(report(&said, Some(rows))),
        Err((Error::Unknown(why), step)) => Outcome::Unknown(of_error(&Error::Unknown(why), step)),
        Err((error, step)) => Outcome::Failed(of_error(&error, step)),
    }
}

type Stopped = (Error, Option<String>);

/// Tells how far it is: steps done, and rows so far.
fn tell(approved: &ChangePlan, done: usize, rows: u64) {
    let total = u64::try_from(approved.steps.len()).ok();
    let (id, note) = match approved.steps.get(done) {
        Some(step) => (step.id.as_str(), format!("{}; {rows} rows so far", step.title)),
        None => ("", format!("{rows} rows")),
    };
    context::progress(id, u64::try_from(done).unwrap_or(u64::MAX), total, Some(&note));
}

fn tell_step(step: &Step, did: &str, rows: u64) {
    let rows = rows.to_string();
    let fields = [("step".to_string(), step.id.clone()), ("rows".to_string(), rows)];
    context::log("info", did, &fields);
}

fn together(approved: &ChangePlan) -> Result<u64, Stopped> {
    let outside = |error| (error, None);
    let connection = Connection::open(CONNECTION).map_err(outside)?;
    let transaction = connection.begin().map_err(outside)?;
    let mut rows = 0_u64;
    for (done, step) in approved.steps.iter().enumerate() {
        tell(approved, done, rows);
        let changed = run(&transaction, step)?;
        rows = rows.saturating_add(changed);
        tell_step(step, "executed", changed);
    }
    tell(approved, approved.steps.len(), rows);
    transaction.commit().map_err(outside)?;
    Ok(rows)
}

fn one_by_one(approved: &ChangePlan) -> Result<u64, Stopped> {
    let connection = Connection::open(CONNECTION).map_err(|error| (error, None))?;
    let mut rows = 0_u64;
    for (done, step) in approved.steps.iter().enumerate() {
        let here = |error| (error, Some(step.id.clone()));
        tell(approved, done, rows);
        let changed = if step.effect == "transactional" {
            let transaction = connection.begin().map_err(here)?;
            let changed = run(&transaction, step)?;
            transaction.commit_step().map_err(here)?;
            changed
        } else {
            connection.execute_autocommit(&step.body, &[]).map_err(here)?.affected()
        };
        rows = rows.saturating_add(changed);
        tell_step(step, "took effect", changed);
    }
    tell(approved, approved.steps.len(), rows);
    Ok(rows)
}

fn answers(approved: &ChangePlan) -> Result<u64, Stopped> {
    let connection = Connection::open(CONNECTION).map_err(|error| (error, None))?;
    let mut rows = 0_u64;
    for (done, step) in approved.steps.iter().enumerate() {
        tell(approved, done, rows);
        let answered =
            connection.answer(&step.body).map_err(|error| (error, Some(step.id.clone())))?;
        rows = rows.saturating_add(answered);
        tell_step(step, "answered", answered);
    }
    tell(approved, approved.steps.len(), rows);
    Ok(rows)
}

/// Runs one step in the open transaction, and undoes everything where that fails.
fn run(transaction: &Transaction, step: &Step) -> Result<u64, Stopped> {
    match transaction.execute(&step.body, &[]) {
        Ok(rows) => Ok(rows.affected()),
        Err(error) => {
            if let Err(again) = transaction.rollback() {
                let message = format!("the rollback failed too: {}", said(&again));
                context::log("warn", &message, &[]);
            }
            Err((error, Some(step.id.clone())))
        }
    }
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
