//! Scripts that nobody would write: whatever comes, an answer comes, in a stack of ordinary size.

use placet_sql_review::{Dialect, classify, review, split, touch};

use crate::random::Random;

const SCRIPTS: usize = 2_500;

const SOUND: &[&str] = &[
    "CREATE TABLE a (b INTEGER PRIMARY KEY, c TEXT DEFAULT 'x;y' NOT NULL); INSERT INTO a VALUES (1, 'z')",
    "UPDATE a SET b = (SELECT max(c) FROM d WHERE e = a.f) WHERE g IN (1, 2, 3) AND h LIKE '%;%'",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n; DELETE FROM o",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$; SELECT f()",
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END; SELECT 1",
    "DELIMITER //\nCREATE PROCEDURE p() BEGIN IF x THEN SELECT 1; END IF; END//\nDELIMITER ;\nCALL p()",
    "ALTER TABLE a ADD COLUMN b int NOT NULL, DROP COLUMN c CASCADE, ALTER COLUMN d TYPE bigint",
    "INSERT INTO a (b, c) SELECT d, e FROM f JOIN g USING (h) ON CONFLICT (b) DO UPDATE SET c = 1",
    "SELECT a::numeric(10, 2), E'\\n', $1, b->>'c', ARRAY[1, 2][1] FROM d ORDER BY 1 LIMIT 5 FOR UPDATE",
    "SELECT `a` /*! STRAIGHT_JOIN */ FROM b # c\n WHERE \"d\" = 'e\\'f' -- g\n; SET autocommit = 0",
];

const PIECES: &[&str] = &[
    "'",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    ";",
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "#",
    "\\",
    "\0",
    "\u{FEFF}",
    "\u{202E}",
    "E'",
    "BEGIN",
    "END",
    "CASE",
    "DELIMITER",
    "WHERE",
    "SELECT",
    "é",
    "𝄞",
    "\r",
    "NOT ",
    "1 + ",
    "- ",
    "::int",
    "EXPLAIN ",
    "FROM (",
    ", ",
    ".",
    "U&\"",
    "ATOMIC",
    "\u{7F}",
    "@a := ",
    "?",
];

fn mutated(random: &mut Random) -> String {
    let mut letters: Vec<char> = random.pick(SOUND).chars().collect();
    for _ in 0..=random.below(8) {
        let at = random.below(letters.len().max(1)).min(letters.len());
        match random.below(5) {
            0 => drop(letters.splice(at..at, random.pick(PIECES).chars())),
            1 => letters.truncate(at),
            2 => {
                let end = (at + random.below(12)).min(letters.len());
                drop(letters.drain(at..end));
            }
            3 => {
                let end = (at + random.below(20)).min(letters.len());
                let again: Vec<char> = letters[at..end].to_vec();
                drop(letters.splice(at..at, again));
            }
            _ => {
                let piece = random.pick(PIECES).repeat(1 + random.below(300));
                drop(letters.splice(at..at, piece.chars()));
            }
        }
    }
    letters.into_iter().collect()
}

/// On a thread of two megabytes, as any caller may have.
fn in_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

#[test]
fn whatever_comes_an_answer_comes() {
    in_small_stack(|| {
        for dialect in Dialect::ALL {
            let mut random = Random::seeded(&format!("mutated {}", dialect.word()));
            let (mut refused, mut cut) = (0, 0);
            for _ in 0..SCRIPTS {
                let script = mutated(&mut random);
                let review = review(&script, dialect.word());
                refused += usize::from(review.is_refused());
                for step in &review.steps {
                    cut += 1;
                    let text = step.statement.text;
                    assert!(script.contains(text));
                    assert_eq!(step.class, classify(text, dialect.word()), "{text}");
                    let _touch = touch(text, dialect.word());
                }
            }
            eprintln!("{dialect:?}: {SCRIPTS} scripts, {refused} refused, {cut} statements");
        }
    });
}

/// Depth that would overflow the stack of a parser, or of whoever drops its tree.
#[test]
fn deep_statements_are_not_understood_and_harm_nobody() {
    in_small_stack(|| {
        for dialect in Dialect::ALL {
            for (before, piece, after) in [
                ("SELECT ", "(", "1"),
                ("SELECT ", "1 + ", "1"),
                ("SELECT ", "NOT ", "1"),
                ("SELECT ", "- ", "1"),
                ("SELECT 1", " UNION SELECT 1", ""),
                ("SELECT 1", "::int", ""),
                ("SELECT a", "[1]", ""),
                ("SELECT a", ".b", ""),
                ("SELECT ", "CASE WHEN ", "1"),
                ("SELECT ", "a(", "1"),
                ("SELECT * FROM ", "(SELECT * FROM ", "a"),
                ("SELECT * FROM ", "(", "a"),
                ("SELECT * FROM a", " JOIN b", ""),
                ("SELECT * FROM a", " NATURAL JOIN b", ""),
                ("", "EXPLAIN ", "SELECT 1"),
                ("CREATE TABLE a (b int", "[]", ")"),
                ("SELECT CAST(1 AS ", "ARRAY<", "int"),
                ("SELECT a", " COLLATE \"c\"", ""),
                ("SELECT a", " IS NULL", ""),
                ("SELECT a", " -> b", ""),
                ("SELECT a", " AT TIME ZONE b", ""),
                ("SELECT ", "INTERVAL ", "'1'"),
                ("SELECT 1 WHERE a ", "IN (SELECT b WHERE c ", "= 1"),
                ("", "BEGIN ", "END"),
                ("", "WITH a AS (", "SELECT 1"),
                ("SELECT ", "EXISTS (SELECT ", "1"),
                ("SELECT a", " BETWEEN 1 AND 2", ""),
                ("SELECT ", "{", "1"),
                ("SELECT a", " a", ""),
                ("SELECT a LIKE ", "ANY (", "b"),
                ("SELECT a", " LIKE b ESCAPE 'c'", ""),
                ("/*", "/*", ""),
                ("", "/* ", "SELECT 1"),
                ("CREATE PROCEDURE p() ", "BEGIN ", ""),
            ] {
                for times in [3, 45, 200, 5_000] {
                    let script = format!("{before}{}{after}", piece.repeat(times));
                    let review = review(&script, dialect.word());
                    assert!(review.is_refused() || !review.steps.is_empty());
                    let _touch = touch(&script, dialect.word());
                    let _statements = split(&script, dialect.word());
                }
            }
        }
    });
}
