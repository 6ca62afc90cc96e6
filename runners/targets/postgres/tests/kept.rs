//! Rows that are put back exactly, or said beforehand not to be.

use placet_target::{Attempt, CommitFailure, Keepable, SqlFailure, SqlSession, Touch, TouchKind};

use crate::story::{Stage, id, marker, refusal, stage, step};

/// Odd columns and odd values, with a key of two columns and names that need quotes.
const ODD: &str = r#"
CREATE SCHEMA "Sho'p";
CREATE TYPE "Sho'p".mood AS ENUM ('glad', 'it''s');
CREATE DOMAIN "Sho'p".cents AS numeric(12, 2);
CREATE TABLE "Sho'p"."Odd ""rows" (
    "A" int, b timestamptz, PRIMARY KEY ("A", b),
    id bigint GENERATED ALWAYS AS IDENTITY,
    "te'xt" text, fixed char(5), raw bytea, num numeric, "do" "Sho'p".cents, fl float8, r real,
    ints int[], texts text[], zones timestamptz[], js json, jb jsonb, mood "Sho'p".mood,
    uuid uuid, iv interval, net inet, span tstzrange, spans int4multirange, bits bit(3), d date, t timetz,
    twice numeric GENERATED ALWAYS AS (num * 2) STORED, request text, statement text);
INSERT INTO "Sho'p"."Odd ""rows" ("A", b, "te'xt", fixed, raw, num, "do", fl, r, ints, texts, zones, js, jb,
    mood, uuid, iv, net, span, spans, bits, d, t, request, statement)
