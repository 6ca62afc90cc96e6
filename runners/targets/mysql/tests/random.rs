//! Random changes of random rows, put back: whatever was touched is as it was, to the byte.

use placet_target::{Attempt, SqlFailure, Touch};

use crate::bench::{Bench, job, marker, step};
use crate::kept::touch;

/// Where a run begins; another one is tried by changing it.
const SEED: u64 = 0x0bad_cafe;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(u64::try_from(all.len()).unwrap())).unwrap()]
    }

    /// A value for the column, odd ones among them.
    fn value(&mut self, column: &str) -> String {
        if self.below(8) == 0 && !matches!(column, "a" | "b") {
            return "NULL".to_owned();
        }
        match column {
            "a" => self.below(12).to_string(),
            "b" => format!("'{}'", self.one_of(&["", "x", "Y", "ñ", "zz"])),
            "n" => format!("{}", self.next().cast_signed()),
            "f" => format!("{:e}", f32::from_bits(u32::try_from(self.below(0x7f00_0000)).unwrap())),
            "d" => format!("{:e}", f64::from_bits(self.below(0x7ff0_0000_0000_0000))),
            "t" => format!(
                "_utf8mb4 X'{}'",
                self.one_of(&["", "41", "61", "2020", "c3b1", "00", "5c27", "f09f9880"])
            ),
            "l" => format!(
                "_latin1 X'{}'",
                self.one_of(&["", "41", "61", "e9", "80", "27", "5c", "c3b1"])
            ),
            "r" => format!("X'{:016x}'", self.next()),
            "m" => format!("TIMESTAMPADD(MICROSECOND, {}, '1970-01-01')", self.below(1 << 55)),
            "i" => format!(
                "FROM_UNIXTIME({}.{:06})",
                1 + self.below(1 << 31).min(2_147_483_000),
                self.below(1_000_000)
            ),
            "k" => self.below(1 << 30).to_string(),
            "e" => format!("'{}'", self.one_of(&["p", "q", "ñ"])),
            other => panic!("{other}"),
        }
    }
}

const COLUMNS: [&str; 12] = ["a", "b", "n", "f", "d", "t", "l", "r", "m", "i", "k", "e"];

const TABLE: &str = "CREATE TABLE odd (a INT, b VARCHAR(5) CHARACTER SET latin1, n BIGINT, f FLOAT, d DOUBLE,
    t VARCHAR(20) CHARACTER SET utf8mb4, l VARCHAR(20) CHARACTER SET latin1, r VARBINARY(8), m DATETIME(6),
    i TIMESTAMP(6) NULL, k BIT(33), e ENUM('p', 'q', 'ñ') CHARACTER SET utf8mb4,
    u TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    g INT AS (a * 2) VIRTUAL, PRIMARY KEY (a, b)) ENGINE = InnoDB";

fn all(bench: &Bench) -> Vec<String> {
    bench.sql(
        "SELECT a, HEX(b), n, f + 0e0, d + 0e0, HEX(t), HEX(l), HEX(r), m, i, k + 0, e + 0, u FROM odd ORDER BY a, b",
    )
}

/// A random statement and what the review says of it.
fn statement(random: &mut Random) -> (String, Touch) {
    let condition = match random.below(4) {
        0 => format!("a = {}", random.value("a")),
        1 => format!("a < {} AND n > 0", random.value("a")),
        2 => format!("b = {}", random.value("b")),
        _ => "d IS NULL OR t LIKE '%a%'".to_owned(),
    };
    match random.below(3) {
        0 => {
            let values: Vec<String> = COLUMNS.iter().map(|it| random.value(it)).collect();
            let sql =
                format!("INSERT INTO odd ({}) VALUES ({})", COLUMNS.join(", "), values.join(", "));
            (sql, touch("INSERT", "odd", ""))
        }
        1 => {
            let sets: Vec<String> = (0..=random.below(4))
                .map(|_| {
                    let column = random.one_of(&COLUMNS[2..]);
                    format!("{column} = {}", random.value(column))
                })
                .collect();
            let sql = format!("UPDATE odd SET {} WHERE {condition}", sets.join(", "));
            (sql, touch("UPDATE", "odd", &condition))
        }
        _ => (format!("DELETE FROM odd WHERE {condition}"), touch("DELETE", "odd", &condition)),
    }
}

#[test]
fn random_changes_are_put_back() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(TABLE);
    let mut random = Random(SEED);
    let (mut changed, mut statements) = (0, 0);
    for round in 0..30_u32 {
        let told = format!("seed {SEED:#x}, round {round}");
        // Something to change, which stays.
        for _ in 0..8 {
            let (sql, _) = loop {
                let (sql, touch) = statement(&mut random);
                if sql.starts_with("INSERT") {
                    break (sql, touch);
                }
            };
            let _done = bench.server.try_sql(&bench.database, &sql);
        }
        let before = all(&bench);
        let attempt = 2 * round + 1;
        let mut session = bench.begun(attempt);
        for _ in 0..6 {
            let (sql, touch) = statement(&mut random);
            match session.execute_kept(&sql, (&touch, &step(attempt, "s")), 1_000) {
                Ok(rows) => changed += rows,
                // A key that is there already: the statement did nothing.
                Err(SqlFailure::Database { code, .. }) if code == "sql.mysql.1062" => {}
                Err(failure) => panic!("{told}: {sql}: {failure:?}"),
            }
            statements += 1;
        }
        session.commit(&marker(attempt)).unwrap();
        drop(session);
        let inverse =
            bench.reader().inverse(&Attempt::of(&job(attempt)), (10_000, 1 << 30)).unwrap();
        let mut session = bench.begun(attempt + 1);
        for statement in &inverse {
            assert_eq!(session.execute(statement, &[]).unwrap(), 1, "{told}: {statement}");
        }
        session.commit(&marker(attempt + 1)).unwrap();
        drop(session);
        assert_eq!(all(&bench), before, "{told}");
    }
    assert!(changed > 100, "{changed} rows by {statements} statements are no test");
}
