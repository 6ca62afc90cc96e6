//! The same random history on every store: each answer must be the same in all of them.
//!
//! To give a run back, or to make a longer one:
//! `PLACET_SEED=0x… PLACET_OPERATIONS=1000000 cargo test --release -p placet-store-redb --test main
//! the_same_history -- --nocapture`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use placet_core::store::{
    Batch, CommitError, Key, MemoryStore, Store, StoreError, StoreErrorKind, Stored, Version,
};
use placet_store_redb::RedbStore;
use placet_store_sled::SledStore;

use crate::server::{Server, server};
use crate::story::{Numbers, seed};

const OPERATIONS: usize = 10_000;

/// The stores that are compared. One more store is one more line.
fn stores(folder: &Path, server: Option<&Arc<Server>>) -> Vec<Subject> {
    let (sled, redb) = (folder.join("sled"), folder.join("redb"));
    let mut all = vec![
        Subject::in_memory("memory", MemoryStore::default()),
        Subject::durable("sled", move || SledStore::open(&sled).unwrap()),
        Subject::durable("redb", move || RedbStore::open(&redb).unwrap()),
    ];
    if let Some(server) = server.map(Arc::clone) {
        all.push(Subject::durable("PostgreSQL", move || server.store("same_history")));
    }
    all
}

#[test]
fn the_same_history_has_the_same_answers_in_every_store() {
    let folder = quick_folder();
    let operations =
        std::env::var("PLACET_OPERATIONS").map_or(OPERATIONS, |text| text.parse().unwrap());
    let seed = seed(0x5eed_d1ff_0000_0001);
    let server = server();
    let mut stores = stores(folder.path(), server.as_ref());
    let names: Vec<_> = stores.iter().map(|store| store.name).collect();
    match compare(&mut stores, seed, operations) {
        Ok(counts) => println!("{operations} operations on {names:?}, no difference: {counts:?}"),
        Err(difference) => {
            panic!("{difference}\nagain: PLACET_SEED={seed:#x} PLACET_OPERATIONS={operations}")
        }
    }
}

/// A folder in memory where there is one: what is asked here is what the answers are, not what survives.
fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// One store under comparison.
pub(crate) struct Subject {
    name: &'static str,
    store: Option<Box<dyn Store>>,
    /// Opens it again; what is not durable cannot.
    open: Option<Box<dyn Fn() -> Box<dyn Store>>>,
    /// For each batch that passed, in order, the version that this store gave it.
    versions: Vec<Version>,
    /// And back: which batch wrote a key with a version. Stores number as they like.
    writers: BTreeMap<(Key, Version), usize>,
}

impl Subject {
    pub(crate) fn in_memory(name: &'static str, store: impl Store + 'static) -> Self {
        let store: Option<Box<dyn Store>> = Some(Box::new(store));
        Self { name, store, open: None, versions: Vec::new(), writers: BTreeMap::new() }
    }

    pub(crate) fn durable<S: Store + 'static>(
        name: &'static str,
        open: impl Fn() -> S + 'static,
    ) -> Self {
        let store = open();
        let open: Box<dyn Fn() -> Box<dyn Store>> = Box::new(move || Box::new(open()));
        Self { open: Some(open), ..Self::in_memory(name, store) }
    }

    fn reopen(&mut self) {
        if let Some(open) = &self.open {
            drop(self.store.take());
            self.store = Some(open());
        }
    }

    /// Does `operation`, and says the answer in words that all stores share.
    fn answer(&mut self, operation: &Operation) -> Answer {
        let store = self.store.as_ref().unwrap();
        let answered = || match operation {
            Operation::Get(key) => {
                Ok(Answer::Value(store.get(key)?.map(|stored| self.told(key, stored))))
            }
            Operation::Scan { prefix, after, limit } => {
                let found = store.scan(prefix, after.as_ref(), *limit)?;
                let told = found.into_iter().map(|(key, stored)| {
                    let told = self.told(&key, stored);
                    (key, told)
                });
                Ok(Answer::Pairs(told.collect()))
            }
            Operation::LogLen => Ok(Answer::Length(store.log_len()?)),
            Operation::LogRead { from, limit } => {
                Ok(Answer::Entries(store.log_read(*from, *limit)?))
            }
            Operation::Commit { expected, writes, entry } => {
                let mut batch = Batch::default();
                for (key, writer) in expected {
                    batch = match writer {
                        Some(number) => batch.expect(key.clone(), self.versions[*number]),
                        None => batch.expect_absent(key.clone()),
                    };
                }
                batch.writes.clone_from(writes);
                batch.entry.clone_from(entry);
                match store.commit(batch) {
                    Ok(committed) => Ok(Answer::Committed(committed.version, committed.log_index)),
                    Err(CommitError::Conflict { key }) => Ok(Answer::Conflict(key)),
                    Err(CommitError::Store(error)) => Err(error),
                }
            }
        };
        let answer = answered().unwrap_or_else(|error: StoreError| Answer::Failed(error.kind()));
        if let (Answer::Committed(version, _), Operation::Commit { writes, .. }) =
            (&answer, operation)
        {
            let number = self.versions.len();
            self.versions.push(*version);
            let keys = writes.iter().map(|(key, _)| ((key.clone(), *version), number));
            self.writers.extend(keys);
        }
        answer
    }

    /// A value with the number of the batch that wrote it, in place of this store's version.
    fn told(&self, key: &Key, stored: Stored) -> Told {
        (self.writers.get(&(key.clone(), stored.version)).copied(), stored.value)
    }
}