VALUES (1, '2024-01-01 00:00:00.000001+05', E'it''s \\ "\n\t é $1 $$', 'ab', '\x00ff5c27', 1.00, 3,
    0.1 + 0.2, 0.1, '{1,NULL}', ARRAY['a,b', '"', NULL, '\'], ARRAY['infinity', now()]::timestamptz[],
    '{"b" :1,"a":  2}', '{"b": 1.0}', 'it''s', gen_random_uuid(), '1 mon -3 days 02:00', '10.0.0.1/24',
    '[2020-01-01,infinity)', '{[1,3),[5,7)}', '101', '0044-03-15 BC', '10:00:00.5+05:30', 'r', 's'),
  (2, '-infinity', '', '', '', 'NaN', NULL, '-0', 'Infinity', '{}', '{}', NULL, 'null', 'null', 'glad', NULL,
    NULL, NULL, 'empty', '{}', '000', 'infinity', NULL, NULL, NULL),
  (3, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, 'x', NULL)"#;

const NAME: &str = "\"Sho'p\".\"Odd \"\"rows\"";

fn touch(kind: TouchKind, columns: &[&str], condition: Option<&str>) -> Touch {
    Touch {
        kind,
        table: vec!["Sho'p".to_owned(), "Odd \"rows".to_owned()],
        alias: None,
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        condition: condition.map(str::to_owned),
    }
}

fn simple(kind: TouchKind, columns: &[&str], condition: Option<&str>) -> Touch {
    Touch { table: vec!["t".to_owned()], ..touch(kind, columns, condition) }
}

/// Everything in the table, as text.
fn dump(stage: &Stage, table: &str) -> Vec<String> {
    stage.db.rows(&format!("SELECT x::text FROM {table} AS x ORDER BY 1"))
}

/// Runs one statement whose rows are kept, and commits it.
fn run(stage: &Stage, attempt: u32, sql: &str, touch: &Touch) -> u64 {
    let mut session = stage.begun(attempt);
    assert_eq!(session.can_keep(touch).unwrap(), Keepable::Yes, "{sql}");
    let rows = session.execute_kept(sql, (touch, &step(attempt, "s")), 100);
    let rows = rows.unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    session.commit(&marker(attempt)).unwrap();
    rows
}

fn inverse(stage: &Stage, attempt: u32) -> Vec<String> {
    stage.reader().inverse(&Attempt::of(&id(attempt)), (1_000, 1 << 30)).unwrap()
}

/// Executes what puts an attempt back, as an attempt of its own. How many rows each statement changed.
fn put_back(stage: &Stage, of: u32, attempt: u32) -> Vec<u64> {
    let mut session = stage.begun(attempt);
    let statements = inverse(stage, of);
    let run = |session: &mut Box<dyn SqlSession>, sql: &String| {
        session.execute(sql, &[]).unwrap_or_else(|failure| panic!("{sql}: {failure:?}"))
    };
    let counts = statements.iter().map(|sql| run(&mut session, sql)).collect();
    session.commit(&marker(attempt)).unwrap();
    counts
}

#[test]
fn odd_rows_are_put_back_exactly() {
    let Some(stage) = stage(ODD) else { return };
    let before = dump(&stage, NAME);
    let update = [
        "te'xt", "fixed", "raw", "num", "do", "fl", "r", "ints", "texts", "zones", "js", "jb",
        "mood", "uuid", "iv", "net", "span", "spans", "bits", "d", "t", "request",
    ];
    let set = update.map(|column| format!("\"{column}\" = NULL")).join(", ");
    let all_null = format!("UPDATE {NAME} SET {set}");
    let aliased = Touch {
        alias: Some("O".to_owned()),
        ..touch(TouchKind::Update, &["num", "js"], Some("\"O\".\"A\" < 3 -- few"))
    };
    let cases = [
        (format!("DELETE FROM {NAME};"), touch(TouchKind::Delete, &[], None), 3),
        (
            format!("DELETE FROM {NAME} WHERE \"A\" > 1 -- two"),
            touch(TouchKind::Delete, &[], Some("\"A\" > 1")),
            2,
        ),
        (all_null, touch(TouchKind::Update, &update, None), 3),
        (
            format!("UPDATE {NAME} AS \"O\" SET num = 1.0, js = '[1,  2]' WHERE \"O\".\"A\" < 3"),
            aliased,
            2,
        ),
        (
            format!(
                "INSERT INTO {NAME} (\"A\", b, num, js) VALUES (9, now(), 1, '{{}}'), (9, '-infinity', 2, NULL)"
            ),
            touch(TouchKind::Insert, &["A", "b", "num", "js"], None),
            2,
        ),
        (
            format!(
                "WITH x AS (SELECT 5 AS n) INSERT INTO {NAME} (\"A\", b) SELECT n, now() FROM x"
            ),
            touch(TouchKind::Insert, &["A", "b"], None),
            1,
        ),
    ];
    for (at, (sql, touch, rows)) in cases.iter().enumerate() {
        let attempt = u32::try_from(at).unwrap() * 2 + 1;
        assert_eq!(run(&stage, attempt, sql, touch), *rows, "{sql}");
        assert_ne!(dump(&stage, NAME), before, "{sql}");
        // A session of another zone puts back the same.
        stage.db.run(&format!("ALTER DATABASE {} SET TimeZone = 'Asia/Kolkata'", stage.name));
        let counts = put_back(&stage, attempt, attempt + 1);
        stage.db.run(&format!("ALTER DATABASE {} RESET TimeZone", stage.name));
        assert_eq!(counts, vec![1; usize::try_from(*rows).unwrap()], "{sql}");
        assert_eq!(dump(&stage, NAME), before, "{sql}");
        // A second time there is nothing to do.
        let again = put_back(&stage, attempt, attempt + 100);
        let is_noop = again.iter().all(|rows| *rows == 0);
        assert!(is_noop, "{sql}: {again:?}");
        assert_eq!(dump(&stage, NAME), before, "{sql}");
    }
}

#[test]
fn a_cast_of_somebodys_own_does_not_change_what_is_kept() {
    let Some(stage) = stage(
        "CREATE TYPE mood AS ENUM ('glad', 'sad');
        CREATE TYPE moods AS RANGE (subtype = mood);
        CREATE DOMAIN pad AS char(4);
        CREATE FUNCTION hide(mood) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''x''::text';
        CREATE CAST (mood AS text) WITH FUNCTION hide(mood) AS IMPLICIT;
        CREATE FUNCTION hide(moods) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''y''::text';
        CREATE CAST (moods AS text) WITH FUNCTION hide(moods);
        CREATE TABLE t (id int PRIMARY KEY, m mood, l mood[], r moods, p pad);
        INSERT INTO t VALUES (1, 'glad', '{sad,NULL}', '[glad,sad)', 'a'), (2, NULL, NULL, NULL, NULL)",
    ) else {
        return;
    };
    let before = dump(&stage, "t");
    let columns = ["m", "l", "r", "p"];
    let update = simple(TouchKind::Update, &columns, None);
    let sql = "UPDATE t SET m = 'sad', l = '{}', r = 'empty', p = 'b'";
    assert_eq!(run(&stage, 1, sql, &update), 2);
    assert_eq!(put_back(&stage, 1, 2), [1, 1]);
    assert_eq!(dump(&stage, "t"), before);
    assert_eq!(run(&stage, 3, "DELETE FROM t", &simple(TouchKind::Delete, &[], None)), 2);
    assert_eq!(put_back(&stage, 3, 4), [1, 1]);
    assert_eq!(dump(&stage, "t"), before);
    // Nor hides it that a value is another one now.
    run(&stage, 5, sql, &update);
    stage.db.run("UPDATE t SET m = 'glad'");
    assert_eq!(put_back(&stage, 5, 6), [0, 0]);
}

#[test]
fn a_row_that_somebody_changed_since_stays_as_it_is() {
    let Some(stage) = stage(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, j json); INSERT INTO t VALUES (1, 1, '{}'), (2, 2, '{}')",
    ) else {
        return;
    };
    run(&stage, 1, "UPDATE t SET n = 5", &simple(TouchKind::Update, &["n"], None));
    // Equal for the database, and yet not what was left.
    stage.db.run("UPDATE t SET n = 5.0 WHERE id = 1");
    let mut counts = put_back(&stage, 1, 2);
    counts.sort_unstable();
    assert_eq!(counts, [0, 1]);
    assert_eq!(dump(&stage, "t"), ["(1,5.0,{})", "(2,2,{})"]);
    run(&stage, 3, "DELETE FROM t WHERE id = 1", &simple(TouchKind::Delete, &[], Some("id = 1")));
    stage.db.run("INSERT INTO t VALUES (1, 7, NULL)");
    assert_eq!(put_back(&stage, 3, 4), [0]);
    run(&stage, 5, "INSERT INTO t VALUES (8, 8)", &simple(TouchKind::Insert, &[], None));
    stage.db.run("UPDATE t SET j = '1' WHERE id = 8");
    assert_eq!(put_back(&stage, 5, 6), [0]);
}

