//! Where a story is played: a gate on a store that fails once, and an eye that always sees.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use placet_core::audit::Leaf;
use placet_core::error::Error;
use placet_core::gate::{Gate, Organisation, Parts, Ticket};
use placet_core::id::{EnvironmentId, ProjectId, RequestId, UserId};
use placet_core::identity::Caller;
use placet_core::request::{Request, StateName};
use placet_core::runner::JobId;
use placet_core::store::{
    Batch, CommitError, Committed, Key, MemoryStore, Store, StoreError, Stored,
};
use placet_core::testing::{Bench, FailingStore, Failure, StoreWrapper, record_body};

use crate::world::World;

/// What a story begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ground {
    /// An empty store.
    Nothing,
    /// The organisation of the examples.
    Shop,
}

/// What a store holds: building it through a gate for every failure anew would take most of the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pairs: Vec<(Key, Vec<u8>)>,
    log: Vec<Vec<u8>>,
    /// How many ids were given out.
    ids: u128,
    people: BTreeMap<String, UserId>,
}

static SHOP: LazyLock<Content> = LazyLock::new(|| Content::of(&World::new().bench));

impl Content {
    pub(crate) fn on(ground: Ground) -> Self {
        match ground {
            Ground::Nothing => Self::default(),
            Ground::Shop => SHOP.clone(),
        }
    }

    pub(crate) fn of(bench: &Bench) -> Self {
        let store = &bench.parts.store;
        let found = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
        let log = store.log_read(0, usize::MAX).unwrap();
        let people = people(&Gate::new(bench.parts.clone()), &log);
        Self {
            pairs: found.into_iter().map(|(key, stored)| (key, stored.value)).collect(),
            log,
            ids: bench.parts.ids.next(),
            people,
        }
    }
}

/// The users by the names in their addresses.
fn people(gate: &Gate, log: &[Vec<u8>]) -> BTreeMap<String, UserId> {
    // Where the answer of the founding was lost, only the log's first leaf knows who did it.
    let founder = log.first().and_then(|entry| Leaf::from_bytes(entry).unwrap().actor);
    let Some(founder) = founder else { return BTreeMap::new() };
    let users = gate.users(&Caller::authenticated(founder), None).unwrap().items;
    let name = |email: &str| email.split('@').next().unwrap().to_owned();
    users.into_iter().map(|user| (name(user.email.as_str()), user.id)).collect()
}

pub(crate) struct Stage {
    pub(crate) memory: Arc<Recorder>,
    pub(crate) failing: Arc<FailingStore>,
    pub(crate) bench: Bench,
    /// The gate that the story is played on.
    gate: RefCell<Arc<Gate>>,
    /// Another gate on the same store, past all failures: what anybody would see who looked.
    pub(crate) eye: Gate,
    people: BTreeMap<String, UserId>,
    tickets: RefCell<BTreeMap<String, Ticket>>,
    /// Whether runs are made to fail, and whether verifying can tell.
    pub(crate) runs_fail: Cell<bool>,
    pub(crate) is_blind: Cell<bool>,
    /// Runs that ended as failed because their own look at the lease failed.
    pub(crate) undone: RefCell<BTreeSet<RequestId>>,
    /// Changes that were made in what is given.
    made_before: BTreeSet<RequestId>,
}

impl Stage {
    /// A stage with `content`, on which call number `nth` of the store fails.
    pub(crate) fn new(content: &Content, nth: u64, failure: Failure) -> Self {
        let memory = Arc::new(Recorder::default());
        for entry in &content.log {
            memory.inner.commit(Batch::default().append(entry.clone())).unwrap();
        }
        let put =
            |batch: Batch, (key, value): &(Key, Vec<u8>)| batch.put(key.clone(), value.clone());
        memory.inner.commit(content.pairs.iter().fold(Batch::default(), put)).unwrap();
        let mut bench = Bench::on(Arc::<MemoryStore>::clone(&memory.inner)).unwrap();
        // So that the index of the log has rows here.
        bench.parts.limits.index_entries = 16;
        while content.ids > 0 && bench.parts.ids.next() < content.ids {}
        let failing = FailingStore::new(Arc::<Recorder>::clone(&memory), nth, failure);
        let failing = Arc::new(failing);
        let store = Arc::<FailingStore>::clone(&failing);
        let gate = Gate::new(Parts { store, ..bench.parts.clone() });
        let mut stage = Self {
            made_before: BTreeSet::new(),
            memory,
            failing,
            gate: RefCell::new(Arc::new(gate)),
            eye: Gate::new(bench.parts.clone()),
            bench,
            people: content.people.clone(),
            tickets: RefCell::default(),
            runs_fail: Cell::new(false),
            is_blind: Cell::new(false),
            undone: RefCell::default(),
        };
        let given = stage.requests().into_iter();
        let made = given.filter(|request| request.state.name() == StateName::Succeeded);
        stage.made_before = made.map(|request| request.header.id).collect();
        stage
    }

