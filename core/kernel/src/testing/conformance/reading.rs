//! What get and scan return.

use super::{Case, all, commit, key, keys, ok, put, value};
use crate::store::{Batch, Key, Store, Stored};

pub(super) const CASES: &[Case] = &[
    ("an empty store has nothing", nothing),
    ("get returns the value and the version of the last commit", get),
    ("get_many answers as get does, in the order of the keys", get_many),
    ("keys and values may be empty and hold any byte", any_bytes),
    ("values may be long", long),
    ("scan returns ascending byte order", order),
    ("scan returns keys that start with the prefix, and no others", prefix),
    ("scan goes on after a key, also after one that is not there", after),
    ("scan returns at most `limit`, and fewer only at the end", limit),
];

fn nothing(store: &dyn Store) {
    assert_eq!(ok(store.get(&key(&["a"]))), None);
    assert_eq!(keys(store, &all(), None, usize::MAX), []);
    assert_eq!(ok(store.log_len()), 0);
    assert_eq!(ok(store.log_read(0, 10)), Vec::<Vec<u8>>::new());
}

fn get(store: &dyn Store) {
    let at = key(&["a"]);
    let first = commit(store, put("a", b"1"));
    assert_eq!(ok(store.get(&at)), Some(Stored::new(first.version, b"1".to_vec())));
    let second = commit(store, put("a", b"2").put(key(&["b"]), b"3".to_vec()));
    assert_eq!(ok(store.get(&at)), Some(Stored::new(second.version, b"2".to_vec())));
    assert_eq!(ok(store.get(&key(&["b"]))), Some(Stored::new(second.version, b"3".to_vec())));
    assert_eq!(ok(store.get(&key(&["a", "b"]))), None);
    let scanned = ok(store.scan(&at, None, 1));
    assert_eq!(scanned, [(at, Stored::new(second.version, b"2".to_vec()))], "scan agrees with get");
}

fn get_many(store: &dyn Store) {
    let [a, b, c] = [key(&["a"]), key(&["b"]), key(&["c"])];
    commit(store, put("a", b"1").put(c.clone(), Vec::new()));
    assert_eq!(ok(store.get_many(&[])), []);
    // Also where a key is asked for twice, and one is not there.
    let asked = [c.clone(), b, a.clone(), c, key(&["a", "b"]), a];
    let one_by_one: Vec<Option<Stored>> = asked.iter().map(|at| ok(store.get(at))).collect();
    assert_eq!(ok(store.get_many(&asked)), one_by_one);
    assert_eq!(one_by_one.iter().flatten().count(), 4);
}

fn any_bytes(store: &dyn Store) {
    let bytes = [vec![], vec![0], vec![0, 0], vec![0xff], vec![0xff, 0xff, 0xff], b"m".to_vec()];
    for bytes in &bytes {
        commit(store, Batch::default().put(Key::from_bytes(bytes.clone()), bytes.clone()));
    }
    for bytes in &bytes {
        assert_eq!(value(store, &Key::from_bytes(bytes.clone())).as_ref(), Some(bytes));
    }
    assert_eq!(keys(store, &all(), None, usize::MAX).len(), bytes.len());
    commit(store, Batch::default().remove(all()));
    assert_eq!(value(store, &all()), None);
}

fn long(store: &dyn Store) {
    let long = |fill: u8| vec![fill; 300_000];
    commit(store, put("a", &long(1)).put(key(&["b"]), long(2)).append(long(3)));
    commit(store, put("a", &long(4)));
    // Not `assert_eq`: nobody wants to read these values.
    assert!(value(store, &key(&["a"])) == Some(long(4)), "a long value that was written over");
    assert!(value(store, &key(&["b"])) == Some(long(2)), "a long value beside it");
    assert!(ok(store.log_read(0, 1)) == [long(3)], "a long log entry");
    commit(store, put("a", b"short").remove(key(&["b"])));
    assert_eq!(value(store, &key(&["a"])), Some(b"short".to_vec()));
    assert_eq!(keys(store, &all(), None, usize::MAX), [key(&["a"])]);
}

fn order(store: &dyn Store) {
    for segment in ["b", "a", "ab", "B", "é", "a/b", "10", "9"] {
        commit(store, put(segment, b""));
    }
    let found = keys(store, &all(), None, usize::MAX);
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(found, sorted);
    assert_eq!(found.len(), 8);
}

fn prefix(store: &dyn Store) {
    let mut batch = Batch::default();
    for segments in [&["team"][..], &["team", "a"], &["team", "b", "c"], &["teams", "a"], &["tea"]]
    {
        batch = batch.put(key(segments), Vec::new());
    }
    let edge = |last: u8| Key::from_bytes(vec![0xff, last]);
    commit(store, batch.put(edge(0xfe), Vec::new()).put(edge(0xff), Vec::new()));
    let found = keys(store, &key(&["team"]), None, 10);
    assert_eq!(found, [key(&["team"]), key(&["team", "a"]), key(&["team", "b", "c"])]);
    assert_eq!(keys(store, &key(&["te"]), None, 10), []);
    assert_eq!(keys(store, &Key::from_bytes(b"te".to_vec()), None, 10).len(), 5);
    assert_eq!(keys(store, &Key::from_bytes(vec![0xff]), None, 10), [edge(0xfe), edge(0xff)]);
    assert_eq!(keys(store, &edge(0xff), None, 10), [edge(0xff)], "there is no key above all 0xff");
}

fn after(store: &dyn Store) {
    for name in ["b", "d", "f"] {
        commit(store, Batch::default().put(key(&["x", name]), Vec::new()));
    }
    commit(store, put("w", b"").put(key(&["y"]), Vec::new()));
    let prefix = key(&["x"]);
    let rest = |name: &str| keys(store, &prefix, Some(&key(&["x", name])), 10);
    assert_eq!(rest("b"), [key(&["x", "d"]), key(&["x", "f"])], "after a key that is there");
    assert_eq!(rest("c"), [key(&["x", "d"]), key(&["x", "f"])], "after a key that is not there");
    assert_eq!(rest("f"), []);
    assert_eq!(
        keys(store, &prefix, Some(&key(&["a"])), 10).len(),
        3,
        "after a key before the prefix"
    );
    assert_eq!(keys(store, &prefix, Some(&key(&["y"])), 10), [], "after a key behind the prefix");
    assert_eq!(keys(store, &prefix, Some(&prefix), 10).len(), 3);
}

fn limit(store: &dyn Store) {
    let names: Vec<String> = (0..57).map(|number| format!("{number:02}")).collect();
    for name in &names {
        commit(store, Batch::default().put(key(&["p", name]), Vec::new()));
    }
    let prefix = key(&["p"]);
    assert_eq!(keys(store, &prefix, None, 0), []);
    assert_eq!(keys(store, &prefix, None, usize::MAX).len(), 57);
    for size in [1, 2, 19, 56, 57, 58] {
        let mut paged: Vec<Key> = Vec::new();
        loop {
            let page = keys(store, &prefix, paged.last(), size);
            assert!(page.len() <= size, "{} keys for a limit of {size}", page.len());
            let last = page.len() < size;
            paged.extend(page);
            assert!(paged.len() <= names.len(), "pages of {size} do not end");
            if last {
                break;
            }
        }
        let due: Vec<Key> = names.iter().map(|name| key(&["p", name])).collect();
        assert_eq!(paged, due, "pages of {size}");
    }
}
