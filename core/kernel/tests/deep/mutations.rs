//! Ten thousand changes by chance through the store's own API. Each changes nothing that counts, or is found and
//! named; and a check that overlooks something is caught.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::audit::{DeepFault, DeepOptions, DeepReport, Leaf};
use placet_core::digest::Digest;
use placet_core::store::{Batch, Key, Store as _};
use placet_core::testing::Chance;
use serde_json::Value;

use super::check;
use super::lab::Lab;
use super::says::{kind, logical, name};
use crate::bad_questions::{number, seed};

/// How a record, or the log, is changed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Way {
    Remove,
    Flip,
    Cut,
    /// Another value in one field, and JSON all the same.
    Field,
    /// What stood there before.
    Older,
    /// Two records, each under the key of the other.
    Swap,
    /// A record again, under a key that is not there.
    Copy,
    /// Texts beside a record: another text, none, those of another record, one more.
    TextChanged,
    TextRemoved,
    TextSwapped,
    TextAdded,
    /// An entry of the log more.
    Append,
}

/// The ways to change a record.
const WAYS: [Way; 11] = [
    Way::Remove,
    Way::Flip,
    Way::Cut,
    Way::Field,
    Way::Older,
    Way::Swap,
    Way::Copy,
    Way::TextChanged,
    Way::TextRemoved,
    Way::TextSwapped,
    Way::TextAdded,
];

/// A batch of changes: each key is changed once, and they go together into the store.
#[derive(Debug, Default)]
struct Changes {
    pairs: BTreeMap<Key, (Way, Option<Vec<u8>>)>,
    entry: Option<Entry>,
}

#[derive(Debug)]
enum Entry {
    /// Something that must be found by itself.
    Wrong(Vec<u8>),
    /// A leaf that could have been written: only who kept a head can tell.
    Plausible(Vec<u8>),
}

fn below(chance: &mut Chance, bound: usize) -> usize {
    usize::try_from(chance.below(u64::try_from(bound).unwrap())).unwrap()
}

fn one_of<'a, T>(chance: &mut Chance, items: &'a [T]) -> &'a T {
    &items[below(chance, items.len())]
}

/// A key by chance, of a kind by chance: there are few of some kinds.
fn any_key(lab: &Lab, chance: &mut Chance) -> Key {
    let keys = one_of(chance, &lab.kinds);
    one_of(chance, keys).clone()
}

/// Every place in `value`, as a path.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| places(item, &format!("{at}/{n}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.push(at.to_owned());
        }
    }
}

fn other_value(lab: &Lab, chance: &mut Chance, value: &Value) -> Value {
    match value {
        Value::Bool(yes) => Value::Bool(!yes),
        Value::Number(number) => {
            let number = number.as_i64().unwrap();
            serde_json::json!(if chance.is(50) { number + 1 } else { number - 1 })
        }
        Value::String(text) if chance.is(30) => {
            let mut letters: Vec<char> = text.chars().collect();
            if let Some(letter) = letters.last_mut() {
                *letter = if *letter == '1' { '2' } else { '1' };
            }
            letters.into_iter().collect::<String>().into()
        }
        _ if chance.is(20) => Value::Null,
        // What stands in the same place, or in any, of another record.
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            let other = &lab.pairs[&any_key(lab, chance)];
            let other: Value = serde_json::from_slice(other).unwrap();
            let mut all = Vec::new();
            places(&other, "", &mut all);
            let place: &String = one_of(chance, &all);
            other.pointer(place).cloned().unwrap_or_default()
        }
    }
}

/// The bytes of a record up to its texts, and its texts.
fn apart(bytes: &[u8]) -> Option<(&str, serde_json::Map<String, Value>)> {
    let (head, texts) = std::str::from_utf8(bytes).ok()?.split_once(",\"texts\":")?;
    let texts: Value = serde_json::from_str(texts.strip_suffix('}')?).ok()?;
    Some((head, texts.as_object()?.clone()))
}

