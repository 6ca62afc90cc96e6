//! Each rule, found and not found, in each dialect that it names.

use std::collections::BTreeSet;

use placet_sql_review::{Dialect, RULES, Settings, review, rows_above_limit};

use Dialect::{Generic, MySql, PostgreSql, Sqlite};

struct Case {
    code: &'static str,
    dialects: &'static [Dialect],
    found: &'static [&'static str],
    not: &'static [&'static str],
}

const ALL: &[Dialect] = &Dialect::ALL;
const TURNED: &str = "SELECT 1 /* \u{202E} */";

const CASES: &[Case] = &[
    Case {
        code: "sql.commit_inside",
        dialects: ALL,
        found: &[
            "BEGIN; SELECT 1",
            "SELECT 1; commit",
            "/* x */ ROLLBACK TO a",
            "SAVEPOINT a",
            "RELEASE a",
            "END",
            "START TRANSACTION",
            "SET autocommit = 1",
        ],
        not: &[
            "SELECT 'COMMIT'",
            "SELECT 1 AS commit",
            "CREATE TABLE a (commit INTEGER PRIMARY KEY)",
        ],
    },
    Case {
        code: "sql.unparsed",
        dialects: ALL,
        found: &["FROBNICATE a", "SELECT 1 1 1", "SELECT (1"],
        not: &["SELECT 1", "INSERT INTO a VALUES (1)"],
    },
    Case {
        code: "sql.unparsed",
        dialects: &[MySql],
        found: &[
            "SELECT 1 /*! INTO OUTFILE 'a' */",
            "DELETE FROM a /*!50000 WHERE b = 1 */ WHERE b = 2",
        ],
        not: &["SELECT 1 /* INTO OUTFILE 'a' */"],
    },
    Case {
        code: "sql.invisible_characters",
        dialects: ALL,
        found: &[
            "SELECT \u{200B}1",
            "DELETE FROM a\u{A0}WHERE b = 1",
            "SELECT 'a\u{202E}b'",
            TURNED,
            "SELECT 1 -- a\rDROP TABLE b",
        ],
        not: &[
            "SELECT 'ñ 漢字 \u{200D}'",
            "\u{FEFF}SELECT 1",
            "SELECT ñ FROM größe",
            "SELECT 1\r\n;",
        ],
    },
    Case {
        code: "sql.invisible_characters",
        dialects: &[PostgreSql],
        found: &[
            "DO $$ BEGIN DELETE FROM a -- \rWHERE b = 1;\nEND $$",
            "DO $a$ BEGIN DELETE FROM\u{200B} a; END $a$",
            "SELECT run($$DELETE FROM\u{200B} a$$)",
            "SELECT 1; DO 'BEGIN DELETE FROM\u{200B} a; END'",
            "DO LANGUAGE plpgsql E'BEGIN DELETE FROM\u{200B} a; END'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT\u{A0}1'",
            "create or replace procedure f() LANGUAGE sql AS 'SELECT\u{A0}1'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT\u{A0}1 $$",
        ],
        not: &[
            "DO $$ BEGIN DELETE FROM ñ; END $$",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;\r\n'; SELECT '\u{200D}'",
            "CREATE VIEW v AS SELECT '\u{200D}' AS do",
        ],
    },
    Case {
        code: "sql.no_where",
        dialects: ALL,
        found: &["UPDATE a SET b = 1", "DELETE FROM a", "DELETE FROM a -- WHERE b = 1"],
        not: &[
            "UPDATE a SET b = 1 WHERE c = 2",
            "DELETE FROM a WHERE b = 1",
            "SELECT 'DELETE FROM a'",
        ],
    },
    Case {
        code: "sql.no_where",
        dialects: &[PostgreSql],
        found: &["WITH x AS (DELETE FROM a RETURNING b) SELECT b FROM x"],
        not: &["WITH x AS (DELETE FROM a WHERE b = 1 RETURNING b) SELECT b FROM x"],
    },
    Case {
        code: "sql.truncate",
        dialects: ALL,
        found: &["TRUNCATE TABLE a"],
        not: &["DELETE FROM a", "SELECT 1 AS truncate_me"],
    },
    Case {
        code: "sql.drop",
        dialects: ALL,
        found: &["DROP TABLE a", "DROP INDEX a", "DROP VIEW a", "ALTER TABLE a DROP COLUMN b"],
        not: &["ALTER TABLE a ADD COLUMN b INTEGER", "SELECT 'DROP TABLE a'"],
    },
    Case {
        code: "sql.cascade",
        dialects: &[PostgreSql],
        found: &[
            "DROP TABLE a CASCADE",
            "TRUNCATE a CASCADE",
            "ALTER TABLE a DROP COLUMN b CASCADE",
        ],
        not: &[
            "DROP TABLE a",
            "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES d (e) ON DELETE CASCADE",
        ],
    },
    Case {
        code: "sql.rename",
        dialects: ALL,
        found: &["ALTER TABLE a RENAME TO b", "ALTER TABLE a RENAME COLUMN b TO c"],
        not: &["ALTER TABLE a ADD COLUMN b INTEGER", "SELECT a AS b FROM c"],
    },
    Case {
        code: "sql.rename",
        dialects: &[MySql],
        found: &["RENAME TABLE a TO b", "ALTER TABLE a CHANGE COLUMN b c INT"],
        not: &["ALTER TABLE a CHANGE COLUMN b b BIGINT"],
    },
    Case {
        code: "sql.no_primary_key",
        dialects: ALL,
        found: &["CREATE TABLE a (b INTEGER)"],
        not: &[
            "CREATE TABLE a (b INTEGER PRIMARY KEY)",
            "CREATE TABLE a (b INTEGER, c INTEGER, PRIMARY KEY (b, c))",
            "CREATE TEMPORARY TABLE a (b INTEGER)",
        ],
    },
    Case {
        code: "sql.not_null_on_existing",
        dialects: ALL,
        found: &["ALTER TABLE a ADD COLUMN b INTEGER NOT NULL"],
        not: &[
            "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE a ADD COLUMN b INTEGER",
            "CREATE TABLE a (b INTEGER NOT NULL PRIMARY KEY)",
        ],
    },
    Case {
        code: "sql.not_null_on_existing",
        dialects: &[PostgreSql],
        found: &["ALTER TABLE a ALTER COLUMN b SET NOT NULL"],
        not: &["ALTER TABLE a ALTER COLUMN b DROP NOT NULL"],
    },
    Case {
        code: "sql.unlogged",
        dialects: &[PostgreSql],
        found: &["CREATE UNLOGGED TABLE a (b int PRIMARY KEY)", "ALTER TABLE a SET UNLOGGED"],
        not: &["CREATE TABLE a (b int PRIMARY KEY)", "ALTER TABLE a SET LOGGED"],
    },
    Case {
        code: "sql.mixed_ddl_dml",
        dialects: ALL,
        found: &["ALTER TABLE a ADD COLUMN b INTEGER; UPDATE a SET b = 1 WHERE c = 2"],
        not: &["ALTER TABLE a ADD COLUMN b INTEGER; SELECT 1", "UPDATE a SET b = 1 WHERE c = 2"],
    },
    Case {
        code: "sql.non_transactional",
        dialects: &[PostgreSql],
        found: &[
            "CREATE INDEX CONCURRENTLY a ON b (c)",
            "CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)",
            "DROP INDEX CONCURRENTLY a",
            "REINDEX INDEX CONCURRENTLY a",
            "REINDEX (VERBOSE) TABLE CONCURRENTLY a",
            "VACUUM a",
            "CREATE DATABASE a",
            "DROP DATABASE a",
            "ALTER TYPE a ADD VALUE 'b'",
            "ALTER SYSTEM SET a = 'b'",
            "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
        ],
        not: &[
            "CREATE INDEX a ON b (c)",
            "REINDEX TABLE a",
            "ALTER TYPE a RENAME TO b",
            "SELECT 1",
        ],
    },
    Case {
        code: "sql.non_transactional",
        dialects: &[MySql],
        found: &[
            "ALTER TABLE a ADD COLUMN b INT",
            "CREATE TABLE a (b INT PRIMARY KEY)",
            "DROP TABLE a",
            "TRUNCATE TABLE a",
            "RENAME TABLE a TO b",
            "LOCK TABLES a READ",
            "ANALYZE TABLE a",
            "FLUSH TABLES",
            "GRANT SELECT ON a TO b",
            "CALL a()",
            "FROBNICATE",
        ],
        not: &[
            "CREATE TEMPORARY TABLE a (b INT)",
            "DROP TEMPORARY TABLE a",
            "UPDATE a SET b = 1 WHERE c = 2",
            "SELECT 1",
        ],
    },
    Case {
        code: "sql.non_transactional",
        dialects: &[Sqlite],
        found: &["VACUUM", "ATTACH DATABASE 'a' AS b"],
        not: &["ALTER TABLE a ADD COLUMN b INTEGER", "CREATE TABLE a (b INTEGER PRIMARY KEY)"],
    },
    Case {
        code: "sql.exclusive_lock_held",
        dialects: &[PostgreSql],
        found: &[
            "ALTER TABLE a ADD COLUMN b int; UPDATE c SET d = 1 WHERE e = 2",
            "TRUNCATE a; SELECT 1",
        ],
        not: &[
            "UPDATE c SET d = 1 WHERE e = 2; ALTER TABLE a ADD COLUMN b int",
            "CREATE TABLE a (b int PRIMARY KEY); ALTER TABLE a ADD COLUMN c int; INSERT INTO a VALUES (1)",
            "ALTER TABLE a ADD COLUMN b int; CREATE INDEX CONCURRENTLY c ON a (b)",
        ],
    },
    Case {
        code: "sql.no_lock_timeout",
        dialects: &[PostgreSql],
        found: &[
            "ALTER TABLE a ADD COLUMN b int",
            "SET LOCAL lock_timeout = 0; ALTER TABLE a ADD COLUMN b int",
        ],
        not: &[
            "SET LOCAL lock_timeout = '5s'; ALTER TABLE a ADD COLUMN b int",
            "SET LOCAL lock_timeout TO 500; DROP TABLE a",
            "CREATE TABLE a (b int PRIMARY KEY)",
        ],
    },
    Case {
        code: "sql.no_lock_timeout",
        dialects: &[MySql],
        found: &[
            "ALTER TABLE a ADD COLUMN b INT",
            "SET SESSION lock_wait_timeout = 0; DROP TABLE a",
        ],
        not: &["SET SESSION lock_wait_timeout = 5; ALTER TABLE a ADD COLUMN b INT", "SELECT 1"],
    },
    Case {
        code: "sql.index_not_concurrent",
        dialects: &[PostgreSql],
        found: &["CREATE INDEX a ON b (c)", "CREATE UNIQUE INDEX a ON b (c)"],
        not: &[
            "CREATE INDEX CONCURRENTLY a ON b (c)",
            "CREATE TABLE b (c int PRIMARY KEY); CREATE INDEX a ON b (c)",
        ],
    },
    Case {
        code: "sql.rewrites_table",
        dialects: &[PostgreSql],
        found: &[
            "ALTER TABLE a ALTER COLUMN b TYPE bigint",
            "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()",
            "ALTER TABLE a ADD COLUMN b serial",
            "VACUUM FULL a",
        ],
        not: &[
            "ALTER TABLE a ADD COLUMN b int DEFAULT 0",
            "ALTER TABLE a ADD COLUMN b timestamptz DEFAULT now()",
            "ALTER TABLE a DROP COLUMN b",
        ],
    },
    Case {
        code: "sql.rewrites_table",
        dialects: &[MySql],
        found: &[
            "ALTER TABLE a MODIFY COLUMN b BIGINT",
            "ALTER TABLE a CHANGE COLUMN b c BIGINT",
            "ALTER TABLE a DROP PRIMARY KEY",
        ],
        not: &["ALTER TABLE a ADD COLUMN b INT", "CREATE INDEX a ON b (c)"],
    },
    Case {
        code: "sql.rewrites_table",
        dialects: &[Sqlite],
        found: &["ALTER TABLE a DROP COLUMN b"],
        not: &["ALTER TABLE a ADD COLUMN b INTEGER"],
    },
    Case {
        code: "sql.outside",
        dialects: &[PostgreSql, Generic],
        found: &[
            "COPY a FROM PROGRAM 'rm'",
            "COPY a TO '/etc/a'",
            "LOAD 'a'",
            "SELECT pg_read_file('a')",
        ],
        not: &["SELECT 1 AS copy"],
    },
    Case {
        code: "sql.outside",
        dialects: &[MySql],
        found: &[
            "LOAD DATA LOCAL INFILE 'a' INTO TABLE b",
            "SELECT 1 INTO OUTFILE 'a'",
            "SELECT load_file('a')",
        ],
        not: &["SELECT 'INTO OUTFILE'", "INSERT INTO a VALUES (1)"],
    },
    Case {
        code: "sql.outside",
        dialects: &[Sqlite],
        found: &[
            "ATTACH DATABASE 'a' AS b",
            "DETACH b",
            "VACUUM INTO 'a'",
            "SELECT load_extension('a')",
        ],
        not: &["SELECT 'ATTACH'", "CREATE TABLE attached (a INTEGER PRIMARY KEY)"],
    },
    Case {
        code: "sql.session_change",
        dialects: &[PostgreSql],
        found: &[
            "SET SESSION AUTHORIZATION a",
            "SET ROLE a",
            "SET search_path = a",
            "RESET ALL",
            "SET LOCAL lock_timeout = 0",
        ],
        not: &["SET LOCAL lock_timeout = '1s'", "UPDATE a SET role = 'b' WHERE c = 1"],
    },
    Case {
        code: "sql.session_change",
        dialects: &[MySql],
        found: &["SET sql_mode = ''", "USE a", "SET GLOBAL read_only = 0"],
        not: &["SET SESSION innodb_lock_wait_timeout = 5", "SELECT 1"],
    },
    Case {
        code: "sql.session_change",
        dialects: &[Sqlite, Generic],
        found: &["PRAGMA foreign_keys = 0"],
        not: &["SELECT 1"],
    },
    Case {
        code: "sql.unknown_function",
        dialects: ALL,
        found: &[
            "SELECT tidy_up(1)",
            "INSERT INTO a (b) SELECT tidy_up(c) FROM d",
            "UPDATE a SET b = tidy_up(1) WHERE c = 2",
            "SELECT other.lower(a) FROM b",
        ],
        not: &["SELECT 1", "INSERT INTO a (b) VALUES (1)", "SELECT a FROM b WHERE c IN (1, 2)"],
    },
    Case {
        code: "sql.unknown_function",
        dialects: &[PostgreSql, Sqlite],
        found: &["SELECT \"lower\"(a) FROM b"],
        not: &["SELECT lower(\"a\") FROM b"],
    },
    Case {
        code: "sql.invisible_characters",
        dialects: &[PostgreSql, Sqlite, Generic],
        found: &["SELECT \"a\u{2060}b\""],
        not: &["SELECT \"añb\""],
    },
    Case {
        code: "sql.unknown_function",
        dialects: &[PostgreSql, MySql, Sqlite],
        found: &["SELECT sleep(1)", "WITH sleep (x) AS (SELECT 1) SELECT sleep(10)"],
        not: &[
            "SELECT lower(a), count(*) FROM b GROUP BY lower(a)",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
            "SELECT CAST(a AS numeric(10, 2)) FROM b",
        ],
    },
];

