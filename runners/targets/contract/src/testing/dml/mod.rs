//! Random scripts over random tables: what they changed is put back exactly, or it was said beforehand that it cannot be.

mod values; // literals by chance
mod world; // tables by chance
mod script; // statements by chance
mod tamper; // rows that somebody else changes meanwhile
mod report; // what was counted
mod scripts; // the same scripts, taken another way

use super::exam::{
    Checked, Exam, Session, committed, done, ensure, fresh_id, mark, marker, words_of,
};
use super::{Chance, Examined};
use crate::{Access, Attempt, Keepable, SqlFailure};

pub use report::DmlReport;
use script::Statement;
pub use scripts::{DmlRows, DmlScripts};
use tamper::Tampering;
use world::World;

/// How many scripts run over the same tables.
const SCRIPTS_PER_WORLD: u64 = 8;

/// The most rows that a script may change.
const ROWS_MAX: u64 = 10_000;

/// From so many scripts on, some must have been put back and some must have been refused beforehand.
const ENOUGH: u64 = 100;

/// Runs `scripts` random scripts of INSERT, UPDATE and DELETE over random tables: composite keys, NULLs, generated
/// columns, triggers on some, foreign keys with and without actions, blobs, decimals, instants, odd names.
///
/// A script of which every statement can be kept runs and is committed, and its inverse runs as another attempt: every
/// row is exactly as before. Where somebody else changed a row in between, that row stays as it is. A script of which
/// a statement cannot be kept does not run and is counted with the reason. The same seed makes the same scripts.
///
/// ```no_run
/// # use placet_target::testing::Examined;
/// # fn driver() -> Box<dyn Examined> { unreachable!() }
/// let report = placet_target::testing::random_dml(&*driver(), 20_261_123, 1_000)?;
/// println!("{report}");
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// Says what was not put back, with the seed, the script and its statements.
pub fn random_dml(of: &dyn Examined, seed: u64, scripts: u64) -> Result<DmlReport, String> {
    let exam = Exam { of };
    let mut chance = Chance::new(seed);
    let mut report = DmlReport::new(seed);
    let mut world = World::new(&exam, &mut chance);
    for number in 0..scripts {
        if number.checked_rem(SCRIPTS_PER_WORLD) == Some(0) {
            world = World::new(&exam, &mut chance);
            world.make(&exam);
        }
        let script = world.script(&exam, &mut chance);
        one_script(&exam, &world, &script, &mut chance, &mut report).map_err(|why| {
            let texts: Vec<_> = script.iter().map(|statement| statement.sql.as_str()).collect();
            format!("seed {seed}, script {number}: {why}; the script:\n{}", texts.join(";\n"))
        })?;
        report.scripts = report.scripts.saturating_add(1);
    }
    world.drop_all(&exam);
    let both = report.reverted > 0 && !report.said_no.is_empty();
    ensure(scripts < ENOUGH || both, || format!("one of two ways was never taken: {report}"))?;
    Ok(report)
}

fn one_script(
    exam: &Exam<'_>,
    world: &World,
    script: &[Statement],
    chance: &mut Chance,
    report: &mut DmlReport,
) -> Checked {
    let before = world.dump(exam);
    if let Some(why) = said_no(exam, script)? {
        report.say_no(&why);
        return ensure(world.dump(exam) == before, || "asking changed rows".to_owned());
    }
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let rows = match run_kept(&mut session, script, id)? {
        Ok(rows) => rows,
        Err(failure) => {
            drop(session);
            report.refuse(&failure);
            let same = world.dump(exam) == before;
            return ensure(same, || format!("{} left rows", words_of(&failure)));
        }
    };
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    let inverse = exam.reader()?.inverse(&Attempt::of(&id), (ROWS_MAX, u64::MAX));
    let inverse = done("reading the inverse", inverse)?;
    let count = u64::try_from(inverse.len()).unwrap_or(u64::MAX);
    ensure(count == rows, || format!("{rows} rows changed, and {count} statements put back"))?;
    let after = world.dump(exam);
    if chance.is(30)
        && let Some(tampering) = Tampering::of(world, exam, chance, (&before, &after))
    {
        exam.of.admin(&tampering.sql);
        return put_back_around(exam, world, (&tampering, &before), &inverse, report);
    }
    put_back(exam, &inverse)??;
    let found = world.dump(exam);
    world
        .compare(&found, &before)
        .map_err(|why| format!("after the revert, {why}; the inverse:\n{}", inverse.join(";\n")))?;
    report.reverted = report.reverted.saturating_add(1);
    report.rows = report.rows.saturating_add(rows);
    Ok(())
}