#[test]
fn several_statements_are_put_back_last_first() {
    let Some(stage) = stage(
        "CREATE TABLE t (id int PRIMARY KEY, n int);
        CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t);
        INSERT INTO t VALUES (1, 1)",
    ) else {
        return;
    };
    let child = Touch { table: vec!["child".to_owned()], ..simple(TouchKind::Insert, &[], None) };
    let mut session = stage.begun(1);
    let mut keep = |sql: &str, touch: &Touch, name: &str| {
        session.execute_kept(sql, (touch, &step(1, name)), 10).unwrap()
    };
    keep("INSERT INTO t VALUES (2, 2)", &simple(TouchKind::Insert, &[], None), "s1");
    keep("INSERT INTO child VALUES (1, 2), (2, 1)", &child, "s2");
    keep("UPDATE t SET n = n + 1", &simple(TouchKind::Update, &["n"], None), "s3");
    keep("UPDATE t SET n = n + 1", &simple(TouchKind::Update, &["n"], None), "s4");
    session.commit(&marker(1)).unwrap();
    drop(session);
    assert_eq!(put_back(&stage, 1, 2), [1; 7]);
    assert_eq!(dump(&stage, "t"), ["(1,1)"]);
    assert!(dump(&stage, "child").is_empty());
    let few = stage.reader().inverse(&Attempt::of(&id(1)), (6, 1 << 30));
    assert!(matches!(few, Err(SqlFailure::Limit(_))), "{few:?}");
    assert!(inverse(&stage, 9).is_empty());
}

