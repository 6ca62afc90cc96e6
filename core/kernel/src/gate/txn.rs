//! The one commit path: what a verb read, what it writes, and the leaf that goes with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Gate;
use super::authority::policies::policy_sets;
use crate::audit::{Decision, Leaf, RecordChange};
use crate::authz::{Action, Authorizer, Scope};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{RequestId, UserId};
use crate::org::book::Epoch;
use crate::org::{GlobalRoleGrant, User};
use crate::store::erasable::{self, Erased};
use crate::store::records::{self, Record};
use crate::store::{Batch, CommitError, Key, Stored, Version};
use crate::workflow::ActionCode;

/// One try at a verb. Everything that it reads is expected to be unchanged when it commits.
#[derive(Debug)]
pub(crate) struct Txn<'g> {
    pub(super) gate: &'g Gate,
    pub(super) now: Timestamp,
    // The policy engine, where it is not the one that was adopted.
    pub(super) judge: Option<Arc<dyn Authorizer>>,
    sight: Sight,
    rests_on_memory: bool,
    // Whether anything was decided.
    pub(super) has_judged: bool,
    pub(super) read: BTreeMap<Key, Option<Stored>>,
    pub(super) writes: BTreeMap<Key, Option<Vec<u8>>>,
    pub(super) names: BTreeMap<Key, String>,
    pub(super) decisions: Vec<Decision>,
    pub(super) asked: Option<(UserId, Action, Scope)>,
    pub(super) about: Option<RequestId>,
    // The digest of what policies were told of a plan.
    pub(super) told: Option<Digest>,
    // What the host lets a plugin reach, where this is the first that is recorded of it.
    pub(super) first_grant: Option<String>,
    // What the workflow calls the way that was taken, until the step of it is noted.
    pub(super) taken: Option<ActionCode>,
}

/// Where a try may take rows from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sight {
    /// From the gate's memory: only its commit, which expects each row unchanged, makes the try true.
    Remembered,
    /// From the store, at that moment.
    Fresh,
}

/// Kinds of records that no leaf names: they can be made again from records that leaves do name, or only pace
/// the work, as a lease does. How each is checked stands in the table of `audit::deep`.
pub(crate) const DERIVED: &[&str] = &[
    "unique",
    "used",
    "live",
    "turn",
    "due",
    "request_of",
    "denial",
    // The hashes of the log: see `hashes.rs`.
    "tile",
    // The index of the log: see `log/index.rs`.
    "log_index",
    "log_span",
    "log_word",
    "log_posting",
];

impl<'g> Txn<'g> {
    pub(super) fn new(gate: &'g Gate, sight: Sight) -> Self {
        Self {
            gate,
            now: gate.now(),
            judge: None,
            sight,
            rests_on_memory: false,
            has_judged: false,
            read: BTreeMap::new(),
            writes: BTreeMap::new(),
            names: BTreeMap::new(),
            decisions: Vec::new(),
            asked: None,
            about: None,
            told: None,
            first_grant: None,
            taken: None,
        }
    }

    /// Reads the record of kind `R` at `path`, and expects it unchanged from now on.
    pub(super) fn get<R: Record>(&mut self, path: &[&str]) -> Result<Option<R>, Error> {
        let key = records::key_of::<R>(path);
        if let Some(written) = self.writes.get(&key) {
            return written.as_ref().map(|bytes| records::decode(&key, bytes)).transpose();
        }
        self.fetch(vec![key.clone()])?;
        let stored = self.read.get(&key).and_then(Option::as_ref);
        stored.map(|stored| records::decode(&key, &stored.value)).transpose()
    }

    /// Reads several records at once that are sure to be asked for: one trip, where reads travel. Each is read
    /// once in a try: a verb sees one world, also where it looks twice.
    pub(super) fn fetch(&mut self, mut keys: Vec<Key>) -> Result<(), Error> {
        keys.retain(|key| !self.read.contains_key(key) && !self.writes.contains_key(key));
        let emptied = self.gate.memory().emptied();
        if self.sight == Sight::Remembered {
            let mut memory = self.gate.memory();
            let asked = keys.len();
            keys.retain(|key| !memory.recall(key, &mut self.read));
            self.rests_on_memory |= keys.len() < asked;
        }
        if keys.is_empty() {
            return Ok(());
        }
        let found = match keys.as_slice() {
            [key] => vec![self.gate.parts.store.get(key)?],
            _ => self.gate.parts.store.get_many(&keys)?,
        };
        let mut memory = self.gate.memory();
        for (key, seen) in keys.into_iter().zip(found) {
            memory.note(key.clone(), seen.clone(), emptied);
            self.read.insert(key, seen);
        }
        Ok(())
    }

    /// The version at which the record of kind `R` at `path` was read in this try.
    pub(super) fn version_of<R: Record>(&self, path: &[&str]) -> Option<Version> {
        self.read.get(&records::key_of::<R>(path))?.as_ref().map(|stored| stored.version)
    }

