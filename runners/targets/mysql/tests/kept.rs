//! Rows that are kept and put back, to the byte.

use placet_target::{
    Access, Keepable, SqlFailure, SqlSession, SqlTarget as _, StopSignal, Touch, TouchKind,
};

use crate::bench::{self, Bench, job, marker, step};

pub(crate) fn touch(kind: &str, table: &str, condition: &str) -> Touch {
    let kind = match kind {
        "INSERT" => TouchKind::Insert,
        "UPDATE" => TouchKind::Update,
        "DELETE" => TouchKind::Delete,
        other => panic!("{other}"),
    };
    Touch {
        kind,
        table: table.split('.').map(str::to_owned).collect(),
        alias: None,
        columns: Vec::new(),
        condition: (!condition.is_empty()).then(|| condition.to_owned()),
    }
}

/// Every kind of column, generated ones, one that follows the clock, and odd values.
const ODD: &str = r#"
    SET sql_mode = '';
    CREATE TABLE odd (
        id INT, part CHAR(3) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
        tiny TINYINT, big BIGINT UNSIGNED, filled INT(6) ZEROFILL, money DECIMAL(20, 6),
        single FLOAT, twice DOUBLE, bits BIT(64), year_of YEAR,
        day DATE, clock TIME(6), moment DATETIME(6), instant TIMESTAMP(3) NULL,
        follows TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
        plain VARCHAR(50) CHARACTER SET utf8mb4, old TEXT CHARACTER SET latin1,
        wide VARCHAR(20) CHARACTER SET utf16, sjis VARCHAR(20) CHARACTER SET sjis,
        raw VARBINARY(20), fixed BINARY(4), heap BLOB,
        choice ENUM('a', 'b''c', 'ñ'), several SET('x', 'y'), doc JSON,
        address INET6, made INT AS (tiny + 1) STORED, unseen INT INVISIBLE DEFAULT 3,
        PRIMARY KEY (id, part)
    ) ENGINE = InnoDB;
    INSERT INTO odd (id, part, tiny, big, filled, money, single, twice, bits, year_of, day, clock, moment,
        instant, plain, old, wide, sjis, raw, fixed, heap, choice, several, doc, address) VALUES
    (1, 'é', -128, 18446744073709551615, 7, -0.000001, 0.1, 1.7976931348623157e308, b'1111111111111111111111111111111111111111111111111111111111111111',
     2155, '1000-01-01', '-838:59:59.000000', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999',
     'it''s; \\ \0 \n -- ñ 😀', CONCAT('caf', _latin1 0xE9, _latin1 0x80), 'a😀', _sjis 0x835C, '\0\\''', 'a', '', 'b''c', 'x,y', '{"a": [1, 2]}', '::1'),
    (2, '', 127, 0, 0, 12345678901234.567890, -3.4028235e38, 5e-324, 0, 0, '0000-00-00', '00:00:00.000001',
     '0000-00-00 00:00:00', '1970-01-01 00:00:01', '', '', '', '', '', '', REPEAT('\0', 1000), 'ñ', '', '{}', '10.1.2.3'),
    (2, 'Ab', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, 'Z', 1, 9007199254740993, 999999, 0.1, 16777217, 0.1, 5, 2024, '2024-02-29', '23:59:59.5',
     '2024-02-29 12:00:00.5', '2024-03-31 01:30:00', 'Trailing  ', 'x', 'y', 'z', 'AbC', 'ABCD', 'aBc', 'a', 'y', '"text"', 'fe80::1')
"#;

/// Everything in the table, as bytes.
fn all(bench: &Bench) -> Vec<String> {
    bench.sql(
        "SELECT id, HEX(part), tiny, big, filled, money, single + 0e0, twice, bits + 0, year_of, day, clock, moment, \
         instant, follows, HEX(plain), HEX(old), HEX(wide), HEX(sjis), HEX(raw), HEX(fixed), HEX(heap), choice + 0, \
         several + 0, HEX(doc), address, made, unseen FROM odd ORDER BY id, part",
    )
}

