//! Where statements end.

use placet_sql_review::split;

#[track_caller]
fn check(dialect: &str, script: &str, expected: &[&str]) {
    let statements = split(script, dialect).unwrap_or_else(|error| panic!("{script}: {error:?}"));
    let texts: Vec<_> = statements.iter().map(|statement| statement.text).collect();
    assert_eq!(texts, expected, "{dialect}");
}

#[test]
fn semicolons_hide_in_strings_names_comments_and_bodies() {
    check("sqlite", "SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check(
        "sqlite",
        "SELECT ';''';\nSELECT \";\", [;], `;`;",
        &["SELECT ';'''", "SELECT \";\", [;], `;`"],
    );
    check("sqlite", "-- a;\nSELECT 1 /* ; */ + 2; /* end */", &["SELECT 1 /* ; */ + 2"]);
    let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\n\
                   SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END";
    check("sqlite", &format!("{trigger}; SELECT 1;"), &[trigger, "SELECT 1"]);
    check("sqlite", " ;; -- nothing\n", &[]);
    check("sqlite", "\u{feff}SELECT 'ñ';", &["SELECT 'ñ'"]);
}

#[test]
fn postgresql_has_dollars_escapes_nested_comments_and_atomic_bodies() {
    let check = |script: &str, expected: &[&str]| check("postgresql", script, expected);
    check("SELECT $a$;$$;$a$; SELECT 1", &["SELECT $a$;$$;$a$", "SELECT 1"]);
    check("SELECT a$b$; SELECT $1$; SELECT 2", &["SELECT a$b$", "SELECT $1$", "SELECT 2"]);
    check("SELECT E'a\\';'; SELECT 1", &["SELECT E'a\\';'", "SELECT 1"]);
    check("SELECT 'a\\'; SELECT 1", &["SELECT 'a\\'", "SELECT 1"]);
    check("SELECT E'a'\n'b\\';'; SELECT 1", &["SELECT E'a'\n'b\\';'", "SELECT 1"]);
    check("SELECT E'a' -- x\n '\\';'; SELECT 1", &["SELECT E'a' -- x\n '\\';'", "SELECT 1"]);
    check("SELECT E'a' '\\'; SELECT 1", &["SELECT E'a' '\\'", "SELECT 1"]);
    check("SELECT /* ; /* ; */ ; */ 1; SELECT 2", &["SELECT /* ; /* ; */ ; */ 1", "SELECT 2"]);
    check("SELECT 1 -- a\r; SELECT 2", &["SELECT 1", "SELECT 2"]);
    let atomic = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC\n\
                  SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 3 AS end; END";
    check(&format!("{atomic}; SELECT 1"), &[atomic, "SELECT 1"]);
    let rule = "CREATE RULE r AS ON INSERT TO a DO ALSO (INSERT INTO b VALUES (1); INSERT INTO c VALUES (2))";
    check(&format!("{rule}; SELECT 1"), &[rule, "SELECT 1"]);
    check(
        "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 2",
        &["CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT 2"],
    );
}

#[test]
fn mysql_has_delimiters_blocks_and_hash_comments() {
    let check = |script: &str, expected: &[&str]| check("mysql", script, expected);
    check(
        "SELECT 'a\\';'; SELECT \"b\\\";\"; SELECT 1",
        &["SELECT 'a\\';'", "SELECT \"b\\\";\"", "SELECT 1"],
    );
    check("SELECT 1 # ;\n+ 2; SELECT 3 --;4", &["SELECT 1 # ;\n+ 2", "SELECT 3 --", "4"]);
    check("SELECT 5--1; SELECT 2", &["SELECT 5--1", "SELECT 2"]);
    check("SELECT 5 --\u{7f}; SELECT 2\n; SELECT 3", &["SELECT 5", "SELECT 3"]);
    let body = "CREATE DEFINER=`a`@`b` PROCEDURE p(IN x INT) BEGIN\n\
        DECLARE EXIT HANDLER FOR NOT FOUND BEGIN SELECT 0; END;\n\
        IF x THEN SELECT IF(x, 1, 2); ELSEIF x = 2 THEN SELECT 3; END IF;\n\
        CASE x WHEN 1 THEN SELECT CASE WHEN x THEN 1 END; ELSE BEGIN END; END CASE;\n\
        l: LOOP LEAVE l; END LOOP l; WHILE x DO SET x = 0; END WHILE; REPEAT SET x = 1; UNTIL x END REPEAT;\n\
        END";
    check(&format!("{body}; SELECT 1"), &[body, "SELECT 1"]);
    check(&format!("DELIMITER $$\n{body}$$\nDELIMITER ;\nSELECT 1;"), &[body, "SELECT 1"]);
    check(
        &format!("delimiter //\n{body};//\nSELECT 2; SELECT 3//"),
        &[body, "SELECT 2", "SELECT 3"],
    );
    let plain = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1";
    check(&format!("{plain}; SELECT 1"), &[plain, "SELECT 1"]);
    let alone =
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF NEW.b THEN SET NEW.b = 1; END IF";
    check(&format!("{alone}; SELECT 1"), &[alone, "SELECT 1"]);
    let event = "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SELECT 1; END";
    check(&format!("{event}; SELECT 1"), &[event, "SELECT 1"]);
    check("CREATE TABLE `begin` (a INT); SELECT 1", &["CREATE TABLE `begin` (a INT)", "SELECT 1"]);
}

#[test]
fn lines_and_characters_are_counted() {
    let statements = split("SELECT 'ñ';\n\n /* a */ SELECT 2;", "sqlite").unwrap();
    let places: Vec<_> =
        statements.iter().map(|statement| (statement.line, statement.position)).collect();
    assert_eq!(places, [(1, 1), (3, 23)]);
}

#[test]
fn what_has_no_end_or_no_place_is_refused() {
    for (dialect, script, what, line, position) in [
        ("sqlite", "SELECT 1;\nSELECT 'a", "string", 2, 18),
        ("sqlite", "SELECT /* a", "comment", 1, 8),
        ("sqlite", "SELECT [a", "quoted name", 1, 8),
        ("postgresql", "SELECT $a$ $b$", "dollar-quoted string", 1, 8),
        ("postgresql", "/* /* */", "comment", 1, 1),
        ("postgresql", "SELECT 1 \\gexec", "backslash command", 1, 10),
        ("postgresql", "\\copy a FROM 'b'", "backslash command", 1, 1),
        ("mysql", "SELECT 1\\G", "backslash command", 1, 9),
        ("mysql", "SELECT 1 /*! ; */", "semicolon in a comment that is run", 1, 14),
        ("mysql", "DELIMITER", "DELIMITER such as this", 1, 1),
        ("mysql", "DELIMITER '", "DELIMITER such as this", 1, 1),
        ("sqlite", "SELECT 1;\nSELECT 'a\0b'", "NUL character", 2, 20),
        ("generic", "SELECT 'a\\'; DROP TABLE b; --'", "backslash before a quote", 1, 10),
        ("generic", "SELECT $$;$$", "dollar quote", 1, 8),
        ("generic", "/* /* */ SELECT 1", "comment in a comment", 1, 4),
        ("generic", "SELECT 1 # a", "mark `#`", 1, 10),
    ] {
        let error = split(script, dialect).unwrap_err();
        assert_eq!((error.what, error.line, error.position), (what, line, position), "{script}");
    }
}
