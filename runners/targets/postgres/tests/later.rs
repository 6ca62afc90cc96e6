//! What code that a plain statement starts does to our tables is found before the host relies on them.

use placet_target::{SqlFailure, Touch, TouchKind};

use crate::story::{Stage, ending, id, marker, refusal, stage, step};

/// A table whose trigger runs whatever is inserted, a table whose rows are kept, and a sequence: what it counts is not
/// undone, and so tells whether code ran.
const RUNS: &str = "
    CREATE TABLE t (a text);
    CREATE FUNCTION runs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE NEW.a; RETURN NEW; END';
    CREATE TRIGGER runs BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION runs();
    CREATE TABLE u (id int PRIMARY KEY);
    INSERT INTO u VALUES (1), (2);
    CREATE SEQUENCE ran;
    CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM nextval(''public.ran''); RETURN NEW; END'";

/// One after the other in a transaction, each started by an INSERT.
const HIDDEN: &[&[&str]] = &[
    &["ALTER TABLE placet.placet_marker OWNER TO other_role"],
    &["CREATE RULE r AS ON INSERT TO placet.placet_marker DO INSTEAD NOTHING"],
    &["CREATE TRIGGER r BEFORE INSERT ON placet.placet_marker EXECUTE FUNCTION tells()"],
    &["CREATE TRIGGER r BEFORE INSERT ON placet.placet_step EXECUTE FUNCTION tells()"],
    &["CREATE TABLE child () INHERITS (placet.placet_marker)"],
    &["ALTER TABLE placet.placet_marker ENABLE ROW LEVEL SECURITY"],
    &["ALTER TABLE placet.placet_marker ADD CHECK (request <> 'x')"],
    &["ALTER TABLE placet.placet_marker DROP CONSTRAINT placet_marker_pkey"],
    &["ALTER TABLE placet.placet_step ALTER fence SET DEFAULT 1"],
    &["CREATE UNIQUE INDEX ON placet.placet_marker (fence)"],
    &["CREATE POLICY p ON placet.placet_kept"],
    &["GRANT ALL ON placet.placet_marker TO other_role"],
    &["GRANT UPDATE (digest) ON placet.placet_marker TO other_role"],
    &["ALTER TABLE placet.placet_marker SET UNLOGGED"],
    &["TRUNCATE placet.placet_marker"],
    // Found at once.
    &["DELETE FROM placet.placet_marker"],
    &["ALTER TABLE placet.placet_marker RENAME TO other"],
    &["DROP SCHEMA placet CASCADE"],
    // Made otherwise, and then as it was.
    &[
        "ALTER TABLE placet.placet_marker ALTER digest DROP NOT NULL",
        "ALTER TABLE placet.placet_marker ALTER digest SET NOT NULL",
    ],
    &[
        "CREATE TRIGGER r BEFORE INSERT ON placet.placet_marker EXECUTE FUNCTION tells()",
        "DROP TRIGGER r ON placet.placet_marker",
    ],
];

fn has_run(stage: &Stage) -> bool {
    stage.db.rows("SELECT is_called FROM ran") == ["t"]
}

#[test]
fn nothing_is_committed_with_tables_that_were_made_otherwise() {
    let Some(stage) = stage(RUNS) else { return };
    let role = stage.role("other", "");
    stage.begun(1).commit(&marker(1)).unwrap();
    for hidden in HIDDEN {
        for by_steps in [false, true] {
            let mut writer = stage.begun(2);
            writer.execute("INSERT INTO u VALUES (3)", &[]).unwrap();
            let answers: Vec<_> = hidden
                .iter()
                .map(|hidden| {
                    let hidden = hidden.replace("other_role", &role).replace('\'', "''");
                    writer.execute(&format!("INSERT INTO t VALUES ('{hidden}')"), &[])
                })
                .collect();
            let ended = if by_steps {
                writer.commit_step(&step(2, "s"))
            } else {
                writer.commit(&marker(2))
            };
            let why = format!("{hidden:?}: {answers:?}, {ended:?}");
            // A statement that errs by itself is found by nobody.
            let errs = answers.iter().any(|it| matches!(it, Err(SqlFailure::Database { .. })));
            assert!(!errs, "the server did not run it: {why}");
            assert!(ending(&ended).starts_with("not: "), "{why}");
            drop(writer);
            assert!(stage.db.rows("SELECT * FROM t").is_empty(), "{why}");
            assert_eq!(stage.db.rows("SELECT count(*) FROM u"), ["2"], "{why}");
            assert_eq!(stage.db.rows("SELECT attempt FROM placet.placet_marker"), ["1"], "{why}");
            assert!(!has_run(&stage), "the host wrote into a table with a trigger: {why}");
            assert_eq!(stage.reader().marker(&id(2)).unwrap(), Some(false), "{why}");
        }
    }
}

#[test]
fn no_row_is_kept_in_a_table_that_was_made_otherwise() {
    let Some(stage) = stage(RUNS) else { return };
    let touch = Touch {
        kind: TouchKind::Delete,
        table: vec!["u".to_owned()],
        alias: None,
        columns: Vec::new(),
        condition: None,
    };
    let trigger = "CREATE TRIGGER r BEFORE INSERT ON placet.placet_kept FOR EACH ROW EXECUTE FUNCTION tells()";
    let mut writer = stage.begun(1);
    let answer = writer.execute(&format!("INSERT INTO t VALUES ('{trigger}')"), &[]);
    // The INSERT itself touches nothing of ours, and the trigger changes no row.
    assert_eq!(answer.unwrap(), 1);
    let why = refusal(writer.execute_kept("DELETE FROM u", (&touch, &step(1, "s")), 10));
    assert!(why.contains("everything was rolled back"), "{why}");
    drop(writer);
    assert!(!has_run(&stage), "the host wrote into a table with a trigger");
    assert_eq!(stage.db.rows("SELECT count(*) FROM u"), ["2"]);
    // Without it, the same is done.
    let mut writer = stage.begun(1);
    writer.execute("INSERT INTO t VALUES ('SELECT 1')", &[]).unwrap();
    let rows = writer.execute_kept("DELETE FROM u", (&touch, &step(1, "s")), 10);
    assert_eq!(rows.unwrap(), 2);
    writer.commit(&marker(1)).unwrap();
}
