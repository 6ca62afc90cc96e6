//! How long it takes to open a store, and how much memory: the bare engine beside this project's store, on
//! the same files, each in a process of its own.
//!
//! ```sh
//! cargo run --release -p placet-store-redb --example open_store
//! PLACET_RECORDS=1000000 cargo run --release -p placet-store-redb --example open_store
//! PLACET_RECORDS=1000000 PLACET_STORE=sled cargo run --release -p placet-store-redb --example open_store
//! ```
//!
//! The processor time and the memory are read from `/proc`, so it runs on Linux only.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that measures: it keeps time, starts itself again and prints"
)]

use std::any::Any;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use placet_core::store::{Batch, Key, Store};
use placet_store_redb::RedbStore;
use placet_store_sled::{Durability, Options, SledStore};
use redb::{ReadableDatabase as _, ReadableTableMetadata as _};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RECORDS: u64 = 100_000;
const VALUE_BYTES: usize = 200;
/// How many commits wait together: the writers share syncs, so that filling does not take all day.
const WRITERS: u64 = 64;
/// How often each is opened; the middle one counts.
const ROUNDS: usize = 5;

/// What the target allows: so many times the bare engine, and a processor second per million leaves.
const TIMES_MAX: f64 = 1.5;
const SECONDS_PER_MILLION: f64 = 1.0;

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [what, path] = arguments.as_slice() {
        return opened(what, Path::new(path));
    }
    let records = match std::env::var("PLACET_RECORDS") {
        Ok(text) => text.parse()?,
        Err(_) => RECORDS,
    };
    let folder = tempfile::tempdir()?;
    let (sled, redb) = (folder.path().join("sled"), folder.path().join("redb"));
    let relaxed = Options::default().with_durability(Durability::Relaxed);
    let only = std::env::var("PLACET_STORE").ok();
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if is_wanted("sled") {
        filled("sled", &SledStore::open_with(&sled, &relaxed)?, records)?;
    }
    if is_wanted("redb") {
        filled("redb", &RedbStore::open(&redb)?, records)?;
    }

    println!("{records} records of {VALUE_BYTES} bytes, {records} log entries; middle of {ROUNDS}");
    let engines = [("sled", &sled), ("redb", &redb)].into_iter();
    for (engine, path) in engines.filter(|(engine, _)| is_wanted(engine)) {
        println!("| opened | wall s | processor s | memory MiB |");
        println!("|---|---|---|---|");
        let bare = measured(&format!("bare {engine}"), path)?;
        if engine == "redb" {
            // The store asks redb for this at each opening. It reads the whole file.
            measured("bare redb, checked", path)?;
        }
        let store = measured(&format!("{engine} store"), path)?;
        let leaves_in_millions = f64::from(u32::try_from(records)?) / 1e6;
        for (of, bare, store) in
            [("wall", bare.wall_s, store.wall_s), ("processor", bare.cpu_s, store.cpu_s)]
        {
            let allowed = TIMES_MAX * bare + SECONDS_PER_MILLION * leaves_in_millions;
            let verdict = if store <= allowed { "kept" } else { "MISSED" };
            println!(
                "{engine}: {store:.2} s of {of} time, allowed {allowed:.2} s ({TIMES_MAX} times the bare \
                 engine's {bare:.3} s, and {SECONDS_PER_MILLION} s per million leaves): {verdict}"
            );
        }
    }
    Ok(())
}

/// Writes each record with its log entry, one commit for each, as the kernel does.
fn filled(name: &str, store: &dyn Store, records: u64) -> Outcome<()> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || -> Result<(), placet_core::store::CommitError> {
                    for number in (writer..records).step_by(usize::try_from(WRITERS).unwrap_or(1)) {
                        let text = format!("{number:016x}").repeat(VALUE_BYTES / 16 + 1);
                        let value: Vec<u8> = text.bytes().take(VALUE_BYTES).collect();
                        // Spread over the key space, as ids are.
                        let id = format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                        let key = Key::from_segments(&["request", &id]);
                        store.commit(Batch::default().put(key, value.clone()).append(value))?;
                    }
                    Ok(())
                })
            })
            .collect();
        for writer in writers {
            writer.join().map_err(|_panic| "a writer panicked")??;
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    println!("{name}: filled in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// What one opening took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall_s: f64,
    cpu_s: f64,
    memory_mib: f64,
}

/// Opens it in children, and takes the middle one by processor time.
fn measured(what: &str, path: &Path) -> Outcome<Cost> {
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let output = Command::new(std::env::current_exe()?).arg(what).arg(path).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        let [wall_s, cpu_s, memory_mib] = numbers?[..] else {
            return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into());
        };
        costs.push(Cost { wall_s, cpu_s, memory_mib });
    }
    costs.sort_by(|one, two| one.cpu_s.total_cmp(&two.cpu_s));
    let cost = *costs.get(ROUNDS / 2).ok_or("no rounds")?;
    println!("| {what} | {:.3} | {:.3} | {:.0} |", cost.wall_s, cost.cpu_s, cost.memory_mib);
    Ok(cost)
}

/// The child: opens once, reads how long the log is, and says what that took.
fn opened(what: &str, path: &Path) -> Outcome<()> {
    let before = cpu_s()?;
    let began = Instant::now();
    // Kept until both clocks were read: closing is not part of it.
    let open: Box<dyn Any> = match what {
        "bare sled" => {
            // Cut as the store cut it: sled opens a folder with no other segment size.
            // A checksum stands before the text.
            let written = std::fs::read(path.join("conf"))?;
            let written = String::from_utf8_lossy(&written);
            let segment = written.lines().find_map(|line| line.split_once("segment_size: "));
            let config = sled::Config::default()
                .path(path)
                .cache_capacity(64 << 20)
                .segment_size(segment.ok_or("no segment size")?.1.parse()?)
                .flush_every_ms(Some(500));
            let db = config.open()?;
            db.get("m")?.ok_or("it is empty")?;
            Box::new(db)
        }
        "bare redb" | "bare redb, checked" => {
            let db = redb::Database::builder()
                .set_cache_size(64 << 20)
                .set_check_integrity_on_open(what != "bare redb")
                .open(path)?;
            let log = redb::TableDefinition::<u64, &[u8]>::new("log");
            db.begin_read()?.open_table(log)?.len()?;
            Box::new(db)
        }
        "sled store" => Box::new(read_once(SledStore::open(path)?)?),
        "redb store" => Box::new(read_once(RedbStore::open(path)?)?),
        _ => return Err(format!("there is nothing called `{what}`").into()),
    };
    let (wall_s, cpu) = (began.elapsed().as_secs_f64(), cpu_s()? - before);
    drop(open);
    println!("{wall_s} {cpu} {}", peak_mib()?);
    Ok(())
}

/// `store`, after the first look at its log.
fn read_once<S: Store>(store: S) -> Outcome<S> {
    store.log_len()?;
    Ok(store)
}

/// The processor time of this process, in seconds: user and system.
fn cpu_s() -> Outcome<f64> {
    /// The kernel counts in these for user programs, on every common system.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name, which may have blanks in it: the fields from the third on.
    let fields = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let ticks: Result<Vec<f64>, _> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.into_iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// The most memory that this process ever had, in MiB.
fn peak_mib() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1_024.0)
}