    /// Writes `record`. What was there before is read first, so that the leaf can name its digest.
    pub(super) fn put<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        let bytes = records::encode(record, self.gate.salts()?)?;
        self.write(record, Some(bytes))
    }

    /// Writes `record` where surely none is yet, as under a new id. It is not looked for: the commit expects that
    /// there is none.
    pub(super) fn add<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        if self.sight == Sight::Remembered {
            self.read.entry(records::key_for(record)).or_insert(None);
            self.rests_on_memory = true;
        }
        self.put(record)
    }

    /// Erases the texts of the record of kind `R` at `path`, and answers their commitments. Its digest stays.
    pub(super) fn erase_texts<R: Record>(&mut self, path: &[&str]) -> Result<Vec<Digest>, Error> {
        let key = records::key_of::<R>(path);
        self.fetch(vec![key.clone()])?;
        let stored = self.read.get(&key).and_then(Option::as_ref);
        let found = stored.map(|stored| erasable::without_texts(&stored.value)).transpose()?;
        let Some(Erased { bytes, commitments }) = found.flatten() else { return Ok(Vec::new()) };
        self.names.insert(key.clone(), [&[R::KIND], path].concat().join("/"));
        self.writes.insert(key, Some(bytes));
        Ok(commitments)
    }

    /// Removes `record`.
    pub(super) fn remove<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        self.write(record, None)
    }

    fn write<R: Record>(&mut self, record: &R, bytes: Option<Vec<u8>>) -> Result<(), Error> {
        let path = record.path();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let key = records::key_of::<R>(&path);
        if !self.read.contains_key(&key) {
            self.get::<R>(&path)?;
        }
        if !DERIVED.contains(&R::KIND) {
            self.names.insert(key.clone(), records::name_for(record));
        }
        self.writes.insert(key, bytes);
        Ok(())
    }

    /// Writes a derived record over whatever stands there, also over what cannot be read.
    pub(super) fn overwrite<R: Record>(&mut self, record: &R) -> Result<(), Error> {
        self.fetch(vec![records::key_for(record)])?;
        self.put(record)
    }

    /// Removes derived records, whatever they hold.
    pub(super) fn discard(&mut self, keys: &[Key]) -> Result<(), Error> {
        let derived =
            |key: &Key| DERIVED.iter().any(|kind| key.starts_with(&Key::from_segments(&[kind])));
        if !keys.iter().all(derived) {
            return Err(Error::new(Code::Internal, "only derived records go without a leaf"));
        }
        self.fetch(keys.to_vec())?;
        self.writes.extend(keys.iter().map(|key| (key.clone(), None)));
        Ok(())
    }

    /// Commits everything with its leaf, or nothing. Answers whether it did: a lost race did not.
    pub(super) fn commit(self, leaf: Option<Leaf>) -> Result<bool, Error> {
        let Self { gate, read, writes, names, decisions, .. } = self;
        let changed: Vec<String> = names.values().cloned().collect();
        let has_erased = leaf.as_ref().is_some_and(|leaf| !leaf.erased.is_empty());
        let entry = match leaf {
            None if !names.is_empty() => {
                return Err(Error::new(Code::Internal, "state changes only with a leaf"));
            }
            None => None,
            Some(mut leaf) => {
                leaf.decisions = decisions;
                leaf.records = names
                    .iter()
                    .map(|(key, name)| {
                        let before = read.get(key).and_then(Option::as_ref);
                        let before = before.map(|stored| records::digest(&stored.value));
                        let after = writes.get(key).and_then(Option::as_deref);
                        RecordChange::new(name.clone(), before, after.map(records::digest))
                    })
                    .collect();
                Some(leaf.to_bytes()?)
            }
        };
        let batch = Batch { entry, ..batch_of(read, writes) };
        let written = batch.writes.clone();
        let emptied = gate.memory().emptied();
        let answer = gate.parts.store.commit(batch);
        let mut memory = gate.memory();
        if has_erased {
            // Also of what others are on the way here with.
            memory.empty();
        }
        match answer {
            Ok(committed) => {
                for (key, value) in written {
                    let now = value.map(|value| Stored::new(committed.version, value));
                    memory.note(key, now, emptied);
                }
                drop(memory);
                gate.organisation_changed(&changed);
                gate.wrote_entry(committed.log_index);
                Ok(true)
            }
            Err(CommitError::Conflict { key }) => {
                memory.forget(&key);
                Ok(false)
            }
            Err(CommitError::Store(error)) => {
                // Nobody knows what is there now.
                for (key, _) in &written {
                    memory.forget(key);
                }
                drop(memory);
                gate.organisation_changed(&changed);
                Err(error.into())
            }
        }
    }

    /// Whether everything that was read is still so. A disagreement over facts that moved is a lost race.
    pub(super) fn is_current(&self) -> Result<bool, Error> {
        self.is_still(|_any| true)
    }

    /// Whether what was decided would be decided on the same: the set of policies, the epochs of the projects, and who
    /// asked. A verb that commits need not ask, and one that decided nothing neither.
    fn still_decides(&self) -> Result<bool, Error> {
        if !self.has_judged {
            return Ok(true);
        }
        let kinds = [
            policy_sets(),
            records::key_of::<Epoch>(&[]),
            records::key_of::<User>(&[]),
            records::key_of::<GlobalRoleGrant>(&[]),
        ];
        self.is_still(|key| kinds.iter().any(|kind| key.starts_with(kind)))
    }

    /// Whether what was read under keys that count is still so. One trip, where reads travel.
    fn is_still(&self, counts: impl Fn(&Key) -> bool) -> Result<bool, Error> {
        let seen = || self.read.iter().filter(|(key, _)| counts(key));
        let keys: Vec<Key> = seen().map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            return Ok(true);
        }
        let now = self.gate.parts.store.get_many(&keys)?;
        let version = |stored: &Option<Stored>| stored.as_ref().map(|stored| stored.version);
        Ok(now.iter().map(version).eq(seen().map(|(_, stored)| version(stored))))
    }
}

