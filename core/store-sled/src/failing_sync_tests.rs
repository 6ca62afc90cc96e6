//! What happens when the disk says no, when the writer panics, and what shares a sync.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use placet_core::store::{
    Batch, CommitError, Committed, Key, Store as _, StoreError, StoreErrorKind, Version,
};

use crate::folder::{self, Folder};
use crate::sync::{Fdatasync, Syncer};
use crate::view::View;
use crate::writer::{Job, Writer};
use crate::{Durability, Options, SledStore};

/// Fails one sync, and counts all.
#[derive(Debug)]
struct FailsOnce {
    fails_at: u64,
    calls: Arc<AtomicU64>,
}

impl Syncer for FailsOnce {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.fails_at {
            return Err(io::Error::other("the disk said no"));
        }
        Fdatasync.sync(file)
    }
}

fn key() -> Key {
    Key::from_segments(&["a"])
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

fn kind_of_commit(store: &SledStore, value: u8) -> Option<StoreErrorKind> {
    match store.commit(Batch::default().put(key(), vec![value]).append(vec![value])) {
        Err(CommitError::Store(error)) => Some(error.kind()),
        Ok(_) | Err(CommitError::Conflict { .. }) => None,
    }
}

#[test]
fn a_failed_sync_poisons_for_good_and_is_not_repeated() {
    // Opening syncs data and head, each commit does again.
    for fails_at in 2..8 {
        let folder = tempfile::tempdir().unwrap();
        let calls = Arc::<AtomicU64>::default();
        let syncer = Box::new(FailsOnce { fails_at, calls: Arc::clone(&calls) });
        let store = SledStore::open_syncing(folder.path(), &Options::default(), syncer).unwrap();
        let commits: u8 = ((fails_at - 2) / 2).try_into().unwrap();
        for value in 0..commits {
            assert_eq!(kind_of_commit(&store, value), None);
        }
        let poisoned = Some(StoreErrorKind::Poisoned);
        for value in 0..3 {
            assert_eq!(kind_of_commit(&store, 100 + value), poisoned, "sync {fails_at}");
            assert_eq!(kind(store.get(&key())), poisoned);
            assert_eq!(kind(store.scan(&key(), None, 1)), poisoned);
            assert_eq!(kind(store.log_len()), poisoned);
            assert_eq!(kind(store.log_read(0, 1)), poisoned);
        }
        let text = store.get(&key()).unwrap_err().to_string();
        assert!(text.contains("the disk said no"), "{text}");
        assert_eq!(
            calls.load(Ordering::SeqCst),
            fails_at + 1,
            "nothing is synced after the failure"
        );
        drop(store);
        assert_eq!(calls.load(Ordering::SeqCst), fails_at + 1, "nor by dropping");

        // Opened again: what was acknowledged is there; what failed is there whole or not at all.
        let store = SledStore::open(folder.path()).unwrap();
        let length = store.log_len().unwrap();
        assert!(length == u64::from(commits) || length == u64::from(commits) + 1, "{length}");
        let last = store.log_read(length.saturating_sub(1), 1).unwrap().pop();
        assert_eq!(store.get(&key()).unwrap().map(|stored| stored.value), last);
    }
}

#[test]
fn a_failed_sync_at_the_opening_fails_the_opening() {
    let folder = tempfile::tempdir().unwrap();
    for fails_at in 0..2 {
        let syncer = Box::new(FailsOnce { fails_at, calls: Arc::default() });
        let opened = SledStore::open_syncing(folder.path(), &Options::default(), syncer);
        assert_eq!(kind(opened), Some(StoreErrorKind::Unavailable));
    }
    assert_eq!(SledStore::open(folder.path()).unwrap().log_len().unwrap(), 0);
}

/// Stops inside the sync until the test lets it go.
#[derive(Debug)]
struct Gated {
    entered: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
    after: u64,
}

impl Syncer for Gated {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        if self.after == 0 {
            self.entered.send(()).map_err(io::Error::other)?;
            self.go.recv().map_err(io::Error::other)?;
        }
        self.after = self.after.saturating_sub(1);
        Fdatasync.sync(file)
    }
}

#[test]
fn nothing_is_read_before_it_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (entered, entering) = mpsc::channel();
    let (go, gate) = mpsc::channel();
    // Opening takes two syncs, and the first commit two.
    let syncer = Box::new(Gated { entered, go: gate, after: 4 });
    let store = SledStore::open_syncing(folder.path(), &Options::default(), syncer).unwrap();
    let other = Key::from_segments(&["b"]);
    let long = |fill| vec![fill; 50_000];
    store.commit(Batch::default().put(key(), long(1)).append(vec![1])).unwrap();
    let seen = || {
        let pairs = store.scan(&Key::from_bytes(Vec::new()), None, 9).unwrap();
        let pairs: Vec<_> = pairs.into_iter().map(|(key, stored)| (key, stored.value)).collect();
        assert_eq!(store.get(&key()).unwrap().map(|stored| stored.value), Some(pairs[0].1.clone()));
        assert_eq!(store.get(&other).unwrap().is_some(), pairs.len() == 2);
        assert_eq!(
            store.log_len().unwrap(),
            u64::try_from(store.log_read(0, 9).unwrap().len()).unwrap()
        );
        (pairs, store.log_len().unwrap())
    };
    let before = (vec![(key(), long(1))], 1);
    assert_eq!(seen(), before);
    std::thread::scope(|scope| {
        // Moved in: when this fails, the writer is let go instead of waiting for ever.
        let go = go;
        let batch =
            Batch::default().put(key(), long(2)).put(other.clone(), long(3)).append(vec![2]);
        let writing = scope.spawn(|| store.commit(batch).unwrap());
        for _ in ["data", "head"] {
            entering.recv().unwrap();
            assert_eq!(seen(), before, "applied, not synced");
            go.send(()).unwrap();
        }
        writing.join().unwrap();
    });
    assert_eq!(seen(), (vec![(key(), long(2)), (other.clone(), long(3))], 2));
}

