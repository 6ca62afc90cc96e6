//! Rows that are kept can be put back, or it is said beforehand that they cannot.

use super::Check;
use crate::testing::exam::{
    Checked, Exam, ORDERS, committed, done, ensure, fresh_id, mark, marker, read, run, same,
};
use crate::{Access, Attempt, Keepable, SqlFailure, Touch, TouchKind};

pub(super) const CHECKS: &[Check] = &[
    ("what was kept can be put back", puts_back),
    ("where nothing was kept there is nothing to put back", nothing_kept),
    ("kept rows are part of the transaction", part_of_it),
    ("more rows than may be kept are refused", limited),
    ("a statement that does something else than it said is refused", another_count),
    ("what cannot be kept is said beforehand and does not run", said_beforehand),
];

fn touch(kind: TouchKind, columns: &[&str], condition: Option<&str>) -> Touch {
    Touch {
        kind,
        table: vec![ORDERS.to_owned()],
        alias: None,
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        condition: condition.map(ToOwned::to_owned),
    }
}

fn update() -> (&'static str, Touch) {
    (
        "UPDATE exam_orders SET note = 'kept' WHERE id < 3",
        touch(TouchKind::Update, &["note"], Some("id < 3")),
    )
}

/// Whether the driver keeps rows of a plain table at all.
fn keeps(exam: &Exam<'_>, touch: &Touch) -> Result<bool, String> {
    let answer = done("asking whether rows can be kept", exam.reader()?.can_keep(touch))?;
    Ok(answer == Keepable::Yes)
}

fn puts_back(exam: &Exam<'_>) -> Checked {
    let insert = "INSERT INTO exam_orders (id, state) VALUES (7, 'new'), (8, 'new')";
    let statements = [
        update(),
        (insert, touch(TouchKind::Insert, &["id", "state"], None)),
        ("DELETE FROM exam_orders WHERE id = 1", touch(TouchKind::Delete, &[], Some("id = 1"))),
        ("DELETE FROM exam_orders", touch(TouchKind::Delete, &[], None)),
    ];
    let before = exam.rows();
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    for ((sql, touch), rows) in statements.iter().zip([2, 2, 1, 4]) {
        if !keeps(exam, touch)? {
            return Ok(());
        }
        let kept = session.execute_kept(sql, (touch, &mark(id, "s1")), 100);
        same(sql, done(sql, kept)?, rows)?;
    }
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    same("rows", exam.rows().len(), 0)?;
    let inverse =
        done("reading the inverse", exam.reader()?.inverse(&Attempt::of(&id), (100, 1 << 20)))?;
    same("statements of the inverse", inverse.len(), 9)?;
    let bytes = inverse.iter().map(String::len).fold(0, usize::saturating_add);
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    for too_few in [(8, bytes), (9, bytes.saturating_sub(1))] {
        let limited = exam.reader()?.inverse(&Attempt::of(&id), too_few);
        ensure(matches!(limited, Err(SqlFailure::Limit(_))), || {
            format!("answered {limited:?} where at most {too_few:?} were asked for")
        })?;
    }
    let enough = exam.reader()?.inverse(&Attempt::of(&id), (9, bytes));
    same("as much as there is", done("reading the inverse", enough)?, inverse.clone())?;
    let revert = fresh_id();
    let mut session = exam.writer(revert)?;
    for sql in &inverse {
        same(sql, run(&mut *session, sql)?, 1)?;
    }
    committed("committing the revert", session.commit(&marker(revert)))?;
    same("rows after the revert", exam.rows(), before)?;
    done("beginning", session.begin())?;
    for sql in &inverse {
        let _rows = run(&mut *session, sql)?;
    }
    done("rolling back", session.rollback())
}

fn nothing_kept(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let none =
        done("reading the inverse", exam.reader()?.inverse(&Attempt::of(&id), (10, 1 << 20)))?;
    same("the inverse of an attempt that nobody made", none, Vec::<String>::new())
}

