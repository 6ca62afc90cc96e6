//! Queries: values, limits, batches, where columns come from, and estimates.

use placet_target::{Access, Origin, SqlFailure, SqlRows, SqlTarget as _, SqlValue, StopSignal};

use crate::bench::{Bench, job, value};

fn text(text: &str) -> SqlValue {
    SqlValue::Text(text.to_owned())
}

#[test]
fn values_come_as_they_are() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE kinds (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED, e BIGINT, f BIGINT UNSIGNED,
             g FLOAT, h DOUBLE, i DECIMAL(10, 3), j BIT(10), k YEAR, l DATE, m TIME(3), n DATETIME(6), o TIMESTAMP(2),
             p VARCHAR(9) CHARACTER SET latin1, q VARBINARY(9), r TEXT, s BLOB, t ENUM('x'), u JSON, v DATETIME) ENGINE = InnoDB;
         INSERT INTO kinds VALUES (-1, 65535, -8388608, 4294967295, -9223372036854775808, 18446744073709551615,
             0.5, 1e300, -1.5, b'1000000001', 2155, '2024-02-29', '-100:00:00.5', '2024-02-29 01:02:03.000004',
             '2024-02-29 01:02:03.25', 'ñ', X'00ff', 'ñ', X'00', 'x', '[1]', '0000-00-00'),
             (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1970-01-01 00:00:01',
              NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let mut reader = bench.reader();
    let found = reader.query("SELECT * FROM kinds ORDER BY a DESC", &[], 10, 10_000).unwrap();
    let due = [
        SqlValue::Int64(-1),
        SqlValue::Int64(65_535),
        SqlValue::Int64(-8_388_608),
        SqlValue::Int64(4_294_967_295),
        SqlValue::Int64(i64::MIN),
        SqlValue::Decimal("18446744073709551615".to_owned()),
        SqlValue::Float64(0.5),
        SqlValue::Float64(1e300),
        SqlValue::Decimal("-1.500".to_owned()),
        SqlValue::Bytes(vec![2, 1]),
        SqlValue::Int64(2_155),
        text("2024-02-29"),
        text("-100:00:00.500"),
        text("2024-02-29 01:02:03.000004"),
        SqlValue::Timestamp("2024-02-29T01:02:03.25Z".to_owned()),
        text("ñ"),
        SqlValue::Bytes(vec![0, 255]),
        text("ñ"),
        SqlValue::Bytes(vec![0]),
        text("x"),
        text("[1]"),
        text("0000-00-00 00:00:00"),
    ];
    assert_eq!(found.rows[0], due);
    assert_eq!(found.rows[1].iter().filter(|value| **value == SqlValue::Null).count(), 21);
    // And the other way.
    let values = [
        SqlValue::Null,
        SqlValue::Boolean(true),
        SqlValue::Int64(i64::MIN),
        SqlValue::Float64(0.1),
        SqlValue::Decimal("12345678901234567890.12".to_owned()),
        text("ñ'\\"),
        SqlValue::Bytes(vec![0, 39, 255]),
        SqlValue::Timestamp("2024-02-29T01:02:03.5+02:00".to_owned()),
        SqlValue::Json("{\"a\": 1}".to_owned()),
    ];
    let sql = "SELECT ? IS NULL, ?, ?, ? = 0.1e0, CAST(? AS DECIMAL(30, 2)), ?, HEX(?), CAST(? AS DATETIME(1)), \
               JSON_VALUE(?, '$.a')";
    let found = reader.query(sql, &values, 10, 10_000).unwrap();
    let due = [
        SqlValue::Int64(1),
        SqlValue::Int64(1),
        SqlValue::Int64(i64::MIN),
        SqlValue::Int64(1),
        SqlValue::Decimal("12345678901234567890.12".to_owned()),
        text("ñ'\\"),
        text("0027FF"),
        text("2024-02-28 23:02:03.5"),
        text("1"),
    ];
    assert_eq!(found.rows, [due]);
    let refused = reader.query("SELECT ?", &[], 10, 10_000).unwrap_err();
    assert!(matches!(refused, SqlFailure::Refused(_)));
    // A colon is a colon, and a minus before a quote is no comment.
    assert_eq!(value(&mut *reader, "SELECT 5-':a'").unwrap(), SqlValue::Float64(5.0));
    assert_eq!(value(&mut *reader, "SELECT ':a'").unwrap(), text(":a"));
}

