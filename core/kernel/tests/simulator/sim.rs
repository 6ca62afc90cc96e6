//! One simulation: a machine, nodes on it, people who act, and what the people were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, LeaseKey, Parts, Ticket};
use placet_core::id::{RequestId, UserId};
use placet_core::identity::Caller;
use placet_core::limits::Limits;
use placet_core::request::{Request, StateName};
use placet_core::runner::Job;
use placet_core::testing::{ManualClock, RequiredFields, ScriptedAuthorizer};

use crate::base::{BEGIN, Base, base, signer};
use crate::disk::{Machine, Mount};
use crate::runner::SimRunner;
use crate::target::Target;

/// What is simulated: the product, or one with a part taken out that the checks must miss.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Variant {
    Sound,
    NoLeaseCheck,
    MarkerOutside,
    SyncSkipped,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) gate: Gate,
    pub(crate) alive: Arc<AtomicBool>,
}

/// What people did, saw and were told: the other side of everything that is checked.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) requests: Vec<RequestId>,
    /// The longest history that was acknowledged, and the state then.
    pub(crate) acknowledged: BTreeMap<RequestId, (u32, StateName)>,
    pub(crate) log_len: u64,
    /// What a digest stood for when somebody looked.
    pub(crate) meant: BTreeMap<Digest, String>,
    /// Who was asked to say yes to which payload, answered or not.
    pub(crate) yes: BTreeMap<String, BTreeSet<UserId>>,
    /// Who has the role for sure, or for sure not. Missing: an answer was lost.
    pub(crate) holds: BTreeMap<UserId, bool>,
    /// Outcomes that are a person's word.
    pub(crate) declared: BTreeSet<RequestId>,
    pub(crate) entered: BTreeSet<(RequestId, u32, u32)>,
    pub(crate) leases: Vec<(Arc<Node>, LeaseKey)>,
    pub(crate) tickets: Vec<(Arc<Node>, Ticket)>,
    pub(crate) drafts: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) steps: Vec<String>,
    /// How far the log was compared with the records, and what it said of each.
    pub(crate) compared: usize,
    pub(crate) last: BTreeMap<String, Option<Digest>>,
}

#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) machine: Arc<Machine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) base: &'static Base,
    pub(crate) yeses: u8,
    pub(crate) variant: Variant,
    pub(crate) target: Target,
    /// One process that has the store to itself, or several that share it.
    pub(crate) is_single: bool,
    nodes: Mutex<Vec<Arc<Node>>>,
    told: Mutex<Told>,
    depth: AtomicU32,
    plugin: AtomicU32,
}

/// The lease of a run in simulations, in milliseconds.
pub(crate) const LEASE_MS: u64 = 30_000;

impl Sim {
    pub(crate) fn new(seed: u64, variant: Variant) -> Arc<Self> {
        let dice = crate::dice::Dice::new(seed ^ 0x5eed);
        let yeses = if dice.chance(500) { 1 } else { 2 };
        let base = base(yeses);
        let skips = variant == Variant::SyncSkipped;
        let machine = Machine::new(seed, base.content.clone(), base.ids, skips);
        let sim = Arc::new(Self {
            machine: Arc::new(machine),
            clock: Arc::new(ManualClock::at(BEGIN.parse().unwrap())),
            base,
            yeses,
            variant,
            target: Target::default(),
            is_single: dice.chance(400),
            nodes: Mutex::default(),
            told: Mutex::default(),
            depth: AtomicU32::new(0),
            plugin: AtomicU32::new(1),
        });
        sim.told().holds =
            [(base.office.bo.user(), true), (base.cy.user(), true)].into_iter().collect();
        for _ in 0..if sim.is_single { 1 } else { 3 } {
            sim.boot();
        }
        sim.machine.faults_on.store(true, Ordering::SeqCst);
        sim
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    pub(crate) fn note(&self, step: String) {
        let depth = self.depth.load(Ordering::SeqCst);
        self.told().steps.push(format!("{}{step}", "  ".repeat(usize::try_from(depth).unwrap())));
    }

    pub(crate) fn violated(&self, what: String) {
        self.note(format!("VIOLATION: {what}"));
        self.told().violations.push(what);
    }

    /// Starts a process.
    pub(crate) fn boot(self: &Arc<Self>) -> Arc<Node> {
        let alive = self.machine.boot();
        let mount = Mount { machine: Arc::clone(&self.machine), alive: Arc::clone(&alive) };
        let runner = SimRunner { sim: Arc::downgrade(self), alive: Arc::clone(&alive) };
        let gate = Gate::new(Parts {
            store: Arc::new(mount),
            clock: Arc::<ManualClock>::clone(&self.clock),
            ids: Arc::<Machine>::clone(&self.machine),
            entropy: Arc::<Machine>::clone(&self.machine),
            authorizer: Arc::new(ScriptedAuthorizer::agreeing()),
            runner: Arc::new(runner),
            signer: signer(),
            forms: Arc::new(RequiredFields),
            limits: Limits::default().with_lease_ms(LEASE_MS),
        });
        let node = Arc::new(Node { gate, alive });
        self.nodes.lock().unwrap().push(Arc::clone(&node));
        if self.is_single {
            // As opening does; where it fails, the ticks that follow find what is left.
            let _later = node.gate.recover();
        }
        node
    }

    /// A process that lives. Dead ones are started again now and then, and when none is left.
    pub(crate) fn node(self: &Arc<Self>) -> Arc<Node> {
        let alive: Vec<Arc<Node>> = {
            let mut nodes = self.nodes.lock().unwrap();
            nodes.retain(|node| node.alive.load(Ordering::SeqCst));
            nodes.clone()
        };
        let wanted = if self.is_single { 1 } else { 3 };
        if alive.is_empty() || alive.len() < wanted && self.machine.dice.chance(300) {
            return self.boot();
        }
        Arc::clone(self.machine.dice.pick(&alive).unwrap())
    }

    pub(crate) fn plugin_version(&self) -> u32 {
        self.plugin.load(Ordering::SeqCst)
    }

    /// Installs another version of the plugin, or the first one again.
    pub(crate) fn swap_plugin(&self) {
        self.plugin.store(self.plugin_version() % 2 + 1, Ordering::SeqCst);
    }

    pub(crate) fn pause_ms(&self, ms: u64) {
        self.machine.count("a pause");
        self.note(format!("pause {ms}"));
        self.clock.advance_ms(ms);
    }

    /// Trouble of the plugin, now and then.
    pub(crate) fn trouble(&self) -> Option<&'static str> {
        let dice = &self.machine.dice;
        if !self.machine.faults_on.load(Ordering::SeqCst) || !dice.chance(200) {
            return None;
        }
        let kinds = ["a trap", "a hang", "a lie", "the commit's reply is lost"];
        let kind = *dice.pick(&kinds)?;
        self.machine.count(kind);
        Some(kind)
    }