/// Changes the texts beside records, and leaves everything that a leaf names as it was.
fn texts_changed(lab: &Lab, chance: &mut Chance, way: Way) -> Vec<(Key, Option<Vec<u8>>)> {
    let with_texts: Vec<_> =
        lab.pairs.iter().filter_map(|(key, bytes)| Some((key, apart(bytes)?))).collect();
    let full: Vec<_> = with_texts.iter().filter(|(_, (_, texts))| !texts.is_empty()).collect();
    let (key, (head, mut texts)) = (*one_of(chance, &full)).clone();
    let whole = |head: &str, texts: &serde_json::Map<String, Value>| {
        Some(format!("{head},\"texts\":{}}}", serde_json::json!(texts)).into_bytes())
    };
    let names: Vec<String> = texts.keys().cloned().collect();
    let name = one_of(chance, &names);
    match way {
        Way::TextChanged => {
            let part = if chance.is(50) { "text" } else { "salt" };
            texts[name][part] = format!("another {part}").into();
        }
        Way::TextRemoved => {
            texts.remove(name);
        }
        Way::TextSwapped => {
            let (other, (other_head, other_texts)) = (*one_of(chance, &full)).clone();
            return vec![
                (other.clone(), whole(other_head, &texts)),
                (key.clone(), whole(head, &other_texts)),
            ];
        }
        // One more: also where all texts were erased, and where a kind has none.
        Way::TextAdded
        | Way::Remove
        | Way::Flip
        | Way::Cut
        | Way::Field
        | Way::Older
        | Way::Swap
        | Way::Copy
        | Way::Append => {
            let text = texts[name].clone();
            let key = any_key(lab, chance);
            let bytes = std::str::from_utf8(&lab.pairs[&key]).unwrap();
            let end = format!(",\"texts\":{{\"{name}\":{text}}}}}");
            let changed = match apart(bytes.as_bytes()) {
                Some((head, mut texts)) => {
                    texts.insert(name.clone(), text);
                    whole(head, &texts)
                }
                None => bytes.strip_suffix('}').map(|head| format!("{head}{end}").into_bytes()),
            };
            return vec![(key, changed)];
        }
    }
    vec![(key.clone(), whole(head, &texts))]
}

fn field_changed(lab: &Lab, chance: &mut Chance, bytes: &[u8]) -> Vec<u8> {
    let mut whole: Value = serde_json::from_slice(bytes).unwrap();
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let place = one_of(chance, &all).clone();
    let changed = other_value(lab, chance, whole.pointer(&place).unwrap());
    *whole.pointer_mut(&place).unwrap() = changed;
    serde_json::to_vec(&whole).unwrap()
}

/// A key that is not there, of the kind of `key`.
fn new_key(lab: &Lab, chance: &mut Chance, key: &Key) -> Key {
    loop {
        let mut segments: Vec<String> = name(key).split('/').map(str::to_owned).collect();
        match chance.below(4) {
            0 => segments.push("more".to_owned()),
            1 => segments = vec![format!("kind{}", chance.below(9)), segments.concat()],
            // A name with a slash in it looks like another name.
            2 => segments = vec![segments.join("/")],
            _ => {
                let last = segments.last_mut().unwrap();
                let end = format!("{}", chance.below(10));
                last.replace_range(last.len() - 1.., &end);
            }
        }
        let new = Key::from_segments(&segments.iter().map(String::as_str).collect::<Vec<_>>());
        if !lab.pairs.contains_key(&new) {
            return new;
        }
    }
}

fn any_entry(lab: &Lab, chance: &mut Chance) -> Entry {
    let leaves = &lab.leaves;
    let names = |leaf: &&Value| leaf.get("records").is_some();
    let naming: Vec<&Value> = leaves.iter().filter(names).collect();
    let denials: Vec<&Value> = leaves.iter().filter(|leaf| leaf["event"] == "denied").collect();
    let bytes = |leaf: &Value| serde_json::to_vec(leaf).unwrap();
    match chance.below(5) {
        0 => Entry::Wrong(b"{\"no\":\"leaf\"}".to_vec()),
        1 | 2 => {
            let again = if chance.is(50) { &naming } else { &denials };
            Entry::Wrong(bytes(again[below(chance, again.len())]))
        }
        // Says that a record became what it is now, from something else than it was.
        3 => {
            let mut leaf = (*one_of(chance, &naming)).clone();
            let key = loop {
                let key = any_key(lab, chance);
                if logical(&key, lab.pairs.get(&key)).is_some_and(|said| {
                    said.as_array().is_some_and(|said| said.len() == lab.pairs[&key].len())
                }) {
                    break key;
                }
            };
            let (before, after) = (Digest::of(b"another"), Digest::of(&lab.pairs[&key]));
            leaf["records"] =
                serde_json::json!([{ "name": name(&key), "before": before, "after": after }]);
            Entry::Wrong(bytes(&leaf))
        }
        _ => {
            let mut leaf = (*one_of(chance, &naming)).clone();
            leaf["records"] = serde_json::json!([]);
            Entry::Plausible(bytes(&leaf))
        }
    }
}

/// Whether a record is checked by what others say.
fn is_judged(key: &Key) -> bool {
    ["unique", "live", "turn", "due"].contains(&kind(key).as_str())
}