/// Runs a statement with its rows kept, commits, and then puts them back in another attempt.
#[track_caller]
fn there_and_back(bench: &Bench, attempt: u32, sql: &str, touch: &Touch) -> u64 {
    let before = all(bench);
    let mut session = bench.begun(attempt);
    assert_eq!(session.can_keep(touch).unwrap(), Keepable::Yes, "{sql}");
    let changed = session.execute_kept(sql, (touch, &step(attempt, "s")), 100).unwrap();
    session.commit(&marker(attempt)).unwrap();
    drop(session);
    if changed > 0 {
        assert_ne!(all(bench), before, "{sql}");
    }
    let of = placet_target::Attempt::of(&job(attempt));
    let inverse = bench.reader().inverse(&of, (100, 1 << 30)).unwrap();
    assert_eq!(u64::try_from(inverse.len()).unwrap(), changed);
    let mut session = bench.begun(attempt + 1);
    for statement in &inverse {
        assert_eq!(session.execute(statement, &[]).unwrap(), 1, "{statement}");
    }
    // Once more changes nothing: the rows are not as the attempt left them.
    for statement in &inverse {
        assert_eq!(session.execute(statement, &[]).unwrap(), 0, "{statement}");
    }
    session.commit(&marker(attempt + 1)).unwrap();
    assert_eq!(all(bench), before, "{sql}");
    changed
}

#[test]
fn odd_values_come_back_to_the_byte() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(ODD);
    let delete = "DELETE FROM odd";
    assert_eq!(there_and_back(&bench, 1, delete, &touch("DELETE", "odd", "")), 4);
    let update = "UPDATE odd SET tiny = 5, big = 6, filled = 7, money = 8, single = 9, twice = 10, bits = 11, \
                  year_of = 2000, day = '2000-01-01', clock = '1:1:1', moment = '2000-01-01', instant = NULL, \
                  plain = 'p', old = 'o', wide = 'w', sjis = 's', raw = 'r', fixed = 'f', heap = 'h', choice = 'a', \
                  several = 'x', doc = '1', address = '::2' WHERE id < 3 -- and no more";
    assert_eq!(
        there_and_back(&bench, 3, update, &touch("UPDATE", "odd", "id < 3 -- and no more")),
        3
    );
    // Case, trailing blanks and the like are changes, too; a row that stays as it was is none.
    let update = "UPDATE odd o SET o.plain = RTRIM(o.plain), o.raw = LOWER(o.raw) WHERE o.id = 3 OR o.part = 'ab'";
    let mut of = touch("UPDATE", "odd", "o.id = 3 OR o.part = 'ab'");
    of.alias = Some("o".to_owned());
    assert_eq!(there_and_back(&bench, 5, update, &of), 1);
    let insert = "INSERT INTO odd (id, part, twice, plain) VALUES (9, 'x', 0.1, 'ñ'), (9, 'y', 1e0/3, NULL) ; -- done";
    assert_eq!(there_and_back(&bench, 7, insert, &touch("INSERT", "odd", "")), 2);
    let none = "UPDATE odd SET tiny = tiny";
    assert_eq!(there_and_back(&bench, 9, none, &touch("UPDATE", "odd", "")), 0);
}

#[test]
fn numbers_of_the_server_are_kept() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench
        .sql("CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT) ENGINE = InnoDB");
    let mut session = bench.begun(1);
    let sql = "INSERT INTO notes (note) VALUES ('a'), ('b')";
    let insert = touch("INSERT", "notes", "");
    assert_eq!(session.execute_kept(sql, (&insert, &step(1, "s")), 10).unwrap(), 2);
    session.commit(&marker(1)).unwrap();
    drop(session);
    // Somebody changed one of them: that one stays.
    let _changed = bench.sql("UPDATE notes SET note = 'B' WHERE note = 'b'");
    let of = placet_target::Attempt::of(&job(1));
    let inverse = bench.reader().inverse(&of, (10, 1 << 30)).unwrap();
    let mut session = bench.begun(2);
    let changed: Vec<u64> =
        inverse.iter().map(|statement| session.execute(statement, &[]).unwrap()).collect();
    assert_eq!(changed, [0, 1], "the last change comes first");
    session.commit(&marker(2)).unwrap();
    assert_eq!(bench.sql("SELECT note FROM notes"), ["B"]);
    assert!(matches!(bench.reader().inverse(&of, (1, 1 << 30)), Err(SqlFailure::Limit(_))));
    // Nothing was kept by an attempt that never was.
    let none = placet_target::Attempt::of(&job(5));
    assert_eq!(bench.reader().inverse(&none, (1, 1 << 30)).unwrap(), Vec::<String>::new());
    // A 0 would come back as another number.
    let _zero =
        bench.sql("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; INSERT INTO notes VALUES (0, 'zero')");
    let mut session = bench.begun(3);
    let delete = touch("DELETE", "notes", "id = 0");
    let refused =
        session.execute_kept("DELETE FROM notes WHERE id = 0", (&delete, &step(3, "s")), 10);
    assert!(matches!(refused, Err(SqlFailure::Refused(_))), "{refused:?}");
}

