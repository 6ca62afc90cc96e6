//! Queries, their limits, and batches as they come.

use super::Check;
use crate::testing::exam::{Checked, Exam, done, ensure, fresh_id, read, run, same};
use crate::{Origin, SqlFailure, SqlRows, SqlValue};

pub(super) const CHECKS: &[Check] = &[
    ("a query answers names and values", answers),
    ("rows are counted while they are read", rows_are_limited),
    ("bytes are counted while they are read", bytes_are_limited),
    ("a session goes on after a limit", goes_on),
    ("a stream hands over what a query answers", streams),
    ("a stream is limited as a query is", stream_is_limited),
    ("a stream ends where its taker says so", stream_ends),
    ("a column of a table names its origin, and nothing else does", origins),
    ("an estimate runs nothing", estimates),
];

const ALL: &str = "SELECT id, state, note FROM exam_orders ORDER BY id";

fn answers(exam: &Exam<'_>) -> Checked {
    let found = read(&mut *exam.reader()?, ALL)?;
    same("the names", found.columns, ["id", "state", "note"].map(ToOwned::to_owned).to_vec())?;
    let text = |text: &str| SqlValue::Text(text.to_owned());
    let wanted = vec![
        vec![SqlValue::Int64(1), text("new"), text("a")],
        vec![SqlValue::Int64(2), text("new"), SqlValue::Null],
        vec![SqlValue::Int64(3), text("paid"), text("c")],
    ];
    same("the rows", found.rows, wanted)?;
    let nothing = read(&mut *exam.reader()?, "SELECT id FROM exam_orders WHERE id > 100")?;
    same("the names of an empty answer", nothing.columns, vec!["id".to_owned()])?;
    same("the rows of an empty answer", nothing.rows.len(), 0)
}

fn is_limit(answer: &Result<SqlRows, SqlFailure>) -> bool {
    matches!(answer, Err(SqlFailure::Limit(_)))
}

fn rows_are_limited(exam: &Exam<'_>) -> Checked {
    let mut session = exam.reader()?;
    same("rows", done(ALL, session.query(ALL, &[], 3, 1_024))?.rows.len(), 3)?;
    let answer = session.query(ALL, &[], 2, 1_024);
    ensure(is_limit(&answer), || format!("three rows, where two are the most: {answer:?}"))?;
    // As many rows as nobody could hold: the limit must be felt while they come.
    fill(exam);
    let answer = session.query(MANY, &[], 5, 1 << 20);
    ensure(is_limit(&answer), || "a limit of rows was not felt".to_owned())
}

/// So many rows that nobody can read them all.
pub(super) const MANY: &str = "SELECT a.id FROM exam_orders a CROSS JOIN exam_orders b \
    CROSS JOIN exam_orders c CROSS JOIN exam_orders d CROSS JOIN exam_orders e";

/// More than anybody reads of [`MANY`]. A driver that holds all of it still ends.
pub(super) const MOST_READ: (u64, u64, usize) = (1_000_000, 64 << 20, 10);

/// Makes `exam_orders` large enough for [`MANY`].
pub(super) fn fill(exam: &Exam<'_>) {
    let rows: Vec<_> = (10..500).map(|id| format!("({id}, 'bulk', NULL)")).collect();
    exam.of.admin(&format!("INSERT INTO exam_orders VALUES {}", rows.join(", ")));
}

fn bytes_are_limited(exam: &Exam<'_>) -> Checked {
    let mut session = exam.reader()?;
    let found = read(&mut *session, ALL)?;
    let names = found.columns.iter().map(|name| {
        u64::try_from(name.len()).unwrap_or(u64::MAX).saturating_add(SqlValue::OVERHEAD_BYTES)
    });
    let bytes = found.rows.iter().flatten().map(SqlValue::bytes).chain(names).sum::<u64>();
    let just_enough = session.query(ALL, &[], 10, bytes);
    ensure(just_enough.is_ok(), || format!("{bytes} bytes are refused: {just_enough:?}"))?;
    let answer = session.query(ALL, &[], 10, bytes.saturating_div(2));
    ensure(is_limit(&answer), || format!("half of {bytes} bytes are enough: {answer:?}"))?;
    fill(exam);
    // A session of its own: one that has read already may go on seeing what was there then.
    let answer = exam.reader()?.query(MANY, &[], 1_000_000, 10_000);
    ensure(is_limit(&answer), || "a limit of bytes was not felt".to_owned())
}

fn goes_on(exam: &Exam<'_>) -> Checked {
    let mut session = exam.writer(fresh_id())?;
    let _rows = run(&mut *session, "UPDATE exam_orders SET note = 'seen' WHERE id = 1")?;
    let answer = session.query(ALL, &[], 1, 1_024);
    ensure(is_limit(&answer), || format!("three rows, where one is the most: {answer:?}"))?;
    let found = read(&mut *session, "SELECT note FROM exam_orders WHERE id = 1")?;
    same("what the transaction wrote", found.rows, vec![vec![SqlValue::Text("seen".to_owned())]])?;
    done("rolling back", session.rollback())
}