    /// What else happens while a run is under way.
    pub(crate) fn meanwhile(self: &Arc<Self>) {
        if self.depth.load(Ordering::SeqCst) >= 3 || !self.machine.faults_on.load(Ordering::SeqCst)
        {
            return;
        }
        self.depth.fetch_add(1, Ordering::SeqCst);
        if self.machine.dice.chance(150) {
            self.stall();
        }
        for _ in 0..self.machine.dice.below(3) {
            self.step();
        }
        self.depth.fetch_sub(1, Ordering::SeqCst);
    }

    /// A runner was entered: at most once for each attempt, and with what enough people agreed to.
    pub(crate) fn entered(&self, job: &Job) {
        let id = job.id;
        self.note(format!("entered {} {}", id.request, job.payload));
        if !self.told().entered.insert((id.request, id.revision, id.attempt)) {
            self.violated(format!("P3: {} was entered twice", id.request));
        }
        let asked = self.told().yes.get(&job.payload).map_or(0, BTreeSet::len);
        if asked < usize::from(self.yeses) {
            self.violated(format!("P5: {} ran, and {asked} people were asked", job.payload));
        }
    }

    /// Calls the gate and notes what it answered. An answer after a store's fault must not be a yes.
    pub(crate) fn call<T>(
        self: &Arc<Self>,
        what: &str,
        node: &Node,
        verb: impl FnOnce(&Gate) -> Result<T, Error>,
    ) -> Option<T> {
        self.machine.fired.store(0, Ordering::SeqCst);
        let answer = verb(&node.gate);
        let fired = self.machine.fired.load(Ordering::SeqCst);
        match answer {
            Ok(value) => {
                self.note(format!("{what}: ok"));
                if fired > 0 {
                    self.violated(format!("P7: `{what}` answered ok after a fault of the store"));
                }
                self.told().log_len = self.machine.look(|content| content.log.len() as u64);
                Some(value)
            }
            Err(error) => {
                self.note(format!("{what}: {}", error.code()));
                if error.code() == Code::Internal {
                    self.violated(format!("`{what}`: {error}"));
                }
                None
            }
        }
    }

    /// Notes what was acknowledged of a request.
    pub(crate) fn acknowledge(&self, request: &Request) {
        let header = &request.header;
        let now = (header.history_len, request.state.name());
        let mut told = self.told();
        let known = told.acknowledged.entry(header.id).or_insert(now);
        if known.0 < now.0 {
            *known = now;
        }
    }

    /// An acknowledged act of somebody who for sure had lost the right before.
    pub(crate) fn check_right(&self, what: &str, caller: &Caller) {
        if self.told().holds.get(&caller.user()) == Some(&false) {
            self.violated(format!("P6: `{what}` after the right was taken away"));
        }
    }
}