#[test]
fn tables_that_cannot_be_kept_are_named() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE keyless (a INT) ENGINE = InnoDB;
         CREATE TABLE loose (id INT PRIMARY KEY) ENGINE = Aria;
         CREATE TABLE watched (id INT PRIMARY KEY) ENGINE = InnoDB;
         CREATE TRIGGER t AFTER DELETE ON watched FOR EACH ROW SET @a = 1;
         CREATE TABLE parent (id INT PRIMARY KEY) ENGINE = InnoDB;
         CREATE TABLE child (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES parent (id) ON DELETE CASCADE) ENGINE = InnoDB;
         CREATE TABLE prefixed (a TEXT, PRIMARY KEY (a(5))) ENGINE = InnoDB;
         CREATE TABLE floating (a DOUBLE PRIMARY KEY) ENGINE = InnoDB;
         CREATE TABLE spread (id INT PRIMARY KEY) ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 2;
         CREATE TABLE placed (id INT PRIMARY KEY, at POINT) ENGINE = InnoDB;
         CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id)) ENGINE = InnoDB;
         CREATE TABLE dated (id INT PRIMARY KEY) ENGINE = InnoDB WITH SYSTEM VERSIONING;
         CREATE VIEW seen AS SELECT * FROM orders",
    );
    let mut session = bench.open(Access::ReadWrite(job(1)));
    for (table, due) in [
        ("keyless", "primary key"),
        ("loose", "InnoDB"),
        ("watched", "triggers"),
        ("parent", "foreign key"),
        ("prefixed", "primary key"),
        ("floating", "exactly"),
        ("spread", "partitioned"),
        ("placed", "exactly"),
        ("tree", "itself"),
        ("dated", "plain table"),
        ("seen", "plain table"),
        ("nowhere", "no such table"),
        ("a.b.c", "not named"),
    ] {
        for kind in ["INSERT", "UPDATE", "DELETE"] {
            let Keepable::No(why) = session.can_keep(&touch(kind, table, "")).unwrap() else {
                panic!("{kind} {table}")
            };
            assert!(why.contains(due), "{kind} {table}: {why}");
        }
    }
    let mut key = touch("UPDATE", "orders", "");
    key.columns = vec!["state".to_owned(), "ID".to_owned()];
    assert!(
        matches!(session.can_keep(&key).unwrap(), Keepable::No(why) if why.contains("primary key"))
    );
    assert_eq!(session.can_keep(&touch("UPDATE", "child", "")).unwrap(), Keepable::Yes);
    // A reader sees no triggers, and says so instead of saying yes.
    let url = bench.url("reader", bench.server.port);
    let reader = bench.target().with_read_only_url(url);
    let mut reader =
        placet_target::SqlTarget::open(&reader, Access::ReadOnly, &StopSignal::new()).unwrap();
    let said = reader.can_keep(&touch("UPDATE", "watched", "")).unwrap();
    assert!(matches!(said, Keepable::No(why) if why.contains("TRIGGER")));
}

/// Rows that go along with those of this table may stand in a database of which this user sees nothing.
#[test]
fn a_cascade_into_an_unseen_database_is_no_surprise() {
    let Some(bench) = Bench::new() else { return };
    let (here, there) = (&bench.database, format!("unseen_{}", bench.database));
    let _made = bench.sql(&format!(
        "CREATE DATABASE {there};
         CREATE TABLE {there}.lines (id INT PRIMARY KEY, of INT, \
             FOREIGN KEY (of) REFERENCES {here}.orders (id) ON DELETE CASCADE) ENGINE = InnoDB;
         INSERT INTO {there}.lines VALUES (10, 1)"
    ));
    let delete = touch("DELETE", "orders", "id = 1");
    let narrow = bench::patient(bench.url("narrow", bench.server.port));
    for (target, due) in [(narrow, "every table of the server"), (bench.target(), "another table")]
    {
        let mut session = target.open(Access::ReadWrite(job(1)), &StopSignal::new()).unwrap();
        let Keepable::No(why) = session.can_keep(&delete).unwrap() else { panic!("{due}") };
        assert!(why.contains(due), "{why}");
        session.begin().unwrap();
        let sql = "DELETE FROM orders WHERE id = 1";
        let refused = session.execute_kept(sql, (&delete, &step(1, "s")), 10);
        assert!(matches!(refused, Err(SqlFailure::Refused(_))), "{refused:?}");
        session.rollback().unwrap();
    }
    let lines = format!("SELECT COUNT(*) FROM {there}.lines");
    assert_eq!(bench.sql(&lines), ["1"]);
    // It would have been one.
    let _gone = bench.sql("DELETE FROM orders WHERE id = 1");
    assert_eq!(bench.sql(&lines), ["0"]);
}

