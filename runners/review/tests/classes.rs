//! What a statement is.

use placet_sql_review::{Effect, Kind, Lock, Risk, classify, title};

#[track_caller]
fn check(dialects: &[&str], cases: &[(&str, Kind, Risk, Lock)]) {
    for dialect in dialects {
        for (statement, kind, risk, lock) in cases {
            let class = classify(statement, dialect);
            assert_eq!(
                (class.kind, class.risk, class.lock),
                (*kind, *risk, *lock),
                "{dialect}: {statement}"
            );
        }
    }
}

#[test]
fn statements_are_told_apart() {
    use {Kind as K, Lock as L, Risk as R};
    check(
        &["postgresql", "mysql", "generic"],
        &[
            ("SELECT 1", K::Read, R::None, L::None),
            ("INSERT INTO a VALUES (1)", K::Write, R::Low, L::Rows),
            ("UPDATE a SET b = 1 WHERE c = 2", K::Write, R::Medium, L::Rows),
            ("UPDATE a SET b = 1", K::Write, R::High, L::Rows),
            ("DELETE FROM a", K::Write, R::High, L::Rows),
            ("DROP TABLE a", K::Ddl, R::Critical, L::Exclusive),
            ("CREATE TABLE a (b INTEGER)", K::Ddl, R::Low, L::None),
            ("ALTER TABLE a ADD COLUMN b TEXT", K::Ddl, R::Medium, L::Exclusive),
            ("COMMIT", K::Unknown, R::Critical, L::None),
            ("savepoint x", K::Unknown, R::Critical, L::None),
            ("FROBNICATE THE DATABASE", K::Unknown, R::High, L::Exclusive),
        ],
    );
    check(
        &["sqlite"],
        &[
            ("SELECT 1", K::Read, R::None, L::None),
            ("INSERT OR REPLACE INTO a VALUES (1)", K::Write, R::Medium, L::Share),
            ("WITH x AS (SELECT 1) DELETE FROM a", K::Write, R::High, L::Share),
            ("CREATE TABLE a (b INTEGER)", K::Ddl, R::Low, L::Share),
        ],
    );
}

/// The table of "Explicit Locking", in our words.
#[test]
fn locks_of_postgresql_are_those_of_its_manual() {
    for (statement, lock) in [
        ("SELECT a FROM b", Lock::None),
        ("SELECT a FROM b FOR UPDATE", Lock::Rows),
        ("INSERT INTO a SELECT b FROM c", Lock::Rows),
        ("ANALYZE a", Lock::None),
        ("VACUUM a", Lock::None),
        ("VACUUM FULL a", Lock::Exclusive),
        ("CREATE INDEX CONCURRENTLY a ON b (c)", Lock::None),
        ("CREATE INDEX a ON b (c)", Lock::Share),
        ("ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e)", Lock::Share),
        ("ALTER TABLE a VALIDATE CONSTRAINT b", Lock::None),
        ("ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)", Lock::Exclusive),
        (
            "ALTER TABLE a ADD COLUMN b int, ADD CONSTRAINT c FOREIGN KEY (d) REFERENCES e (f)",
            Lock::Exclusive,
        ),
        ("DROP INDEX a", Lock::Exclusive),
        ("DROP INDEX CONCURRENTLY a", Lock::None),
        ("TRUNCATE a", Lock::Exclusive),
    ] {
        assert_eq!(classify(statement, "postgresql").lock, lock, "{statement}");
    }
}

#[test]
fn what_may_do_more_than_read_is_never_a_read() {
    for (dialect, statement) in [
        ("postgresql", "SELECT pg_sleep(10)"),
        ("postgresql", "SELECT a FROM b FOR UPDATE"),
        ("postgresql", "SELECT a FROM (SELECT a FROM b FOR SHARE) c"),
        ("postgresql", "SELECT a FROM b FOR NO KEY UPDATE"),
        ("postgresql", "SELECT a INTO c FROM b"),
        ("postgresql", "SELECT * FROM dblink('x', 'y') AS (a int)"),
        ("postgresql", "SELECT 1, dblink(a) AS (b) FROM c"),
        ("postgresql", "SELECT * FROM a, LATERAL wipe(a.b) c"),
        ("postgresql", "SELECT a OPERATOR(evil.+) b FROM c"),
        ("postgresql", "SELECT (SELECT nextval('a'))"),
        ("postgresql", "SELECT a FROM b ORDER BY wipe(c)"),
        ("postgresql", "SELECT U&\"wipe\"(1)"),
        ("postgresql", "SELECT $$a$$, wipe ( 1 )"),
        ("postgresql", "SELECT wipe/* */(1)"),
        ("postgresql", "VALUES (wipe(1))"),
        ("postgresql", "EXPLAIN ANALYZE DELETE FROM a"),
        ("postgresql", "EXPLAIN (ANALYZE, VERBOSE) DELETE FROM a"),
        ("postgresql", "EXPLAIN SELECT wipe(1)"),
        ("postgresql", "WITH a AS (DELETE FROM b RETURNING c) SELECT * FROM a"),
        (
            "postgresql",
            "WITH a AS MATERIALIZED (SELECT 1), d AS (UPDATE b SET c = 1 RETURNING c) SELECT 1",
        ),
        ("postgresql", "DO $$ BEGIN DELETE FROM a; END $$"),
        ("postgresql", "COPY a TO PROGRAM 'mail'"),
        ("postgresql", "CALL a()"),
        ("mysql", "SELECT sleep(10)"),
        ("mysql", "SELECT @a := 1"),
        ("mysql", "SELECT 1 INTO @a"),
        ("mysql", "SELECT 1 INTO OUTFILE '/tmp/x'"),
        ("mysql", "SELECT a FROM b LOCK IN SHARE MODE"),
        ("mysql", "SELECT NEXT VALUE FOR a"),
        ("mysql", "SELECT 1 /*! FOR UPDATE */"),
        ("mysql", "SELECT 1 /*M! FOR UPDATE */"),
        ("mysql", "ANALYZE DELETE FROM a"),
        ("sqlite", "SELECT load_extension('a')"),
        ("sqlite", "PRAGMA user_version = 7"),
        ("sqlite", "REPLACE INTO a VALUES (1)"),
        ("sqlite", "EXPLAIN QUERY PLAN SELECT wipe(1)"),
        ("generic", "SELECT lower(a) FROM b"),
    ] {
        let class = classify(statement, dialect);
        assert_ne!(class.kind, Kind::Read, "{dialect}: {statement}");
        assert!(class.risk >= Risk::Medium, "{dialect}: {statement}: {class:?}");
    }
}

