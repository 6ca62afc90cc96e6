//! Whole requests over a line that is cut at a COMMIT: every answer is true, and nothing runs twice.

use std::collections::BTreeMap;

use placet::audit::Leaf;
use placet::error::Code;
use placet::id::RequestId;
use placet::request::{Change, Request, StateName};
use placet::runner::Outcome;
use placet::store::{Key, Store as _};
use placet::{Finding, Gate};
use placet_core::testing::{Office, Seen};
use rusqlite::Connection;

use crate::books::balance;
use crate::line::{How, Told, World};
use crate::nodes::pause;
use crate::shop::{payload, verify_log};

/// How many replies to a COMMIT are lost. `PLACET_CUTS=1000` makes it a long test.
const CUTS: u64 = 40;

/// Where the line is cut: at the commits of a request's life, by the words of its history; at a renewal that the
/// test asks for, or one in the background; and where a node that lost its connection enters again.
const PLACES: [&str; 12] = [
    "DRAFT",
    "PLAN",
    "SUBMIT",
    "APPROVE",
    "EXECUTE",
    "RENEW",
    "RENEW in the background",
    "FINISH",
    "LOSE",
    "VERIFY",
    "RECONCILE",
    "ENTER again",
];

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It runs, and takes effect.
    Runs,
    /// It runs, and the target refuses its last statement.
    Fails,
    /// It runs in the background, for so long that its lease is renewed.
    Lasts,
    /// Whoever started it goes away before it runs.
    Dropped,
    /// It runs, its end is not recorded, and then the target is away: a person has to say.
    Untold,
}

impl World {
    /// A request that was approved.
    fn approved(&self, key: &str, sql: &str) -> RequestId {
        let Office { ana, bo, .. } = self.office;
        let limits = self.far.limits();
        let (runner, target) = ("sql".parse().unwrap(), "orders".parse().unwrap());
        let change = Change::new(runner, target, payload(sql), limits).unwrap();
        let mut new = self.office.request(change);
        key.clone_into(&mut new.title);
        let told = self.step("DRAFT", self.chance(), |gate| gate.draft(&ana, &new));
        let found = self.find(key);
        told.check("DRAFT", found.is_some());
        if let Ok(request) = &told.answer {
            assert_eq!(Some(request.header.id), found);
        }
        let id = found.unwrap_or_else(|| self.far.draft(&ana, &new).unwrap().header.id);
        self.surely(id, "PLAN", |gate| gate.plan(&ana, id).map(drop));
        self.surely(id, "SUBMIT", |gate| gate.submit(&ana, id));
        let digest = self.far.view(&ana, id).unwrap().digest.unwrap();
        self.surely(id, "APPROVE", |gate| gate.approve(&bo, id, digest, None));
        id
    }

    /// The one request with this title. Both nodes list the same.
    fn find(&self, title: &str) -> Option<RequestId> {
        let list = |gate: &Gate| {
            let (mut items, mut after) = (Vec::new(), None);
            loop {
                let page =
                    gate.requests(&self.office.ana, self.office.project, after.as_ref()).unwrap();
                items.extend(page.items);
                after = page.next;
                if after.is_none() {
                    return items;
                }
            }
        };
        let items = list(&self.far);
        assert_eq!(list(&self.near), items);
        let mut found = items.iter().filter(|item| item.title == title);
        let first = found.next().map(|item| item.id);
        assert_eq!(found.count(), 0, "{title} was drafted more than once");
        first
    }

    /// How often the change took effect, and how many marker rows there are.
    fn effects(&self, id: RequestId, key: &str) -> (u32, u32) {
        let database = Connection::open(self.target()).unwrap();
        let count = |sql: &str, value: &str| database.query_row(sql, [value], |row| row.get(0));
        let rows = count("SELECT count(*) FROM done WHERE request = ?1", key).unwrap();
        // Before the first run there is no such table.
        let markers = "SELECT count(*) FROM placet_marker WHERE request = ?1";
        (rows, count(markers, &id.to_string()).unwrap_or_default())
    }