/// A temporary table hides the table of its name; what stands in the schema is not what a statement changes.
#[test]
fn a_temporary_table_does_not_pass_for_another() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE orders2 (id INT PRIMARY KEY, state VARCHAR(20) NOT NULL) ENGINE = InnoDB;
         DELIMITER $$\nCREATE FUNCTION hides() RETURNS INT BEGIN \
         CREATE TEMPORARY TABLE orders2 (id INT PRIMARY KEY, state VARCHAR(20)) ENGINE = InnoDB; \
         RETURN 1; END $$\nDELIMITER ;\n",
    );
    let mut session = bench.begun(1);
    let (orders, others) = (touch("INSERT", "orders", ""), touch("INSERT", "orders2", ""));
    session
        .execute("CREATE TEMPORARY TABLE `Scratch` (id INT PRIMARY KEY, state VARCHAR(20))", &[])
        .unwrap();
    assert_eq!(session.can_keep(&orders).unwrap(), Keepable::Yes);
    let hide =
        "CREATE TEMPORARY TABLE orders (id INT PRIMARY KEY, state VARCHAR(20)) ENGINE = InnoDB";
    session.execute(hide, &[]).unwrap();
    session.execute("DO hides()", &[]).unwrap();
    for (touch, name) in [(orders, "orders"), (others, "orders2")] {
        let said = session.can_keep(&touch).unwrap();
        assert!(
            matches!(&said, Keepable::No(why) if why.contains("temporary")),
            "{name}: {said:?}"
        );
        let sql = format!("INSERT INTO {name} (id, state) VALUES (70, 'x')");
        let refused = session.execute_kept(&sql, (&touch, &step(1, "s")), 10);
        assert!(matches!(refused, Err(SqlFailure::Refused(_))), "{name}: {refused:?}");
    }
    session.execute("DROP TEMPORARY TABLE orders", &[]).unwrap();
    assert_eq!(session.can_keep(&touch("INSERT", "orders", "")).unwrap(), Keepable::Yes);
}

/// Few rows can have many bytes. They are counted while they are read, and what was kept can be read back.
#[test]
fn rows_are_kept_up_to_so_many_bytes() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE notes (id INT PRIMARY KEY, note LONGTEXT CHARACTER SET ascii) ENGINE = InnoDB;
         INSERT INTO notes SELECT seq, REPEAT('x', 1 << 20) FROM seq_1_to_70",
    );
    let before = bench.sql("SELECT COUNT(*), SUM(CRC32(note)) FROM notes");
    for (kind, sql) in [
        ("DELETE", "DELETE FROM notes"),
        ("UPDATE", "UPDATE notes SET note = ''"),
        ("INSERT", "INSERT INTO notes SELECT id + 100, note FROM notes"),
    ] {
        let mut session = bench.begun(1);
        let limit = session.execute_kept(sql, (&touch(kind, "notes", ""), &step(1, "s")), 1_000);
        // While they are read, and not only when all of them are there.
        assert!(
            matches!(&limit, Err(SqlFailure::Limit(why)) if !why.contains("puts the rows")),
            "{kind}: {limit:?}"
        );
        session.rollback().unwrap();
    }
    // Two halves are too much for one attempt, too.
    let mut session = bench.begun(1);
    let half = |parity: u8| format!("id % 2 = {parity}");
    for parity in [0, 1] {
        let sql = format!("DELETE FROM notes WHERE {}", half(parity));
        let of = touch("DELETE", "notes", &half(parity));
        let kept = session.execute_kept(&sql, (&of, &step(1, "s")), 1_000);
        match parity {
            0 => assert_eq!(kept.unwrap(), 35),
            _ => assert!(matches!(kept, Err(SqlFailure::Limit(_))), "{kept:?}"),
        }
    }
    session.rollback().unwrap();
    assert_eq!(bench.sql("SELECT COUNT(*), SUM(CRC32(note)) FROM notes"), before);
}

