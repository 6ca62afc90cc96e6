//! The exam for targets, on a real server.

use std::sync::Arc;

use placet_target::SqlTarget;
use placet_target::testing::{Broken, Examined, Fault, MARIADB, Spoken, examine, random_dml};

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
            MARIADB.text(table)
        ));
        let texts: Vec<String> = columns
            .iter()
            .map(|line| {
                let (name, kind) = line.split_once('|').unwrap();
                let bytes: Vec<u8> = (0..name.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&name[at..at + 2], 16).unwrap())
                    .collect();
                let name = MARIADB.quoted(&String::from_utf8(bytes).unwrap());
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
            format!("SELECT CONCAT_WS('|', {}) FROM {}", texts.join(", "), MARIADB.quoted(table));
        let rows = self.bench.sql(&query);
        rows.iter().map(|row| row.split('|').map(ToOwned::to_owned).collect()).collect()
    }

    fn dialect(&self) -> &dyn Spoken {
        &MARIADB
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
