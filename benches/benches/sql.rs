//! What the SQL runner costs beside the bare driver and the bare parser: `cargo bench -p placet-benches --bench sql`.
//! Each figure is the bare time by ours, both of one run, one after the other in turns. `-- postgres`,
//! `-- sqlite`, `-- rows` or `-- review` measures only that.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench measures real time and tells what it measured"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::Stream as _;
use placet::runner::{Job, JobId, Outcome, Place, Plan, Runner as _};
use placet::runners::{
    Access, Grant, PostgresTarget, SqlTarget, SqliteTarget, StopSignal, WasmRunner, shipped,
};
use placet_benches::Link;
use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::id::{RequestId, RunId};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

#[expect(
    dead_code,
    clippy::indexing_slicing,
    reason = "the store's own tests, which use more of it"
)]
#[path = "../../core/store-postgres/tests/server.rs"]
mod server;
#[path = "../../core/store-postgres/tests/story.rs"]
#[expect(dead_code, reason = "the store's own tests, which use more of it")]
mod story;

const ROUNDS: usize = 7;
const ROWS: u64 = 1_000_000;
const BATCH: usize = 1_000;
const SCRIPT_BYTES: usize = 5 << 20;

const PARTS: [&str; 4] = ["postgres", "sqlite", "rows", "review"];

fn main() {
    let asked = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    if let Some(asked) = &asked {
        assert!(PARTS.contains(&asked.as_str()), "there is only {PARTS:?}");
    }
    let is_asked = |part: &str| asked.as_ref().is_none_or(|asked| asked == part);
    println!("| what | beside | bare | placet | bare by placet |\n|---|---|---|---|---|");
    let server = if is_asked("postgres") || is_asked("rows") { server::server() } else { None };
    if let Some(server) = server.as_ref().filter(|_| is_asked("postgres")) {
        ddl_on_postgres(server);
    }
    if is_asked("sqlite") {
        ddl_on_sqlite();
    }
    if let Some(server) = server.as_ref().filter(|_| is_asked("rows")) {
        streaming(server);
    }
    if is_asked("review") {
        reviewing();
    }
}

