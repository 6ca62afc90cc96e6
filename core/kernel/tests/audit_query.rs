//! Questions about the log, compared with reading all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet_core::audit::{AuditQuery, Leaf};
use placet_core::authz::Scope;
use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::{EnvironmentId, ModuleId, ProjectId, RequestId, UserId};
use placet_core::identity::Caller;
use placet_core::limits::Limits;
use placet_core::org::GlobalRole;
use placet_core::org::command::GrantGlobalRole;
use placet_core::store::{
    Batch, CommitError, Committed, Key, MemoryStore, Store, StoreError, Stored,
};
use placet_core::testing::{Bench, Chance, InterleavingStore, Office};
use serde_json::{Value, json};

/// How many entries a row covers, where rows are damaged.
const SPAN: u64 = 4;

const EVENTS: [&str; 6] = [
    "request.drafted",
    "request.approved",
    "run.started",
    "run.finished",
    "org.role_created",
    "denied",
];

/// A leaf of few requests, people and places, and of a time that mostly passes.
fn leaf(chance: &mut Chance, number: u64) -> Vec<u8> {
    let number = i64::try_from(number).unwrap();
    let back = i64::try_from(chance.below(100)).unwrap();
    let at = Timestamp::from_micros((number * 10 - if chance.is(10) { back } else { 0 }).max(0));
    let mut leaf = json!({ "v": 1, "at": at, "event": chance.one_of(&EVENTS).unwrap() });
    if chance.is(80) {
        leaf["actor"] = json!(UserId::from_u128(chance.below(4).into()));
    }
    if chance.is(70) {
        leaf["request"] = json!(RequestId::from_u128(chance.below(6).into()));
    }
    if chance.is(80) {
        leaf["scope"] = json!(scope(chance));
    }
    serde_json::to_vec(&leaf).unwrap()
}

fn scope(chance: &mut Chance) -> Scope {
    let (project, place) = (ProjectId::from_u128(chance.below(2).into()), chance.below(3).into());
    match chance.below(4) {
        0 => Scope::Platform,
        1 => Scope::project(project),
        _ => Scope::module(project, ModuleId::from_u128(place), EnvironmentId::from_u128(place)),
    }
}

fn query(chance: &mut Chance, len: u64) -> AuditQuery {
    let mut query = AuditQuery::default();
    if chance.is(30) {
        query = query.about(RequestId::from_u128(chance.below(7).into()));
    }
    if chance.is(30) {
        query = query.by(UserId::from_u128(chance.below(5).into()));
    }
    if chance.is(30) {
        query = query.within(scope(chance));
    }
    if chance.is(30) {
        let codes = ["request.", "run.", "request.approved", "denied", "denied.", "org.forgotten"];
        query = query.event(chance.one_of(&codes).unwrap()).unwrap();
    }
    let instant = |chance: &mut Chance| {
        Timestamp::from_micros(i64::try_from(chance.below(len * 10 + 10)).unwrap())
    };
    if chance.is(40) {
        query = query.from(instant(chance));
    }
    if chance.is(40) {
        query = query.until(instant(chance));
    }
    if chance.is(50) { query.newest_first() } else { query }
}

/// What the words of `query` mean, said again: by its text.
fn is_asked_for(query: &AuditQuery, leaf: &Leaf) -> bool {
    let asked = serde_json::to_value(query).unwrap();
    let found = serde_json::to_value(leaf).unwrap();
    let same = |name: &str| asked[name].is_null() || asked[name] == found[name];
    let inside = || {
        asked["scope"].as_object().is_none_or(|outer| {
            outer.iter().all(|(name, value)| value.is_null() || found["scope"][name] == *value)
        })
    };
    let event = || {
        let Some(wanted) = asked["event"].as_str() else { return true };
        let event = found["event"].as_str().unwrap();
        if wanted.ends_with('.') { event.starts_with(wanted) } else { event == wanted }
    };
    let at = found["at"].as_str().unwrap();
    let not_before = asked["from"].as_str().is_none_or(|from| at >= from);
    let before = asked["until"].as_str().is_none_or(|until| at < until);
    same("request") && same("actor") && inside() && event() && not_before && before
}

/// All that is asked for, found by reading everything.
fn by_reading(store: &dyn Store, query: &AuditQuery) -> Vec<u64> {
    let entries = store.log_read(0, usize::MAX).unwrap();
    let leaves = entries.iter().map(|bytes| Leaf::from_bytes(bytes).unwrap());
    let found = (0..).zip(leaves).filter(|(_, leaf)| is_asked_for(query, leaf));
    found.map(|(index, _)| index).collect()
}

