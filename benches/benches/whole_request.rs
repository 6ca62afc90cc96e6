//! One whole request, from draft to verified outcome, on sled, Cedar, the sandbox and SQLite; and where
//! its time goes. `cargo bench -p placet-benches --bench whole_request`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    reason = "a bench measures real time and tells what it measured"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use placet::forms::JsonSchemaForms;
use placet::limits::Limits;
use placet::policies::CedarAuthorizer;
use placet::request::{Change, StateName};
use placet::runners::{Grant, SqliteTarget, WasmRunner, shipped};
use placet::store_sled::SledStore;
use placet::{Parts, SystemClock, SystemEntropy, SystemIds};
use placet_benches::{Spread, TimedAuthorizer, TimedRunner, TimedStore, TimedTarget, print_table};
use placet_core::audit::Ed25519Signer;
use placet_core::gate::Gate;
use placet_core::testing::{Office, Seen};

const ROUNDS: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("orders.db");
    rusqlite::Connection::open(&path)?.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE ran (id INTEGER PRIMARY KEY, note TEXT);",
    )?;
    let store = Arc::new(TimedStore::new(SledStore::open(folder.path().join("store"))?));
    let authorizer = Arc::new(TimedAuthorizer::new(CedarAuthorizer::new()?));
    let target = Arc::new(TimedTarget::new(SqliteTarget::new(&path)));
    let database = Arc::clone(&target.work);
    let sql = shipped::sql();
    let grant = Grant::none().with("sql").with_dry_run();
    let wasm = WasmRunner::builder()
        .plugin("sql".parse()?, sql.component, sql.manifest, grant)
        .target("orders".parse()?, target)
        .build()?;
    wasm.warm_up()?;
    let runner = Arc::new(TimedRunner::new(wasm));
    let gate = Gate::new(Parts {
        store: Arc::<TimedStore<SledStore>>::clone(&store),
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(SystemIds::default()),
        entropy: Arc::new(SystemEntropy::default()),
        authorizer: Arc::<TimedAuthorizer<CedarAuthorizer>>::clone(&authorizer),
        runner: Arc::<TimedRunner<WasmRunner>>::clone(&runner),
        signer: Arc::new(Ed25519Signer::from_seed("bench.example.org/log", &[1; 32])?),
        forms: Arc::new(JsonSchemaForms),
        limits: Limits::default(),
    });
    let office = Office::found(&gate)?;

    let mut samples: [Vec<Duration>; 7] = Default::default();
    let mut counts = [0_u64; 3];
    for round in 0..ROUNDS {
        let takes = || {
            (
                store.commits.take(),
                store.reads.take(),
                authorizer.decisions.take(),
                runner.calls.take(),
                database.take(),
            )
        };
        takes();
        let syncs = store.inner.sync_count();
        let begun = Instant::now();
        whole_request(&gate, &office, round)?;
        let total = begun.elapsed();
        let (commits, reads, cedar, calls, work) = takes();
        let sandbox = calls.0.saturating_sub(work.0);
        let overhead = total.saturating_sub(work.0 + commits.0);
        for (samples, value) in
            samples.iter_mut().zip([total, commits.0, reads.0, cedar.0, sandbox, work.0, overhead])
        {
            samples.push(value);
        }
        counts = [
            counts[0] + commits.1,
            counts[1] + cedar.1,
            counts[2] + store.inner.sync_count() - syncs,
        ];
    }
    let mean = |samples: &[Duration]| samples.iter().sum::<Duration>() / ROUNDS;
    let whole = mean(&samples[0]).as_secs_f64();
    let names = [
        "whole request",
        "store: commits, waiting for their syncs",
        "store: reads",
        "Cedar: decisions",
        "sandbox: the runner without the database",
        "target database",
        "placet's overhead: all but target and commits",
    ];
    println!("\nwhole request, draft to verified outcome, {ROUNDS} rounds on one thread\n");
    let rows: Vec<Vec<String>> = names
        .iter()
        .zip(&samples)
        .map(|(name, samples)| {
            let share = 100.0 * mean(samples).as_secs_f64() / whole;
            let spread = Spread::of(samples.clone());
            vec![
                (*name).to_owned(),
                format!("{:.2} ms", millis(mean(samples))),
                format!("{:.2} ms", millis(spread.p50)),
                format!("{:.2} ms", millis(spread.p95)),
                format!("{share:.1} %"),
            ]
        })
        .collect();
    print_table(&["part", "mean", "p50", "p95", "share"], &rows);
    let each = |count: u64| count as f64 / f64::from(ROUNDS);
    let bare = bare_sync(folder.path())?;
    println!(
        "\neach request: {:.1} commits, {:.1} syncs of the store, {:.1} decisions; a bare 4 KiB write and fdatasync on this disk: {bare}",
        each(counts[0]),
        each(counts[2]),
        each(counts[1]),
    );
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn whole_request(gate: &Gate, office: &Office, round: u32) -> Result<(), Box<dyn Error>> {
    let sql = format!(
        "INSERT INTO ran VALUES ({round}, 'a'); UPDATE ran SET note = 'b' WHERE id = {round}"
    );
    let payload = serde_json::json!({ "sql": sql }).to_string();
    let change = Change::new("sql".parse()?, "orders".parse()?, payload, gate.limits())?;
    let id = gate.draft(&office.ana, &office.request(change))?.header.id;
    gate.submit(&office.ana, id)?;
    let digest = gate.view(&office.ana, id)?.digest.ok_or("no digest")?;
    gate.approve(&office.bo, id, digest, None)?;
    let ticket = gate.execute(&office.bo, id)?;
    gate.drive(ticket, &Seen::default())?;
    let (request, _) = gate.verify(&office.bo, id)?;
    if request.state.name() != StateName::Succeeded {
        return Err(format!("{:?}", request.state).into());
    }
    Ok(())
}

fn bare_sync(folder: &std::path::Path) -> Result<Spread, Box<dyn Error>> {
    let mut file = File::create(folder.join("bare"))?;
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        file.write_all(&[1; 4_096])?;
        file.sync_data()?;
        samples.push(begun.elapsed());
    }
    Ok(Spread::of(samples))
}
