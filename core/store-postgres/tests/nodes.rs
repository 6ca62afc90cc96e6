use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use placet_core::store::{Batch, CommitError, Store, StoreErrorKind};
use placet_store_postgres::PostgresStore;

use crate::server::{fresh, patient, server};
use crate::story::{key, write};

/// Adds one to the number at `counter`, until nobody comes between.
fn increment(store: &dyn Store) {
    let at = key(&["counter"]);
    loop {
        let stored = store.get(&at).unwrap();
        let batch = match &stored {
            Some(stored) => Batch::default().expect(at.clone(), stored.version),
            None => Batch::default().expect_absent(at.clone()),
        };
        let count = number(store) + 1;
        let count = stored.map_or(1, |_| count);
        match store.commit(batch.put(at.clone(), count.to_be_bytes().to_vec())) {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Store(error)) => panic!("{error:?}"),
        }
    }
}

fn number(store: &dyn Store) -> u64 {
    let stored = store.get(&key(&["counter"])).unwrap();
    stored.map_or(0, |stored| u64::from_be_bytes(stored.value.try_into().unwrap()))
}

#[test]
fn two_nodes_race_on_one_key_and_each_increment_counts_once() {
    let Some(server) = server() else { return };
    let schema = fresh("race");
    let nodes = [server.store(&schema), server.store(&schema)];
    thread::scope(|scope| {
        for node in nodes.iter().chain(&nodes) {
            scope.spawn(|| (0..25).for_each(|_| increment(node)));
        }
    });
    assert_eq!(number(&nodes[0]), 100);
    assert_eq!(number(&nodes[1]), 100);
}

#[test]
fn four_nodes_open_together_and_write_one_log_without_gap_or_fork() {
    let Some(server) = server() else { return };
    let schema = fresh("four");
    let start = Barrier::new(4);
    let caller = |store: &PostgresStore, name: u64, caller: u64| {
        let write = |round: u64| {
            let text = format!("{name} {caller} {round}").into_bytes();
            let written = store.commit(Batch::default().append(text.clone())).unwrap();
            (written.log_index.unwrap(), written.version.get(), text)
        };
        (0..25).map(write).collect::<Vec<_>>()
    };
    let node = |name: u64| {
        start.wait();
        let store = server.store(&schema);
        thread::scope(|scope| {
            let store = &store;
            let callers: Vec<_> =
                (0..4).map(|number| scope.spawn(move || caller(store, name, number))).collect();
            callers.into_iter().flat_map(|it| it.join().unwrap()).collect::<Vec<_>>()
        })
    };
    let answers: Vec<(u64, u64, Vec<u8>)> = thread::scope(|scope| {
        let node = &node;
        let nodes: Vec<_> = (0..4).map(|name| scope.spawn(move || node(name))).collect();
        nodes.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    let mut by_index = answers.clone();
    by_index.sort();
    assert!(by_index.iter().map(|(index, _, _)| *index).eq(0..400), "each index once");
    let store = server.store(&schema);
    let texts: Vec<Vec<u8>> = by_index.iter().map(|(_, _, text)| text.clone()).collect();
    assert_eq!(store.log_read(0, usize::MAX).unwrap(), texts);
    let versions: BTreeSet<u64> = answers.iter().map(|(_, version, _)| *version).collect();
    assert_eq!(versions.len(), 400, "each commit has a version of its own");
    assert!(by_index.windows(2).all(|two| two[0].1 < two[1].1), "in the order of the log");
}

/// How long somebody waits who hears nothing, in milliseconds: longer than any news takes.
const WAIT_MS: u64 = 300_000;

fn hears(writer: &PostgresStore, waiting: &PostgresStore) {
    let before = waiting.log_len().unwrap();
    assert_eq!(waiting.wait_for_log(before, 0).unwrap(), before, "nothing came");
    for round in 0..20 {
        let (ready, is_ready) = channel();
        let begun = Instant::now();
        thread::scope(|scope| {
            let heard = scope.spawn(move || {
                ready.send(()).unwrap();
                waiting.wait_for_log(before + round, WAIT_MS).unwrap()
            });
            is_ready.recv().unwrap();
            write(writer, "a", before + round);
            assert_eq!(heard.join().unwrap(), before + round + 1);
        });
        assert!(
            begun.elapsed() < Duration::from_millis(WAIT_MS),
            "only the deadline ended the wait"
        );
    }
}

#[test]
fn a_commit_wakes_a_node_that_waits() {
    let Some(server) = server() else { return };
    let schema = fresh("hears");
    let (writer, waiting) = (server.store(&schema), server.store(&schema));
    hears(&writer, &waiting);
    hears(&writer, &writer);

    // The connection that listens is cut: what comes meanwhile is not missed.
    let db = server.db();
    let listeners = "FROM pg_stat_activity WHERE application_name = 'placet listener'";
    db.run(&format!("SELECT pg_terminate_backend(pid) {listeners}"));
    hears(&writer, &waiting);

    let options = patient(&schema).with_notifies(false);
    let (writer, waiting) = (server.open(&options), server.open(&options));
    hears(&writer, &waiting);
}

#[test]
fn a_later_opening_takes_a_nodes_name_over() {
    let Some(server) = server() else { return };
    let options = patient(&fresh("name")).with_node("blue");
    let first = server.open(&options);
    write(&first, "a", 0);
    let second = server.open(&options);
    // Read it may, commit it may not: neither now nor later, nor after the second one wrote or closed.
    let mut written = 1;
    for _ in 0..3 {
        let late = first.commit(Batch::default().put(key(&["late"]), vec![1]).append(vec![1]));
        let Err(CommitError::Store(error)) = late else { panic!("{late:?}") };
        assert_eq!(error.kind(), StoreErrorKind::Locked);
        assert!(error.to_string().contains("`blue`"), "{error}");
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert!(error.help().is_some());
        assert_eq!(first.log_len().unwrap(), written);
        assert_eq!(first.get(&key(&["late"])).unwrap(), None);
        write(&second, "a", written);
        written += 1;
    }
    drop(second);
    assert!(first.commit(Batch::default().append(vec![1])).is_err());
    // Nodes without a name do not disturb each other.
    let mut options = options;
    options.node = None;
    let (third, fourth) = (server.open(&options), server.open(&options));
    write(&third, "a", written);
    write(&fourth, "a", written + 1);
    write(&third, "a", written + 2);
}

#[test]
fn a_node_whose_row_was_tidied_away_goes_on() {
    let Some(server) = server() else { return };
    let schema = fresh("tidied");
    let store = server.store(&schema);
    write(&store, "a", 0);
    server.db().run(&format!("DELETE FROM {schema}.writers"));
    write(&store, "a", 1);
    assert_eq!(store.log_len().unwrap(), 2);
    let old = format!("UPDATE {schema}.writers SET at = at - interval '31 days'");
    server.db().run(&old);
    let other = server.store(&schema);
    write(&store, "a", 2);
    write(&other, "a", 3);
    assert_eq!(server.db().rows(&format!("SELECT count(*) FROM {schema}.writers")), ["2"]);
}
