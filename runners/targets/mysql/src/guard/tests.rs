//! Which statements pass, for each purpose.

use super::{Purpose, check};

fn passes(text: &str) -> String {
    let letter = |purpose, letter| if check(text, purpose).is_ok() { letter } else { '-' };
    let all = [(Purpose::Read, 'r'), (Purpose::Transaction, 't'), (Purpose::Alone, 'a')];
    all.into_iter().map(|(purpose, name)| letter(purpose, name)).collect()
}

#[test]
fn each_statement_passes_for_what_it_is() {
    for (due, texts) in [
        (
            "rt-",
            &[
                "SELECT 1;",
                "(SELECT 1) UNION (SELECT 2)",
                "WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE",
                "SHOW CREATE TABLE orders",
                "SHOW FULL COLUMNS FROM orders",
                "EXPLAIN UPDATE orders SET cents = 1",
                "DESCRIBE orders",
                "VALUES (1)",
                "SELECT sleep FROM days",
            ][..],
        ),
        (
            "-ta",
            &[
                "INSERT INTO orders VALUES (1)",
                "update orders set session = 1, local = 2",
                "DELETE FROM orders",
                "REPLACE INTO orders VALUES (1)",
                "WITH a AS (SELECT 1) DELETE FROM orders",
                "UPDATE orders SET note = 'COMMIT; /*! not a comment */ placet_marker'",
                "CREATE TEMPORARY TABLE scratch (a INT)",
                "CREATE OR REPLACE TEMPORARY TABLE scratch (a INT)",
                "DROP TEMPORARY TABLE scratch",
            ],
        ),
        ("-t-", &["DO 1", "SET @a = 1, @b = (SELECT f(1, 2))"]),
        (
            "--a",
            &[
                "CREATE TABLE a (b INT) ENGINE = InnoDB",
                "CREATE UNIQUE INDEX i ON a (b)",
                "CREATE DEFINER = `user`@`%` SQL SECURITY INVOKER VIEW v AS SELECT 1",
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; SET @x = 2; END",
                "CREATE FUNCTION f() RETURNS INT BEGIN DECLARE a INT; RETURN 1; END;",
                "ALTER TABLE a ADD COLUMN c INT",
                "ALTER TABLE a ENGINE InnoDB",
                "DROP TABLE a",
                "RENAME TABLE a TO b",
                "TRUNCATE a",
                "ANALYZE TABLE a",
                "CREATE DATABASE other",
                "DROP INDEX i ON a",
            ],
        ),
    ] {
        for text in texts {
            assert_eq!(passes(text), due, "{text}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list")]
fn what_breaks_out_passes_for_nothing() {
    for text in [
        "",
        ";",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 1; COMMIT",
        "BEGIN",
        "START TRANSACTION",
        "/* x */ CoMmIt",
        "COMMIT AND CHAIN",
        "ROLLBACK",
        "ROLLBACK TO SAVEPOINT a",
        "SAVEPOINT a",
        "RELEASE SAVEPOINT placet_begun",
        "XA START 'a'",
        "SET autocommit = 1",
        "SET @a = 1, autocommit = 1",
        "SET @a = (SELECT 1), @@autocommit = 1",
        "SET @@session.sql_mode = ''",
        "SET GLOBAL general_log = 1",
        "SET NAMES latin1",
        "SET TRANSACTION READ WRITE",
        "SET PASSWORD = 'x'",
        "SET ROLE admin",
        "SET STATEMENT max_statement_time = 0 FOR SELECT 1",
        "SET sql_log_bin = 0",
        "LOCK TABLES a WRITE",
        "UNLOCK TABLES",
        "FLUSH TABLES WITH READ LOCK",
        "LOAD DATA INFILE 'x' INTO TABLE a",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE a",
        "LOAD XML INFILE 'x' INTO TABLE a",
        "SELECT * FROM a INTO OUTFILE 'x'",
        "SELECT * INTO DUMPFILE 'x' FROM a",
        "INSERT INTO a SELECT load_file('x')",
        "SELECT LOAD_FILE ('x')",
        "SELECT `load_file`('x')",
        "HANDLER a OPEN",
        "PREPARE a FROM 'COMMIT'",
        "EXECUTE a",
        "EXECUTE IMMEDIATE 'COMMIT'",
        "DEALLOCATE PREPARE a",
        "CALL p()",
        "INSTALL PLUGIN a SONAME 'b.so'",
        "CREATE FUNCTION f RETURNS STRING SONAME 'b.so'",
        "KILL 1",
        "SHUTDOWN",
        "CHANGE MASTER TO MASTER_HOST = 'x'",
        "RESET MASTER",
        "GRANT ALL ON *.* TO a",
        "REVOKE ALL ON *.* FROM a",
        "CREATE USER a",
        "ALTER USER a IDENTIFIED BY 'x'",
        "CREATE OR REPLACE USER `table`",
        "DROP USER a",
        "RENAME USER a TO b",
        "CREATE ROLE r",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
        "CREATE TABLESPACE t ADD DATAFILE 'x'",
        "DROP DATABASE shop",
        "CREATE TABLE a (b INT) ENGINE = FEDERATED CONNECTION = 'x'",
        "CREATE TABLE a (b INT) ENGINE CONNECT",
        "CREATE TABLE a (b INT) DATA DIRECTORY = 'x'",
        "ALTER TABLE a DISCARD TABLESPACE",
        "ALTER TABLE a IMPORT TABLESPACE",
        "SELECT SLEEP(10)",
        "SELECT sleep /* x */ (10)",
        "UPDATE a SET b = BENCHMARK(1000000, MD5(1))",
        "DO GET_LOCK('placet', 1)",
        "SELECT RELEASE_LOCK('placet')",
        "SELECT RELEASE_ALL_LOCKS()",
        "SELECT * FROM placet_marker",
        "DELETE FROM `placet_marker`",
        "DELETE FROM shop.Placet_Step",
        "DROP TABLE orders, PLACET_KEPT",
        "RENAME TABLE a TO placet_marker",
        "CREATE TRIGGER t AFTER INSERT ON placet_marker FOR EACH ROW SET @a = 1",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW SET GLOBAL general_log = 1",
        "SELECT * FROM mysql.user",
        "UPDATE `mysql`.global_priv SET Priv = ''",
        "SELECT * FROM information_schema.processlist",
        "SHOW PROCESSLIST",
        "SHOW GRANTS",
        "SHOW CREATE USER a",
        "SHOW VARIABLES",
        "EXPLAIN ANALYZE DELETE FROM a",
        "ANALYZE UPDATE a SET b = 1",
        "ANALYZE FORMAT=JSON SELECT 1",
        "EXPLAIN FOR CONNECTION 7",
        "USE mysql",
        "BINLOG 'x'",
        "PURGE BINARY LOGS BEFORE NOW()",
        "SIGNAL SQLSTATE '45000'",
        "HELP 'x'",
        "/*! COMMIT */",
        "SELECT 1 /*!; COMMIT */",
        "SELECT 1.5union SELECT 2",
    ] {
        assert_eq!(passes(text), "---", "{text}");
    }
}