fn part_of_it(exam: &Exam<'_>) -> Checked {
    let (sql, touch) = update();
    if !keeps(exam, &touch)? {
        return Ok(());
    }
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _rows = done(sql, session.execute_kept(sql, (&touch, &mark(id, "s1")), 10))?;
    drop(session);
    let none =
        done("reading the inverse", exam.reader()?.inverse(&Attempt::of(&id), (10, 1 << 20)))?;
    same("the inverse of what was never committed", none, Vec::<String>::new())?;
    let mut session = exam.open(Access::ReadWrite(fresh_id()))?;
    let answer = session.execute_kept(sql, (&touch, &mark(id, "s1")), 10);
    ensure(answer.is_err(), || format!("without a transaction it answered {answer:?}"))
}

fn limited(exam: &Exam<'_>) -> Checked {
    let (sql, touch) = update();
    if !keeps(exam, &touch)? {
        return Ok(());
    }
    let before = exam.rows();
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let answer = session.execute_kept(sql, (&touch, &mark(id, "s1")), 1);
    ensure(matches!(answer, Err(SqlFailure::Limit(_))), || format!("answered {answer:?}"))?;
    drop(session);
    same("rows", exam.rows(), before)
}

fn another_count(exam: &Exam<'_>) -> Checked {
    let (sql, touch) = update();
    if !keeps(exam, &touch)? {
        return Ok(());
    }
    for sql in [
        "UPDATE exam_orders SET note = 'kept'",
        "UPDATE exam_orders SET note = 'kept' WHERE id = 3",
        "DELETE FROM exam_orders",
        "COMMIT",
        "DELETE FROM placet_kept",
    ] {
        let before = exam.rows();
        let id = fresh_id();
        let mut session = exam.writer(id)?;
        let answer = session.execute_kept(sql, (&touch, &mark(id, "s1")), 10);
        ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
        drop(session);
        same(sql, exam.rows(), before)?;
    }
    // The right statement with the wrong touch is none the better.
    let wrong = Touch { kind: TouchKind::Delete, ..touch };
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let answer = session.execute_kept(sql, (&wrong, &mark(id, "s1")), 10);
    ensure(answer.is_err(), || format!("an update that says it deletes answered {answer:?}"))
}

fn said_beforehand(exam: &Exam<'_>) -> Checked {
    let words = exam.of.words();
    let (integer, options) = (words.integer, exam.of.dialect().table_options());
    exam.of.admin(&format!("CREATE TABLE exam_made (n {integer}) {options}"));
    exam.of.admin("INSERT INTO exam_made VALUES (1)");
    let mut cases = vec![
        (touch(TouchKind::Update, &["id"], None), "UPDATE exam_orders SET id = id + 100"),
        (
            Touch { table: vec!["exam_made".to_owned()], ..touch(TouchKind::Delete, &[], None) },
            "DELETE FROM exam_made",
        ),
        (
            Touch { table: vec!["exam_absent".to_owned()], ..touch(TouchKind::Delete, &[], None) },
            "DELETE FROM exam_absent",
        ),
    ];
    exam.of.admin(&format!("CREATE TABLE exam_log (n {integer}) {options}"));
    for sql in exam.of.dialect().trigger("exam_trigger", ORDERS, "exam_log") {
        exam.of.admin(&sql);
    }
    let (sql, of_trigger) = update();
    cases.push((of_trigger, sql));
    for (touch, sql) in cases {
        let before = exam.rows();
        let answer = done("asking whether rows can be kept", exam.reader()?.can_keep(&touch))?;
        let Keepable::No(why) = answer else {
            return Err(format!("it would keep the rows of `{sql}`"));
        };
        ensure(!why.is_empty(), || format!("no reason for `{sql}`"))?;
        let id = fresh_id();
        let mut session = exam.writer(id)?;
        let answer = session.execute_kept(sql, (&touch, &mark(id, "s1")), 10);
        ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
        let found = read(&mut *session, "SELECT 1");
        drop(found);
        drop(session);
        same(sql, exam.rows(), before)?;
    }
    Ok(())
}