/// All pages of an answer.
fn by_asking(gate: &Gate, root: &Caller, query: &AuditQuery) -> Result<Vec<u64>, Error> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = gate.query_audit(root, query, cursor.as_ref(), 30)?;
        found.extend(page.entries.into_iter().map(|(index, _)| index));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

fn append(store: &dyn Store, chance: &mut Chance, count: u64) {
    for _ in 0..count {
        let number = store.log_len().unwrap();
        store.commit(Batch::default().append(leaf(chance, number))).unwrap();
    }
}

/// An office on `store`, with an index in rows of so many entries.
fn open(store: Arc<dyn Store>, entries: u32) -> (Bench, Gate, Office) {
    let mut bench = Bench::on(store).unwrap();
    bench.parts.limits = Limits::default().with_index_entries(entries);
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    (bench, gate, office)
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how long")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn an_answer_is_what_reading_the_whole_log_finds() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let first = number("PLACET_SEED").unwrap_or(u64::try_from(now % (1 << 40)).unwrap());
    eprintln!("PLACET_SEED={first}");
    for case in 0..number("PLACET_CASES").unwrap_or(8) {
        let mut chance = Chance::new(first.wrapping_add(case));
        let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
        let entries = chance.one_of(&[1, 3, 8, 16]).unwrap();
        let (bench, mut gate, office) = open(Arc::<MemoryStore>::clone(&store), entries);
        let many = chance.below(150);
        append(&*store, &mut chance, many);
        for _ in 0..8 {
            let query = query(&mut chance, store.log_len().unwrap());
            let (mut found, mut cursor) = (Vec::new(), None);
            let mut due = by_reading(&*store, &query);
            loop {
                let limit = usize::try_from(chance.below(9)).unwrap();
                let page = gate.query_audit(&office.root, &query, cursor.as_ref(), limit).unwrap();
                assert!(page.entries.len() <= limit.max(1));
                found.extend(page.entries.into_iter().map(|(index, _)| index));
                let Some(next) = page.next else { break };
                // Through its text, as a stranger hands it back, and perhaps at a gate that was just opened.
                cursor = Some(next.to_string().parse().unwrap());
                if chance.is(30) {
                    let more = chance.below(12);
                    append(&*store, &mut chance, more);
                    if chance.is(20) {
                        gate = Gate::new(bench.parts.clone());
                    }
                }
            }
            // The oldest first, what came meanwhile is shown too.
            if serde_json::to_value(&query).unwrap()["newest_first"] == true {
                due.reverse();
            } else {
                due = by_reading(&*store, &query);
            }
            assert_eq!(found, due, "PLACET_SEED={} {query:?}", first.wrapping_add(case));
        }
    }
}

/// Counts what is read: a row or an entry each.
#[derive(Debug, Default)]
struct Counted {
    inner: MemoryStore,
    rows: AtomicU64,
}

impl Counted {
    fn count(&self, rows: usize) {
        self.rows.fetch_add(u64::try_from(rows).unwrap(), Ordering::Relaxed);
    }

    fn during<T>(&self, act: impl FnOnce() -> T) -> (T, u64) {
        let before = self.rows.load(Ordering::Relaxed);
        (act(), self.rows.load(Ordering::Relaxed) - before)
    }
}

impl Store for Counted {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.count(1);
        self.inner.get(key)
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let found = self.inner.scan(prefix, after, limit)?;
        self.count(found.len().max(1));
        Ok(found)
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.count(1);
        self.inner.log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let found = self.inner.log_read(from, limit)?;
        self.count(found.len().max(1));
        Ok(found)
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.inner.commit(batch)
    }
}

