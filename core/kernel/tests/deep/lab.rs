//! A small organisation with a request in each state, taken apart into its records and its log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use placet_core::audit::{Checkpoint, DeepOptions};
use placet_core::error::Code;
use placet_core::gate::{Erasure, Gate, Promotion};
use placet_core::org::command::{
    CreateEnvironment, GrantGlobalRole, RevokeGlobalRole, SetExecution,
};
use placet_core::org::{Criticality, ExecutionMode, GlobalRole};
use placet_core::request::Change;
use placet_core::store::{Batch, CommitError, Committed, Key, MemoryStore, Store};
use placet_core::testing::{Bench, Office, Seen, StoreWrapper};

use serde_json::Value;

use super::says::{kind, logical, name};

/// Records and log of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) pairs: BTreeMap<Key, Vec<u8>>,
    pub(crate) log: Vec<Vec<u8>>,
}

/// What the tests begin with.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) pairs: BTreeMap<Key, Vec<u8>>,
    pub(crate) log: Vec<Vec<u8>>,
    /// Everything that ever stood under a key and does not now.
    pub(crate) past: BTreeMap<Key, Vec<Vec<u8>>>,
    /// The store as it was some steps before.
    pub(crate) earlier: Content,
    pub(crate) head: Checkpoint,
    /// The keys, by kind.
    pub(crate) kinds: Vec<Vec<Key>>,
    /// The log, read.
    pub(crate) leaves: Vec<Value>,
}

/// Remembers what was written.
#[derive(Debug, Default)]
struct Recorder {
    inner: MemoryStore,
    written: Mutex<BTreeMap<Key, Vec<Vec<u8>>>>,
}

impl StoreWrapper for Recorder {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        let writes = batch.writes.clone();
        let committed = self.inner.commit(batch)?;
        for (key, value) in writes {
            let mut written = self.written.lock().unwrap();
            written.entry(key).or_default().extend(value);
        }
        Ok(committed)
    }
}

impl Content {
    fn of(store: &dyn Store) -> Self {
        let rows = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
        let pairs = rows.into_iter().map(|(key, stored)| (key, stored.value)).collect();
        Self { pairs, log: store.log_read(0, usize::MAX).unwrap() }
    }

    pub(crate) fn store(&self) -> MemoryStore {
        let store = MemoryStore::default();
        for entry in &self.log {
            store.commit(Batch::default().append(entry.clone())).unwrap();
        }
        let all = self.pairs.iter();
        let put =
            all.fold(Batch::default(), |batch, (key, value)| batch.put(key.clone(), value.clone()));
        store.commit(put).unwrap();
        store
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::of(0)
    }

    /// With as many entries as a tile needs, and an index over them.
    pub(crate) fn long() -> Self {
        Self::of(260)
    }