fn tell(what: &str, beside: &str, (bare, ours): (Vec<Duration>, Vec<Duration>)) {
    let ratio = |bare: Duration, ours: Duration| bare.as_secs_f64() / ours.as_secs_f64();
    let (bare, ours) = (median(bare), median(ours));
    println!("| {what} | {beside} | {bare:.1?} | {ours:.1?} | {:.2}x |", ratio(bare, ours));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A plan as the gate would have had it approved, and its job.
fn planned(runner: &WasmRunner, sql: &str, attempt: u32) -> (Job, Plan) {
    let payload = serde_json::json!({ "sql": sql }).to_string();
    let (request, run) = (RequestId::from_u128(attempt.into()), RunId::from_u128(attempt.into()));
    let job = Job {
        id: JobId { request, revision: 1, attempt, fence: 1, run },
        runner: "sql".parse().unwrap(),
        target: "orders".parse().unwrap(),
        payload_digest: Digest::of(payload.as_bytes()),
        payload,
        place: Place {
            project: "shop".parse().unwrap(),
            module: "pagos".parse().unwrap(),
            environment: "dev".parse().unwrap(),
        },
        deadline: Timestamp::from_micros(3_600_000_000),
        dry_run: false,
        settings: r#"{"backup": "off"}"#.to_owned(),
    };
    let plan = runner.plan(&job, &Link::default()).unwrap();
    (job, plan)
}

fn host(target: Arc<dyn SqlTarget>) -> WasmRunner {
    let sql = shipped::sql();
    let runner = WasmRunner::builder()
        .plugin("sql".parse().unwrap(), sql.component, sql.manifest, Grant::none().with("sql"))
        .target("orders".parse().unwrap(), target)
        .build()
        .unwrap();
    runner.warm_up().unwrap();
    runner
}

/// Executes an approved script; planning is not the driver's work and is not timed.
fn execute(runner: &WasmRunner, sql: &str, attempt: u32) -> Duration {
    let (job, plan) = planned(runner, sql, attempt);
    let begun = Instant::now();
    let outcome = runner.execute(&job, &plan, &Link::default());
    let took = begun.elapsed();
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    took
}

fn statements(script: &str, dialect: &str) -> Vec<String> {
    let split = placet_sql_review::split(script, dialect).unwrap();
    split.iter().map(|statement| statement.text.to_owned()).collect()
}

/// What a run costs beside its statements.
const ONE: (&str, &str) = ("CREATE TABLE alone (id INTEGER);", "DROP TABLE alone;");

/// Both ways of executing a script and the one that takes everything away again, in turns. No attempt above `past`
/// was made before.
fn there_and_back(
    runner: &WasmRunner,
    bare: &dyn Fn(&str) -> Duration,
    (up, down): (&str, &str),
    past: u32,
) -> (Vec<Duration>, Vec<Duration>) {
    let mut times = (Vec::new(), Vec::new());
    for attempt in (past + 1..).step_by(2).take(ROUNDS) {
        times.0.push(bare(up) + bare(down));
        times.1.push(execute(runner, up, attempt) + execute(runner, down, attempt + 1));
    }
    times
}

fn ddl_on_postgres(server: &server::Server) {
    let (up, down) = (
        include_str!("../../runners/tests/large/postgresql/up.sql"),
        include_str!("../../runners/tests/large/postgresql/down.sql"),
    );
    server.db().run("CREATE DATABASE large");
    let url = format!("{}/large", server.url().rsplit_once('/').unwrap().0);
    let runner = host(Arc::new(PostgresTarget::new(&url).allow_superuser_dry_runs()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bare = |script: &str| {
        let all = statements(script, "postgresql");
        let begun = Instant::now();
        runtime.block_on(async {
            let (mut client, connection) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            let transaction = client.transaction().await.unwrap();
            for statement in &all {
                transaction.execute(statement.as_str(), &[]).await.unwrap();
            }
            transaction.commit().await.unwrap();
            drop(client);
            connection.await.unwrap().unwrap();
        });
        begun.elapsed()
    };
    let large = there_and_back(&runner, &bare, (up, down), 0);
    tell("the large schema, there and back, PostgreSQL", "tokio-postgres", large);
    let one = there_and_back(&runner, &bare, ONE, 1_000);
    tell("one statement, there and back, PostgreSQL", "tokio-postgres", one);
}

fn ddl_on_sqlite() {
    let (up, down) = (
        include_str!("../../runners/tests/large/sqlite/up.sql"),
        include_str!("../../runners/tests/large/sqlite/down.sql"),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.db");
    drop(rusqlite::Connection::open(&path).unwrap());
    let runner = host(Arc::new(SqliteTarget::new(&path)));
    let bare = |script: &str| {
        let all = statements(script, "sqlite");
        let begun = Instant::now();
        let mut connection = rusqlite::Connection::open(&path).unwrap();
        let transaction = connection.transaction().unwrap();
        for statement in &all {
            transaction.execute(statement, []).unwrap();
        }
        transaction.commit().unwrap();
        begun.elapsed()
    };
    let large = there_and_back(&runner, &bare, (up, down), 0);
    tell("the large schema, there and back, SQLite", "rusqlite", large);
    let one = there_and_back(&runner, &bare, ONE, 1_000);
    tell("one statement, there and back, SQLite", "rusqlite", one);
}

fn streaming(server: &server::Server) {
    server.db().run(&format!(
        "CREATE TABLE streamed AS SELECT n AS id, 'row ' || n AS name, n * 1.5::float8 AS price, \
         n % 2 = 0 AS is_even, timestamptz '2026-01-01' + n * interval '1 second' AS at \
         FROM generate_series(1::bigint, {ROWS}) AS n"
    ));
    server.db().run("VACUUM ANALYZE streamed");
    let query = "SELECT id, name, price, is_even, at FROM streamed";
    let target = PostgresTarget::new(server.url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bare = || {
        let begun = Instant::now();
        let rows = runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            let none: [&(dyn tokio_postgres::types::ToSql + Sync); 0] = [];
            let mut stream = Box::pin(client.query_raw(query, none).await.unwrap());
            let (mut count, mut batch) = (0_u64, Vec::with_capacity(BATCH));
            while let Some(row) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                let row = row.unwrap();
                let values: (i64, String, f64, bool, std::time::SystemTime) =
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
                batch.push(values);
                if batch.len() == BATCH {
                    count += std::hint::black_box(&batch).len() as u64;
                    batch.clear();
                }
            }
            drop(stream);
            drop(client);
            connection.await.unwrap().unwrap();
            count + batch.len() as u64
        });
        assert_eq!(rows, ROWS);
        begun.elapsed()
    };
    let ours = || {
        let begun = Instant::now();
        let mut session = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
        let mut take = |batch| {
            std::hint::black_box(&batch);
            Ok(())
        };
        let most = (ROWS, u64::MAX, BATCH);
        assert_eq!(session.stream(query, &[], most, &mut take).unwrap(), ROWS);
        begun.elapsed()
    };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        times.0.push(bare());
        times.1.push(ours());
    }
    tell("1,000,000 rows of five columns in batches of 1,000", "tokio-postgres", times);
}

/// Six statements over and over, most of them data, as a script of that size is; fewer than a review takes.
fn long_script(dialect: &str) -> String {
    let quote = if dialect == "mysql" { '`' } else { '"' };
    let rows: Vec<String> =
        (1..=120).map(|id| format!("({id}, 'it''s; number {id}', {id}00)")).collect();
    let rows = rows.join(", ");
    let mut script = String::with_capacity(SCRIPT_BYTES + 10_000);
    for n in 0.. {
        if script.len() >= SCRIPT_BYTES {
            break;
        }
        script.push_str(&format!(
            "CREATE TABLE t{n} (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, cents INTEGER DEFAULT 0);\n\
             CREATE INDEX t{n}_by_name ON t{n} (name, cents);\n\
             INSERT INTO t{n} (id, name, cents) VALUES {rows}; -- rows\n\
             UPDATE t{n} SET cents = cents + 1, {quote}name{quote} = 'x' WHERE id = 2 AND cents > 10;\n\
             DELETE FROM t{n} WHERE id IN (SELECT id FROM t{n} WHERE cents < 5);\n\
             SELECT a.id, count(*) FROM t{n} AS a JOIN t{n} AS b ON b.id = a.id GROUP BY a.id HAVING count(*) > 1;\n"
        ));
    }
    script
}

fn reviewing() {
    let dialects: [(&str, Box<dyn Dialect>); 3] = [
        ("postgresql", Box::new(PostgreSqlDialect {})),
        ("mysql", Box::new(MySqlDialect {})),
        ("sqlite", Box::new(SQLiteDialect {})),
    ];
    for (word, dialect) in dialects {
        let script = long_script(word);
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let parsed = Parser::parse_sql(dialect.as_ref(), &script).unwrap();
            times.0.push(begun.elapsed());
            let count = std::hint::black_box(parsed).len();
            let begun = Instant::now();
            let reviewed = placet_sql_review::review(&script, word);
            times.1.push(begun.elapsed());
            // What is refused as a whole was not read.
            assert_eq!(std::hint::black_box(reviewed).steps.len(), count);
        }
        tell(&format!("review of {} MiB, {word}", script.len() >> 20), "sqlparser", times);
    }
}
