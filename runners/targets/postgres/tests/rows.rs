//! What queries answer.

use placet_target::{Origin, SqlFailure, SqlRows, SqlValue};

use crate::story::{code, lines, refusal, stage};

#[test]
fn values_come_back_as_what_they_are() {
    let Some(stage) = stage("CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN cents AS int") else {
        return;
    };
    let mut session = stage.reader();
    let text = |text: &str| SqlValue::Text(text.to_owned());
    for (sql, due) in [
        ("true", SqlValue::Boolean(true)),
        ("(-3)::int2", SqlValue::Int64(-3)),
        ("2147483647", SqlValue::Int64(2_147_483_647)),
        ("9223372036854775807", SqlValue::Int64(i64::MAX)),
        ("0.5::float4", SqlValue::Float64(0.5)),
        ("'-Infinity'::float8", SqlValue::Float64(f64::NEG_INFINITY)),
        ("12345678901234567890.0900", SqlValue::Decimal("12345678901234567890.0900".into())),
        ("'NaN'::numeric", SqlValue::Decimal("NaN".into())),
        ("'é\n'::text", text("é\n")),
        ("'a'::char(3)", text("a  ")),
        ("'a'::name", text("a")),
        ("'\\x00ff'::bytea", SqlValue::Bytes(vec![0, 255])),
        (
            "'2024-02-29 12:00:00.5+02'::timestamptz",
            SqlValue::Timestamp("2024-02-29T10:00:00.5Z".into()),
        ),
        ("'infinity'::timestamptz", text("infinity")),
        ("'2024-02-29 12:00'::timestamp", text("2024-02-29 12:00:00")),
        ("'0044-03-15 BC'::date", text("0044-03-15 BC")),
        ("'12:00:01.25'::time", text("12:00:01.25")),
        ("'{\"a\": [1]}'::json", SqlValue::Json("{\"a\": [1]}".into())),
        ("'{\"a\":1.00}'::jsonb", SqlValue::Json("{\"a\": 1.00}".into())),
        ("'0123456789abcdef0123456789abcdef'::uuid", text("01234567-89ab-cdef-0123-456789abcdef")),
        ("'glad'::mood", text("glad")),
        ("7::cents", SqlValue::Int64(7)),
        ("NULL::int", SqlValue::Null),
        ("NULL", SqlValue::Null),
        ("ARRAY[1, NULL, 3]", text("{1,NULL,3}")),
        ("'1 day 02:00'::interval", text("1 day 02:00:00")),
        ("'10.0.0.1/8'::inet", text("10.0.0.1/8")),
        ("int4range(1, 5)", text("[1,5)")),
        ("ROW(1, 'a b')", text("(1,\"a b\")")),
        ("'10:00+02'::timetz", text("10:00:00+02")),
        ("'<a/>'::xml", text("<a/>")),
        ("to_tsvector('simple', 'b a')", text("'a':2 'b':1")),
    ] {
        let found = session.query(&format!("SELECT {sql} AS v -- end"), &[], 1, 1_000).unwrap();
        assert_eq!(found.columns, ["v"], "{sql}");
        assert_eq!(found.rows, [[due]], "{sql}");
    }
    // Texts of the server's and ours agree where both are asked.
    let days = "SELECT d::date, d::date::text FROM generate_series('0001-01-01'::timestamp, '2400-01-01', '97 days 13:00') AS d";
    let found = session.query(days, &[], 10_000, 10_000_000).unwrap();
    assert!(found.rows.len() > 8_000 && found.rows.iter().all(|row| row[0] == row[1]));
    let numbers = "SELECT n, n::text FROM (SELECT (random() * 10 ^ (random() * 40 - 20))::numeric(60, 22) AS n FROM generate_series(1, 2000)) AS s
        UNION ALL SELECT -n * 10000, (-n * 10000)::text FROM generate_series(1, 1000) AS n (n)";
    let found = session
        .query(&numbers.replace("-n * 10000,", "(-n * 10000)::numeric,"), &[], 10_000, 10_000_000)
        .unwrap();
    for row in &found.rows {
        let (SqlValue::Decimal(ours), SqlValue::Text(theirs)) = (&row[0], &row[1]) else {
            panic!("{row:?}")
        };
        assert_eq!(ours, theirs);
    }
}

#[test]
fn values_go_there_as_what_stands_there() {
    let Some(stage) = stage(
        "CREATE TABLE t (a int2, b float8, c numeric, d bytea, e timestamptz, f jsonb, g bool, h text, i int[])",
    ) else {
        return;
    };
    let mut session = stage.begun(1);
    let values = [
        SqlValue::Int64(7),
        SqlValue::Float64(f64::INFINITY),
        SqlValue::Decimal("1.10".into()),
        SqlValue::Bytes(vec![0, 1]),
        SqlValue::Timestamp("2024-01-01T00:00:00Z".into()),
        SqlValue::Json("{}".into()),
        SqlValue::Boolean(true),
        SqlValue::Null,
        SqlValue::Text("{1}".into()),
    ];
    let sql = "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    session.execute(sql, &values).unwrap();
    let found = lines(&mut *session, "SELECT a, b, c, d, e, f, g, h, i FROM t");
    assert_eq!(found, ["7|inf|1.10|[0, 1]|2024-01-01T00:00:00Z|{}|true|-|{1}"]);
    let by = session.query("SELECT h IS NULL FROM t WHERE a = $1", &[SqlValue::Int64(7)], 1, 99);
    assert_eq!(by.unwrap().rows, [[SqlValue::Boolean(true)]]);
    assert_eq!(code(session.execute(sql, &values[..8])), "sql.08P01");
    session.rollback().unwrap();
    let _why = refusal(session.query("SELECT $1::int", &[], 1, 1_000));
}

