//! A digest of the schema: the same while nothing changed, another one after every change.

use placet_core::digest::Digest;

use crate::story::stage;

const SETUP: &str = "
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('glad');
CREATE DOMAIN shop.cents AS int;
CREATE SEQUENCE shop.numbers;
CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION shop.g(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE shop.orders (id int PRIMARY KEY, n int, m int DEFAULT 1, t text);
CREATE TABLE shop.lines (id int PRIMARY KEY, o int);
CREATE TABLE shop.parts (id int) PARTITION BY RANGE (id);
CREATE VIEW shop.v AS SELECT id FROM shop.orders;
CREATE MATERIALIZED VIEW shop.mv AS SELECT id FROM shop.orders;
CREATE TRIGGER tr BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.f();
CREATE INDEX i ON shop.orders (n);
CREATE RULE r AS ON DELETE TO shop.lines DO ALSO NOTHING;
CREATE TABLE other (a int)";

/// Every change of it, and which object shows it.
const CHANGES: &[(&str, &str)] = &[
    ("shop.orders", "ALTER TABLE shop.orders ADD x int"),
    ("shop.orders", "ALTER TABLE shop.orders DROP x"),
    ("shop.orders", "ALTER TABLE shop.orders RENAME n TO nn"),
    ("shop.orders", "ALTER TABLE shop.orders ALTER m TYPE bigint"),
    ("shop.orders", "ALTER TABLE shop.orders ALTER m SET DEFAULT 2"),
    ("shop.orders", "ALTER TABLE shop.orders ALTER m SET NOT NULL"),
    ("shop.orders", "ALTER TABLE shop.orders ALTER t TYPE text COLLATE \"C\""),
    ("shop.orders", "ALTER TABLE shop.orders ADD CONSTRAINT c CHECK (m > 0) NOT VALID"),
    ("shop.orders", "ALTER TABLE shop.orders VALIDATE CONSTRAINT c"),
    (
        "shop.orders",
        "ALTER TABLE shop.orders ALTER m DROP DEFAULT, ALTER m ADD GENERATED ALWAYS AS IDENTITY",
    ),
    (
        "shop.orders",
        "ALTER TABLE shop.lines ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES shop.orders",
    ),
    ("shop.orders", "CREATE INDEX ON shop.orders (m)"),
    ("shop.orders", "DROP INDEX shop.i"),
    ("shop.orders", "ALTER TABLE shop.orders DISABLE TRIGGER tr"),
    (
        "shop.orders",
        "CREATE OR REPLACE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ),
    ("shop.orders", "ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY"),
    ("shop.orders", "CREATE POLICY p ON shop.orders USING (id > 1)"),
    ("shop.orders", "ALTER TABLE shop.orders SET (fillfactor = 50)"),
    ("shop.mood", "ALTER TYPE shop.mood RENAME VALUE 'glad' TO 'happy'"),
    ("shop.orders", "CREATE TABLE shop.heir () INHERITS (shop.orders)"),
    ("shop.lines", "DROP RULE r ON shop.lines"),
    ("shop.parts", "CREATE TABLE shop.part1 PARTITION OF shop.parts FOR VALUES FROM (1) TO (2)"),
    ("shop.v", "CREATE OR REPLACE VIEW shop.v AS SELECT id FROM shop.orders WHERE id > 1"),
    ("shop.mv", "CREATE INDEX ON shop.mv (id)"),
    ("shop.numbers", "ALTER SEQUENCE shop.numbers INCREMENT 5"),
    ("shop.g", "CREATE OR REPLACE FUNCTION shop.g(int) RETURNS int LANGUAGE sql AS 'SELECT 2'"),
    ("shop.g", "CREATE FUNCTION shop.g(text) RETURNS int LANGUAGE sql AS 'SELECT 2'"),
    ("shop.mood", "ALTER TYPE shop.mood ADD VALUE 'sad'"),
    ("shop.cents", "ALTER DOMAIN shop.cents ADD CHECK (VALUE > 0)"),
    ("shop.nothing", "CREATE TABLE shop.nothing (a int)"),
    ("shop.nothing", "DROP TABLE shop.nothing"),
];

#[test]
fn every_change_shows_in_its_object_and_in_everything_and_nowhere_else() {
    let Some(stage) = stage(SETUP) else { return };
    let mut reader = stage.reader();
    let mut digest = |objects: &[&str]| -> Digest {
        let objects: Vec<String> = objects.iter().map(|name| (*name).to_owned()).collect();
        reader.schema_digest(&objects).unwrap().unwrap()
    };
    for (object, change) in CHANGES {
        let (one, all, other) = (digest(&[object]), digest(&[]), digest(&["other"]));
        assert_eq!((one, all), (digest(&[object]), digest(&[])), "nothing happened");
        stage.db.run(change);
        assert_ne!(one, digest(&[object]), "{change}");
        assert_ne!(all, digest(&[]), "{change}");
        assert_eq!(other, digest(&["other"]), "{change}");
    }
    // Data is no schema, and neither are our own tables.
    let all = digest(&[]);
    stage.db.run("INSERT INTO other VALUES (1)");
    drop(stage.writer(1));
    assert_eq!(all, digest(&[]));
}

#[test]
fn names_without_a_schema_mean_what_the_search_path_says() {
    let Some(stage) = stage(
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); CREATE TABLE b.t (y int)",
    ) else {
        return;
    };
    let mut session = stage.writer(1);
    let t = ["t".to_owned()];
    let nothing = session.schema_digest(&t).unwrap();
    session.begin().unwrap();
    session.execute("SET LOCAL search_path = a", &[]).unwrap();
    let in_a = session.schema_digest(&t).unwrap();
    assert_eq!(in_a, session.schema_digest(&["a.t".to_owned()]).unwrap());
    session.execute("SET LOCAL search_path = b", &[]).unwrap();
    let in_b = session.schema_digest(&t).unwrap();
    assert!(nothing != in_a && in_a != in_b && in_b != nothing);
    // A statement in between still finds what it means.
    session.execute("INSERT INTO t (y) VALUES (1)", &[]).unwrap();
    // What the transaction changed shows too.
    session.execute("ALTER TABLE t ADD z int", &[]).unwrap();
    assert_ne!(in_b, session.schema_digest(&t).unwrap());
}