/// Panics in one sync.
#[derive(Debug)]
struct PanicsOnce {
    panics_at: u64,
    calls: u64,
}

impl Syncer for PanicsOnce {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        assert!(self.calls != self.panics_at, "injected");
        self.calls = self.calls.saturating_add(1);
        Fdatasync.sync(file)
    }
}

#[test]
fn a_panic_of_the_writer_poisons() {
    // Opening takes two syncs; then the panic hits the data, the head, and the data of the next commit.
    for panics_at in 2..5 {
        let folder = tempfile::tempdir().unwrap();
        let syncer = Box::new(PanicsOnce { panics_at, calls: 0 });
        let store = SledStore::open_syncing(folder.path(), &Options::default(), syncer).unwrap();
        for value in 0..u8::try_from((panics_at - 2) / 2).unwrap() {
            assert_eq!(kind_of_commit(&store, value), None);
        }
        let poisoned = Some(StoreErrorKind::Poisoned);
        assert_eq!(kind_of_commit(&store, 100), poisoned);
        // At once, not when the thread has ended: the caller has heard that it failed.
        assert_eq!(kind(store.get(&key())), poisoned);
        assert_eq!(kind(store.scan(&key(), None, 1)), poisoned);
        assert_eq!(kind(store.log_len()), poisoned);
        assert_eq!(kind(store.log_read(0, 1)), poisoned);
        assert_eq!(kind_of_commit(&store, 101), poisoned);
        let text = store.get(&key()).unwrap_err().to_string();
        assert!(text.contains("the writer panicked"), "{text}");
        drop(store);
        SledStore::open(folder.path()).unwrap();
    }
}

/// Queues `batches`, lets a writer find them all at once, and says what it answered and how often it
/// synced.
fn answered_together(batches: Vec<Batch>) -> (Vec<Result<Committed, CommitError>>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let Folder { db, blobs, disk, position, sections, lock: _lock } =
        folder::open(folder.path(), &Options::default(), Box::new(Fdatasync)).unwrap();
    let syncs = disk.syncs();
    let opened = syncs.load(Ordering::SeqCst);
    let writer = Writer {
        view: Arc::new(View::new(db, sections.unchecked(), blobs)),
        disk,
        now: position,
        sections,
        durability: Durability::Full,
        health: Arc::default(),
        anchor: position,
        unsettled_bytes: 0,
        dropped: BTreeSet::new(),
    };
    let (jobs, waiting) = mpsc::sync_channel(batches.len());
    let callers: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let (answer, answered) = mpsc::sync_channel(1);
            jobs.send(Job { batch, answer }).unwrap();
            answered
        })
        .collect();
    drop(jobs);
    writer.run(&waiting);
    let answers = callers.into_iter().map(|caller| caller.recv().unwrap()).collect();
    (answers, syncs.load(Ordering::SeqCst).saturating_sub(opened))
}

#[test]
fn what_waits_shares_one_sync_up_to_a_bound() {
    let appends =
        |count: u16| (0..count).map(|n| Batch::default().append(vec![0; usize::from(n % 7)]));
    for (count, due) in [(1, 1), (2, 1), (64, 1), (1_024, 1), (1_025, 2)] {
        let (answers, syncs) = answered_together(appends(count).collect());
        assert_eq!(syncs, due, "{count} batches");
        for (answer, index) in answers.into_iter().zip(0..) {
            assert_eq!(answer.unwrap().log_index, Some(index));
        }
    }
    // By weight: a group is closed by the batch that fills it.
    let long = vec![Batch::default().append(vec![0; 5 << 20]); 4];
    assert_eq!(answered_together(long).1, 2);
}

#[test]
fn a_group_of_conflicts_needs_no_sync() {
    let lost = vec![Batch::default().expect(key(), Version::new(7)).put(key(), vec![1]); 9];
    let (answers, syncs) = answered_together(lost);
    assert!(answers.iter().all(|answer| matches!(answer, Err(CommitError::Conflict { .. }))));
    assert_eq!(syncs, 0);
}

#[test]
fn batches_that_wait_share_one_sync_and_lose_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (entered, entering) = mpsc::channel();
    let (go, gate) = mpsc::channel();
    let syncer = Box::new(Gated { entered, go: gate, after: 2 });
    let store = SledStore::open_syncing(folder.path(), &Options::default(), syncer).unwrap();
    let opened = store.sync_count();
    let ended = std::thread::scope(|scope| {
        // Moved in: when this fails, the writer is let go instead of waiting for ever.
        let go = go;
        let first = scope.spawn(|| store.commit(Batch::default().append(vec![0])).is_ok());
        entering.recv().unwrap();
        // The writer is busy: these ten can only wait, and all want the same place.
        let racers: Vec<_> = (0..10_u8)
            .map(|racer| {
                let batch = Batch::default()
                    .expect_absent(key())
                    .put(key(), vec![racer])
                    .append(vec![racer]);
                let store = &store;
                scope.spawn(move || store.commit(batch).is_ok())
            })
            .collect();
        // Each sync is let through as it comes, until nobody waits.
        go.send(()).unwrap();
        let mut ended = vec![first];
        ended.extend(racers);
        while !ended.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            if entering.try_recv().is_ok() {
                go.send(()).unwrap();
            }
            std::thread::yield_now();
        }
        ended.into_iter().map(|caller| caller.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(ended, 2, "the first, and one of ten");
    assert_eq!(store.log_len().unwrap(), 2);
    assert_eq!(store.sync_count() - opened, 2, "a group of conflicts needs no sync");
}