#[test]
fn what_is_too_much_is_refused_while_it_is_read() {
    let Some(stage) = stage("") else { return };
    let mut session = stage.reader();
    let sql = "SELECT generate_series(1, 1000000000) AS n";
    for (rows, bytes) in [(10, 1_000_000), (1_000_000, 10_000), (10, 3), (0, 1_000)] {
        let answer = session.query(sql, &[], rows, bytes);
        assert!(matches!(answer, Err(SqlFailure::Limit(_))), "{rows} {bytes}: {answer:?}");
    }
    // The name of the column, the value, and what each takes besides.
    let exactly = 8 + 2 * SqlValue::OVERHEAD_BYTES;
    assert_eq!(session.query("SELECT 1", &[], 1, exactly).unwrap().rows.len(), 1);
    let less = session.query("SELECT 1", &[], 1, exactly - 1);
    assert!(matches!(less, Err(SqlFailure::Limit(_))), "{less:?}");
}

#[test]
fn answers_come_in_batches() {
    let Some(stage) = stage("") else { return };
    let mut session = stage.reader();
    for (count, due) in
        [(0, vec![0]), (1, vec![1]), (10, vec![10]), (11, vec![10, 1]), (30, vec![10, 10, 10])]
    {
        let mut batches = Vec::new();
        let sql = format!("SELECT g AS n FROM generate_series(1, {count}) AS g");
        let rows = session.stream(&sql, &[], (100, 100_000, 10), &mut |rows: SqlRows| {
            assert_eq!(rows.columns, ["n"]);
            batches.push(rows.rows.len());
            Ok(())
        });
        assert_eq!((rows.unwrap(), batches), (count, due));
    }
}

#[test]
fn columns_say_where_they_come_from() {
    let Some(stage) = stage("CREATE SCHEMA hr; CREATE TABLE hr.people (id int, email text)") else {
        return;
    };
    let mut session = stage.writer(1);
    let sql = "SELECT email AS contact, upper(email), p.id FROM hr.people AS p";
    let origin = |column: &str| Some(Origin { table: "people".into(), column: column.into() });
    let found = session.query(sql, &[], 1, 1_000).unwrap();
    assert_eq!(found.origins, [origin("email"), None, origin("id")]);
    session.begin().unwrap();
    session.execute("ALTER TABLE hr.people RENAME email TO mail", &[]).unwrap();
    let found = session.query("SELECT mail FROM hr.people", &[], 1, 1_000).unwrap();
    assert_eq!(found.origins, [origin("mail")]);
}

#[test]
fn rows_that_are_shown_elsewhere_keep_the_origin_of_their_table() {
    let Some(stage) = stage(
        "CREATE TABLE people (id int, email text) PARTITION BY RANGE (id);
        CREATE TABLE people_some PARTITION OF people DEFAULT PARTITION BY RANGE (id);
        CREATE TABLE people_few (email text, id int);
        ALTER TABLE people_some ATTACH PARTITION people_few DEFAULT;
        CREATE TABLE staff (mail text); CREATE TABLE boss (car text) INHERITS (staff);
        CREATE VIEW shown AS SELECT email FROM people;
        CREATE MATERIALIZED VIEW stored AS SELECT email FROM people;
        CREATE TYPE pair AS (email text)",
    ) else {
        return;
    };
    let mut session = stage.reader();
    let origin =
        |table: &str, column: &str| Some(Origin { table: table.into(), column: column.into() });
    for (sql, due) in [
        ("SELECT email FROM people", origin("people", "email")),
        ("SELECT email FROM people_some", origin("people", "email")),
        ("SELECT e AS x FROM people_few AS p (e)", origin("people", "email")),
        ("SELECT mail FROM boss", origin("staff", "mail")),
        ("SELECT car FROM boss", origin("boss", "car")),
        ("SELECT email FROM shown", None),
        ("SELECT email FROM stored", None),
    ] {
        let found = session.query(sql, &[], 1, 1_000).unwrap();
        assert_eq!(found.origins, [due], "{sql}");
    }
}

#[test]
fn the_planner_says_how_many_rows_it_expects() {
    let Some(stage) =
        stage("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 1000) AS g; ANALYZE t")
    else {
        return;
    };
    let mut session = stage.reader();
    assert_eq!(session.estimate("SELECT * FROM t").unwrap(), Some(1_000));
    assert_eq!(session.estimate("DELETE FROM t").unwrap(), Some(1_000));
    assert_eq!(session.estimate("WITH a AS (SELECT 1) UPDATE t SET a = 1").unwrap(), Some(1_000));
    assert_eq!(session.estimate("ALTER TABLE t ADD b int").unwrap(), None);
    assert_eq!(session.estimate("SELECT * FROM t WHERE a = $1").unwrap(), None);
    let wrong = session.estimate("SELECT nothing FROM t");
    let Err(SqlFailure::Database { position, .. }) = wrong else { panic!("{wrong:?}") };
    assert_eq!(position, Some(8));
    assert_eq!(stage.db.rows("SELECT count(*) FROM t"), ["1000"]);
}
