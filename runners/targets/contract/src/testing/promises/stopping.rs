//! Work that is told to stop stops, and nothing of it stays.

use super::Check;
use super::reading::{MANY, MOST_READ, fill};
use crate::testing::exam::{Checked, Exam, INSERT, ensure, fresh_id, run, same};
use crate::{Access, SqlFailure, StopReason, StopSignal};

pub(super) const CHECKS: &[Check] = &[
    ("nothing is sent after the stop signal", before),
    ("a query stops when it is told to", during_a_query),
    ("a stream stops when it is told to", during_a_stream),
    ("a statement that is stopped leaves nothing", during_a_statement),
];

/// What takes longer than anybody waits.
const FOREVER: &str = "SELECT count(*) FROM exam_orders a CROSS JOIN exam_orders b \
    CROSS JOIN exam_orders c CROSS JOIN exam_orders d CROSS JOIN exam_orders e \
    WHERE a.id + b.id + c.id + d.id + e.id < 0";

fn is_stopped<T>(answer: &Result<T, SqlFailure>) -> bool {
    matches!(answer, Err(SqlFailure::Stopped(StopReason::Cancelled)))
}

fn before(exam: &Exam<'_>) -> Checked {
    let stop = StopSignal::new();
    let mut session = exam.open_with(Access::ReadWrite(fresh_id()), &stop)?;
    let begun = session.begin();
    ensure(begun.is_ok(), || format!("beginning: {begun:?}"))?;
    stop.raise(StopReason::Cancelled);
    let answer = session.execute(INSERT, &[]);
    ensure(is_stopped(&answer), || format!("a statement answered {answer:?}"))?;
    let answer = session.query("SELECT id FROM exam_orders", &[], 10, 1_024);
    ensure(is_stopped(&answer), || format!("a query answered {answer:?}"))?;
    let rolled_back = session.rollback();
    ensure(rolled_back.is_ok(), || format!("rolling back: {rolled_back:?}"))?;
    drop(session);
    same("rows", exam.rows().len(), 3)
}

/// Calls `work`, and raises the signal from another thread meanwhile.
fn stopped_meanwhile<T>(stop: &StopSignal, work: impl FnOnce() -> T) -> T {
    let raised = stop.clone();
    let (begin, begun) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|threads| {
        let _thread = threads.spawn(move || {
            let _told = begun.recv();
            // Other threads come first, so that the work is usually under way. Nothing depends on it.
            (0..20).for_each(|_| std::thread::yield_now());
            raised.raise(StopReason::Cancelled);
        });
        let _told = begin.send(());
        work()
    })
}

fn during_a_query(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let stop = StopSignal::new();
    let mut session = exam.open_with(Access::ReadOnly, &stop)?;
    let answer = stopped_meanwhile(&stop, || session.query(FOREVER, &[], 10, 1_024));
    ensure(is_stopped(&answer), || format!("answered {answer:?}"))
}

fn during_a_stream(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let stop = StopSignal::new();
    let mut session = exam.open_with(Access::ReadOnly, &stop)?;
    // Raised between two batches, so surely while the work is under way.
    let answer = session.stream(MANY, &[], MOST_READ, &mut |_| {
        stop.raise(StopReason::Cancelled);
        Ok(())
    });
    ensure(is_stopped(&answer), || format!("answered {answer:?}"))
}

fn during_a_statement(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let before = exam.rows();
    let stop = StopSignal::new();
    let mut session = exam.open_with(Access::ReadWrite(fresh_id()), &stop)?;
    let begun = session.begin();
    ensure(begun.is_ok(), || format!("beginning: {begun:?}"))?;
    let _one = run(&mut *session, INSERT)?;
    let update = format!("UPDATE exam_orders SET note = 'x' WHERE id < 0 OR ({FOREVER}) > 0");
    // Some dialects let no statement read the table that it changes.
    let sql = if exam.of.target().dialect() == "mysql" {
        update.replace(
            "UPDATE exam_orders SET note = 'x' WHERE id < 0 OR",
            "INSERT INTO exam_orders SELECT 5000, 'x', 'x' FROM DUAL WHERE",
        )
    } else {
        update
    };
    let answer = stopped_meanwhile(&stop, || session.execute(&sql, &[]));
    ensure(is_stopped(&answer), || format!("answered {answer:?}"))?;
    drop(session);
    same("rows", exam.rows(), before)
}