/// What is done to the table, a statement of which kind on which columns, and why its rows cannot be kept.
const UNKEEPABLE: &[(&str, TouchKind, &[&str], &str)] = &[
    ("DROP TABLE t; CREATE TABLE t (id int, n int)", TouchKind::Delete, &[], "no primary key"),
    ("", TouchKind::Update, &["id"], "belongs to the primary key"),
    ("", TouchKind::Update, &["nothing"], "no column nothing"),
    (
        "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()",
        TouchKind::Insert,
        &[],
        "trigger x",
    ),
    ("CREATE RULE x AS ON DELETE TO t DO ALSO SELECT 1", TouchKind::Delete, &[], "rule x"),
    ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", TouchKind::Delete, &[], "policies"),
    (
        "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u",
        TouchKind::Delete,
        &[],
        "a view",
    ),
    (
        "CREATE TABLE c (t int REFERENCES t ON DELETE CASCADE)",
        TouchKind::Delete,
        &[],
        "foreign key",
    ),
    (
        "CREATE TABLE c (t int REFERENCES t ON DELETE SET NULL)",
        TouchKind::Insert,
        &[],
        "foreign key",
    ),
    (
        "ALTER TABLE t ADD UNIQUE (n); CREATE TABLE c (t int REFERENCES t (n) ON UPDATE CASCADE)",
        TouchKind::Update,
        &["n"],
        "foreign key",
    ),
    (
        "ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES t",
        TouchKind::Delete,
        &[],
        "refer to each other",
    ),
    ("ALTER TABLE t ADD UNIQUE (n)", TouchKind::Update, &["n"], "must be different"),
    ("CREATE UNIQUE INDEX ON t ((n + m))", TouchKind::Update, &["n"], "must be different"),
    ("CREATE TABLE c () INHERITS (t)", TouchKind::Delete, &[], "inherits"),
    (
        "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        TouchKind::Delete,
        &[],
        "partitioned",
    ),
    (
        "CREATE TYPE pair AS (a int); ALTER TABLE t ADD p pair",
        TouchKind::Delete,
        &[],
        "kept exactly",
    ),
    ("ALTER TABLE t ADD p regclass[]", TouchKind::Update, &["n"], "kept exactly"),
    ("ALTER TABLE t ADD p bpchar", TouchKind::Update, &["n"], "kept exactly"),
    ("ALTER TABLE t ADD p bpchar[]", TouchKind::Delete, &[], "kept exactly"),
    (
        "CREATE DOMAIN pad AS bpchar; ALTER TABLE t ADD p pad",
        TouchKind::Delete,
        &[],
        "kept exactly",
    ),
    (
        "ALTER TABLE t ALTER n SET NOT NULL, ALTER n ADD GENERATED ALWAYS AS IDENTITY",
        TouchKind::Update,
        &["n"],
        "identity",
    ),
    (
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE t ADD p int DEFAULT g()",
        TouchKind::Insert,
        &[],
        "calls public.g()",
    ),
    (
        "CREATE FUNCTION g(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; ALTER TABLE t ADD CHECK (g(n))",
        TouchKind::Update,
        &["n"],
        "calls public.g(integer)",
    ),
    (
        "CREATE FUNCTION g(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = g);
        ALTER TABLE t ADD CHECK (n === m)",
        TouchKind::Insert,
        &[],
        "calls public.g(integer,integer)",
    ),
    (
        "CREATE FUNCTION g(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE DOMAIN few AS int CHECK (g(VALUE)); ALTER TABLE t ADD p few",
        TouchKind::Delete,
        &[],
        "calls public.g(integer)",
    ),
    (
        "CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
        CREATE INDEX ON t (g(n)); ALTER FUNCTION g VOLATILE",
        TouchKind::Update,
        &["n"],
        "calls public.g(integer)",
    ),
    ("DROP TABLE t", TouchKind::Delete, &[], "no such table"),
    (
        "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id) DEFERRABLE",
        TouchKind::Insert,
        &[],
        "deferrable",
    ),
];

