//! Acknowledged transitions per second, beside what the same disk and database do bare.
//! `cargo bench -p placet-benches --bench commit`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::significant_drop_tightening,
    reason = "a bench measures real time and tells what it measured"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use placet::store::Store;
use placet::store_sled::SledStore;
use placet_core::gate::{Gate, Parts};
use placet_core::id::RequestId;
use placet_core::testing::{Bench, Office};

#[expect(dead_code, reason = "the store's own tests use more of it")]
#[path = "../../core/store-postgres/tests/server.rs"]
mod server;

mod story {
    pub(crate) fn skip(why: &str) {
        println!("SKIPPED: {why}");
    }
}

type Outcome<T> = Result<T, Box<dyn Error>>;

const CALLERS: [usize; 3] = [1, 16, 64];

/// How many transitions each row measures, after a tenth of them to warm up.
const TRANSITIONS: usize = 6_400;

/// One row of the table.
struct Row {
    name: String,
    callers: usize,
    rate: f64,
    per_transition: Option<f64>,
}

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let sync = bare_sync(folder.path())?;
    println!("a bare loop of 4 KiB writes, each with its fdatasync: {sync:.0} a second\n");
    let mut rows = Vec::new();
    for callers in CALLERS {
        let store = Arc::new(SledStore::open(folder.path().join(format!("sled-{callers}")))?);
        // Each brings the data file to the disk, and then the head.
        let count = || 2 * store.sync_count();
        rows.push(measure("sled", &[Arc::<SledStore>::clone(&store)], callers, &count)?);
    }
    table(&rows, "fdatasync a transition", sync);
    if let Some(server) = server::server() {
        postgres(&server)?;
    }
    Ok(())
}

fn postgres(server: &server::Server) -> Outcome<()> {
    let bare = [1, 16].map(|clients| (clients, bare_transactions(server, clients)));
    let one = bare[0].1;
    for (clients, rate) in bare {
        println!(
            "\na bare loop of transactions of one row, {clients} clients: {rate:.0} a second ({:.2}x)",
            rate / one
        );
    }
    let mut rows = Vec::new();
    for callers in CALLERS {
        let store = Arc::new(server.store(&format!("one_{callers}")));
        let count = || store.transaction_count();
        rows.push(measure("PostgreSQL", &[Arc::clone(&store)], callers, &count)?);
    }
    for callers in [16, 64] {
        let schema = format!("two_{callers}");
        let stores = [Arc::new(server.store(&schema)), Arc::new(server.store(&schema))];
        let count = || stores.iter().map(|store| store.transaction_count()).sum();
        rows.push(measure("PostgreSQL, two nodes", &stores, callers, &count)?);
    }
    println!();
    table(&rows, "transactions a transition", one);
    let rate = |name: &str, callers| {
        rows.iter()
            .find(|row| row.name == name && row.callers == callers)
            .map_or(0.0, |row| row.rate)
    };
    for callers in [16, 64] {
        let ratio = rate("PostgreSQL, two nodes", callers) / rate("PostgreSQL", callers);
        println!("two nodes to one, {callers} callers in all: {ratio:.2}x");
    }
    Ok(())
}

fn table(rows: &[Row], counted: &str, bare: f64) {
    println!("| store | callers | transitions a second | to the bare loop | {counted} |");
    println!("|---|---|---|---|---|");
    for Row { name, callers, rate, per_transition } in rows {
        let each = per_transition.map_or_else(String::new, |each| format!("{each:.3}"));
        println!("| {name} | {callers} | {rate:.0} | {:.2}x | {each} |", rate / bare);
    }
}

/// A gate on each store; the callers are spread over them, and each edits a request of its own.
fn measure<S: Store + 'static>(
    name: &str,
    stores: &[Arc<S>],
    callers: usize,
    count: &(dyn Fn() -> u64 + Sync),
) -> Outcome<Row> {
    let mut gates = Vec::new();
    for store in stores {
        let parts = Bench::on(Arc::<S>::clone(store))?.parts;
        // Ids of one bench repeat those of the other: each node takes its own.
        let ids = Arc::new(placet::SystemIds::default());
        let clock = Arc::new(placet::SystemClock::default());
        gates.push(Gate::new(Parts { ids, clock, ..parts }));
    }
    let office = Office::found(&gates[0])?;
    let requests: Vec<RequestId> = (0..callers)
        .map(|_| {
            let new = office.request(office.change("\"first\"")?);
            gates[0].draft(&office.ana, &new).map(|request| request.header.id)
        })
        .collect::<Result<_, _>>()?;
    let work = |transitions: usize| {
        std::thread::scope(|scope| {
            for (number, id) in requests.iter().enumerate() {
                let gate = &gates[number % gates.len()];
                scope.spawn(move || {
                    for round in 0..transitions / callers {
                        let change = office.change(&format!("\"change {round}\"")).unwrap();
                        gate.edit(&office.ana, *id, "again", &change).unwrap();
                    }
                });
            }
        });
    };
    // One caller alone waits for each sync: fewer transitions tell the same.
    let transitions = if callers == 1 { TRANSITIONS / 8 } else { TRANSITIONS };
    work(transitions / 10);
    let (before, begun) = (count(), Instant::now());
    work(transitions);
    let seconds = begun.elapsed().as_secs_f64();
    let done = (transitions / callers * callers) as f64;
    let per_transition = Some((count() - before) as f64 / done);
    Ok(Row { name: name.to_owned(), callers, rate: done / seconds, per_transition })
}

/// Writes and syncs for a second; how many a second.
fn bare_sync(folder: &std::path::Path) -> Outcome<f64> {
    let mut file = File::create(folder.join("bare"))?;
    let (begun, mut done) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        done += 1;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

/// Transactions that insert one row each, from so many connections, for a second; how many a second.
fn bare_transactions(server: &server::Server, clients: u32) -> f64 {
    let table = format!("bare_{clients}");
    server.db().run(&format!("CREATE TABLE {table} (id bigint, body text)"));
    let begun = Instant::now();
    let done: u32 = std::thread::scope(|scope| {
        let each: Vec<_> = (0..clients)
            .map(|client| {
                let (table, db) = (table.clone(), server.db());
                scope.spawn(move || {
                    let mut done = 0;
                    while begun.elapsed() < Duration::from_secs(1) {
                        db.run(&format!("INSERT INTO {table} VALUES ({client}, 'row')"));
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        each.into_iter().map(|client| client.join().unwrap()).sum()
    });
    f64::from(done) / begun.elapsed().as_secs_f64()
}
