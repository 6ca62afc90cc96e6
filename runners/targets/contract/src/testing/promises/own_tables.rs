//! What belongs to the host cannot be named.

use super::Check;
use crate::testing::exam::{Checked, Exam, committed, done, ensure, fresh_id, mark, marker, same};

pub(super) const CHECKS: &[Check] =
    &[("no statement touches the tables of the host", cannot_be_named)];

fn cannot_be_named(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing a step", session.commit_step(&mark(id, "s1")))?;
    done("beginning again", session.begin())?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    for table in ["placet_marker", "placet_step", "placet_kept"] {
        let (upper, quoted) = (table.to_uppercase(), exam.of.quoted(table));
        for sql in [
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {upper}"),
            format!("DELETE FROM {quoted}"),
            format!("DELETE /* a */ FROM/**/{table}"),
            format!("INSERT INTO {table} VALUES (1, 2, 3, 4, 5, 6)"),
            format!("UPDATE {table} SET attempt = 9"),
            format!("DROP TABLE {table}"),
            format!("CREATE TABLE {table} (a {})", exam.of.words().integer),
            format!("CREATE VIEW {table} AS SELECT 1 AS a"),
            format!("ALTER TABLE exam_orders RENAME TO {table}"),
            format!("ALTER TABLE {table} RENAME TO exam_made"),
            format!("CREATE INDEX exam_on_ours ON {table} (attempt)"),
            format!("CREATE VIEW exam_view AS SELECT * FROM {table}"),
        ] {
            let mut session = exam.writer(fresh_id())?;
            let answer = session.execute(&sql, &[]);
            ensure(answer.is_err(), || format!("`{sql}` answered {answer:?}"))?;
            let answer = session.query(&sql, &[], 10, 1_024);
            ensure(answer.is_err(), || format!("as a query, `{sql}` answered {answer:?}"))?;
        }
    }
    same("the marker", exam.marker_of(&id)?, Some(true))?;
    let steps = done("reading the steps", exam.reader()?.steps(&id))?;
    same("the steps", steps.map(|steps| steps.len()), Some(1))
}
