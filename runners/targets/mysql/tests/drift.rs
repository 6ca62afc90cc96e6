//! Digests of the schema: the same for the same, another for each change.

use placet_core::digest::Digest;

use placet_target::{Access, SqlTarget as _, StopSignal};

use crate::bench::{Bench, job, step};

#[test]
fn each_change_of_the_schema_changes_the_digest() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, orders INT, note VARCHAR(20)) ENGINE = InnoDB;
         CREATE TABLE other (id INT) ENGINE = InnoDB",
    );
    let look = |objects: &[&str]| -> Digest {
        let objects: Vec<String> = objects.iter().map(|it| (*it).to_owned()).collect();
        bench.reader().schema_digest(&objects).unwrap().unwrap()
    };
    let named = format!("{}.items", bench.database);
    let both = ["items", "orders", "missing", "f", "v"];
    let (mut one, mut all) = (look(&both), look(&[]));
    assert_eq!(
        look(&["orders", "v", "missing", "items", "f", "items"]),
        one,
        "the order does not count"
    );
    assert_ne!(look(&["items"]), look(&["orders"]));
    let (other, mut attempt) = (look(&["other"]), 10);
    for sql in [
        "ALTER TABLE items ADD COLUMN more INT",
        "ALTER TABLE items MODIFY note VARCHAR(21)",
        "ALTER TABLE items MODIFY note VARCHAR(21) CHARACTER SET latin1",
        "ALTER TABLE items MODIFY note VARCHAR(21) CHARACTER SET latin1 DEFAULT 'x'",
        "ALTER TABLE items ADD INDEX by_note (note)",
        "ALTER TABLE items DROP INDEX by_note, ADD UNIQUE INDEX by_note (note)",
        "ALTER TABLE items ADD CONSTRAINT positive CHECK (more > 0)",
        "ALTER TABLE items DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (more > 1)",
        "ALTER TABLE items ADD CONSTRAINT up FOREIGN KEY (orders) REFERENCES orders (id)",
        "ALTER TABLE items DROP FOREIGN KEY up, ADD CONSTRAINT down FOREIGN KEY (orders) REFERENCES orders (id) ON DELETE CASCADE",
        "CREATE TRIGGER t BEFORE INSERT ON items FOR EACH ROW SET NEW.more = 2",
        "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON items FOR EACH ROW SET NEW.more = 3",
        "CREATE VIEW v AS SELECT id FROM items",
        "CREATE OR REPLACE VIEW v AS SELECT id, note FROM items",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 2",
        "CREATE TABLE missing (id INT) ENGINE = InnoDB",
        "ALTER TABLE missing ENGINE = Aria",
        "ALTER TABLE missing PARTITION BY HASH (id) PARTITIONS 2",
        "ALTER TABLE missing PARTITION BY HASH (id) PARTITIONS 3",
        "DROP TABLE missing",
    ] {
        if sql.contains("FUNCTION") {
            // Who made a function sees its body.
            attempt += 1;
            let mut session = bench.open(Access::ReadWrite(job(attempt)));
            assert_eq!(session.execute_alone(sql, &step(attempt, "f")).unwrap(), 0);
        } else {
            let _done = bench.sql(sql);
        }
        let (one_now, all_now) = (look(&both), look(&[]));
        assert_ne!(one_now, one, "{sql}");
        assert_ne!(all_now, all, "{sql}");
        (one, all) = (one_now, all_now);
    }
    assert_eq!(look(&["other"]), other, "what was not touched is as it was");
    assert_eq!(look(&[&named]), look(&[&named]));
    // Whoever looks sees the same: a reader, a writer, one whose transaction is open.
    let narrow = bench.target().with_read_only_url(bench.url("reader", bench.server.port));
    let mut narrow = narrow.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(narrow.schema_digest(&[]).unwrap(), Some(all));
    assert_eq!(bench.begun(2).schema_digest(&[]).unwrap(), Some(all));
    // Data is no schema, and neither are our marks.
    let _rows = bench.sql("INSERT INTO other VALUES (1), (2); INSERT INTO orders VALUES (9, 'x')");
    drop(bench.begun(1));
    assert_eq!((look(&both), look(&[])), (one, all));
}
