//! A digest changes with each kind of change, and with nothing else.

use placet_core::digest::Digest;

use super::Check;
use crate::testing::exam::{
    Checked, Exam, INSERT, committed, done, ensure, fresh_id, marker, run, same,
};

pub(super) const CHECKS: &[Check] = &[
    ("a digest changes with each kind of change of an object", changes),
    ("a digest does not change with rows, marks or other objects", stays),
    ("an object that is not there counts", absence_counts),
];

fn digest(exam: &Exam<'_>, objects: &[&str]) -> Result<Option<Digest>, String> {
    let objects: Vec<_> = objects.iter().map(|&name| name.to_owned()).collect();
    done("digesting the schema", exam.reader()?.schema_digest(&objects))
}

fn changes(exam: &Exam<'_>) -> Checked {
    let named = || digest(exam, &["exam_orders"]);
    if named()?.is_none() {
        return Ok(());
    }
    let words = exam.of.words();
    let (integer, options) = (words.integer, exam.of.dialect().table_options());
    exam.of.admin(&format!("CREATE TABLE exam_log (n {integer}) {options}"));
    let mut steps = vec![
        vec![format!("ALTER TABLE exam_orders ADD COLUMN total {integer}")],
        vec!["CREATE INDEX exam_by_state ON exam_orders (state)".to_owned()],
        exam.of.dialect().trigger("exam_trigger", "exam_orders", "exam_log"),
        vec!["ALTER TABLE exam_orders RENAME COLUMN note TO remark".to_owned()],
    ];
    let remade = [
        format!("id {integer} NOT NULL PRIMARY KEY, state {} NOT NULL", words.text),
        format!("id {integer} NOT NULL PRIMARY KEY, state {}", words.text),
        format!("id {integer} NOT NULL PRIMARY KEY, state {integer}"),
        format!("id {integer} NOT NULL PRIMARY KEY, state {integer} DEFAULT 7"),
        format!("id {integer} NOT NULL PRIMARY KEY, state {integer} DEFAULT 8"),
        format!("id {integer} NOT NULL PRIMARY KEY, state {integer} CHECK (state > 0)"),
        format!("id {integer} NOT NULL PRIMARY KEY, state {integer} UNIQUE"),
        format!("id {integer} NOT NULL, state {integer}, PRIMARY KEY (id, state)"),
    ];
    for columns in remade {
        let create = format!("CREATE TABLE exam_orders ({columns}) {options}");
        steps.push(vec![exam.of.dialect().drop_table("exam_orders"), create]);
    }
    let (mut seen, mut seen_of_all) = (vec![named()?], vec![digest(exam, &[])?]);
    for step in steps {
        for sql in &step {
            exam.of.admin(sql);
        }
        let (now, of_all) = (named()?, digest(exam, &[])?);
        ensure(!seen.contains(&now), || format!("it does not tell {step:?}"))?;
        ensure(!seen_of_all.contains(&of_all), || format!("without names it misses {step:?}"))?;
        seen.push(now);
        seen_of_all.push(of_all);
    }
    references(exam)
}

fn references(exam: &Exam<'_>) -> Checked {
    exam.fresh();
    let (integer, options) = (exam.of.words().integer, exam.of.dialect().table_options());
    let mut seen = Vec::new();
    for reference in [
        "",
        ", FOREIGN KEY (of_id) REFERENCES exam_orders (id)",
        ", FOREIGN KEY (of_id) REFERENCES exam_orders (id) ON DELETE CASCADE",
        ", FOREIGN KEY (of_id) REFERENCES exam_orders (id) ON DELETE SET NULL",
    ] {
        exam.of.admin(&exam.of.dialect().drop_table("exam_lines"));
        let columns = format!("id {integer} NOT NULL PRIMARY KEY, of_id {integer}{reference}");
        exam.of.admin(&format!("CREATE TABLE exam_lines ({columns}) {options}"));
        let now = digest(exam, &["exam_lines"])?;
        ensure(!seen.contains(&now), || format!("it does not tell `{reference}`"))?;
        seen.push(now);
    }
    Ok(())
}

fn stays(exam: &Exam<'_>) -> Checked {
    let before = digest(exam, &["exam_orders"])?;
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    let of_all = digest(exam, &[])?;
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    same("the digest of all after rows were written", digest(exam, &[])?, of_all)?;
    let (integer, options) = (exam.of.words().integer, exam.of.dialect().table_options());
    exam.of.admin(&format!("CREATE TABLE exam_made (n {integer}) {options}"));
    same("the digest after another table was made", digest(exam, &["exam_orders"])?, before)
}

fn absence_counts(exam: &Exam<'_>) -> Checked {
    let name = ["exam_made"];
    let Some(absent) = digest(exam, &name)? else { return Ok(()) };
    let (integer, options) = (exam.of.words().integer, exam.of.dialect().table_options());
    exam.of.admin(&format!("CREATE TABLE exam_made (n {integer}) {options}"));
    let present = digest(exam, &name)?;
    ensure(present != Some(absent), || "a table that was made is not told".to_owned())?;
    exam.of.admin(&exam.of.dialect().drop_table("exam_made"));
    same("the digest of what is not there", digest(exam, &name)?, Some(absent))?;
    let one = digest(exam, &["exam_orders"])?;
    let both = digest(exam, &["exam_orders", "exam_made"])?;
    ensure(one != both, || "an absent object does not count".to_owned())
}