impl Changes {
    fn any(lab: &Lab, chance: &mut Chance, count: u64) -> (Self, u64) {
        let (mut changes, mut made) = (Self::default(), 0);
        // By itself: a forged leaf could bear out another change.
        if chance.is(12) {
            changes.entry = Some(any_entry(lab, chance));
            return (changes, 1);
        }
        for _ in 0..count {
            let way = *one_of(chance, &WAYS);
            let key = any_key(lab, chance);
            let mut bytes = lab.pairs[&key].clone();
            let mut changed = match way {
                Way::Remove => vec![(key, None)],
                Way::Flip => {
                    let at = below(chance, bytes.len());
                    bytes[at] ^= 1 << chance.below(8);
                    vec![(key, Some(bytes))]
                }
                Way::Cut => {
                    bytes.truncate(below(chance, bytes.len()));
                    vec![(key, Some(bytes))]
                }
                Way::Field => {
                    let bytes = field_changed(lab, chance, &bytes);
                    vec![(key, Some(bytes))]
                }
                Way::Older => {
                    let keys: Vec<&Key> = lab.past.keys().collect();
                    let key = (*one_of(chance, &keys)).clone();
                    let older = one_of(chance, &lab.past[&key]).clone();
                    vec![(key, Some(older))]
                }
                Way::Swap => {
                    let same = lab.kinds.iter().find(|keys| keys.contains(&key)).unwrap();
                    let strange = chance.is(20);
                    let other =
                        if strange { any_key(lab, chance) } else { one_of(chance, same).clone() };
                    vec![(key, Some(lab.pairs[&other].clone())), (other, Some(bytes))]
                }
                Way::Copy => vec![(new_key(lab, chance, &key), Some(bytes))],
                Way::TextChanged | Way::TextRemoved | Way::TextSwapped | Way::TextAdded => {
                    texts_changed(lab, chance, way)
                }
                Way::Append => Vec::new(),
            };
            changed.retain(|(key, bytes)| lab.pairs.get(key) != bytes.as_ref());
            if changed.iter().any(|(key, _)| changes.hides(key)) {
                continue;
            }
            made += u64::from(!changed.is_empty());
            changes.pairs.extend(changed.into_iter().map(|(key, bytes)| (key, (way, bytes))));
        }
        (changes, made)
    }

    /// Whether a change at `key` could make good another one of this batch, or be the same.
    fn hides(&self, key: &Key) -> bool {
        let judges = |key: &Key| ["user", "project", "request"].contains(&kind(key).as_str());
        let index = |key: &Key| kind(key).starts_with("log_");
        if index(key) && self.pairs.keys().any(index) {
            return true;
        }
        self.pairs.keys().any(|other| {
            other == key || is_judged(other) && judges(key) || judges(other) && is_judged(key)
        })
    }

    fn batch(&self) -> Batch {
        let pairs = self.pairs.iter();
        let batch = pairs.fold(Batch::default(), |batch, (key, (_, bytes))| match bytes {
            Some(bytes) => batch.put(key.clone(), bytes.clone()),
            None => batch.remove(key.clone()),
        });
        match &self.entry {
            Some(Entry::Wrong(entry) | Entry::Plausible(entry)) => batch.append(entry.clone()),
            None => batch,
        }
    }

    fn undone(&self, lab: &Lab) -> Batch {
        self.pairs.keys().fold(Batch::default(), |batch, key| match lab.pairs.get(key) {
            Some(bytes) => batch.put(key.clone(), bytes.clone()),
            None => batch.remove(key.clone()),
        })
    }

    /// What was changed, counts, and is not in the report.
    fn overlooked(&self, lab: &Lab, report: &DeepReport) -> Vec<(Way, String)> {
        let named: BTreeSet<&str> =
            report.findings.iter().filter_map(|found| found.record.as_deref()).collect();
        let counts = self.pairs.iter().filter(|(key, (_, bytes))| lab.counts(key, bytes.as_ref()));
        let silent = counts.filter(|(key, _)| !named.contains(name(key).as_str()));
        let mut silent: Vec<_> = silent.map(|(key, (way, _))| (*way, name(key))).collect();
        let at = u64::try_from(lab.log.len()).unwrap();
        let found = match &self.entry {
            Some(Entry::Wrong(_)) => report.findings.iter().any(|found| found.leaf == Some(at)),
            Some(Entry::Plausible(_)) => report.entries_after_head == Some(1),
            None => report.entries_after_head == Some(0),
        };
        if !found {
            let entry = self.entry.as_ref().map(|entry| match entry {
                Entry::Wrong(bytes) | Entry::Plausible(bytes) => String::from_utf8_lossy(bytes),
            });
            silent.push((Way::Append, entry.unwrap_or_default().into_owned()));
        }
        silent
    }
}

