//! The exam for targets, on a real server.

use std::sync::Arc;

use placet_target::SqlTarget;
use placet_target::testing::{Alone, Broken, Examined, Fault, Words, examine, random_dml};

use crate::bench::Bench;

/// What makes a driver wrong.
type Wrap = fn(Arc<dyn SqlTarget>) -> Arc<dyn SqlTarget>;

/// A database of its own, with or without something wrong in between.
struct MariaDb {
    bench: Bench,
    wrap: Wrap,
}

impl MariaDb {
    fn new(wrap: Wrap) -> Option<Self> {
        Some(Self { bench: Bench::new()?, wrap })
    }
}

impl Examined for MariaDb {
    fn target(&self) -> Arc<dyn SqlTarget> {
        (self.wrap)(Arc::new(self.bench.target()))
    }

    fn admin(&self, sql: &str) {
        drop(self.bench.sql(sql));
    }

    fn dump(&self, table: &str) -> Vec<Vec<String>> {
        let columns = self.bench.sql(&format!(
            "SELECT HEX(column_name), data_type FROM information_schema.columns \
             WHERE table_schema = database() AND table_name = {} ORDER BY ordinal_position",
            self.text(table)
        ));
        let texts: Vec<String> = columns
            .iter()
            .map(|line| {
                let (name, kind) = line.split_once('|').unwrap();
                let bytes: Vec<u8> = (0..name.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&name[at..at + 2], 16).unwrap())
                    .collect();
                let name = self.quoted(&String::from_utf8(bytes).unwrap());
                let text = match kind {
                    "bigint" => format!("CAST({name} AS CHAR)"),
                    kind if kind.ends_with("blob") => format!("HEX({name})"),
                    _ => format!("HEX(CAST({name} AS CHAR CHARACTER SET utf8mb4))"),
                };
                format!("IFNULL({text}, 'NULL')")
            })
            .collect();
        if texts.is_empty() {
            return Vec::new();
        }
        let query =
            format!("SELECT CONCAT_WS('|', {}) FROM {}", texts.join(", "), self.quoted(table));
        let rows = self.bench.sql(&query);
        rows.iter().map(|row| row.split('|').map(ToOwned::to_owned).collect()).collect()
    }

    fn words(&self) -> Words {
        Words {
            integer: "BIGINT",
            auto_key: "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            key_text: "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            text: "TEXT",
            blob: "LONGBLOB",
            decimal: "DECIMAL(20, 4)",
            timestamp: "DATETIME(6)",
            double: "DOUBLE",
        }
    }

    fn trigger(&self, name: &str, table: &str, log: &str) -> Vec<String> {
        let (name, table, log) = (self.quoted(name), self.quoted(table), self.quoted(log));
        vec![format!(
            "CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW INSERT INTO {log} VALUES (1)"
        )]
    }

    fn quoted(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    }

    fn instant(&self, at: &str) -> String {
        // RFC 3339 in UTC; the type has no zone.
        self.text(at.trim_end_matches('Z').replace('T', " ").as_str())
    }

    fn generated(&self, of: &str, expression: &str) -> Option<String> {
        // MariaDB computes nothing from a column that a foreign key may set to NULL.
        let may_be_set = expression.contains("of_id");
        (!may_be_set).then(|| format!("{of} GENERATED ALWAYS AS ({expression}) STORED"))
    }

    fn drop_table(&self, table: &str) -> String {
        let table = self.quoted(table);
        format!(
            "SET foreign_key_checks = 0; DROP TABLE IF EXISTS {table}; SET foreign_key_checks = 1"
        )
    }

    fn table_options(&self) -> &'static str {
        " ENGINE = InnoDB"
    }

    fn has_transactional_ddl(&self) -> bool {
        false
    }

    fn alone(&self) -> Option<Alone> {
        Some(Alone {
            works: "CREATE INDEX exam_alone ON exam_orders (state)",
            fails: "CREATE INDEX exam_alone ON exam_orders (no_such_column)",
        })
    }
}

#[test]
fn every_promise_is_kept() {
    let Some(mariadb) = MariaDb::new(|target| target) else { return };
    examine(&mariadb);
}

/// Makes the scripts of every run the same. `PLACET_DML_SEED` and `PLACET_DML_SCRIPTS` try others, and more.
const SEED: u64 = 20_261_123;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn what_random_scripts_changed_is_put_back() {
    let Some(mariadb) = MariaDb::new(|target| target) else { return };
    let (seed, scripts) = (number("PLACET_DML_SEED", SEED), number("PLACET_DML_SCRIPTS", 80));
    println!("PLACET_DML_SEED={seed}");
    let report = random_dml(&mariadb, seed, scripts).unwrap();
    println!("{report}");
}

#[test]
fn a_driver_that_forgets_a_row_is_caught() {
    let forgets: Wrap = |target| Arc::new(Broken::new(target, Fault::LosesRowsOfInverse));
    let Some(mariadb) = MariaDb::new(forgets) else { return };
    let caught = random_dml(&mariadb, SEED, 80).expect_err("one row is forgotten");
    println!("{}", caught.lines().next().unwrap_or_default());
}