#[test]
fn sessions_are_the_same_whatever_the_server_sets_by_default() {
    let Some(bench) = Bench::new() else { return };
    for access in [Access::ReadOnly, Access::ReadWrite(job(1))] {
        let mut session = bench.open(access);
        let mut said = |sql: &str| value(&mut *session, sql).unwrap();
        assert_eq!(said("SELECT \"a\\\"b\""), text("a\"b"));
        assert_eq!(said("SELECT @@time_zone"), text("+00:00"));
        assert_eq!(said("SELECT @@tx_isolation"), text("REPEATABLE-READ"));
        assert_eq!(said("SELECT @@character_set_results"), text("utf8mb4"));
        assert_eq!(said("SELECT @@innodb_lock_wait_timeout"), SqlValue::Int64(1));
        assert_eq!(said("SELECT @@lock_wait_timeout"), SqlValue::Int64(1));
    }
}

#[test]
fn limits_are_kept_while_reading() {
    let Some(bench) = Bench::new() else { return };
    let mut reader = bench.reader();
    let too_much = |done: Result<SqlRows, SqlFailure>| {
        assert!(matches!(done, Err(SqlFailure::Limit(_))), "{done:?}");
    };
    too_much(reader.query("SELECT seq FROM seq_1_to_11", &[], 10, 100_000));
    // Rows without end: read to its end, it would take hours.
    let endless = "SELECT a.seq FROM seq_1_to_100000000 a, seq_1_to_100000000 b";
    too_much(reader.query(endless, &[], 10, 100_000));
    assert_eq!(bench.running("seq_1_to_100000000 b"), 0);
    too_much(reader.query(endless, &[], u64::MAX, 100_000));
    too_much(reader.query("SELECT REPEAT('x', 10000)", &[], 10, 1_000));
    too_much(reader.query("SELECT 1 AS a_long_name", &[], 10, 10));
    let found = reader.query("SELECT seq FROM seq_1_to_10", &[], 10, 100_000).unwrap();
    assert_eq!(found.rows.len(), 10);
    // To the byte: the name and three values.
    let bytes = 3 + 3 * (SqlValue::OVERHEAD_BYTES);
    assert!(reader.query("SELECT seq FROM seq_1_to_3", &[], 3, bytes).is_ok());
    too_much(reader.query("SELECT seq FROM seq_1_to_3", &[], 3, bytes - 1));
    // A text of 16 MiB in several pieces of the protocol.
    let sql = "SELECT REPEAT('x', 16 * 1024 * 1024 - 100) AS x";
    let found = reader.query(sql, &[], 1, 1 << 25).unwrap();
    assert_eq!(found.rows[0][0].bytes(), (1 << 24) - 100 + SqlValue::OVERHEAD_BYTES);
}

#[test]
fn rows_are_handed_over_in_batches() {
    let Some(bench) = Bench::new() else { return };
    let mut reader = bench.reader();
    for (rows, due) in
        [(0, vec![0]), (1, vec![1]), (3, vec![3]), (4, vec![3, 1]), (7, vec![3, 3, 1])]
    {
        let sql = format!("SELECT seq FROM seq_1_to_9 WHERE seq <= {rows}");
        let mut sizes = Vec::new();
        let count = reader.stream(&sql, &[], (100, 10_000, 3), &mut |batch| {
            assert_eq!(batch.columns, ["seq"]);
            sizes.push(batch.rows.len());
            Ok(())
        });
        assert_eq!((count.unwrap(), sizes), (rows, due));
    }
    // Who takes may stop, and the session goes on.
    let endless = "SELECT a.seq FROM seq_1_to_100000000 a, seq_1_to_100000000 b";
    let refused = reader.stream(endless, &[], (u64::MAX, u64::MAX, 10), &mut |_| {
        Err(SqlFailure::Refused("enough".to_owned()))
    });
    assert_eq!(refused.unwrap_err().message(), "enough");
    assert_eq!(value(&mut *reader, "SELECT 6").unwrap(), SqlValue::Int64(6));
    let failure = reader.query("SELECT nothing FROM nowhere", &[], 1, 1_000).unwrap_err();
    assert!(matches!(failure, SqlFailure::Database { code, .. } if code == "sql.mysql.1146"));
}