/// Makes changes until `count` were made or `ends` says that it is enough, and answers how many of each way counted.
fn play(
    (lab, options): (&Lab, &DeepOptions),
    chance: &mut Chance,
    count: u64,
    ends: impl Fn(&[(Way, String)]) -> bool,
) -> (u64, BTreeMap<Way, u64>) {
    let (mut made, mut ways, mut store) = (0, BTreeMap::new(), lab.store());
    while made < count {
        // Some by themselves: a fault must not need another one to be found.
        let together = if chance.is(8) { 1 } else { 90 };
        let (changes, more) = Changes::any(lab, chance, together);
        made += more;
        store.commit(changes.batch()).unwrap();
        let report = check(&store, options);
        let overlooked = changes.overlooked(lab, &report);
        for (way, _) in changes.pairs.values() {
            *ways.entry(*way).or_default() += 1;
        }
        *ways.entry(Way::Append).or_default() += u64::from(changes.entry.is_some());
        if ends(&overlooked) {
            break;
        }
        if changes.entry.is_some() {
            store = lab.store();
        } else {
            store.commit(changes.undone(lab)).unwrap();
        }
    }
    (made, ways)
}

#[test]
fn each_of_ten_thousand_changes_counts_for_nothing_or_is_named() {
    let (lab, mut chance) = (Lab::new(), Chance::new(seed()));
    let count = number("PLACET_MUTATIONS", 10_000);
    let (made, ways) = play((&lab, &lab.options()), &mut chance, count, |overlooked| {
        assert!(overlooked.is_empty(), "overlooked: {overlooked:?}");
        false
    });
    eprintln!("{made} changes, none overlooked: {ways:?}");
    assert!(
        made >= count && WAYS.iter().chain([&Way::Append]).all(|way| ways[way] > 0),
        "{ways:?}"
    );
}

/// The same where there are tiles and an index of the log.
#[test]
fn each_change_beside_a_long_log_counts_for_nothing_or_is_named() {
    let (lab, mut chance) = (Lab::long(), Chance::new(seed()));
    let count = number("PLACET_MUTATIONS", 10_000) / 10;
    let (made, ways) = play((&lab, &lab.options()), &mut chance, count, |overlooked| {
        assert!(overlooked.is_empty(), "overlooked: {overlooked:?}");
        false
    });
    eprintln!("{made} changes, none overlooked: {ways:?}");
}

/// The tests above are worth something: they notice a check that overlooks any one of these.
#[test]
fn a_check_that_overlooks_something_is_caught() {
    let lab = Lab::new();
    for fault in [
        DeepFault::Missing,
        DeepFault::Added,
        DeepFault::Changed,
        DeepFault::Older,
        DeepFault::Swapped,
        DeepFault::BrokenChain,
        DeepFault::NotALeaf,
        DeepFault::Unfit,
        DeepFault::TextChanged,
        DeepFault::TextRemoved,
    ] {
        let (mut chance, caught) = (Chance::new(7), core::cell::RefCell::new(None));
        let weak = lab.options().blind_to(fault);
        let (made, _) = play((&lab, &weak), &mut chance, 5_000, |overlooked| {
            caught.replace(overlooked.first().cloned());
            !overlooked.is_empty()
        });
        let caught = caught.into_inner();
        assert!(caught.is_some(), "nobody noticed a check that overlooks `{fault}`");
        eprintln!("overlooking `{fault}` was caught after {made} changes: {caught:?}");
    }
}

/// The changes above look at what there is: it has every kind of record that the kernel writes, but for those of
/// runs that note something and of policies that are exchanged.
#[test]
fn the_lab_has_a_record_of_each_kind() {
    let lab = Lab::long();
    let kinds: BTreeSet<String> = lab.pairs.keys().map(kind).collect();
    let due = [
        "denial",
        "due",
        "epoch",
        "global_role",
        "history",
        "live",
        "log_index",
        "log_key",
        "log_posting",
        "log_span",
        "log_word",
        "org",
        "plugin_grant",
        "project",
        "promotion",
        "request",
        "request_of",
        "revision",
        "run",
        "tile",
        "turn",
        "unique",
        "used",
        "user",
    ];
    assert_eq!(kinds, due.iter().map(|kind| (*kind).to_owned()).collect());
    let events: BTreeSet<String> =
        lab.log.iter().map(|entry| Leaf::from_bytes(entry).unwrap().event).collect();
    assert!(events.contains("denied") && events.contains("run.lost"), "{events:?}");
}