    /// Starts the run of `id` and lets it go as far as its fate says.
    fn run(&self, id: RequestId, fate: Fate) {
        let bo = self.office.bo;
        if fate == Fate::Lasts {
            return self.run_in_background(id);
        }
        let execute = |gate: &Gate| placet_core::gate::Gate::execute(gate, &bo, id);
        let told = self.step("EXECUTE", self.chance(), execute);
        let is_there = self.is_there(id, "EXECUTE");
        told.check("EXECUTE", is_there);
        let Ok(ticket) = told.answer else {
            if !is_there {
                self.far.execute(&bo, id).unwrap().wait().unwrap();
            }
            // Where it is there, nobody has the ticket.
            return;
        };
        let (before, key) = (self.renewals(id), ticket.lease());
        let told = self.step("RENEW", self.chance(), |gate| gate.renew(key));
        let renewed = self.renewals(id) - before;
        assert!(renewed <= 1, "{id}: renewed {renewed} times");
        told.check("RENEW", renewed == 1);
        let cut = match fate {
            Fate::Dropped => return drop(ticket),
            Fate::Untold => Some((How::Before, true)),
            Fate::Runs | Fate::Fails | Fate::Lasts => self.chance(),
        };
        if fate == Fate::Untold {
            // It is the end itself that must be cut.
            self.come_back(|gate| gate.renew(key));
        }
        let told = self.step("FINISH", cut, |gate| gate.drive(ticket, &Seen::default()));
        told.check("FINISH", self.is_there(id, "FINISH"));
        self.check_end(&told, id);
    }

