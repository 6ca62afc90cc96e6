//! Scripts whose meaning the generator knows: whatever it writes so that it changes something is never called a
//! read, and the number of statements is the number that it wrote.

use placet_sql_review::{Dialect, Kind, Risk, review};

use crate::random::Random;

const SCRIPTS: usize = 1_000;

/// What the generator knows of a statement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Meaning {
    Reads,
    Changes,
}

struct Writer {
    random: Random,
    dialect: Dialect,
}

impl Writer {
    fn name(&mut self) -> String {
        let name = self.random.pick(&["orders", "people", "a", "B", "end_of", "case1", "größe"]);
        match (self.dialect, self.random.below(4)) {
            (Dialect::MySql, 0) => format!("`{name};`"),
            (Dialect::MySql, _) => name.to_owned(),
            (_, 0) => format!("\"{name};\""),
            _ => name.to_owned(),
        }
    }

    fn text(&mut self) -> String {
        let inside =
            self.random.pick(&["", ";", "a''b", "DELETE FROM a;", "--", "/*", "*/", "ñ", "WHERE"]);
        match (self.dialect, self.random.below(4)) {
            (Dialect::PostgreSql, 0) => format!("$q${inside}$q$"),
            (Dialect::PostgreSql, 1) => format!("E'{inside}\\';'"),
            (Dialect::MySql, 0) => format!("'{inside}\\';'"),
            (Dialect::MySql, 1) => format!("\"{inside};\""),
            _ => format!("'{inside}'"),
        }
    }

    fn blank(&mut self) -> &'static str {
        self.random.pick(&[" ", " ", " ", "\n", "\t", " /* ; */ ", " -- ;\n", " /* SELECT */ "])
    }

    /// A harmless expression.
    fn value(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 3 } else { 8 }) {
            0 => self.random.below(1_000).to_string(),
            1 => self.text(),
            2 => self.name(),
            3 => format!("({} + {})", self.value(depth - 1), self.value(depth - 1)),
            4 => format!(
                "CASE WHEN {} = 1 THEN {} ELSE 2 END",
                self.value(depth - 1),
                self.value(depth - 1)
            ),
            5 => format!("coalesce({}, {})", self.value(depth - 1), self.value(depth - 1)),
            6 => format!("(SELECT {} FROM {})", self.value(depth - 1), self.name()),
            _ => format!("{} IN (1, {})", self.name(), self.value(depth - 1)),
        }
    }

    fn query(&mut self) -> String {
        let (value, table) = (self.value(3), self.name());
        let mut text =
            format!("SELECT{}{value}{}FROM{}{table}", self.blank(), self.blank(), self.blank());
        if self.random.chance(50) {
            text = format!("{text}{}WHERE {}", self.blank(), self.value(2));
        }
        if self.random.chance(20) {
            text = format!("{text} UNION ALL SELECT 1");
        }
        if self.random.chance(20) {
            text = format!("WITH w AS ({text}) SELECT 1 FROM w");
        }
        text
    }

    fn statement(&mut self) -> (String, Meaning) {
        let (table, blank) = (self.name(), self.blank());
        let evil = self.random.pick(&[
            "pg_sleep",
            "wipe",
            "load_extension",
            "sleep",
            "nextval",
            "dblink_exec",
            "other.lower",
        ]);
        let text = match self.random.below(16) {
            0..4 => return (self.query(), Meaning::Reads),
            4 => format!(
                "INSERT{blank}INTO {table} (a, b) VALUES ({}, {})",
                self.value(2),
                self.value(1)
            ),
            5 => format!("INSERT INTO {table}{blank}{}", self.query()),
            6 => {
                format!("UPDATE {table}{blank}SET a = {} WHERE {} = 1", self.value(2), self.name())
            }
            7 => format!("DELETE{blank}FROM {table} WHERE a = {}", self.value(2)),
            8 => format!("DELETE FROM{blank}{table}"),
            9 => format!("CREATE TABLE {table}{blank}(a INTEGER PRIMARY KEY, b TEXT)"),
            10 => format!("ALTER TABLE {table} ADD COLUMN{blank}c INTEGER"),
            11 => format!("DROP{blank}TABLE {table}"),
            12 => format!("SELECT {evil}{blank}({})", self.value(1)),
            13 => format!("SELECT 1 FROM {table} WHERE a = (SELECT{blank}{evil}(1))"),
            14 => format!("SELECT a FROM {table}{blank}FOR UPDATE"),
            _ => format!(
                "WITH w AS (SELECT 1){blank}DELETE FROM {table} WHERE a = {}",
                self.value(1)
            ),
        };
        (text, Meaning::Changes)
    }
}

/// How a reviewer judges a statement: whether it calls it a read.
type Judge = fn(Kind, Risk) -> bool;

/// Counts statements that were understood, and those that change something and are called a read.
fn run(dialect: Dialect, is_read: Judge) -> (usize, usize, usize) {
    let mut writer =
        Writer { random: Random::seeded(&format!("generated {}", dialect.word())), dialect };
    let (mut statements, mut understood, mut mistaken) = (0, 0, 0);
    for _ in 0..SCRIPTS {
        let count = 1 + writer.random.below(6);
        let written: Vec<_> = (0..count).map(|_| writer.statement()).collect();
        let texts: Vec<_> = written.iter().map(|(text, _)| text.as_str()).collect();
        let script = texts.join(";\n");
        let review = review(&script, dialect.word());
        if review.steps.is_empty() {
            // Refused as a whole, aloud.
            assert!(review.is_refused(), "{script}");
            continue;
        }
        assert_eq!(review.steps.len(), written.len(), "{dialect:?}\n{script}");
        for (step, (text, meaning)) in review.steps.iter().zip(&written) {
            statements += 1;
            let class = &step.class;
            understood += usize::from(!class.needs_person);
            if class.needs_person {
                assert_eq!((class.kind, class.risk), (Kind::Unknown, Risk::High), "{text}");
                assert!(review.findings.iter().any(|found| found.code == "sql.unparsed"));
            }
            if *meaning == Meaning::Changes && is_read(class.kind, class.risk) {
                mistaken += 1;
                eprintln!("{dialect:?}: {text}");
            }
        }
    }
    eprintln!("{dialect:?}: {SCRIPTS} scripts, {statements} statements, {understood} understood");
    (statements, understood, mistaken)
}

#[test]
fn what_changes_something_is_never_called_a_read() {
    for dialect in Dialect::ALL {
        let (statements, understood, mistaken) =
            run(dialect, |kind, risk| kind == Kind::Read || risk == Risk::None);
        assert_eq!(mistaken, 0, "{dialect:?}");
        // Refusing everything would pass, and be of no use.
        assert!(understood * 10 > statements * 7, "{dialect:?}: {understood} of {statements}");
    }
}

/// A judge that takes what it does not know for harmless is caught.
#[test]
fn a_reviewer_that_trusts_the_unknown_is_caught() {
    for dialect in [Dialect::PostgreSql, Dialect::MySql, Dialect::Sqlite] {
        let trusting =
            |kind, risk| kind == Kind::Read || kind == Kind::Unknown && risk != Risk::Critical;
        let (_, _, mistaken) = run(dialect, trusting);
        assert!(mistaken > 0, "{dialect:?}");
    }
}