/// One call. Expectations name the batch that wrote, by its number among those that passed.
#[derive(Clone, Debug)]
enum Operation {
    Get(Key),
    Scan {
        prefix: Key,
        after: Option<Key>,
        limit: usize,
    },
    LogLen,
    LogRead {
        from: u64,
        limit: usize,
    },
    Commit {
        expected: Vec<(Key, Option<usize>)>,
        writes: Vec<(Key, Option<Vec<u8>>)>,
        entry: Option<Vec<u8>>,
    },
}

impl Operation {
    /// All values, and all of the log.
    fn everything() -> [Self; 3] {
        let prefix = Key::from_bytes(Vec::new());
        [
            Self::Scan { prefix, after: None, limit: usize::MAX },
            Self::LogRead { from: 0, limit: usize::MAX },
            Self::LogLen,
        ]
    }
}

/// A value, and the number of the batch that wrote it: `None` for a version that nobody was given.
type Told = (Option<usize>, Vec<u8>);

/// What a store said.
#[derive(Debug)]
enum Answer {
    Value(Option<Told>),
    Pairs(Vec<(Key, Told)>),
    Length(u64),
    Entries(Vec<Vec<u8>>),
    /// The version is this store's own and not compared; what it is good for is.
    Committed(Version, Option<u64>),
    Conflict(Key),
    Failed(StoreErrorKind),
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(two)) => one == two,
            (Self::Pairs(one), Self::Pairs(two)) => one == two,
            (Self::Length(one), Self::Length(two)) => one == two,
            (Self::Entries(one), Self::Entries(two)) => one == two,
            (Self::Committed(_, one), Self::Committed(_, two)) => one == two,
            (Self::Conflict(one), Self::Conflict(two)) => one == two,
            (Self::Failed(one), Self::Failed(two)) => one == two,
            _ => false,
        }
    }
}

/// How much of what a history had.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    commits: u32,
    conflicts: u32,
    removals: u32,
    reopened: u32,
    pairs_read: usize,
    entries_read: usize,
}

/// Does `operations` random operations on all of `subjects`. `Err` says the first difference.
pub(crate) fn compare(
    subjects: &mut [Subject],
    seed: u64,
    operations: usize,
) -> Result<Counts, String> {
    let mut history = History::new(seed);
    let mut counts = Counts::default();
    for number in 0..operations {
        let operation = history.next();
        let answer = ask(subjects, &operation, number)?;
        count(&mut counts, &operation, &answer);
        history.learn(&operation, &answer);
        // Some times in between, and at the end.
        if history.numbers.below(2_000) == 0 || number + 1 == operations {
            for operation in Operation::everything() {
                ask(subjects, &operation, number)?;
            }
            for subject in &mut *subjects {
                subject.reopen();
            }
            for operation in Operation::everything() {
                ask(subjects, &operation, number)
                    .map_err(|difference| format!("opened again: {difference}"))?;
            }
            counts.reopened += 1;
        }
    }
    Ok(counts)
}

/// The answer of the first, when all others say the same.
fn ask(subjects: &mut [Subject], operation: &Operation, number: usize) -> Result<Answer, String> {
    let (reference, others) = subjects.split_first_mut().unwrap();
    let due = reference.answer(operation);
    for other in others {
        let answer = other.answer(operation);
        if answer != due {
            return Err(format!(
                "operation {number} {}:\n  {} says {}\n  {} says {}",
                short(operation),
                reference.name,
                short(&due),
                other.name,
                short(&answer),
            ));
        }
    }
    if let Answer::Failed(kind) = due {
        return Err(format!("operation {number} {}: all fail with {kind:?}", short(operation)));
    }
    Ok(due)
}

