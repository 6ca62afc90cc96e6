//! The front door. Every verb is find, ask, decide, write; each has a file; all write through one
//! commit path, `Txn::commit`.

mod txn;
mod memory;
mod access;
mod shelf;
mod about;
mod decide;
mod refused;
mod leap;
mod denied;
mod find;
mod refresh;

mod organisation; // who there is, and the commands that change it
mod authority; // policies, explanations, who can
mod request; // from a draft to its approval
mod artifact; // what artifacts have beside that
mod run; // from the approval to the outcome
mod log; // hashes, proofs, witnesses, queries, erasure

use core::fmt;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::Access;
use authority::policies::Ready;
use leap::LastLook;
use memory::Memory;
use run::lease::Sightings;
use run::watch::{WATCHED_MAX, Watch};
use shelf::Shelf;

pub(crate) use denied::{DenialNote, notes_of};
pub(crate) use find::RequestOf;
pub(crate) use log::compare::{Compared, Times, Unlike};
pub(crate) use log::hashes::Tile;
pub(crate) use log::index::SPAN_MAX;
pub(crate) use log::rows::{LogIndex, Posting, Span, Term, Word};
pub(crate) use organisation::administer::email_key;
pub(crate) use request::promote::Promoted;
pub(crate) use run::due::Due;
pub(crate) use run::lease::Live;
pub(crate) use run::renew::Checkpoints;
pub(crate) use run::turn::Turn;
#[cfg(any(test, feature = "testing"))]
pub(crate) use txn::DERIVED;

pub use artifact::draft::NewArtifact;
pub use authority::replay::{Replay, ReplayCause, ReplayDifference};
pub use authority::stories::StoryOutcome;
pub use log::erase::Erasure;
pub use log::export_events::{ExportToken, ExportedEvent};
pub use log::witness::{Anchored, Comparison, Rollback};
pub use log::years::LogYear;
pub use organisation::administer::PlatformCommand;
pub use organisation::read::Organisation;
pub use organisation::workflows::WorkflowSummary;
pub use request::actions::{Actions, Offer};
pub use request::check::CheckReport;
pub use request::draft::NewRequest;
pub use request::promote::Promotion;
pub use request::read::{Cursor, Page, RequestSummary, RequestView};
pub use request::threads::ThreadView;
pub use run::drive::RunObserver;
pub use run::execute::{LeaseKey, Ticket};
pub use run::reconcile::Finding;

use crate::audit::{Edge, Signer};
use crate::authz::Authorizer;
use crate::clock::{Clock, Timestamp};
use crate::digest::Digest;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::id::{Ids, NodeId, ProjectId, RequestId};
use crate::limits::Limits;
use crate::org::Slug;
use crate::runner::Runner;
use crate::store::erasable::Salts;
use crate::store::{Key, Store, Version};
use crate::workflow::FormChecker;

/// Everything that a gate needs from outside.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::{Gate, Parts};
/// use placet_core::limits::Limits;
/// use placet_core::store::MemoryStore;
/// use placet_core::testing::Bench;
///
/// // A host names parts of its own; the bench has stand-ins for tests.
/// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
/// let parts = Parts { limits: Limits::default().with_lease_ms(10_000), ..bench.parts };
/// assert_eq!(Gate::new(parts).limits().lease_ms, 10_000);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a host that wires a gate by hand names every part")]
pub struct Parts {
    /// Where state is kept.
    pub store: Arc<dyn Store>,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// Where salts come from.
    pub entropy: Arc<dyn Entropy>,
    /// The policy engine.
    pub authorizer: Arc<dyn Authorizer>,
    /// What runs changes.
    pub runner: Arc<dyn Runner>,
    /// Who signs checkpoints.
    pub signer: Arc<dyn Signer>,
    /// What reads the forms of workflows.
    pub forms: Arc<dyn FormChecker>,
    /// How much of anything.
    pub limits: Limits,
}

/// The front door: everything that can be done goes through it, and nothing around it.
///
/// Most hosts open one with the crate `placet`; this type takes its parts by hand.
///
/// ```
/// use placet_core::request::StateName;
/// use placet_core::testing::{Office, Seen};
///
/// let (gate, office) = Office::in_memory()?;
/// let change = office.change("\"raise the price\"")?;
/// let asked = gate.draft_and_submit(&office.ana, &office.request(change))?.header;
/// gate.approve(&office.bo, asked.id, asked.change_digest()?, None)?;
/// let ticket = gate.execute(&office.bo, asked.id)?;
/// let done = gate.drive(ticket, &Seen::default())?;
/// assert_eq!(done.state.name(), StateName::Succeeded);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub struct Gate {
    parts: Parts,
    node: NodeId,
    // What was read of each project, with the epoch it was read at. Only ever used at that epoch.
    shelves: Mutex<BTreeMap<ProjectId, (Version, Arc<Shelf>)>>,
    // Rows as they were last seen; see `Txn::fetch`.
    memory: Mutex<Memory>,
    // Who may do what, compiled; see `Gate::index`.
    access: Access,
    // Policy engines; see `Gate::prepare_policies`.
    ready: Ready,
    // The part of the log's tree that still grows, as of the last time that anybody asked; see `Gate::edge`.
    edge: Mutex<Edge>,
    disagreements: AtomicU64,
    // The latest instant that was ever seen, in microseconds.
    latest_micros: AtomicI64,
    // The latest instant that the store has an organisation of, as far as this gate looked.
    stored_micros: AtomicI64,
    // See `Gate::check_clock`.
    last_look: LastLook,
    leases: Sightings,
    // Places in the queues of targets, by their latest ask.
    places: Watch<(Slug, RequestId), u64>,
    // The request that was due and started last; see `Gate::run_due`.
    due_after: Mutex<Option<Key>>,
}