    /// The process ends, and the next one opens the same store.
    pub(crate) fn restart(&self) {
        self.tickets.borrow_mut().clear();
        let gate = Gate::new(self.bench.parts.clone());
        gate.recover().unwrap();
        *self.gate.borrow_mut() = Arc::new(gate);
    }

    pub(crate) fn store(&self) -> &MemoryStore {
        &self.memory.inner
    }

    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate.borrow())
    }

    pub(crate) fn keep(&self, title: &str, ticket: Ticket) {
        self.tickets.borrow_mut().insert(title.to_owned(), ticket);
    }

    pub(crate) fn ticket(&self, title: &str) -> Option<Ticket> {
        self.tickets.borrow_mut().remove(title)
    }

    pub(crate) fn log_len(&self) -> u64 {
        self.store().log_len().unwrap()
    }

    /// The events that the log has from `from` on.
    pub(crate) fn events(&self, from: u64) -> Vec<String> {
        let log = self.store().log_read(from, usize::MAX).unwrap();
        log.iter().map(|entry| Leaf::from_bytes(entry).unwrap().event).collect()
    }

    /// The user with the address of `name`.
    pub(crate) fn user(&self, name: &str) -> UserId {
        let known = self.people.get(name).copied();
        known.unwrap_or_else(|| people(&self.eye, &self.store().log_read(0, 1).unwrap())[name])
    }

    pub(crate) fn caller(&self, name: &str) -> Caller {
        Caller::authenticated(self.user(name))
    }

    pub(crate) fn project(&self) -> ProjectId {
        self.eye.projects(&self.caller("root")).unwrap()[0].id
    }

    pub(crate) fn organisation(&self) -> Organisation {
        self.eye.organisation(&self.caller("root"), self.project()).unwrap()
    }

    /// The environment with a code.
    pub(crate) fn environment(&self, code: &str) -> EnvironmentId {
        let found = self.organisation().environments.into_iter();
        let mut found = found.filter(|row| row.code.as_str() == code);
        found.next().unwrap().id
    }

    /// All requests, as they are stored.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let found = self.store().scan(&Key::from_segments(&["request"]), None, usize::MAX).unwrap();
        let request = |(_, stored): (Key, Stored)| {
            serde_json::from_str(&record_body(&stored.value).unwrap()).unwrap()
        };
        found.into_iter().map(request).collect()
    }

    pub(crate) fn request(&self, title: &str) -> Request {
        self.requests().into_iter().find(|request| request.header.title == title).unwrap()
    }

    /// Whether the change of a request was made.
    pub(crate) fn is_made(&self, id: RequestId) -> bool {
        let found = self.requests().into_iter().find(|request| request.header.id == id).unwrap();
        if found.header.runner.as_str() == "placet" {
            // A command is carried out in the commit that says so: there is nothing else to look at.
            return found.state.name() == StateName::Succeeded;
        }
        let attempts = found.header.attempts;
        let latest = |job: &JobId| job.request == id && job.attempt == attempts;
        let entered = self.bench.runner.entered().iter().any(latest);
        let is_made = entered && !self.runs_fail.get() && !self.undone.borrow().contains(&id);
        is_made || self.made_before.contains(&id)
    }

    /// Brings a run to an end whose driver is gone, as anybody does who ticks.
    pub(crate) fn wait_for_end(&self, title: &str) -> Result<(), Error> {
        self.gate().tick()?;
        self.bench.clock.advance_ms(self.eye.limits().lease_ms);
        self.gate().tick()?;
        assert_ne!(self.request(title).state.name(), StateName::Executing);
        Ok(())
    }
}

/// A store in memory that notes which of its calls were commits: only those fail in two ways.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) inner: Arc<MemoryStore>,
    calls: Mutex<Vec<bool>>,
}

impl Recorder {
    /// Whether each call so far was a commit.
    pub(crate) fn calls(&self) -> Vec<bool> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, is_commit: bool) -> &MemoryStore {
        self.calls.lock().unwrap().push(is_commit);
        &self.inner
    }
}

impl StoreWrapper for Recorder {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read(self.note(false))
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.note(true).commit(batch)
    }
}