fn short(what: &impl core::fmt::Debug) -> String {
    let text = format!("{what:?}");
    let cut: String = text.chars().take(600).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn count(counts: &mut Counts, operation: &Operation, answer: &Answer) {
    match answer {
        Answer::Pairs(pairs) => counts.pairs_read += pairs.len(),
        Answer::Entries(entries) => counts.entries_read += entries.len(),
        Answer::Conflict(_) => counts.conflicts += 1,
        Answer::Committed(..) => counts.commits += 1,
        Answer::Value(_) | Answer::Length(_) | Answer::Failed(_) => {}
    }
    if let (Operation::Commit { writes, .. }, Answer::Committed(..)) = (operation, answer) {
        let removals = writes.iter().filter(|(_, value)| value.is_none()).count();
        counts.removals += u32::try_from(removals).unwrap();
    }
}

/// Where random operations come from. It knows what should be there, so that right and wrong
/// expectations both occur.
struct History {
    numbers: Numbers,
    /// For each key that was ever written the batches that did, and whether it is there now.
    keys: BTreeMap<Key, (Vec<usize>, bool)>,
    commits: usize,
    log_len: u64,
}

impl History {
    fn new(seed: u64) -> Self {
        Self { numbers: Numbers(seed), keys: BTreeMap::new(), commits: 0, log_len: 0 }
    }

    fn next(&mut self) -> Operation {
        match self.numbers.below(10) {
            0 | 1 => Operation::Get(self.key()),
            2 | 3 => {
                let prefix = self.prefix();
                let after = (self.numbers.below(2) == 0).then(|| self.key());
                Operation::Scan { prefix, after, limit: self.limit() }
            }
            4 => Operation::LogLen,
            5 => {
                let from = self.numbers.below(self.log_len + 3);
                // The whole log is read now and then, else the run is nothing but that.
                let limit = if self.numbers.below(20) == 0 { usize::MAX } else { self.limit() };
                Operation::LogRead { from, limit: limit.min(1_000) }
            }
            _ => self.commit(),
        }
    }

    fn commit(&mut self) -> Operation {
        // A key occurs at most once in a batch.
        let mut writes = BTreeMap::new();
        for _ in 0..self.numbers.below(4) {
            let value = (self.numbers.below(4) != 0).then(|| self.value());
            writes.insert(self.key(), value);
        }
        let mut expected: Vec<_> = writes.keys().cloned().collect();
        expected.retain(|_| self.numbers.below(2) == 0);
        if self.numbers.below(8) == 0 {
            expected.push(self.key());
        }
        let expected =
            expected.into_iter().map(|key| (key.clone(), self.expectation(&key))).collect();
        let entry = (self.numbers.below(2) == 0).then(|| self.value());
        Operation::Commit { expected, writes: writes.into_iter().collect(), entry }
    }

    /// What to expect of `key`: mostly what is so.
    fn expectation(&mut self, key: &Key) -> Option<usize> {
        let (writers, is_there) = self.keys.get(key).cloned().unwrap_or_default();
        let now = writers.last().copied().filter(|_| is_there);
        match self.numbers.below(10) {
            // An older version of the same key, also one from before it was removed.
            0 | 1 if !writers.is_empty() => Some(writers[self.numbers.index(writers.len())]),
            // The version of something else.
            2 if self.commits > 0 => Some(self.numbers.index(self.commits)),
            3 => None,
            _ => now,
        }
    }

    /// Takes over what a commit did.
    fn learn(&mut self, operation: &Operation, answer: &Answer) {
        let (Operation::Commit { writes, .. }, Answer::Committed(_, log_index)) =
            (operation, answer)
        else {
            return;
        };
        for (key, value) in writes {
            let (writers, is_there) = self.keys.entry(key.clone()).or_default();
            writers.push(self.commits);
            *is_there = value.is_some();
        }
        self.commits += 1;
        self.log_len = log_index.map_or(self.log_len, |index| index + 1);
    }

    /// A key: often one that was used before, else bytes from the ends of their range.
    fn key(&mut self) -> Key {
        if !self.keys.is_empty() && self.numbers.below(5) != 0 {
            let at = self.numbers.index(self.keys.len());
            return self.keys.keys().nth(at).unwrap().clone();
        }
        let length = if self.numbers.below(40) == 0 { 1_000 } else { self.numbers.below(6) };
        let alphabet = [0x00, 0x01, b'a', 0xfe, 0xff];
        let bytes = (0..length).map(|_| alphabet[self.numbers.index(alphabet.len())]);
        Key::from_bytes(bytes.collect())
    }

    /// The first bytes of a key, from none to all.
    fn prefix(&mut self) -> Key {
        let key = self.key();
        let bytes = key.as_bytes();
        let length = self.numbers.index(bytes.len().min(5) + 1);
        Key::from_bytes(bytes[..length].to_vec())
    }

    fn limit(&mut self) -> usize {
        match self.numbers.below(8) {
            0 => 0,
            1 => 1,
            2 => usize::MAX,
            _ => self.numbers.index(20) + 1,
        }
    }

    /// Empty, short, as long as a chunk of some store, or long; made of few different bytes or of many.
    fn value(&mut self) -> Vec<u8> {
        let length = match self.numbers.below(40) {
            0..=3 => 0,
            4 => 8_190 + self.numbers.below(5),
            5 => 65_534 + self.numbers.below(5),
            6 => 20_000 + self.numbers.below(2_000),
            _ => self.numbers.below(300),
        };
        let (first, step) = (self.numbers.below(256), self.numbers.below(3));
        let bytes = (0..length).map(|at| u8::try_from((first + at * step) % 256).unwrap());
        bytes.collect()
    }
}