#[test]
fn a_page_costs_what_is_on_it_and_not_what_the_log_holds() {
    let store: Arc<Counted> = Arc::new(Counted::default());
    let (_bench, gate, office) = open(Arc::<Counted>::clone(&store), 128);
    let (ana, rare, began) = (UserId::from_u128(77), RequestId::from_u128(77), gate.now());
    for number in 0..20_000_i64 {
        let at = began.plus_ms(u64::try_from(number).unwrap() * 1_000);
        let other = UserId::from_u128(u128::try_from(number % 50).unwrap() + 1_000);
        let actor = if number % 10 == 3 { ana } else { other };
        let request = if number % 5_000 == 7 { rare } else { RequestId::from_u128(9) };
        let leaf = json!({
            "v": 1, "at": at, "event": "request.commented", "actor": actor, "request": request,
        });
        let batch = Batch::default().append(serde_json::to_vec(&leaf).unwrap());
        store.commit(batch).unwrap();
    }
    let len = store.inner.log_len().unwrap();
    let (covered, _) = store.during(|| gate.index_log(|_done, _total| Ok(())).unwrap());
    assert!(len - covered < 128);

    // What asking costs, and the entries that no row covers.
    let fixed = 60 + (len - covered);
    let hour = |hour: u64| began.plus_ms(hour * 3_600_000);
    let all = AuditQuery::default;
    for (query, limit, due) in [
        (all().about(rare), 50, 4),
        (all().about(rare).newest_first(), 50, 4),
        (all().by(ana), 50, 50),
        (all().by(ana).newest_first(), 50, 50),
        (all().by(ana).event("request.").unwrap().from(hour(3)), 50, 50),
        (all().newest_first().until(hour(3)), 50, 50),
        (all().by(ana).newest_first().until(hour(3)).from(hour(2)), 50, 50),
        (all().by(UserId::from_u128(1)), 50, 0),
        (all(), 50, 50),
    ] {
        let (page, rows) =
            store.during(|| gate.query_audit(&office.root, &query, None, limit).unwrap());
        assert_eq!(page.entries.len(), due, "{query:?}");
        let due = u64::try_from(due).unwrap();
        eprintln!("{rows} rows of a log of {len} for {due} entries: {query:?}");
        assert!(rows <= fixed + 10 * due, "{rows} rows for {due} entries: {query:?}");
        // The page in the middle costs no more.
        if let Some(next) = page.next {
            let (page, rows) = store
                .during(|| gate.query_audit(&office.root, &query, Some(&next), limit).unwrap());
            assert_eq!(page.entries.len(), limit);
            assert!(rows <= fixed + 10 * due, "{rows} rows for a second page: {query:?}");
        }
    }
    // Where next to nothing is to be found, a page ends all the same.
    let nothing = all().by(ana).about(rare);
    let (_, rows) = store.during(|| gate.query_audit(&office.root, &nothing, None, 50).unwrap());
    assert!(rows <= fixed + 2_000, "{rows}");
    // The count does see a reader of everything.
    let ((), rows) = store.during(|| {
        let mut from = 0;
        while let Some((last, _)) = gate.audit(&office.root, from).unwrap().last() {
            from = last + 1;
        }
    });
    assert!(rows >= 20_000, "{rows}");
}

/// The rows of the index.
fn rows(store: &dyn Store) -> Vec<(Key, Vec<u8>)> {
    let kinds = ["log_index", "log_span", "log_word", "log_posting"];
    let found = kinds
        .into_iter()
        .flat_map(|kind| store.scan(&Key::from_segments(&[kind]), None, usize::MAX).unwrap());
    found.map(|(key, stored)| (key, stored.value)).collect()
}

fn kind(key: &Key) -> String {
    String::from_utf8_lossy(key.as_bytes()).split('\0').next().unwrap().to_owned()
}

fn set(store: &dyn Store, key: &Key, value: Option<Vec<u8>>) {
    let batch = Batch::default();
    let batch = match value {
        Some(value) => batch.put(key.clone(), value),
        None => batch.remove(key.clone()),
    };
    store.commit(batch).unwrap();
}

/// What a reader would answer to `request.` who believes each row.
fn by_believing(store: &dyn Store) -> Vec<u64> {
    let term = Digest::of(b"group:request").to_string();
    let mut found = Vec::new();
    for (_, value) in rows(store).iter().filter(|(key, _)| kind(key) == "log_posting") {
        let Ok(row) = serde_json::from_slice::<Value>(value) else { continue };
        if row["body"]["term"] == term.as_str() {
            let start = row["body"]["span"].as_u64().unwrap() * SPAN;
            let bits = row["body"]["offsets"].as_str().unwrap().chars();
            let bits = bits
                .flat_map(|digit| [8, 4, 2, 1].map(|bit| digit.to_digit(16).unwrap() & bit != 0));
            found.extend((start..).zip(bits).filter(|(_, set)| *set).map(|(index, _)| index));
        }
    }
    found.extend(
        by_reading(store, &AuditQuery::default().event("request.").unwrap())
            .into_iter()
            .filter(|index| *index >= store.log_len().unwrap() / SPAN * SPAN),
    );
    found
}

/// Asks everything of a damaged index: how often it was noticed, and how often the answer was right all the same.
fn ask_damaged(gate: &Gate, root: &Caller, queries: &[(AuditQuery, Vec<u64>)]) -> (u64, u64) {
    let (mut noticed, mut right) = (0, 0);
    for (query, due) in queries {
        match by_asking(gate, root, query) {
            Ok(found) => {
                assert_eq!(found, *due, "{query:?}");
                right += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Code::StoreDamaged);
                assert!(error.help().is_some());
                noticed += 1;
            }
        }
    }
    (noticed, right)
}