impl Gate {
    /// Opens a gate on its parts. Reads nothing yet.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office};
    ///
    /// // Everything is in the store: a second gate on it sees what the first one wrote.
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let (first, second) = (Gate::new(bench.parts.clone()), Gate::new(bench.parts));
    /// let office = Office::found(&first)?;
    /// assert_eq!(second.projects(&office.ana)?.len(), 1);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn new(parts: Parts) -> Self {
        let node = NodeId::from_u128(parts.ids.next());
        let memory = Mutex::new(Memory::new(parts.limits.memory_bytes_max));
        Self {
            memory,
            last_look: LastLook::at(&*parts.clock),
            access: Access::default(),
            ready: Ready::default(),
            parts,
            node,
            shelves: Mutex::default(),
            edge: Mutex::default(),
            disagreements: AtomicU64::new(0),
            latest_micros: AtomicI64::new(0),
            stored_micros: AtomicI64::new(0),
            leases: Sightings::default(),
            places: Watch::of(WATCHED_MAX),
            due_after: Mutex::default(),
        }
    }

    /// The limits that this gate keeps.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let long = "x".repeat(gate.limits().text_bytes_max + 1);
    /// assert_eq!(gate.comment(&office.ana, id, &long).unwrap_err().code(), Code::TooLarge);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// The present instant, by this gate's clock, and never an earlier one than before: where somebody sets
    /// the clock back, time stands still, so that a grant that ended stays ended. A clock that runs ahead is
    /// believed: see [`Limits::clock_leap_ms_max`].
    /// It is in UTC, to the microsecond.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::Bench;
    ///
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts);
    /// let before = gate.now();
    /// bench.clock.advance_ms(1_500);
    /// assert_eq!(gate.now().ms_since(before), 1_500);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn now(&self) -> Timestamp {
        let seen = self.parts.clock.now().as_micros();
        let latest = self.latest_micros.fetch_max(seen, Ordering::Relaxed);
        Timestamp::from_micros(seen.max(latest))
    }

    /// Milliseconds on this gate's steady clock, from a start of its own. Whoever waits for something goes by it:
    /// nobody can set it.
    ///
    /// ```
    /// # use placet_core::{gate::Gate, store::MemoryStore, testing::Bench};
    /// # let bench = Bench::on(std::sync::Arc::new(MemoryStore::default()))?;
    /// # let gate = Gate::new(bench.parts);
    /// let began_ms = gate.steady_ms();
    /// bench.clock.advance_ms(1_500);
    /// bench.clock.set("1999-12-31T00:00:00Z".parse()?);
    /// assert_eq!(gate.steady_ms() - began_ms, 1_500);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn steady_ms(&self) -> u64 {
        self.parts.clock.steady_ms()
    }

    /// Takes note of an instant at which the store has an organisation: it is past for sure.
    fn not_before(&self, past: Timestamp) {
        self.latest_micros.fetch_max(past.as_micros(), Ordering::Relaxed);
        self.stored_micros.fetch_max(past.as_micros(), Ordering::Relaxed);
    }

    /// How many judgements the two deciders disagreed about since this gate was opened. Anything but 0 is a fault
    /// of this library or of a policy: each was a no. One call of a verb may judge more than once (the caller,
    /// then each approver; whether a refused caller may look; again after a lost race), and each judgement
    /// counts.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::authz::{Action, Scope, Verdict};
    /// use placet_core::gate::Gate;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office};
    ///
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts);
    /// let office = Office::found(&gate)?;
    /// let place = Scope::project(office.project);
    /// assert!(gate.authorize(office.ana.user(), &Action::READ, place).is_allowed());
    /// assert_eq!(gate.disagreements(), 0);
    ///
    /// bench.authorizer.answer_with(Ok(Verdict::default())); // no policy permits what the index allows
    /// assert!(!gate.authorize(office.ana.user(), &Action::READ, place).is_allowed());
    /// assert_eq!(gate.disagreements(), 1);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn disagreements(&self) -> u64 {
        self.disagreements.load(Ordering::Relaxed)
    }

    fn shelves(&self) -> MutexGuard<'_, BTreeMap<ProjectId, (Version, Arc<Shelf>)>> {
        // Each entry is inserted whole, so a panic elsewhere cannot leave half of one.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Whatever a panic left there, commits tell what of it is still true.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nonce(&self) -> Result<Digest, Error> {
        let mut bytes = [0; 32];
        self.parts.entropy.fill(&mut bytes)?;
        Ok(Digest::from_bytes(bytes))
    }

    fn salts(&self) -> Result<Salts, Error> {
        let mut salts = Salts { record: [0; 16], texts: [0; 32] };
        self.parts.entropy.fill(&mut salts.record)?;
        self.parts.entropy.fill(&mut salts.texts)?;
        Ok(salts)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("node", &self.node).finish_non_exhaustive()
    }
}