fn codes(script: &str, dialect: Dialect) -> Vec<String> {
    review(script, dialect.word()).findings.into_iter().map(|found| found.code).collect()
}

#[test]
fn every_rule_finds_and_spares_in_every_dialect_that_it_names() {
    let mut wrong = Vec::new();
    for case in CASES {
        for dialect in case.dialects {
            for (scripts, expected) in [(case.found, true), (case.not, false)] {
                for script in scripts {
                    let codes = codes(script, *dialect);
                    if codes.iter().any(|code| code == case.code) != expected {
                        wrong.push(format!("{} {dialect:?} {script:?}: {codes:?}", case.code));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_rule_goes_without_cases() {
    for rule in RULES.iter().filter(|rule| rule.code != "sql.rows_above_limit") {
        for dialect in rule.dialects {
            let cases = CASES.iter().filter(|case| {
                case.code == rule.code
                    && case.dialects.contains(dialect)
                    && !case.found.is_empty()
                    && !case.not.is_empty()
            });
            assert!(cases.count() > 0, "{} has no cases for {dialect:?}", rule.code);
        }
    }
    let known: BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(known.len(), RULES.len(), "a rule stands there twice");
    assert!(CASES.iter().all(|case| known.contains(case.code)));
}

#[test]
fn a_rule_is_silent_in_other_dialects() {
    for case in CASES {
        let rule = RULES.iter().find(|rule| rule.code == case.code).unwrap();
        for dialect in Dialect::ALL.iter().filter(|dialect| !rule.dialects.contains(dialect)) {
            for script in case.found {
                let codes = codes(script, *dialect);
                assert!(
                    !codes.contains(&case.code.to_owned()),
                    "{} {dialect:?} {script}",
                    case.code
                );
            }
        }
    }
}

#[test]
fn rows_are_counted_against_the_limit_of_the_environment() {
    let settings = Settings::from_json(r#"{"rows_max": 10}"#).unwrap();
    let numbers = |rows: &[Option<u64>], settings: &Settings| -> Vec<Option<usize>> {
        rows_above_limit(rows, settings).iter().map(|found| found.statement).collect()
    };
    assert_eq!(numbers(&[Some(10), None, Some(11), Some(u64::MAX)], &settings), [Some(3), Some(4)]);
    assert_eq!(numbers(&[Some(u64::MAX)], &Settings::default()), []);
}

#[test]
fn a_finding_says_where_and_what_to_do() {
    let review = review("SELECT 'ñ';\n\n  DELETE FROM a;", "sqlite");
    let [found] = review.findings.as_slice() else { panic!("{:?}", review.findings) };
    assert_eq!((found.statement, found.line, found.position), (Some(2), Some(3), Some(16)));
    assert!(found.help.as_ref().is_some_and(|help| !help.is_empty()));
}

#[test]
fn one_invisible_character_is_named_where_it_stands() {
    let review = review("SELECT 1;\nDELETE FROM a WHERE b =\u{200B} 1", "postgresql");
    let found = &review.findings[0];
    assert_eq!((found.line, found.position), (Some(2), Some(34)));
    assert!(found.message.contains("U+200B"), "{}", found.message);
    assert!(review.is_refused());
}