    /// The same as a host does it. The target is locked, so that the run lasts until a renewal was cut.
    fn run_in_background(&self, id: RequestId) {
        let bo = self.office.bo;
        let other = Connection::open(self.target()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let told = self.step("EXECUTE", self.chance(), |gate| gate.execute(&bo, id));
        let is_there = self.is_there(id, "EXECUTE");
        told.check("EXECUTE", is_there);
        let Ok(run) = told.answer else {
            drop(other);
            if !is_there {
                self.far.execute(&bo, id).unwrap().wait().unwrap();
            }
            return;
        };
        let cuts = self.proxy.cuts();
        let told = self.step("RENEW in the background", Some(self.a_cut()), |_| {
            let is_cut = (0..60_000).any(|_| {
                pause(5);
                self.proxy.cuts() > cuts
            });
            assert!(is_cut, "{id}: nobody renewed");
            drop(other);
            run.wait()
        });
        // It is the end that is answered, and another COMMIT that was cut.
        let told = Told { arrived: None, ..told };
        told.check("FINISH", self.is_there(id, "FINISH"));
        self.check_end(&told, id);
    }

    /// How often the lease of `id` was renewed.
    fn renewals(&self, id: RequestId) -> u64 {
        let stored = self.store.get(&Key::from_segments(&["live", &id.to_string()])).unwrap();
        let live: serde_json::Value = serde_json::from_slice(&stored.unwrap().value).unwrap();
        live.pointer("/body/renewals").and_then(serde_json::Value::as_u64).unwrap()
    }

    /// An end that was answered is the one that is recorded.
    fn check_end(&self, told: &Told<Request>, id: RequestId) {
        if let Ok(request) = &told.answer {
            assert_eq!(request.state.name(), self.state(id), "{id}");
        }
    }

    /// Somebody tries once more, on each node. Were it let in, it would run: then there are two rows.
    fn try_again(&self, id: RequestId) {
        for gate in [&self.near, &self.far] {
            match gate.execute(&self.office.bo, id) {
                Ok(run) => drop(run.wait()),
                Err(error) => assert_eq!(error.code(), Code::WrongState, "{error}"),
            }
        }
    }

    /// Ends the lease of a run that nobody drives, and finds out what became of it.
    fn resolve(&self, id: RequestId, key: &str, fate: Fate) {
        let Office { ana, bo, .. } = self.office;
        self.try_again(id);
        if self.state(id) == StateName::Executing {
            self.come_back(|gate| gate.comment(&ana, id, "it has no end").map(drop));
            self.surely(id, "LOSE", |gate| {
                let _seen = gate.tick()?;
                self.end_leases();
                gate.tick()
            });
            assert_eq!(self.state(id), StateName::Unknown);
            self.try_again(id);
        }
        if fate == Fate::Untold && self.state(id) == StateName::Unknown {
            // What a person sees who looks there.
            let finding =
                if self.effects(id, key).0 > 0 { Finding::Done } else { Finding::NothingDone };
            let away = self.folder.path().join("away.db");
            std::fs::rename(self.target(), &away).unwrap();
            self.surely(id, "RECONCILE", |gate| gate.reconcile(&bo, id, finding, "looked at it"));
            std::fs::rename(away, self.target()).unwrap();
        }
        let told = self.surely(id, "VERIFY", |gate| gate.verify(&bo, id));
        if let Some((request, read)) = told {
            assert_eq!(request.state.name(), self.state(id), "{id}");
            let succeeded = matches!(read, Outcome::Succeeded(_));
            assert_eq!(succeeded, self.state(id) == StateName::Succeeded, "{id}: {read:?}");
        }
    }

    /// Takes one request all the way, and compares what is recorded with what is in the target.
    fn life(&self, number: u64) -> StateName {
        let key = format!("cut-{number}");
        let fate = match number % 6 {
            0 => Fate::Lasts,
            1 => Fate::Fails,
            2 => Fate::Dropped,
            3 => Fate::Untold,
            _ => Fate::Runs,
        };
        let mut sql = format!("INSERT INTO done VALUES ('{key}')");
        if fate == Fate::Fails {
            sql = format!("{sql}; INSERT INTO ran VALUES ('{key}')");
        }
        let id = self.approved(&key, &sql);
        if fate == Fate::Fails {
            // Somebody was quicker; the table has a key.
            let taken = "INSERT INTO ran VALUES (?1)";
            Connection::open(self.target()).unwrap().execute(taken, [&key]).unwrap();
        }
        let entered = self.entered();
        self.run(id, fate);
        self.resolve(id, &key, fate);
        self.try_again(id);
        let state = self.state(id);
        let due = u32::from(state == StateName::Succeeded);
        assert_eq!(self.effects(id, &key), (due, due), "{id}, {fate:?}, is {state}");
        // Not even to be refused by the marker's key.
        let entered = self.entered() - entered;
        assert!((u64::from(due)..=1).contains(&entered), "{id} was entered {entered} times");
        assert!(matches!(state, StateName::Succeeded | StateName::Failed), "{id} is {state}");
        assert!(self.is_there(id, "EXECUTE"));
        assert_eq!(self.far.view(&self.office.ana, id).unwrap().runs.len(), 1, "{id}");
        // The other node reads the same in the target, and has nothing left to do.
        let (_, read) = self.far.verify(&self.office.bo, id).unwrap();
        assert_eq!(matches!(read, Outcome::Succeeded(_)), due == 1, "{id}: {read:?}");
        assert_eq!(self.far.tick().unwrap(), []);
        state
    }
}

/// All leaves, page after page.
fn whole_log(gate: &Gate, office: &Office) -> Vec<(u64, Leaf)> {
    let mut log: Vec<(u64, Leaf)> = Vec::new();
    loop {
        let next = log.last().map_or(0, |(index, _)| index + 1);
        let page = gate.audit(&office.root, next).unwrap();
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}

#[test]
fn every_answer_and_every_outcome_is_true_when_the_line_is_cut_at_a_commit() {
    let due = std::env::var("PLACET_CUTS").map_or(CUTS, |text| text.parse().unwrap());
    let seed = std::env::var("SEED").map_or(20_260_207, |text| text.parse().unwrap());
    println!("SEED={seed} PLACET_CUTS={due}");
    let Some(world) = World::new(seed) else { return };
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let is_done = || {
        let tally = world.tally.borrow();
        let lost = tally.hows.get(&How::After).copied().unwrap_or_default();
        lost >= due && PLACES.iter().all(|place| tally.places.contains_key(place))
    };
    let mut lives = 0;
    while !is_done() {
        *ends.entry(world.life(lives).to_string()).or_default() += 1;
        lives += 1;
        assert!(lives < 100 + due, "some place is never reached: {:?}", world.tally);
    }
    let log = whole_log(&world.far, &world.office);
    assert_eq!(whole_log(&world.near, &world.office), log);
    let records = balance(&log, &world.store);
    for gate in [&world.near, &world.far] {
        verify_log(gate, &world.office.root);
        assert_eq!(gate.disagreements(), 0);
    }
    let leases = world.store.scan(&Key::from_segments(&["live"]), None, usize::MAX).unwrap();
    assert!(leases.is_empty(), "{leases:?}");
    let tally = world.tally.borrow();
    println!("{} cuts in {lives} requests: {:?}", world.proxy.cuts(), tally.hows);
    println!("where: {:?}", tally.places);
    println!("answers: {:?}; outcomes: {ends:?}", tally.answers);
    println!("{} leaves belong to {records} records", log.len());
}
