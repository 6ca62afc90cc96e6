//! Which rows a statement changes, or why that cannot be told.

use placet_sql_review::{Touch, touch};

fn shown(touch: &Touch) -> String {
    let Touch { kind, table, alias, columns, condition, .. } = touch;
    let mut text = format!("{kind:?} {}", table.join("/")).to_lowercase();
    if kind_is_update(&text) || !columns.is_empty() {
        text = format!("{text} [{}]", columns.join(","));
    }
    if let Some(alias) = alias {
        text = format!("{text} as {alias}");
    }
    // The table stands in its own case.
    let text = text.replace(&table.join("/").to_lowercase(), &table.join("/"));
    match condition {
        Some(condition) => format!("{text} where {condition}"),
        None => text,
    }
}

fn kind_is_update(text: &str) -> bool {
    text.starts_with("update")
}

#[track_caller]
fn check(dialect: &str, cases: &[(&str, &str)]) {
    for (statement, expected) in cases {
        let seen = match touch(statement, dialect) {
            Ok(touch) => shown(&touch),
            Err(reason) => format!("no: {reason}"),
        };
        assert_eq!(seen, *expected, "{dialect}: {statement}");
    }
}

#[test]
fn plain_changes_are_read() {
    check(
        "postgresql",
        &[
            (
                "INSERT INTO Shop.\"Orders\" (Id, \"Day\") VALUES (1, now())",
                "insert shop/Orders [id,Day]",
            ),
            ("INSERT INTO a SELECT * FROM b WHERE c = 1", "insert a"),
            ("INSERT INTO a DEFAULT VALUES", "insert a"),
            ("INSERT INTO a (b) VALUES (nextval('s'))", "insert a [b]"),
            (
                "UPDATE a SET B = b + 1, \"C\" = 'where' WHERE D = 1 -- x",
                "update a [b,C] where D = 1",
            ),
            (
                "UPDATE a AS x SET (b, c) = (1, 2) WHERE x.d IN (SELECT e FROM f WHERE g = 1)",
                "update a [b,c] as x where x.d IN (SELECT e FROM f WHERE g = 1)",
            ),
            (
                "DELETE FROM a WHERE b < now() - interval '1 day' /* old */ AND lower(c) = 'd'",
                "delete a where b < now() - interval '1 day' /* old */ AND lower(c) = 'd'",
            ),
            ("DELETE FROM a", "delete a"),
            ("UPDATE a SET b = (SELECT max(c) FROM d WHERE e = 1)", "update a [b]"),
            (
                "UPDATE a SET b = $$where$$ WHERE c @> '{1}' AND d ? 'e'",
                "update a [b] where c @> '{1}' AND d ? 'e'",
            ),
        ],
    );
    check(
        "mysql",
        &[
            (
                "UPDATE `Shop`.`Orders` SET `Orders`.`a` = \"where\" WHERE `b` = 'it\\'s'",
                "update Shop/Orders [a] where `b` = 'it\\'s'",
            ),
            ("DELETE FROM Orders WHERE a = 1", "delete Orders where a = 1"),
        ],
    );
    check(
        "sqlite",
        &[
            (
                "UPDATE main.[Or ders] SET a = 1 WHERE b IS NOT NULL",
                "update main/Or ders [a] where b IS NOT NULL",
            ),
            ("INSERT INTO a (b) VALUES (1), (2)", "insert a [b]"),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of reasons")]
fn what_cannot_be_told_says_why() {
    let itself = "no: the condition asks `a` itself, which changes meanwhile";
    check(
        "postgresql",
        &[
            (
                "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
                "no: it changes rows that are there already",
            ),
            ("INSERT INTO a VALUES (1) RETURNING b", "no: it returns rows"),
            (
                "INSERT INTO a WITH x AS (DELETE FROM b RETURNING c) SELECT c FROM x",
                "no: it has a query with a name (WITH)",
            ),
            (
                "WITH x AS (SELECT 1) UPDATE a SET b = 1",
                "no: it is a query, or changes rows inside of one",
            ),
            ("UPDATE a SET b = 1 FROM c WHERE a.d = c.d", "no: it joins other tables (FROM)"),
            ("DELETE FROM a USING c WHERE a.d = c.d", "no: it joins other tables (USING)"),
            ("UPDATE a SET b = 1 RETURNING c", "no: it returns rows"),
            ("UPDATE ONLY a SET b = 1", "no: it could not be parsed"),
            ("DELETE FROM ONLY a WHERE b = 1", "no: it could not be parsed"),
            ("DELETE FROM a WHERE b = (SELECT max(b) FROM a)", itself),
            ("DELETE FROM a WHERE b = (SELECT max(b) FROM \"a\" x)", itself),
            (
                "UPDATE a SET b = wipe(c) WHERE d = 1",
                "no: it calls `wipe`, and nobody knows what else that changes",
            ),
            (
                "DELETE FROM a WHERE wipe(c)",
                "no: the condition calls `wipe`, which may answer otherwise the next time",
            ),
            (
                "DELETE FROM a WHERE random() < 0.5",
                "no: the condition calls `random`, which may answer otherwise the next time",
            ),
            ("DELETE FROM a WHERE CURRENT OF c", "no: it could not be parsed"),
            (
                "DELETE FROM a WHERE b = $1",
                "no: the condition has a variable, whose value nobody knows",
            ),
            (
                "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE",
                "no: it is no plain INSERT, UPDATE or DELETE",
            ),
            ("TRUNCATE a", "no: it is no plain INSERT, UPDATE or DELETE"),
            ("DELETE FROM a; DELETE FROM b", "no: it could not be parsed"),
            ("DELETE FROM x.y.z WHERE b = 1", "no: its table has a name of more than two parts"),
            ("nonsense", "no: it could not be parsed"),
        ],
    );
    check(
        "mysql",
        &[
            ("REPLACE INTO a VALUES (1)", "no: it replaces rows"),
            ("INSERT IGNORE INTO a VALUES (1)", "no: it does not insert every row that it names"),
            (
                "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = 1",
                "no: it changes rows that are there already",
            ),
            ("UPDATE a SET b = 1 ORDER BY c LIMIT 1", "no: it has ORDER BY or LIMIT"),
            ("DELETE FROM a ORDER BY c LIMIT 1", "no: it has ORDER BY or LIMIT"),
            ("DELETE FROM a LIMIT 1", "no: it has ORDER BY or LIMIT"),
            (
                "DELETE FROM a WHERE b < NOW()",
                "no: the condition calls `NOW`, which may answer otherwise the next time",
            ),
            (
                "DELETE FROM a WHERE b < CURRENT_DATE",
                "no: the condition calls `CURRENT_DATE`, which may answer otherwise the next time",
            ),
            (
                "DELETE FROM a WHERE b = @c",
                "no: the condition has a variable, whose value nobody knows",
            ),
            (
                "DELETE FROM a WHERE b = 1 /*! OR c = 2 */",
                "no: it has a comment that the database runs",
            ),
            ("UPDATE IGNORE a SET b = 1", "no: it could not be parsed"),
            ("UPDATE a JOIN c ON a.d = c.d SET b = 1", "no: it joins other tables"),
            ("DELETE a FROM a JOIN c ON a.d = c.d", "no: it is no plain DELETE FROM"),
        ],
    );
    check(
        "sqlite",
        &[
            (
                "INSERT OR IGNORE INTO a VALUES (1)",
                "no: it does not insert every row that it names",
            ),
            ("UPDATE OR REPLACE a SET b = 1", "no: it says more than which table it changes"),
            (
                "DELETE FROM a WHERE b = :c",
                "no: the condition has a variable, whose value nobody knows",
            ),
            (
                "DELETE FROM a WHERE b < date('now')",
                "no: the condition calls `date`, which may answer otherwise the next time",
            ),
        ],
    );
}

/// A hostile condition must not be cut in a way that means other rows.
#[test]
fn a_condition_is_cut_where_the_database_would() {
    for (dialect, statement, condition) in [
        ("postgresql", "UPDATE a SET b = (SELECT 1 WHERE true) WHERE c = 1", "c = 1"),
        ("postgresql", "UPDATE a SET b = 'x WHERE y' WHERE c = 1", "c = 1"),
        ("postgresql", "UPDATE a SET b = $q$ WHERE d = 2 $q$ WHERE c = 1", "c = 1"),
        ("postgresql", "UPDATE a SET b = E'\\' WHERE d = 2 --' WHERE c = 1", "c = 1"),
        ("postgresql", "UPDATE a SET b = 1 /* WHERE d = 2 /* */ */ WHERE c = 1", "c = 1"),
        ("mysql", "UPDATE a SET b = '\\' WHERE d = 2 -- ' WHERE c = 1", "c = 1"),
        ("mysql", "UPDATE a SET b = 1 # WHERE d = 2\n WHERE c = 1", "c = 1"),
        ("sqlite", "UPDATE a SET b = '\\' WHERE c = 1 AND d = '\\'", "c = 1 AND d = '\\'"),
    ] {
        let touch = touch(statement, dialect).unwrap();
        assert_eq!(touch.condition.as_deref(), Some(condition), "{dialect}: {statement}");
    }
}