#[test]
fn plain_queries_are_reads() {
    for (dialect, statement) in [
        (
            "postgresql",
            "SELECT a.b, lower(c) FROM a JOIN d ON a.e = d.e WHERE f IN (1, 2) AND g = ANY (ARRAY[1, 2])",
        ),
        (
            "postgresql",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 5",
        ),
        (
            "postgresql",
            "SELECT sum(a) FILTER (WHERE b), row_number() OVER (PARTITION BY c ORDER BY d) FROM e",
        ),
        (
            "postgresql",
            "SELECT a::numeric(10, 2), pg_catalog.lower('A'), substring(b FROM 2 FOR 3) FROM c",
        ),
        ("postgresql", "SELECT count(*) FROM generate_series(1, 10) AS t(a)"),
        ("postgresql", "EXPLAIN SELECT a FROM b"),
        ("postgresql", "EXPLAIN DELETE FROM a"),
        ("postgresql", "SHOW server_version"),
        (
            "mysql",
            "SELECT `a`, if(b, 1, 2), now() FROM `c` WHERE d REGEXP '^a' GROUP BY e HAVING count(*) > 1",
        ),
        ("mysql", "SHOW TABLES"),
        ("mysql", "DESCRIBE a"),
        ("sqlite", "SELECT a, iif(b, 1, 2), date('now') FROM c WHERE d GLOB 'a*'"),
        ("sqlite", "VALUES (1), (2)"),
    ] {
        assert_eq!(classify(statement, dialect).kind, Kind::Read, "{dialect}: {statement}");
    }
}

#[test]
fn objects_are_named_as_written() {
    for (statement, objects) in [
        ("SELECT 1 FROM Shop.Orders o JOIN people USING (id)", &["people", "shop.orders"][..]),
        ("DELETE FROM a WHERE b IN (SELECT c FROM d)", &["a", "d"]),
        ("CREATE INDEX i ON shop.orders (a)", &["shop.orders"]),
        ("DROP TABLE a, b.c", &["a", "b.c"]),
        ("TRUNCATE a, b", &["a", "b"]),
        ("INSERT INTO a SELECT 1 FROM b", &["a", "b"]),
        ("ALTER TABLE a ADD COLUMN b int", &["a"]),
        ("CREATE VIEW v AS SELECT 1 FROM t", &["t", "v"]),
        ("WITH orders AS (DELETE FROM orders RETURNING id) SELECT 1", &["orders"]),
        ("DROP FUNCTION f", &["f"]),
        ("not understood", &[]),
    ] {
        assert_eq!(classify(statement, "postgresql").objects, objects, "{statement}");
    }
}

#[test]
fn what_ends_its_transaction_is_at_most_once() {
    let effect = |statement, dialect| classify(statement, dialect).effect;
    assert_eq!(effect("VACUUM a", "postgresql"), Effect::AtMostOnce);
    assert_eq!(effect("CREATE TABLE a (b int)", "postgresql"), Effect::Transactional);
    assert_eq!(effect("CREATE TABLE a (b int)", "mysql"), Effect::AtMostOnce);
    assert_eq!(effect("not understood", "mysql"), Effect::AtMostOnce);
    assert_eq!(effect("INSERT INTO a VALUES (1)", "mysql"), Effect::Transactional);
    // A sequence stays where it was put, whatever becomes of the transaction.
    for dialect in ["postgresql", "mysql", "generic"] {
        for statement in [
            "SELECT setval('a', 7)",
            "SELECT SetVal ('a', max(b)) FROM c",
            "SELECT pg_catalog.setval('a', 7)",
            "INSERT INTO a VALUES ((SELECT setval('b', 7)))",
        ] {
            assert_eq!(effect(statement, dialect), Effect::AtMostOnce, "{dialect}: {statement}");
        }
        assert_eq!(effect("SELECT setval FROM a", dialect), Effect::Transactional);
    }
    assert_eq!(effect("SELECT \"setval\"('a', 7)", "postgresql"), Effect::AtMostOnce);
    assert_eq!(effect("SELECT `setval`(a, 7)", "mysql"), Effect::AtMostOnce);
}

#[test]
fn a_title_is_one_short_line() {
    assert_eq!(title("UPDATE a\n  SET b = 1"), "UPDATE a SET b = 1");
    assert!(title(&"x".repeat(500)).chars().count() <= 61);
}