#[test]
fn what_cannot_be_put_back_is_said_beforehand_and_does_not_run() {
    use TouchKind::{Delete, Insert, Update};
    let base = "CREATE TABLE t (id int PRIMARY KEY, n int, m int); INSERT INTO t VALUES (1, 1, 1);";
    let function =
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';";
    let Some(stage) = stage("") else { return };
    let mut session = stage.writer(1);
    for (setup, kind, columns, due) in UNKEEPABLE {
        stage.db.run(&format!(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; {base} {function} {setup}"
        ));
        let touch = simple(*kind, columns, None);
        let Keepable::No(why) = session.can_keep(&touch).unwrap() else { panic!("{setup}") };
        assert!(why.contains(due), "{setup}: {why}");
        let sql = match kind {
            Insert => "INSERT INTO t VALUES (5)",
            Update => "UPDATE t SET n = 7",
            Delete => "DELETE FROM t",
        };
        session.begin().unwrap();
        assert_eq!(refusal(session.execute_kept(sql, (&touch, &step(1, "s")), 10)), why);
        session.rollback().unwrap();
    }
    // What is harmless beside it does not matter.
    stage.db.run(&format!(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; {base} {function}
        CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER x;
        ALTER TABLE t ADD UNIQUE (m); CREATE TABLE c (t int REFERENCES t (m) ON UPDATE CASCADE)"
    ));
    assert_eq!(session.can_keep(&simple(Update, &["n"], None)).unwrap(), Keepable::Yes);
}

#[test]
fn what_a_statement_calls_without_saying_so_is_found() {
    let Some(stage) = stage(
        "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE log (a int);
        INSERT INTO t VALUES (1, 1), (2, 2);
        CREATE FUNCTION purge(t) RETURNS bool LANGUAGE sql AS 'INSERT INTO log VALUES (1); SELECT true';
        CREATE FUNCTION pair(int, int) RETURNS bool LANGUAGE sql AS 'INSERT INTO log VALUES (1); SELECT true';
        CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = pair);
        CREATE TYPE odd AS ENUM ('a');
        CREATE FUNCTION odd(int) RETURNS odd LANGUAGE sql AS 'INSERT INTO log VALUES (1); SELECT ''a''::odd';
        CREATE CAST (int AS odd) WITH FUNCTION odd(int);
        CREATE FUNCTION five() RETURNS int LANGUAGE sql AS 'INSERT INTO log VALUES (1); SELECT 5';
        CREATE VIEW inner_v AS SELECT five() AS id; CREATE VIEW v AS SELECT id FROM inner_v",
    ) else {
        return;
    };
    let condition = "t.purge";
    let touch = simple(TouchKind::Delete, &[], Some(condition));
    let Keepable::No(why) = stage.writer(9).can_keep(&touch).unwrap() else { panic!("kept") };
    assert!(why.contains("`purge`"), "{why}");
    let fine = simple(
        TouchKind::Delete,
        &[],
        Some("t.id OPERATOR(pg_catalog.=) 1 AND t.ctid IS NOT NULL"),
    );
    assert_eq!(stage.writer(9).can_keep(&fine).unwrap(), Keepable::Yes);
    for (sql, touch) in [
        ("UPDATE t SET n = CASE WHEN t.purge THEN 1 END", simple(TouchKind::Update, &["n"], None)),
        ("DELETE FROM t WHERE id === 1", simple(TouchKind::Delete, &[], Some("id === 1"))),
        ("UPDATE t SET n = length(id::odd::text)", simple(TouchKind::Update, &["n"], None)),
        ("INSERT INTO t SELECT id, 1 FROM v", simple(TouchKind::Insert, &[], None)),
    ] {
        let mut session = stage.begun(1);
        let why = refusal(session.execute_kept(sql, (&touch, &step(1, "s")), 10));
        assert!(why.contains("could not be put back"), "{sql}: {why}");
        drop(session);
        assert!(stage.db.rows("SELECT * FROM log").is_empty(), "{sql}");
        assert_eq!(stage.db.rows("SELECT count(*) FROM t"), ["2"], "{sql}");
    }
}