/// Why the script would not be kept, if a statement of it cannot.
fn said_no(exam: &Exam<'_>, script: &[Statement]) -> Result<Option<String>, String> {
    let mut session = exam.reader()?;
    for statement in script {
        let answer = session.can_keep(&statement.touch);
        if let Keepable::No(why) = done("asking whether rows can be kept", answer)? {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

fn run_kept(
    session: &mut Session,
    script: &[Statement],
    id: placet_core::runner::JobId,
) -> Result<Result<u64, SqlFailure>, String> {
    let mut rows = 0_u64;
    for (number, statement) in script.iter().enumerate() {
        let mark = mark(id, &format!("s{number}"));
        match session.execute_kept(&statement.sql, (&statement.touch, &mark), ROWS_MAX) {
            Ok(changed) => rows = rows.saturating_add(changed),
            Err(failure @ (SqlFailure::Unavailable(_) | SqlFailure::Stopped(_))) => {
                return Err(words_of(&failure));
            }
            Err(failure) => return Ok(Err(failure)),
        }
    }
    Ok(Ok(rows))
}

/// Executes the inverse as another attempt. The inner error says which statement changed no row.
fn put_back(exam: &Exam<'_>, inverse: &[String]) -> Result<Checked, String> {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    for sql in inverse {
        let rows = done(sql, session.execute(sql, &[]))?;
        if rows != 1 {
            return Ok(Err(format!("`{sql}` put {rows} rows back")));
        }
    }
    committed("committing the revert", session.commit(&marker(id)))?;
    Ok(Ok(()))
}

/// Executes the inverse after somebody else changed a row: that one stays.
fn put_back_around(
    exam: &Exam<'_>,
    world: &World,
    (tampering, before): (&Tampering, &world::Dumps),
    inverse: &[String],
    report: &mut DmlReport,
) -> Checked {
    let now = world.dump(exam);
    let id = fresh_id();
    let mut session = exam.open(Access::ReadWrite(id))?;
    done("beginning", session.begin())?;
    let mut held = 0_u64;
    for sql in inverse {
        match session.execute(sql, &[]) {
            Ok(0) => held = held.saturating_add(1),
            Ok(1) => {}
            Ok(rows) => return Err(format!("`{sql}` put {rows} rows back")),
            // Somebody else's row may stand in the way, such as one that refers to what was inserted.
            Err(_) => {
                drop(session);
                report.stood_in_the_way = report.stood_in_the_way.saturating_add(1);
                return ensure(world.dump(exam) == now, || {
                    "a revert that failed left rows".to_owned()
                });
            }
        }
    }
    committed("committing the revert", session.commit(&marker(id)))?;
    drop(session);
    let wanted = tampering.wanted(before, &now);
    world.compare(&world.dump(exam), &wanted).map_err(|why| {
        format!(
            "after `{}` and the revert, {why}; the inverse:\n{}",
            tampering.sql,
            inverse.join(";\n")
        )
    })?;
    ensure(held > 0, || format!("no guard saw `{}`", tampering.sql))?;
    report.held = report.held.saturating_add(held);
    report.around = report.around.saturating_add(1);
    Ok(())
}
