//! The stored form of every kind of record, as it was once written: `tests/fixtures/<kind>.json`.
//!
//! What stands in a host's store today must be readable by every later version. A fixture is therefore made
//! once and not again. Where this test fails, the form has changed: raise the format, and read both.
//!
//! A new kind of record needs a fixture. This writes those that are missing, and touches no other:
//!
//! ```sh
//! PLACET_WRITE_FIXTURES=1 cargo test -p placet-core --lib fixtures
//! ```
//!
//! Before the first release, while nobody has a store yet, a form may still change without a new format:
//! remove its fixture, and write it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::erasable::Salts;
use super::fixtures_form_tests::{settled, with_texts};
use super::fixtures_story_tests::{find, gate_on, story};
use super::records::{Record, decode, encode, key_for};
use super::{Batch, Key, MemoryStore, Store as _};
use crate::audit::Leaf;
use crate::error::{Code, Error};
use crate::org::book::{Epoch, ProjectRow, Unique, Used};
use crate::org::{GlobalRoleGrant, PluginGrant, Project, User};
use crate::request::{
    Artifact, Check, Dependants, HistoryEntry, Request, Revision, Run, StateName, Thread,
};
use crate::testing::{Bench, Office};

/// One stored record: its key and its bytes, both of which are text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Fixture {
    key: String,
    stored: String,
}

/// For each kind, its records.
pub(super) type Fixtures = BTreeMap<String, Vec<Fixture>>;

/// The log has no kind; its entries are kept with the records.
const LOG: &str = "log";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The fixtures in the repository.
pub(super) fn kept() -> Fixtures {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let kept = files.map(|path| {
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (kind, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    });
    kept.collect()
}

/// Every kind that the sources declare.
fn declared() -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            // Put together here, so that this line does not declare one.
            let start = ["const KIND: &'static str", " = \""].concat();
            let found = text.split(&start).skip(1).filter_map(|rest| rest.split_once('"'));
            kinds.extend(found.map(|(kind, _)| kind.to_owned()));
        }
    }
    kinds
}

/// What the present code writes when all that can happen does.
fn written() -> Fixtures {
    let store = Arc::new(MemoryStore::default());
    story(&store).unwrap();
    let mut written = Fixtures::new();
    for (key, stored) in store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap() {
        let key = String::from_utf8(key.as_bytes().to_vec()).unwrap();
        let kind = key.split('\0').next().unwrap().to_owned();
        let stored = String::from_utf8(stored.value).unwrap();
        written.entry(kind).or_default().push(Fixture { key, stored });
    }
    let entries = store.log_read(0, usize::MAX).unwrap().into_iter().zip(0_u32..);
    let log = entries.map(|(entry, index)| Fixture {
        key: index.to_string(),
        stored: String::from_utf8(entry).unwrap(),
    });
    written.insert(LOG.to_owned(), log.collect());
    written
}

#[test]
fn every_kind_of_record_has_a_fixture() {
    let (declared, written) = (declared(), written());
    let mut kept = kept();
    if std::env::var_os("PLACET_WRITE_FIXTURES").is_some() {
        for (kind, fixtures) in written.iter().filter(|(kind, _)| !kept.contains_key(*kind)) {
            let text = serde_json::to_string_pretty(fixtures).unwrap() + "\n";
            fs::write(folder().join(format!("{kind}.json")), text).unwrap();
        }
        kept = self::kept();
    }
    assert!(declared.len() >= 16, "the sources were not read: {declared:?}");
    for kind in declared.iter().map(String::as_str).chain([LOG]) {
        assert!(
            written.contains_key(kind),
            "the story in `fixtures_story_tests.rs` writes no record of kind `{kind}`: add it there"
        );
        let fixtures = kept.get(kind).unwrap_or_else(|| {
            panic!("`{kind}` has no fixture; the head of this file says how to write it")
        });
        assert!(!fixtures.is_empty());
    }
    let states = kept["request"].iter().map(|fixture| {
        let stored: Value = serde_json::from_str(&fixture.stored).unwrap();
        stored["body"]["state"]["state"].as_str().unwrap().to_owned()
    });
    let states: BTreeSet<_> = states.collect();
    let due = StateName::ALL.iter().map(|state| state.as_str().to_owned());
    assert_eq!(states, due.collect(), "a request in every state");
}

