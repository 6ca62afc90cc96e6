//! What is erased on one node is in nobody's memory.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::gate::{Erasure, Gate};
use crate::id::RequestId;
use crate::store::{Batch, CommitError, Committed, MemoryStore, Store, StoreError};
use crate::testing::{Bench, Office, StoreWrapper};

const SECRET: &str = "Ana Quispe 4711";

type Then = Box<dyn FnOnce() + Send>;

/// Lets something happen after a chosen read, before its reader has the answer.
struct LateStore {
    inner: MemoryStore,
    reads: AtomicU64,
    then: Mutex<Option<(u64, Then)>>,
}

impl core::fmt::Debug for LateStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LateStore").finish_non_exhaustive()
    }
}

impl LateStore {
    fn after(&self, nth: u64, then: impl FnOnce() + Send + 'static) {
        let at = self.reads.load(Ordering::SeqCst).saturating_add(nth);
        *self.then.lock().unwrap() = Some((at, Box::new(then)));
    }
}

impl StoreWrapper for LateStore {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let number = self.reads.fetch_add(1, Ordering::SeqCst);
        let found = read(&self.inner);
        let mut then = self.then.lock().unwrap();
        let due = then.as_ref().is_some_and(|(at, _)| *at <= number);
        let due = if due { then.take() } else { None };
        drop(then);
        if let Some((_, happens)) = due {
            happens();
        }
        found
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.inner.commit(batch)
    }
}

/// Two nodes on one store, and a comment with a secret that was written at `there`.
struct Nodes {
    store: Arc<LateStore>,
    here: Arc<Gate>,
    there: Arc<Gate>,
    office: Office,
    id: RequestId,
    number: u32,
}

fn listens(gate: &Gate) {
    gate.refresh().unwrap();
}

impl Nodes {
    fn new(before: impl FnOnce(&Gate)) -> Self {
        let (inner, reads, then) = (MemoryStore::default(), AtomicU64::new(0), Mutex::default());
        let store = Arc::new(LateStore { inner, reads, then });
        let parts = Bench::on(Arc::<LateStore>::clone(&store)).unwrap().parts;
        let (here, there) = (Arc::new(Gate::new(parts.clone())), Arc::new(Gate::new(parts)));
        let office = Office::found(&here).unwrap();
        let id = office.pending(&here).unwrap().header.id;
        before(&there);
        there.comment(&office.ana, id, SECRET).unwrap();
        let number = there.history(&office.ana, id).unwrap().pop().unwrap().number;
        assert!(there.memory().says(SECRET) > 0, "it is remembered where it was written");
        Self { store, here, there, office, id, number }
    }

    fn what(&self) -> Erasure {
        Erasure::Comment { request: self.id, number: self.number }
    }
}

#[test]
fn a_text_that_another_node_erased_is_gone_once_this_one_hears_of_it() {
    let befores: [fn(&Gate); 3] = [|_never_looked| {}, listens, |gate| drop(gate.index().unwrap())];
    for (nth, before) in befores.into_iter().enumerate() {
        let nodes = Nodes::new(before);
        nodes.here.history(&nodes.office.ana, nodes.id).unwrap();
        assert_eq!(nodes.here.erase(&nodes.office.root, nodes.what()).unwrap(), 1);
        assert_eq!(nodes.here.memory().says(SECRET), 0, "{nth}: at once where it was erased");
        assert!(nodes.there.memory().says(SECRET) > 0, "{nth}: it heard nothing yet");
        nodes.there.refresh().unwrap();
        assert_eq!(nodes.there.memory().says(SECRET), 0, "{nth}");
    }
}

#[test]
fn what_is_remembered_is_kept_where_nothing_was_erased() {
    let nodes = Nodes::new(listens);
    nodes.here.comment(&nodes.office.ana, nodes.id, "harmless").unwrap();
    nodes.there.refresh().unwrap();
    assert!(nodes.there.memory().says(SECRET) > 0);
}

#[test]
fn a_text_that_was_read_before_it_was_erased_does_not_come_in_afterwards() {
    let mut moments = 0;
    for nth in 0.. {
        let nodes = Nodes::new(listens);
        let (here, there) = (Arc::clone(&nodes.here), Arc::clone(&nodes.there));
        let (root, what) = (nodes.office.root, nodes.what());
        // What it remembers is gone: it reads again.
        there.memory().empty();
        nodes.store.after(nth, move || {
            here.erase(&root, what).unwrap();
            there.refresh().unwrap();
        });
        nodes.there.erase(&nodes.office.root, nodes.what()).unwrap();
        if nodes.store.then.lock().unwrap().take().is_some() {
            break;
        }
        moments += 1;
        assert_eq!(nodes.there.memory().says(SECRET), 0, "after read {nth}");
    }
    assert!(moments > 5, "{moments}");
}