/// Masks go by the origin: a column that is not unchanged must not have one, and none may have another's.
#[test]
fn columns_tell_where_they_come_from() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(50)) ENGINE = InnoDB;
         INSERT INTO people VALUES (1, 'a@b'), (2, 'c@d');
         CREATE VIEW merged AS SELECT email AS m FROM people;
         CREATE ALGORITHM = TEMPTABLE VIEW copied AS SELECT email AS m FROM people",
    );
    let mut reader = bench.reader();
    let mut told = |sql: &str| {
        let found = reader.query(sql, &[], 100, 10_000).unwrap();
        let told = found.origins.iter().map(|origin| match origin {
            Some(Origin { table, column }) => format!("{table}.{column}"),
            None => "-".to_owned(),
        });
        told.collect::<Vec<_>>().join(" ")
    };
    for (sql, due) in [
        ("SELECT email AS id, p.id FROM people p", "people.email people.id"),
        (
            "SELECT p.email, o.id, state FROM people p JOIN orders o USING (id)",
            "people.email orders.id orders.state",
        ),
        ("SELECT DISTINCT email AS x FROM people ORDER BY RAND()", "people.email"),
        ("SELECT email FROM people GROUP BY email ORDER BY COUNT(*)", "people.email"),
        ("SELECT UPPER(email), 1, email + 0 FROM people", "- - -"),
        ("SELECT MAX(email), MIN(email) FROM people", "- -"),
        ("SELECT IF(id, email, 1), COALESCE(email), (email) FROM people", "- - people.email"),
        // The server would say `orders.id`: its word counts for plain tables alone.
        ("SELECT id FROM (SELECT email AS id FROM people) orders", "-"),
        ("SELECT id FROM (SELECT email AS id FROM people LIMIT 1) orders", "-"),
        ("WITH orders AS (SELECT email AS id FROM people) SELECT id FROM orders", "-"),
        ("SELECT m FROM merged", "-"),
        ("SELECT m FROM copied", "-"),
        ("SELECT (SELECT email FROM people LIMIT 1)", "-"),
        ("SELECT email FROM people UNION SELECT 'x'", "-"),
        ("SELECT id FROM JSON_TABLE('[1]', '$[*]' COLUMNS (id INT PATH '$')) orders", "-"),
    ] {
        assert_eq!(told(sql), due, "{sql}");
    }
}

#[test]
fn estimates_run_nothing() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE many (id INT PRIMARY KEY) ENGINE = InnoDB; INSERT INTO many SELECT seq FROM seq_1_to_1000;
         ANALYZE TABLE many",
    );
    for access in [Access::ReadOnly, Access::ReadWrite(job(1))] {
        let mut session = bench.open(access);
        let mut estimate = |sql: &str| session.estimate(sql).unwrap();
        assert_eq!(estimate("SELECT * FROM many WHERE id = 5"), Some(1));
        assert_eq!(estimate("UPDATE many SET id = id + 1 WHERE id BETWEEN 1 AND 10"), Some(10));
        let all = estimate("DELETE FROM many").unwrap();
        assert!((900..=1_100).contains(&all), "{all}");
        assert_eq!(estimate("INSERT INTO many VALUES (5000)"), None);
        assert_eq!(estimate("CREATE TEMPORARY TABLE a (b INT)"), None);
        let refused = session.estimate("SELECT SLEEP(5)").unwrap_err();
        assert!(matches!(refused, SqlFailure::Refused(_)));
        let refused = session.estimate("SELECT 1; DROP TABLE many").unwrap_err();
        assert!(matches!(refused, SqlFailure::Refused(_)));
    }
    assert_eq!(bench.sql("SELECT COUNT(*), MIN(id) FROM many"), ["1000|1"]);
    // A user who may not change says nothing about changes.
    let narrow = bench.target().with_read_only_url(bench.url("reader", bench.server.port));
    let mut narrow = narrow.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(narrow.estimate("DELETE FROM many").unwrap(), None);
    assert_eq!(narrow.estimate("SELECT * FROM many WHERE id = 7").unwrap(), Some(1));
    // In an open transaction it stays open.
    let mut session = bench.begun(2);
    session.execute("DELETE FROM many WHERE id = 1", &[]).unwrap();
    assert!(session.estimate("DELETE FROM many").unwrap().is_some());
    session.execute("DELETE FROM many WHERE id = 2", &[]).unwrap();
    session.rollback().unwrap();
    assert_eq!(bench.sql("SELECT COUNT(*) FROM many"), ["1000"]);
}