fn batch_of(read: BTreeMap<Key, Option<Stored>>, writes: BTreeMap<Key, Option<Vec<u8>>>) -> Batch {
    let expected = read.into_iter().map(|(key, seen)| (key, seen.map(|stored| stored.version)));
    Batch { expected: expected.collect(), writes: writes.into_iter().collect(), entry: None }
}

/// Whether the store failed, whatever the rows say.
fn is_of_the_store(error: &Error) -> bool {
    matches!(error.code(), Code::StoreUnavailable | Code::StorePoisoned | Code::StoreLocked)
}

/// Asks `transact` to try again.
pub(super) fn lost_race() -> Error {
    Error::new(Code::Conflict, "another change came first").with_help("read again and repeat")
}

impl Gate {
    /// Runs a verb that changes something: finds, asks and decides in `verb`, then writes, once. A verb
    /// that loses a race is run again from the start, decisions included.
    pub(super) fn transact<T>(
        &self,
        verb: impl Fn(&mut Txn<'_>) -> Result<(T, Leaf), Error>,
    ) -> Result<T, Error> {
        self.attempt(|txn| verb(txn).map(|(value, leaf)| (value, Some(leaf))))
    }

    /// Writes what no leaf names, such as a lease. A verb that touches state here is refused.
    pub(super) fn touch<T>(
        &self,
        verb: impl Fn(&mut Txn<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.attempt(|txn| verb(txn).map(|value| (value, None)))
    }

    /// A verb that may find, at its last look, that there is nothing to write: then `None`.
    pub(super) fn attempt<T>(
        &self,
        verb: impl Fn(&mut Txn<'_>) -> Result<(T, Option<Leaf>), Error>,
    ) -> Result<T, Error> {
        self.attempt_from(Sight::Remembered, verb)
    }

    /// Like [`Self::attempt`], with a first try on rows from there. A verb that does more with a row than to decide
    /// on it begins with fresh ones: what it does about a remembered one is not undone when the commit fails.
    pub(super) fn attempt_from<T>(
        &self,
        sight: Sight,
        verb: impl Fn(&mut Txn<'_>) -> Result<(T, Option<Leaf>), Error>,
    ) -> Result<T, Error> {
        let mut txn = Txn::new(self, sight);
        // The remembered try counts for itself: without a fresh one nobody is refused.
        for _ in 0..=self.parts.limits.conflict_retries_max.saturating_add(1) {
            match verb(&mut txn) {
                Ok((value, leaf)) => {
                    if txn.commit(leaf)? {
                        return Ok(value);
                    }
                }
                Err(error) if error.code() == Code::Conflict => {}
                // Only what is there now refuses anybody.
                Err(error) if txn.rests_on_memory && !is_of_the_store(&error) => {}
                Err(error) => return Err(self.note_refusal(txn, error)),
            }
            txn = Txn::new(self, Sight::Fresh);
        }
        Err(lost_race())
    }

    /// Runs a verb that only reads. Denials are noted all the same. What was decided is decided again where the set
    /// of policies, or the rows that it was decided on, changed before the end.
    pub(super) fn consult<T>(
        &self,
        verb: impl Fn(&mut Txn<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..=self.parts.limits.conflict_retries_max {
            // No commit would say whether remembered rows are still true.
            let mut txn = Txn::new(self, Sight::Fresh);
            let answered = match verb(&mut txn) {
                Err(error) if error.code() == Code::Conflict => continue,
                answered => answered,
            };
            match (answered, txn.still_decides()) {
                (_, Ok(false)) => {}
                (Ok(value), Ok(true)) => return Ok(value),
                // Nobody knows whether it may be told.
                (Ok(_), Err(error)) => return Err(error),
                (Err(error), Ok(true) | Err(_)) => return Err(self.note_refusal(txn, error)),
            }
        }
        Err(lost_race())
    }

    /// Looks at what a verb is about to do, which asks again before it writes: a yes may rest on remembered
    /// rows here, a no never does.
    pub(super) fn look_ahead<T>(
        &self,
        verb: impl Fn(&mut Txn<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match verb(&mut Txn::new(self, Sight::Remembered)) {
            Err(error) if !is_of_the_store(&error) => self.consult(verb),
            looked => looked,
        }
    }
}