fn streams(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let mut session = exam.reader()?;
    let asked = done(ALL, session.query(ALL, &[], 1_000, 1 << 20))?;
    for batch_rows in [1, 7, 493, 1_000] {
        let mut got = SqlRows::default();
        let mut largest = 0;
        let count = session.stream(ALL, &[], (1_000, 1 << 20, batch_rows), &mut |batch| {
            largest = largest.max(batch.rows.len());
            got.columns = batch.columns;
            got.origins = batch.origins;
            got.rows.extend(batch.rows);
            Ok(())
        });
        let count = done("streaming", count)?;
        same("the rows that a stream counted", count, 493)?;
        ensure(largest <= batch_rows, || format!("a batch of {largest} rows, not {batch_rows}"))?;
        same("the rows of a stream", &got, &asked)?;
    }
    let mut batches = Vec::new();
    let none = "SELECT id FROM exam_orders WHERE id < 0";
    let count = session.stream(none, &[], (10, 1_024, 5), &mut |batch| {
        batches.push((batch.columns, batch.rows.len()));
        Ok(())
    });
    same("the rows of an empty stream", done(none, count)?, 0)?;
    same("the batches of an empty stream", batches, vec![(vec!["id".to_owned()], 0)])
}

fn stream_is_limited(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let mut session = exam.reader()?;
    for (rows_max, bytes_max) in [(100, 64 << 20), (1_000_000, 4_000)] {
        let mut rows = 0_usize;
        let answer = session.stream(MANY, &[], (rows_max, bytes_max, 10), &mut |batch| {
            rows = rows.saturating_add(batch.rows.len());
            Ok(())
        });
        ensure(matches!(answer, Err(SqlFailure::Limit(_))), || format!("answered {answer:?}"))?;
        ensure(rows <= 125, || format!("{rows} rows were handed over"))?;
    }
    let answer = session.stream("DELETE FROM exam_orders", &[], (10, 1_024, 5), &mut |_| Ok(()));
    ensure(answer.is_err(), || format!("a stream that writes answered {answer:?}"))?;
    drop(session);
    same("rows", exam.rows().len(), 493)
}

fn stream_ends(exam: &Exam<'_>) -> Checked {
    fill(exam);
    let mut session = exam.reader()?;
    let mut batches = 0_u32;
    let answer = session.stream(MANY, &[], MOST_READ, &mut |_| {
        batches = batches.saturating_add(1);
        if batches < 3 { Ok(()) } else { Err(SqlFailure::Refused("enough".to_owned())) }
    });
    let said = matches!(&answer, Err(SqlFailure::Refused(why)) if why == "enough");
    ensure(said, || format!("answered {answer:?}"))?;
    same("batches", batches, 3)?;
    same("rows of the next query", read(&mut *session, "SELECT 1")?.rows.len(), 1)
}

fn origins(exam: &Exam<'_>) -> Checked {
    let mut session = exam.reader()?;
    let of =
        |column: &str| Some(Origin { table: "exam_orders".to_owned(), column: column.to_owned() });
    for (sql, wanted) in [
        ("SELECT note, id FROM exam_orders", vec![of("note"), of("id")]),
        ("SELECT o.note AS title FROM exam_orders o", vec![of("note")]),
        ("SELECT max(note), id + 1, 'note' FROM exam_orders GROUP BY id", vec![None, None, None]),
    ] {
        let found = read(&mut *session, sql)?.origins;
        ensure(found.is_empty() || found == wanted, || format!("`{sql}`: {found:?}"))?;
    }
    // What mixes columns must not be told to be one of them.
    for sql in [
        "SELECT state FROM exam_orders UNION ALL SELECT note FROM exam_orders",
        "SELECT s FROM (SELECT note AS s FROM exam_orders UNION SELECT state FROM exam_orders) t",
        "WITH t AS (SELECT state AS s FROM exam_orders UNION ALL SELECT note FROM exam_orders) SELECT s FROM t",
        "SELECT coalesce(state, note) FROM exam_orders",
    ] {
        let found = read(&mut *session, sql)?.origins;
        ensure(found.iter().all(Option::is_none), || format!("`{sql}`: {found:?}"))?;
    }
    drop(session);
    // A view shows a table's column under names of its own: who hides the table's column must not be told of another.
    exam.of.admin("CREATE VIEW exam_shown AS SELECT id, note AS title FROM exam_orders");
    let found = exam.reader().and_then(|mut session| {
        let found = read(&mut *session, "SELECT title FROM exam_shown");
        Ok(found?.origins)
    });
    exam.of.admin("DROP VIEW exam_shown");
    let found = found?;
    let is_true = |origin: &Option<Origin>| origin.is_none() || *origin == of("note");
    ensure(found.iter().all(is_true), || format!("a column of a view: {found:?}"))
}

fn estimates(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    let mut session = exam.writer(fresh_id())?;
    for sql in [ALL, "DELETE FROM exam_orders", "UPDATE exam_orders SET note = 'x'"] {
        let _rows = done(sql, session.estimate(sql))?;
        let found = read(&mut *session, "SELECT id FROM exam_orders WHERE note = 'a'")?;
        same("rows after an estimate", found.rows.len(), 1)?;
    }
    let _any = session.estimate("DELETE FROM exam_orders; DELETE FROM exam_orders");
    drop(session);
    same("rows", exam.rows(), before)
}
