use std::thread;
use std::time::Duration;

use placet_core::store::{Batch, CommitError, Store as _, StoreErrorKind};

use crate::proxy::{Cut, Proxy};
use crate::server::{Server, fresh, patient, server};
use crate::story::{Numbers, key, numbered, seed, times, write};

/// Waits until `sql` has this one answer.
fn until(server: &Server, sql: &str, due: &str) {
    let db = server.db();
    for _ in 0..12_000 {
        if db.rows(sql) == [due] {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{sql}: never {due}, but {:?}", db.rows(sql));
}

/// How often the log has this entry.
fn count(server: &Server, schema: &str, entry: &str) -> u64 {
    let text = format!("SELECT count(*) FROM {schema}.log WHERE entry = '{entry}'::bytea");
    server.db().rows(&text)[0].parse().unwrap()
}

/// A batch that can be applied only once: a second time would be a conflict.
fn once(caller: &str, number: u64) -> Batch {
    numbered(caller, number).expect_absent(key(&["n", caller, &number.to_string()]))
}

#[test]
fn every_answer_is_true_when_the_line_is_cut_at_the_commit() {
    let Some(server) = server() else { return };
    let proxy = Proxy::to(server.port());
    let schema = fresh("lost");
    let options = patient(&schema);
    let url = server.url_at(proxy.port());
    let store = placet_store_postgres::PostgresStore::open_with(&url, &options).unwrap();
    let mut numbers = Numbers(seed(0x5eed_10c0_dead_10c0));
    let cuts = times("PLACET_CUTS", 40);
    let mut arrived = 0;
    for cut in 0..cuts {
        let (after, how) = match numbers.below(4) {
            0 => (true, Cut::After),
            1 => (true, Cut::Panic),
            _ => (false, Cut::Before),
        };
        arrived += u64::from(after);
        proxy.arm(how);
        let callers = 1 + numbers.below(4);
        thread::scope(|scope| {
            for caller in 0..callers {
                let store = &store;
                scope.spawn(move || {
                    let answer = store.commit(once(&caller.to_string(), cut));
                    let index = answer.unwrap_or_else(|error| panic!("cut {cut}: {error:?}"));
                    let entry = store.log_read(index.log_index.unwrap(), 1).unwrap();
                    assert_eq!(entry, [format!("{caller} {cut}").into_bytes()], "cut {cut}");
                });
            }
        });
        // The answer names what is there now: a version that can be built on.
        let at = key(&["last", "0"]);
        let stored = store.get(&at).unwrap().unwrap();
        assert_eq!(stored.value, cut.to_be_bytes());
        for caller in 0..callers {
            let times = count(&server, &schema, &format!("{caller} {cut}"));
            assert_eq!(times, 1, "cut {cut}, COMMIT arrived: {after}");
        }
    }
    println!("{cuts} cuts, {arrived} of them behind a COMMIT that arrived");
    assert_eq!(proxy.cuts(), cuts);
    let (length, entries) = (store.log_len().unwrap(), store.log_read(0, usize::MAX).unwrap());
    assert_eq!(u64::try_from(entries.len()).unwrap(), length);
}

/// The transaction of a node that was cut off is still open on the server, holding the lock, and its
/// COMMIT is on the way.
#[test]
fn a_commit_that_arrives_late_is_waited_for_or_shut_out() {
    let Some(server) = server() else { return };
    let schema = fresh("late");
    // Its own writer, and not one of another test on this server.
    let waits = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND application_name = 'placet writer' AND position('\"{schema}\".head' in query) > 0"
    );
    // It arrives while the node asks what became of it.
    let proxy = Proxy::to(server.port());
    let url = server.url_at(proxy.port());
    // It holds the lock for as long as this test lets it.
    let options = patient(&schema).with_idle_in_transaction_timeout_ms(300_000);
    let store = placet_store_postgres::PostgresStore::open_with(&url, &options).unwrap();
    thread::scope(|scope| {
        let release = proxy.hold();
        let committed = scope.spawn(|| store.commit(once("a", 1)));
        until(&server, &waits, "t");
        release.send(()).unwrap();
        assert_eq!(committed.join().unwrap().unwrap().log_index, Some(0));
    });
    assert_eq!(count(&server, &schema, "a 1"), 1);
    drop(store);

    // It arrives after the server has ended the session, and the node has written it anew.
    let options = options.with_idle_in_transaction_timeout_ms(300);
    let store = placet_store_postgres::PostgresStore::open_with(&url, &options).unwrap();
    let other = server.open(&options);
    let release = proxy.hold();
    assert_eq!(store.commit(once("a", 2)).unwrap().log_index, Some(1));
    write(&other, "b", 1);
    release.send(()).unwrap();
    write(&store, "a", 3);
    assert_eq!(count(&server, &schema, "a 2"), 1);
    assert_eq!(other.log_len().unwrap(), 4);
}

#[test]
fn what_cannot_be_known_is_not_claimed() {
    let Some(server) = server() else { return };
    let proxy = Proxy::to(server.port());
    let schema = fresh("unknown");
    let options = patient(&schema).with_deadline_ms(300);
    let url = server.url_at(proxy.port());
    let store = placet_store_postgres::PostgresStore::open_with(&url, &options).unwrap();
    for (number, cut) in [(0, Cut::Before), (1, Cut::After), (2, Cut::Panic)] {
        proxy.arm(cut);
        proxy.refuse(true);
        let Err(CommitError::Store(error)) = store.commit(once("a", number)) else {
            panic!("it was answered")
        };
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("whether it was written is not known"), "{error}");
        assert!(error.help().unwrap().contains("read before"));
        // Here it is known: nothing was sent.
        let Err(CommitError::Store(error)) = store.commit(once("b", number)) else {
            panic!("it was answered")
        };
        assert!(error.to_string().contains("nothing was written"), "{error}");
        proxy.refuse(false);
        write(&store, "c", number);
        assert_eq!(count(&server, &schema, &format!("a {number}")), number.min(1));
        assert_eq!(count(&server, &schema, &format!("b {number}")), 0);
    }
}