/// Each kind of row is one of many forms, and so is how a run ended.
#[test]
fn the_fixtures_have_every_row_and_every_ending() {
    let kept = kept();
    let distinct = |kind: &str, of: &dyn Fn(&Value) -> Value| {
        let found = kept[kind].iter().map(|fixture| of(&fixture.json()["body"]).to_string());
        found.collect::<BTreeSet<_>>()
    };
    assert_eq!(distinct("org", &|body| body["row"]["table"].clone()).len(), 20);
    assert_eq!(distinct("run", &|body| body["outcome"]["outcome"].clone()).len(), 4);
    assert_eq!(distinct("run", &|body| body["late"].is_null().into()).len(), 2);
    let declared = |body: &Value| body["state"]["ended"]["declared_by"].is_string().into();
    assert_eq!(distinct("request", &declared).len(), 2);
    let read = |body: &Value| body["state"]["ended"]["last_read"].is_object().into();
    assert_eq!(distinct("request", &read).len(), 2);
}

/// The kinds whose types stand inside the gate, out of reach from here. Their envelope is tested like all
/// others, their content through the gate.
const INSIDE_THE_GATE: &[&str] = &[
    "denial",
    "governance",
    "due",
    "live",
    "log_index",
    "log_key",
    "log_posting",
    "log_span",
    "log_word",
    "log_year",
    "policy_set",
    "promotion",
    "request_of",
    "retention",
    "run_checkpoints",
    "tile",
    "turn",
];

/// Reads `fixture` as its kind, and writes it again. `None` for what stands inside the gate.
fn again(kind: &str, fixture: &Fixture) -> Result<Option<Vec<u8>>, Error> {
    macro_rules! of {
        ($($record:ty),*) => {
            match kind {
                $(<$record>::KIND => rewritten::<$record>(fixture).map(Some),)*
                LOG => Leaf::from_bytes(fixture.stored.as_bytes())?.to_bytes().map(Some),
                inside => {
                    assert!(INSIDE_THE_GATE.contains(&inside), "`{inside}` is in neither list");
                    decode::<Any>(&fixture.key(), fixture.stored.as_bytes()).map(|_| None)
                }
            }
        };
    }
    of!(
        Artifact,
        Check,
        Dependants,
        Epoch,
        GlobalRoleGrant,
        HistoryEntry,
        PluginGrant,
        Project,
        ProjectRow,
        Request,
        Revision,
        Run,
        Thread,
        Unique,
        Used,
        User
    )
}

fn rewritten<R: Record>(fixture: &Fixture) -> Result<Vec<u8>, Error> {
    let record: R = decode(&fixture.key(), fixture.stored.as_bytes())?;
    assert_eq!(key_for(&record), fixture.key());
    let salt = fixture.json()["salt"].as_str().unwrap().to_owned();
    let pairs = salt.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    let salt: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    encode(&record, Salts { record: salt.try_into().unwrap(), texts: [0; 32] })
}

impl Fixture {
    fn key(&self) -> Key {
        Key::from_bytes(self.key.clone().into_bytes())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&with_texts(&self.stored)).unwrap()
    }

    fn with(&self, stored: String) -> Self {
        Self { key: self.key.clone(), stored }
    }
}

/// Any body.
#[derive(Deserialize, Serialize)]
struct Any(Value);

impl Record for Any {
    // Spelled in two parts: this is no kind of record.
    const KIND: &str = "any";