#[test]
fn a_damaged_index_is_noticed_and_never_answers_wrongly() {
    let seed = number("PLACET_SEED").unwrap_or(11);
    eprintln!("PLACET_SEED={seed}");
    let mut chance = Chance::new(seed);
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    let (bench, gate, office) = open(Arc::<MemoryStore>::clone(&store), 4);
    append(&*store, &mut chance, 7);
    gate.index_log(|_done, _total| Ok(())).unwrap();
    let before = rows(&*store);
    append(&*store, &mut chance, 12);
    gate.index_log(|_done, _total| Ok(())).unwrap();
    let now = rows(&*store);
    let group = || AuditQuery::default().event("request.").unwrap();
    let mut queries: Vec<AuditQuery> = (0..3).map(|_| query(&mut chance, 60)).collect();
    queries.extend([group(), group().newest_first()]);
    let queries: Vec<_> = queries
        .into_iter()
        .map(|query| {
            let mut due = by_reading(&*store, &query);
            if serde_json::to_value(&query).unwrap()["newest_first"] == true {
                due.reverse();
            }
            (query, due)
        })
        .collect();
    let truth = by_reading(&*store, &group());
    let (mut noticed, mut right, mut believed) = (0, 0, 0);
    // One row of three, or all of them.
    let step = if number("PLACET_CASES").is_some() { 1 } else { 3 };
    for (at, (key, value)) in now.iter().enumerate().step_by(step) {
        let earlier = before.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        let (_, of_another) = &now[(at + 1) % now.len()];
        let cut = value[..value.len() - 2].to_vec();
        // Lost, cut, that of another, and of an earlier day.
        let damages = [
            None,
            Some(cut),
            Some(of_another.clone()),
            Some(earlier.unwrap_or_else(|| value.clone())),
        ];
        for damage in damages.into_iter().filter(|damage| damage.as_ref() != Some(value)) {
            set(&*store, key, damage);
            believed += u64::from(by_believing(&*store) != truth);
            let gate = Gate::new(bench.parts.clone());
            let unlike = gate.check_log_index(|_done, _total| Ok(()));
            // A node that lost how far it was has no index, and makes one.
            let is_lost = rows(&*store).iter().all(|(key, _)| kind(key) != "log_index");
            assert_eq!(unlike.is_ok(), is_lost, "{key:?}");
            let found = ask_damaged(&gate, &office.root, &queries);
            (noticed, right) = (noticed + found.0, right + found.1);
            // An index that was lost is made anew: back to how it was.
            for (key, _) in rows(&*store) {
                set(&*store, &key, None);
            }
            for (key, value) in &now {
                set(&*store, key, Some(value.clone()));
            }
        }
    }
    eprintln!(
        "{noticed} noticed, {right} answered rightly all the same, {believed} times deceived"
    );
    assert!(noticed > 10 && believed > 0, "{noticed} {believed}");
}

/// Asking believes rows that fit each other. Comparing does not.
#[test]
fn what_somebody_made_to_fit_is_found_by_comparing() {
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    let (_bench, gate, office) = open(Arc::<MemoryStore>::clone(&store), 4);
    append(&*store, &mut Chance::new(6), 40);
    gate.index_log(|_done, _total| Ok(())).unwrap();
    gate.check_log_index(|_done, _total| Ok(())).unwrap();

    let of_request = Digest::of(b"group:request").to_string();
    for (key, _) in rows(&*store) {
        if String::from_utf8_lossy(key.as_bytes()).contains(&of_request) {
            set(&*store, &key, None);
        }
    }
    let query = AuditQuery::default().event("request.").unwrap();
    assert_ne!(by_asking(&gate, &office.root, &query).unwrap(), by_reading(&*store, &query));
    let found = gate.check_log_index(|_done, _total| Ok(())).unwrap_err();
    assert_eq!(found.code(), Code::StoreDamaged);

    gate.rebuild_log_index(|_done, _total| Ok(())).unwrap();
    gate.check_log_index(|_done, _total| Ok(())).unwrap();
    let (key, value) = rows(&*store).pop().unwrap();
    let extra = String::from_utf8_lossy(key.as_bytes()).replace("/0", "/1");
    set(&*store, &Key::from_bytes(format!("{extra}x").into_bytes()), Some(value));
    assert!(gate.check_log_index(|_done, _total| Ok(())).is_err(), "a row too many");
}