    fn of(entries: u64) -> Self {
        let recorder = Arc::new(Recorder::default());
        let bench = Bench::on(Arc::<Recorder>::clone(&recorder)).unwrap();
        let gate = Gate::new(bench.parts);
        let office = Office::found(&gate).unwrap();
        let (ana, bo, root) = (&office.ana, &office.bo, &office.root);
        let at = |target: &str| {
            let (runner, target) = ("sql".parse().unwrap(), target.parse().unwrap());
            let change = Change::new(runner, target, "\"it\"", gate.limits()).unwrap();
            let header = gate.draft_and_submit(ana, &office.request(change)).unwrap().header;
            let id = header.id;
            gate.approve(bo, id, header.change_digest().unwrap(), Some("yes")).unwrap();
            id
        };
        // One whose process went away, and that nobody knows about.
        let lost = gate.execute(bo, at("other")).unwrap().request();
        bench.clock.advance_ms(gate.limits().lease_ms);
        assert_eq!(gate.tick().unwrap(), [lost]);
        // One that is done, one that is running and was asked to stop, one that waits for it.
        let done = gate.execute(bo, at("shop")).unwrap();
        let over = gate.drive(done, &Seen::default()).unwrap().header.id;
        let running = gate.execute(bo, at("shop")).unwrap();
        gate.stop(bo, running.request()).unwrap();
        assert_eq!(gate.execute(bo, at("shop")).unwrap_err().code(), Code::TargetBusy);
        let still = gate.execute(bo, at("third")).unwrap();
        gate.renew(still.lease()).unwrap();
        let earlier = Content::of(&*recorder);
        // A draft, one that waits for a yes, one that was refused one, one that was sent away.
        gate.draft(ana, &office.request(office.change("\"later\"").unwrap())).unwrap();
        let pending = office.pending(&gate).unwrap().header;
        gate.comment(ana, pending.id, "please").unwrap();
        let digest = pending.change_digest().unwrap();
        assert_eq!(gate.approve(ana, pending.id, digest, None).unwrap_err().code(), Code::Denied);
        let rejected = office.pending(&gate).unwrap().header.id;
        gate.reject(bo, rejected, "no").unwrap();
        // One that was erased.
        gate.erase(root, Erasure::Request(rejected)).unwrap();
        // One that is promoted, and one that waits for the gate to run it.
        let (project, priority, criticality) = (office.project, 2, Criticality::High);
        let (code, name) = ("staging".parse().unwrap(), "Staging".parse().unwrap());
        let next = CreateEnvironment { project, code, name, priority, criticality };
        let to = Promotion { environment: gate.manage(root, &next).unwrap(), targets: Vec::new() };
        gate.promote(ana, over, &to).unwrap();
        let (environment, runner, mode) = (office.environment, None, ExecutionMode::Automatic);
        let rule = SetExecution { project, environment, runner, mode, attempts_max: None };
        gate.manage(root, &rule).unwrap();
        at("fourth");
        // A row that came and went.
        let (user, role) = (bo.user(), GlobalRole::Auditor);
        gate.administer(root, &GrantGlobalRole { user, role }).unwrap();
        gate.administer(root, &RevokeGlobalRole { user, role }).unwrap();
        while recorder.log_len().unwrap() < entries {
            gate.record_login(&ana.via("web".parse().unwrap())).unwrap();
        }
        gate.index_log(|_, _| Ok(())).unwrap();
        let head = gate.checkpoint().unwrap();
        let head = Checkpoint::open_note(&head, gate.origin(), gate.verifier_key()).unwrap();
        let Content { pairs, log } = Content::of(&*recorder);
        let mut past = recorder.written.lock().unwrap().clone();
        for (key, written) in &mut past {
            written.retain(|value| pairs.get(key) != Some(value));
        }
        past.retain(|_, written| !written.is_empty());
        let mut kinds: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for key in pairs.keys() {
            kinds.entry(kind(key)).or_default().push(key.clone());
        }
        let kinds = kinds.into_values().collect();
        let leaves = log.iter().map(|entry| serde_json::from_slice(entry).unwrap()).collect();
        Self { pairs, log, past, earlier, head, kinds, leaves }
    }

    pub(crate) fn options(&self) -> DeepOptions {
        DeepOptions::default().with_head(self.head.clone())
    }

    pub(crate) fn store(&self) -> MemoryStore {
        self.store_with(&self.log)
    }

    pub(crate) fn store_with(&self, log: &[Vec<u8>]) -> MemoryStore {
        Content { pairs: self.pairs.clone(), log: log.to_vec() }.store()
    }

    /// Whether the record at `key` says something else with `bytes`. The last tile may go: it is made again.
    pub(crate) fn counts(&self, key: &Key, bytes: Option<&Vec<u8>>) -> bool {
        let may_go = name(key) == "tile/0/0" && bytes.is_none();
        !may_go && logical(key, self.pairs.get(key)) != logical(key, bytes)
    }

    /// The key of a record whose name begins so, and that was written more than once.
    pub(crate) fn key_of(&self, start: &str) -> Key {
        let mut keys = self.pairs.keys().filter(|key| name(key).starts_with(start));
        let often = keys.clone().find(|key| self.past.contains_key(*key));
        often.or_else(|| keys.next()).unwrap().clone()
    }
}