#[test]
fn more_than_can_be_held_is_not_read() {
    let Some(stage) = stage("CREATE TABLE t (id int PRIMARY KEY)") else { return };
    run(&stage, 1, "INSERT INTO t VALUES (1)", &simple(TouchKind::Insert, &[], None));
    let more = |count: u32| {
        stage.db.run(&format!(
            "INSERT INTO placet.placet_kept (request, revision, attempt, step, statement)
            SELECT request, 1, 1, 's', repeat('x', 1 << 20) FROM placet.placet_marker, generate_series(1, {count})"
        ));
        stage.reader().inverse(&Attempt::of(&id(1)), (1_000, 1 << 30))
    };
    assert_eq!(more(60).unwrap().len(), 61);
    let over = more(5);
    assert!(matches!(over, Err(SqlFailure::Limit(_))), "{}", over.is_ok());
}

#[test]
fn a_statement_that_does_something_else_than_was_read_from_it_does_not_pass() {
    let Some(stage) = stage(
        "CREATE TABLE t (id int PRIMARY KEY, n int, m int); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
        CREATE SCHEMA other; CREATE TABLE other.t (LIKE t INCLUDING ALL);
        INSERT INTO other.t VALUES (1, 1, 1)",
    ) else {
        return;
    };
    let (update, delete) = (TouchKind::Update, TouchKind::Delete);
    let one = Some("id = 1");
    let cases = [
        ("UPDATE t SET n = 9", simple(update, &["n"], one)),
        ("UPDATE t SET n = 9 WHERE id = 1", simple(update, &["n"], None)),
        ("UPDATE t SET n = 9 WHERE id = 2", simple(update, &["n"], one)),
        ("UPDATE t SET n = 9, m = 9 WHERE id = 1", simple(update, &["n"], one)),
        ("UPDATE t SET id = 9 WHERE id = 1", simple(update, &["n"], one)),
        ("DELETE FROM t", simple(delete, &[], one)),
        ("DELETE FROM other.t WHERE id = 1", simple(delete, &[], one)),
        ("DELETE FROM t WHERE id = 1 RETURNING n", simple(delete, &[], one)),
        ("DELETE FROM t WHERE id = 1", simple(update, &["n"], one)),
        (
            "INSERT INTO t VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET n = 5",
            simple(TouchKind::Insert, &[], None),
        ),
        ("INSERT INTO t VALUES (7) RETURNING id", simple(TouchKind::Insert, &[], None)),
        ("TRUNCATE t", simple(delete, &[], None)),
    ];
    let before = dump(&stage, "t");
    for (sql, touch) in &cases {
        let mut session = stage.begun(1);
        let why = refusal(session.execute_kept(sql, (touch, &step(1, "s")), 10));
        assert!(!why.is_empty());
        // Whoever goes on in spite of it gets no further, where something had happened.
        if why.contains("other rows") {
            let ended = session.commit(&marker(1));
            assert!(matches!(ended, Err(CommitFailure::NotCommitted(_))), "{sql}: {ended:?}");
        }
        drop(session);
        assert_eq!(dump(&stage, "t"), before, "{sql}");
        assert_eq!(dump(&stage, "other.t").len(), 1, "{sql}");
    }
    // Too many rows, whichever way.
    for (sql, touch) in [
        ("UPDATE t SET n = 9", simple(update, &["n"], None)),
        ("DELETE FROM t", simple(delete, &[], None)),
        ("INSERT INTO t VALUES (5), (6)", simple(TouchKind::Insert, &[], None)),
    ] {
        let mut session = stage.begun(1);
        let answer = session.execute_kept(sql, (&touch, &step(1, "s")), 1);
        assert!(matches!(answer, Err(SqlFailure::Limit(_))), "{sql}: {answer:?}");
        drop(session);
    }
    assert_eq!(stage.db.rows("SELECT count(*) FROM placet.placet_kept"), ["0"]);
    // A row may name a table of the host: it is data.
    stage.db.run("ALTER TABLE t ADD x text DEFAULT 'the placet_marker'");
    let before = dump(&stage, "t");
    run(&stage, 5, "DELETE FROM t", &simple(delete, &[], None));
    assert_eq!(put_back(&stage, 5, 6), [1, 1]);
    assert_eq!(dump(&stage, "t"), before);
}