    fn path(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn each_fixture_is_read_and_written_back_to_the_same_bytes() {
    for (kind, fixtures) in kept() {
        for fixture in fixtures {
            if let Some(bytes) = again(&kind, &fixture).unwrap() {
                let bytes = with_texts(&String::from_utf8(bytes).unwrap());
                assert_eq!(bytes, with_texts(&fixture.stored), "the form of `{kind}` has changed");
            }
        }
    }
}

/// What stands inside the gate is written today as it was: the same fields, in the same order.
#[test]
fn what_stands_inside_the_gate_is_written_as_it_was() {
    let (kept, written) = (kept(), written());
    for kind in INSIDE_THE_GATE {
        let shapes = |fixtures: &Fixtures| -> BTreeSet<String> {
            fixtures[*kind].iter().map(|fixture| shape(&settled(&fixture.stored))).collect()
        };
        assert_eq!(shapes(&kept), shapes(&written), "the form of `{kind}` has changed");
    }
}

/// A text in which numbers, ids and salts are all alike.
fn shape(text: &str) -> String {
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.map(|word| {
        let end = word.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric());
        let (word, end) = match end.chars().next_back() {
            Some(last) => (word.trim_end_matches(last), last.to_string()),
            None => (word, String::new()),
        };
        let is_number = !word.is_empty()
            && is_hex(word)
            && (word.len() >= 8 || word.bytes().all(|byte| byte.is_ascii_digit()));
        format!("{}{end}", if is_number { "#" } else { word })
    });
    words.collect()
}

#[test]
fn a_newer_form_is_refused_and_damage_is_named() {
    for (kind, fixtures) in kept() {
        let (damaged, format) = match kind.as_str() {
            LOG => (Code::LogTampered, "\"v\":"),
            _ => (Code::StoreDamaged, "\"format\":"),
        };
        for fixture in fixtures {
            let newer = fixture.stored.replacen(&format!("{format}1"), &format!("{format}2"), 1);
            // Also one whose body nobody knows here.
            for newer in [newer, format!("{{{format}2,\"other\":[7]}}")] {
                assert_ne!(newer, fixture.stored, "{kind}");
                let refused = again(&kind, &fixture.with(newer)).unwrap_err();
                assert_eq!(refused.code(), Code::NewerFormat, "{kind}");
            }
            let mut cut = fixture.stored.clone();
            cut.pop();
            let refused = again(&kind, &fixture.with(cut)).unwrap_err();
            assert_eq!(refused.code(), damaged, "{kind}");
            assert!(refused.help().is_some());
        }
    }
}

/// A host's store of that day, under the gate of today.
#[test]
fn the_gate_goes_on_where_the_fixtures_end() {
    let kept = kept();
    let store = Arc::new(MemoryStore::default());
    for (kind, fixtures) in &kept {
        for fixture in fixtures {
            let bytes = fixture.stored.clone().into_bytes();
            let batch = Batch::default();
            store
                .commit(if kind == LOG {
                    batch.append(bytes)
                } else {
                    batch.put(fixture.key(), bytes)
                })
                .unwrap();
        }
    }
    let id_of = |kind: &str, name: &str, value: &str| {
        let found = kept[kind].iter().map(|fixture| fixture.json()["body"].take());
        let found =
            found.map(|body| body.get("row").map_or(body.clone(), |row| row["row"].clone()));
        let mut found = found.filter(|body| body[name] == value);
        found.next().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let ids = [
        id_of("user", "email", "root@example.org"),
        id_of("user", "email", "ana@example.org"),
        id_of("user", "email", "bo@example.org"),
        id_of("project", "code", "shop"),
        id_of("org", "code", "pagos"),
        id_of("org", "code", "dev"),
    ];
    let office = Office::at(&ids.each_ref().map(String::as_str)).unwrap();
    let bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
    let gate = gate_on(&bench);
    let (root, ana, bo) = (&office.root, &office.ana, &office.bo);

    let requests = gate.requests(ana, office.project, None).unwrap().items;
    assert_eq!(requests.len(), kept["request"].len());
    for request in &requests {
        let view = gate.view(ana, request.id).unwrap();
        assert_eq!(view.state.name(), request.state);
        assert!(!gate.history(ana, request.id).unwrap().is_empty());
    }
    let organisation = gate.organisation(root, office.project).unwrap();
    assert_eq!(organisation.environments.len(), 2);
    assert_eq!(gate.users(root, None).unwrap().items.len(), kept["user"].len());
    assert_eq!(gate.global_roles(root).unwrap().len(), kept["global_role"].len());
    assert_eq!(gate.projects(ana).unwrap().len(), 1);
    gate.checkpoint().unwrap();

    // The denial of that minute is known, and not noted twice.
    let entries = store.log_len().unwrap();
    let again = gate.request_changes(ana, find(&gate, &office, "denied"), "no");
    assert_eq!(again.unwrap_err().code(), Code::Denied);
    assert_eq!(store.log_len().unwrap(), entries);

    // The run is still at work, and the other waits.
    let at_target = |state| {
        let mut found = requests.iter().filter(|one| one.title == "at one target");
        found.find(|one| one.state == state).unwrap().id
    };
    let waits = gate.execute(bo, at_target(StateName::Approved)).unwrap_err();
    assert_eq!(waits.code(), Code::TargetBusy);
    gate.stop(bo, at_target(StateName::Executing)).unwrap();
    let (verified, _) = gate.verify(bo, find(&gate, &office, "unknown")).unwrap();
    assert_eq!(verified.state.name(), StateName::Succeeded);
}