/// What is kept can be sent again: it is no longer than a statement may be, and the guard takes it.
#[test]
fn what_could_not_be_sent_again_is_not_kept() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE notes (id INT PRIMARY KEY, note LONGBLOB, more LONGBLOB) ENGINE = InnoDB;
         INSERT INTO notes VALUES (1, REPEAT('x', 5 << 20), REPEAT('x', 5 << 20));
         CREATE TABLE odd (id INT PRIMARY KEY, `a\u{7f}b` INT) ENGINE = InnoDB;
         INSERT INTO odd VALUES (1, 2)",
    );
    for (table, due) in [("notes", "longer than"), ("odd", "control characters")] {
        let mut session = bench.begun(1);
        let sql = format!("DELETE FROM {table}");
        let of = touch("DELETE", table, "");
        let refused = session.execute_kept(&sql, (&of, &step(1, "s")), 10);
        assert!(
            matches!(&refused, Err(SqlFailure::Refused(why)) if why.contains(due)),
            "{table}: {refused:?}"
        );
        session.rollback().unwrap();
        assert_eq!(bench.sql(&format!("SELECT COUNT(*) FROM {table}")), ["1"]);
    }
}

/// The review may be wrong about a statement, or worse. What was kept must be what was changed.
#[test]
fn a_touch_that_is_not_the_statement_is_found_out() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "DELIMITER $$\nCREATE FUNCTION writes() RETURNS INT BEGIN \
         INSERT INTO orders VALUES (99, 'x'); RETURN 1; END $$\nDELIMITER ;\n",
    );
    for (sql, touch) in [
        ("DELETE FROM orders WHERE id < 3", touch("DELETE", "orders", "id = 1")),
        ("DELETE FROM orders WHERE id = 1", touch("DELETE", "orders", "id = 2")),
        ("DELETE FROM orders WHERE id = 1", touch("DELETE", "orders", "id < 3")),
        ("UPDATE orders SET state = 'x' WHERE id = 1", touch("UPDATE", "orders", "id = 2")),
        ("UPDATE orders SET state = 'x' LIMIT 1", touch("UPDATE", "orders", "id = 2")),
        ("UPDATE orders SET id = id + 10", touch("UPDATE", "orders", "")),
        ("UPDATE orders SET state = 'x' WHERE id = 1", touch("DELETE", "orders", "id = 1")),
        (
            "DELETE FROM orders WHERE id = 1",
            touch("DELETE", "orders", "id = 1) UNION SELECT 1, 1 -- "),
        ),
        ("DELETE FROM orders WHERE id = 1", touch("DELETE", "orders", "SLEEP(10)")),
        ("DELETE FROM orders WHERE id = 1", touch("DELETE", "orders", "id = 1); COMMIT -- ")),
        ("INSERT IGNORE INTO orders VALUES (1, 'x')", touch("INSERT", "orders", "")),
        (
            "INSERT INTO orders VALUES (1, 'x') ON DUPLICATE KEY UPDATE state = 'x'",
            touch("INSERT", "orders", ""),
        ),
        ("REPLACE INTO orders VALUES (1, 'x')", touch("INSERT", "orders", "")),
        ("INSERT INTO orders VALUES (8, 'x') RETURNING id", touch("INSERT", "orders", "")),
        ("DELETE FROM orders WHERE id = writes()", touch("DELETE", "orders", "id = 1")),
    ] {
        let mut session = bench.begun(1);
        let failure = session.execute_kept(sql, (&touch, &step(1, "s")), 10).unwrap_err();
        assert!(
            matches!(failure, SqlFailure::Refused(_) | SqlFailure::Database { .. }),
            "{sql}: {failure:?}"
        );
        session.rollback().unwrap();
    }
    let mut session = bench.begun(1);
    let all = touch("DELETE", "orders", "");
    let failure = session.execute_kept("DELETE FROM orders", (&all, &step(1, "s")), 2).unwrap_err();
    assert!(matches!(failure, SqlFailure::Limit(_)));
    session.rollback().unwrap();
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders WHERE state <> 'x'"), ["3"]);
    assert_eq!(bench.sql("SELECT COUNT(*) FROM placet_kept"), ["0"]);
}

/// A dry run answers as the run would, and leaves nothing.
#[test]
fn a_dry_run_counts_what_it_would_keep() {
    let Some(bench) = Bench::new() else { return };
    let mut session: Box<dyn SqlSession> = bench.begun(0);
    let all = touch("DELETE", "orders", "");
    assert_eq!(session.execute_kept("DELETE FROM orders", (&all, &step(0, "s")), 10).unwrap(), 3);
    session.rollback().unwrap();
    assert_eq!(bench.sql("SHOW TABLES"), ["orders"]);
}
