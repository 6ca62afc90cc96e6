//! The exam for targets, on a real server.

use std::sync::Arc;

use placet_target::SqlTarget;
use placet_target::testing::{Broken, Examined, Fault, POSTGRESQL, Spoken, examine, random_dml};

use crate::story::{Stage, stage};

/// What makes a driver wrong.
type Wrap = fn(Arc<dyn SqlTarget>) -> Arc<dyn SqlTarget>;

/// A database of its own, with or without something wrong in between.
struct Postgres {
    stage: Stage,
    wrap: Wrap,
}

impl Postgres {
    fn new(wrap: Wrap) -> Option<Self> {
        Some(Self { stage: stage("")?, wrap })
    }
}

impl Examined for Postgres {
    fn target(&self) -> Arc<dyn SqlTarget> {
        (self.wrap)(Arc::new(self.stage.target().with_lock_wait_ms(300)))
    }

    fn admin(&self, sql: &str) {
        self.stage.db.run(sql);
    }

    fn dump(&self, table: &str) -> Vec<Vec<String>> {
        let texts = format!("SELECT x.* FROM {} AS x", POSTGRESQL.quoted(table));
        let Ok(rows) = self.stage.db.try_cells(&texts) else { return Vec::new() };
        rows
    }

    fn dialect(&self) -> &dyn Spoken {
        &POSTGRESQL
    }
}

#[test]
fn every_promise_is_kept() {
    let Some(postgres) = Postgres::new(|target| target) else { return };
    examine(&postgres);
}

/// Makes the scripts of every run the same. `PLACET_DML_SEED` and `PLACET_DML_SCRIPTS` try others, and more.
const SEED: u64 = 20_261_123;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn what_random_scripts_changed_is_put_back() {
    let Some(postgres) = Postgres::new(|target| target) else { return };
    let (seed, scripts) = (number("PLACET_DML_SEED", SEED), number("PLACET_DML_SCRIPTS", 120));
    println!("PLACET_DML_SEED={seed}");
    let report = random_dml(&postgres, seed, scripts).unwrap();
    println!("{report}");
}

#[test]
fn a_driver_that_puts_rows_back_wrongly_is_caught() {
    let wrong: [(&str, Wrap); 2] = [
        ("one row is forgotten", |target| Arc::new(Broken::new(target, Fault::LosesRowsOfInverse))),
        ("without a guard", |target| {
            Arc::new(Broken::with_inverse(target, |sql| match sql.split_once(" COLLATE ") {
                Some((head, _)) if !sql.starts_with("INSERT") => {
                    head.rsplit_once(" AND ").map_or(sql, |(key, _)| key).to_owned()
                }
                _ => sql.to_owned(),
            }))
        }),
    ];
    for (fault, wrap) in wrong {
        let Some(postgres) = Postgres::new(wrap) else { return };
        let caught = random_dml(&postgres, SEED, 120).expect_err(fault);
        println!("{fault}: {}", caught.lines().next().unwrap_or_default());
    }
}
