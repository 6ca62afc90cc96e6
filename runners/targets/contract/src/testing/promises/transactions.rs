//! Nothing without a commit, and one statement at a time.

use super::Check;
use crate::SqlFailure;
use crate::testing::exam::{
    Checked, Exam, INSERT, committed, done, ensure, fresh_id, marker, read, run, same,
};
use crate::{Access, CommitFailure, SqlValue};

pub(super) const CHECKS: &[Check] = &[
    ("what was committed is there", commits),
    ("a session that ends without a commit leaves nothing", forgets),
    ("what was rolled back is undone, and the session can begin again", rolls_back),
    ("a rollback without a transaction does nothing", rolls_back_nothing),
    ("nothing is executed without a transaction", executes_inside_alone),
    ("a commit without a transaction commits nothing", commits_inside_alone),
    ("execute answers the rows that it changed", counts),
    ("values go to their parameters", binds),
    ("one call executes one statement", one_statement),
    ("no statement begins or ends a transaction", no_control),
    ("a refused statement is reported, and the transaction can be undone", reports),
    ("a session that only reads refuses every write", reads_only),
];

fn commits(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    same("rows before the commit", exam.rows().len(), 3)?;
    committed("committing", session.commit(&marker(id)))?;
    same("rows after the commit", exam.rows().len(), 4)
}

fn forgets(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    drop(session);
    same("rows", exam.rows(), before)?;
    // A driver may end its connection a moment later; whoever writes next must not meet what it left.
    let mut next = exam.writer(fresh_id())?;
    same(
        "rows that the next session sees",
        read(&mut *next, "SELECT id FROM exam_orders")?.rows.len(),
        3,
    )
}

fn rolls_back(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    done("rolling back", session.rollback())?;
    same("rows", exam.rows(), before)?;
    done("beginning again", session.begin())?;
    let _one = run(&mut *session, INSERT)?;
    committed("committing", session.commit(&marker(id)))?;
    same("rows after the second transaction", exam.rows().len(), 4)
}

fn rolls_back_nothing(exam: &Exam<'_>) -> Checked {
    let mut session = exam.open(Access::ReadWrite(fresh_id()))?;
    done("rolling back", session.rollback())?;
    done("rolling back in a session that only reads", exam.reader()?.rollback())
}

fn executes_inside_alone(exam: &Exam<'_>) -> Checked {
    let mut session = exam.open(Access::ReadWrite(fresh_id()))?;
    let answer = session.execute(INSERT, &[]);
    ensure(matches!(answer, Err(SqlFailure::Refused(_))), || format!("answered {answer:?}"))?;
    same("rows", exam.rows().len(), 3)
}

fn commits_inside_alone(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.open(Access::ReadWrite(id))?;
    let answer = session.commit(&marker(id));
    ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
        format!("answered {answer:?}")
    })?;
    drop(session);
    same("the marker", exam.marker_of(&id)?, Some(false))
}

fn counts(exam: &Exam<'_>) -> Checked {
    let mut session = exam.writer(fresh_id())?;
    for (sql, rows) in [
        ("UPDATE exam_orders SET note = 'x' WHERE state = 'new'", 2),
        ("INSERT INTO exam_orders VALUES (5, 'new', NULL), (6, 'new', 'é')", 2),
        ("DELETE FROM exam_orders WHERE id > 2", 3),
        ("DELETE FROM exam_orders WHERE id > 2", 0),
        ("UPDATE exam_orders SET note = 'y' WHERE id > 2", 0),
    ] {
        same(sql, run(&mut *session, sql)?, rows)?;
    }
    Ok(())
}

fn binds(exam: &Exam<'_>) -> Checked {
    let mut session = exam.writer(fresh_id())?;
    let (one, two, three) = (
        exam.of.dialect().parameter(1),
        exam.of.dialect().parameter(2),
        exam.of.dialect().parameter(3),
    );
    let insert = format!("INSERT INTO exam_orders VALUES ({one}, {two}, {three})");
    let odd = "it's a \"name\"; -- not SQL é 🦀";
    let values = [SqlValue::Int64(7), SqlValue::Text(odd.to_owned()), SqlValue::Null];
    same("rows", done(&insert, session.execute(&insert, &values))?, 1)?;
    let select = format!("SELECT id, state, note FROM exam_orders WHERE id = {one}");
    let found = done(&select, session.query(&select, &[SqlValue::Int64(7)], 2, 1 << 20))?;
    same("the row", found.rows, vec![values.to_vec()])
}

fn one_statement(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    for sql in [
        "INSERT INTO exam_orders VALUES (8, 'x', NULL); INSERT INTO exam_orders VALUES (9, 'x', NULL)",
        "INSERT INTO exam_orders VALUES (8, 'x', NULL);;DELETE FROM exam_orders",
        "INSERT INTO exam_orders VALUES (8, 'x', NULL) ; -- more\n DELETE FROM exam_orders",
        "SELECT 1; DELETE FROM exam_orders",
    ] {
        let id = fresh_id();
        let mut session = exam.writer(id)?;
        let answer = session.execute(sql, &[]);
        ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
        drop(session);
        let mut reader = exam.reader()?;
        let answer = reader.query(sql, &[], 10, 1_024);
        ensure(answer.is_err(), || format!("as a query, `{sql}` answered {answer:?}"))?;
    }
    same("rows", exam.rows(), before)
}

fn no_control(exam: &Exam<'_>) -> Checked {
    for sql in [
        "BEGIN",
        "COMMIT",
        "commit",
        "/* a */ COMMIT",
        "-- a\nCOMMIT",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE SAVEPOINT a",
        "ROLLBACK TO SAVEPOINT a",
        "START TRANSACTION",
        "END",
    ] {
        let before = exam.rows();
        let id = fresh_id();
        let mut session = exam.writer(id)?;
        let _one = run(&mut *session, INSERT)?;
        let answer = session.execute(sql, &[]);
        ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
        let answer = session.query(sql, &[], 10, 1_024);
        ensure(answer.is_err(), || format!("as a query, `{sql}` answered {answer:?}"))?;
        done("rolling back", session.rollback())?;
        drop(session);
        same(sql, exam.rows(), before)?;
    }
    Ok(())
}

fn reports(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    let answer = session.execute("INSERT INTO exam_orders VALUES (1, 'again', NULL)", &[]);
    let Err(SqlFailure::Database { code, .. }) = &answer else {
        return Err(format!("a second row of a key answered {answer:?}"));
    };
    ensure(code.starts_with("sql."), || format!("the code is {code}"))?;
    done("rolling back", session.rollback())?;
    drop(session);
    same("rows", exam.rows(), before)
}

fn reads_only(exam: &Exam<'_>) -> Checked {
    let before = exam.rows();
    let mut session = exam.reader()?;
    ensure(session.begin().is_err(), || "it begins a transaction".to_owned())?;
    for sql in [
        INSERT,
        "DELETE FROM exam_orders",
        "CREATE TABLE exam_made (a INTEGER)",
        "DROP TABLE exam_orders",
    ] {
        let answer = session.execute(sql, &[]);
        ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
        let answer = session.query(sql, &[], 10, 1_024);
        ensure(answer.is_err(), || format!("as a query, `{sql}` answered {answer:?}"))?;
    }
    let id = fresh_id();
    ensure(session.commit(&marker(id)).is_err(), || "it commits".to_owned())?;
    drop(session);
    same("rows", exam.rows(), before)?;
    same("the marker", exam.marker_of(&id)?, Some(false))
}
