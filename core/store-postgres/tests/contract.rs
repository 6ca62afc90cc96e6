use std::sync::Barrier;
use std::thread;

use placet_core::clock::{Clock as _, Timestamp};
use placet_core::store::{Batch, CommitError, Key, Store as _};
use placet_core::testing::conformance;
use placet_store_postgres::KEY_BYTES_MAX;

use crate::server::{fresh, patient, server};
use crate::story::{key, write};

#[test]
fn conforms() {
    let Some(server) = server() else { return };
    conformance::check(|| server.store(&fresh("conforms")));
    let again = fresh("again");
    conformance::check_reopen(|| server.store(&again));
}

#[test]
fn conforms_with_small_groups_and_without_notifications() {
    let Some(server) = server() else { return };
    let options =
        patient("small").with_group_max(2, 1).with_notifies(false).with_read_connections(1);
    conformance::check(|| server.open(&options.clone().with_schema(fresh("small"))));
}

#[test]
fn many_callers_share_transactions() {
    let Some(server) = server() else { return };
    let store = server.store(&fresh("group"));
    let (callers, rounds) = (64_u32, 10_u64);
    // Whoever comes while a transaction is under way waits for the next one. A busy machine may let the callers
    // come one by one, but not again and again.
    let shared = (1..=20).find(|turn| {
        let start = Barrier::new(64);
        thread::scope(|scope| {
            for caller in 0..callers {
                let (store, start) = (&store, &start);
                scope.spawn(move || {
                    start.wait();
                    for round in (turn - 1) * rounds..turn * rounds {
                        write(store, &caller.to_string(), round);
                    }
                });
            }
        });
        let (commits, transactions) =
            (u64::from(callers) * rounds * turn, store.transaction_count());
        println!("{commits} commits, {transactions} transactions");
        assert_eq!(store.log_len().unwrap(), commits);
        assert!(transactions <= commits, "{transactions} transactions for {commits} commits");
        assert!(
            transactions >= rounds * turn,
            "each caller waits for its answer before it goes on"
        );
        transactions < commits
    });
    assert!(shared.is_some(), "each commit had a transaction of its own");
}

/// Counted by the server, too.
#[test]
fn one_caller_takes_one_transaction_for_each_commit_and_none_for_a_conflict() {
    let Some(server) = server() else { return };
    let schema = fresh("single");
    let store = server.store(&schema);
    let updates = || {
        let text = format!("SELECT xmin FROM {schema}.head");
        server.db().rows(&text)[0].parse::<u64>().unwrap()
    };
    for number in 0..20 {
        let before = updates();
        write(&store, "a", number);
        assert_ne!(updates(), before);
    }
    assert_eq!(store.transaction_count(), 20);
    let before = updates();
    let late = Batch::default().expect_absent(key(&["last", "a"])).append(b"late".to_vec());
    assert!(matches!(store.commit(late), Err(CommitError::Conflict { .. })));
    assert_eq!((store.transaction_count(), updates()), (20, before), "nothing was written");
}

#[test]
fn refuses_a_key_that_is_too_long_and_applies_nothing() {
    let Some(server) = server() else { return };
    let store = server.store(&fresh("long"));
    let long = |length| {
        Key::from_bytes((0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect())
    };
    let too_long = long(KEY_BYTES_MAX + 1);
    let batch =
        Batch::default().put(key(&["a"]), vec![1]).put(too_long.clone(), vec![1]).append(vec![1]);
    let Err(CommitError::Store(error)) = store.commit(batch) else { panic!("it was taken") };
    assert!(error.help().unwrap().contains("1024"));
    assert_eq!((store.get(&key(&["a"])).unwrap(), store.log_len().unwrap()), (None, 0));
    assert_eq!(store.get(&too_long).unwrap(), None);
    store.commit(Batch::default().put(long(KEY_BYTES_MAX), vec![1])).unwrap();
}

/// A host may call from inside its own runtime, even one that has a single thread.
#[test]
fn can_be_used_inside_a_runtime() {
    let Some(server) = server() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let schema = fresh("inside");
    runtime.block_on(async {
        let store = server.store(&schema);
        write(&store, "a", 1);
        assert_eq!(store.wait_for_log(0, 0).unwrap(), 1);
        assert_eq!(store.scan(&key(&["n"]), None, 9).unwrap().len(), 1);
        assert!(store.clock().now() > Timestamp::MIN);
        drop(store);
    });
}

#[test]
fn the_clock_is_the_databases_and_goes_forward() {
    let Some(server) = server() else { return };
    let options = patient(&fresh("clock")).with_clock_interval_ms(1);
    let (store, db) = (server.open(&options), server.db());
    let micros = || {
        let text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        db.rows(text)[0].parse::<i64>().unwrap()
    };
    let clock = store.clock();
    let (mut last, mut steady) = (Timestamp::MIN, 0);
    for _ in 0..200 {
        let before = micros();
        let now = clock.now();
        let after = micros();
        // Half a reading may be wrong by at most a quarter of a second, and half of the first one by as much as a
        // busy machine made it last.
        let (early, late) = (before - now.as_micros(), now.as_micros() - after);
        assert!(early < 10_000_000 && late < 10_000_000, "{early} {late}");
        assert!(now >= last && clock.steady_ms() >= steady);
        (last, steady) = (now, clock.steady_ms());
    }
    drop(store);
    assert!(clock.now() >= last, "it goes on after the store");
}