#[test]
fn an_index_is_made_anew_from_the_log_alone() {
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    let (_bench, gate, office) = open(Arc::<MemoryStore>::clone(&store), 4);
    append(&*store, &mut Chance::new(5), 40);
    gate.index_log(|_done, _total| Ok(())).unwrap();
    let query = AuditQuery::default().event("request.").unwrap();
    let (due, now) = (by_reading(&*store, &query), rows(&*store));
    assert_eq!(by_asking(&gate, &office.root, &query).unwrap(), due);

    let of_request = Digest::of(b"group:request").to_string();
    let is_its = |key: &Key| String::from_utf8_lossy(key.as_bytes()).contains(&of_request);
    let (posting, _) = now.iter().rfind(|(key, _)| is_its(key)).unwrap();
    set(&*store, posting, None);
    let state = Key::from_segments(&["log_index"]);
    for unreadable in [None, Some(b"{".to_vec())] {
        assert_eq!(by_asking(&gate, &office.root, &query).unwrap_err().code(), Code::StoreDamaged);
        if unreadable.is_some() {
            set(&*store, &state, unreadable);
        }
    }
    // Stopped half-way, it goes on.
    let stop = |done, _total| {
        if done < 8 { Ok(()) } else { Err(Error::new(Code::Cancelled, "enough")) }
    };
    assert_eq!(gate.rebuild_log_index(stop).unwrap_err().code(), Code::Cancelled);
    assert_eq!(by_asking(&gate, &office.root, &query).unwrap(), due);
    gate.rebuild_log_index(|_done, _total| Ok(())).unwrap();
    assert_eq!(by_asking(&gate, &office.root, &query).unwrap(), due);
    assert_eq!(rows(&*store).len(), now.len(), "nothing is left of the earlier ones");
}

#[test]
fn of_two_nodes_that_write_the_index_one_goes_first_and_both_answer() {
    for nth in 0..24 {
        let kept: Arc<MemoryStore> = Arc::new(MemoryStore::default());
        let (bench, _, office) = open(Arc::<MemoryStore>::clone(&kept), 8);
        append(&*kept, &mut Chance::new(nth), 40);
        let between: Arc<InterleavingStore> =
            Arc::new(InterleavingStore::new(Arc::<MemoryStore>::clone(&kept)));
        let mut parts = bench.parts.clone();
        parts.store = Arc::<InterleavingStore>::clone(&between);
        let (one, other) = (Gate::new(parts), Gate::new(bench.parts.clone()));
        let query = AuditQuery::default().event("request.").unwrap();
        let due = by_reading(&*kept, &query);
        let (asked, root) = (query.clone(), office.root);
        between.before(nth, move || {
            if nth % 3 == 0 {
                other.rebuild_log_index(|_done, _total| Ok(())).unwrap();
            }
            by_asking(&other, &root, &asked).map(drop).unwrap();
        });
        assert_eq!(by_asking(&one, &office.root, &query).unwrap(), due, "moment {nth}");
    }
}

#[test]
fn whoever_may_not_see_learns_nothing_from_the_log() {
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    let (_bench, gate, office) = open(Arc::<MemoryStore>::clone(&store), 8);
    let auditor = GrantGlobalRole { user: office.bo.user(), role: GlobalRole::Auditor };
    let id = office.approved(&gate).unwrap().header.id;
    let all = AuditQuery::default;
    let ask = |who: &Caller, query: &AuditQuery| gate.query_audit(who, query, None, 100);

    // Ana reads the request: its trail, and nothing beside it.
    let seen = ask(&office.ana, &all().about(id)).unwrap().entries;
    assert_eq!(seen, gate.trail(&office.ana, id).unwrap());
    for query in [all(), all().by(office.ana.user()), all().in_project(office.project)] {
        assert_eq!(ask(&office.ana, &query).unwrap_err().code(), Code::Denied);
    }
    // Bo may not read here: for him there is no such request.
    let unknown = RequestId::from_u128(404);
    for request in [id, unknown] {
        let error = ask(&office.bo, &all().about(request)).unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
    // That they tried is in the log, once for each.
    let denied = ask(&office.root, &all().event("denied").unwrap()).unwrap().entries;
    let by =
        |who: &Caller| denied.iter().filter(|(_, leaf)| leaf.actor == Some(who.user())).count();
    assert_eq!((by(&office.ana), by(&office.bo)), (1, 1));

    // As AUDITOR he sees everything, also of a request that never was.
    gate.administer(&office.root, &auditor).unwrap();
    assert_eq!(ask(&office.bo, &all().about(id)).unwrap().entries.len(), seen.len() + 1);
    assert!(ask(&office.bo, &all().about(unknown)).unwrap().entries.is_empty());
}
