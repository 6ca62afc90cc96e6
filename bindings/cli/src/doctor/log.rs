//! The store and the log in it.

use std::path::Path;

use placet::SystemClock;
use placet::audit::{Leaf, LogKeys, MerkleTree};
use placet::clock::{Clock as _, Timestamp};
use placet::error::{Code, Error};
use placet::store::Store;

use super::Finding;
use crate::audit;
use crate::ground::Ground;

/// Clocks that differ by less are alike, in milliseconds.
const CLOCK_MS: u64 = 5 * 60 * 1_000;

/// The log, as far as heads are compared with it.
#[derive(Debug)]
pub(super) struct Log {
    /// Its hashes.
    pub(super) tree: MerkleTree,
    /// The keys that it names, with that of the folder; none where there is none.
    pub(super) keys: Option<LogKeys>,
}

/// What is wrong with store and log, and the log where it could be read.
pub(super) fn look(ground: &Ground, folder: &Path) -> (Vec<Finding>, Option<Log>) {
    let was_begun = folder.join("log.begun").exists();
    if !ground.is_elsewhere() && !folder.join("store").is_dir() {
        let finding = if was_begun {
            let next = "restore the folder `store` from a backup";
            Finding::broken("store", "this log was begun, and its store is gone", next)
        } else {
            let next = "found a gate with `org bootstrap`, or check the path";
            Finding::warning("store", "there is none", next)
        };
        return (vec![finding], None);
    }
    let store = match ground.store(false) {
        Ok(store) => store,
        Err(error) if error.code() == Code::StoreLocked => {
            let next = "stop that process and look again; nothing is wrong with being in use";
            return (vec![Finding::warning("store", "another process has it open", next)], None);
        }
        Err(error) => return (vec![Finding::of("store", &error)], None),
    };
    let mut found = vec![Finding::good("store", "opens, and its head is whole")];
    let key = audit::key_of_folder(folder).ok().flatten();
    let mut keys = key.map(|key| LogKeys::trusting(key.name(), &key));
    match read(ground, &*store, keys.as_mut()) {
        Ok((tree, _)) if tree.is_empty() && was_begun => {
            let next = "restore the store from a backup";
            found.push(Finding::broken("log", "it was begun, and is empty", next));
            (found, None)
        }
        Ok((tree, last)) => {
            found.push(Finding::good(
                "log",
                format!("{} entries, root {}", tree.len(), tree.root()),
            ));
            found.extend(last.map(clock));
            (found, Some(Log { tree, keys }))
        }
        Err(error) => {
            found.push(Finding::of("log", &error));
            (found, None)
        }
    }
}

/// The hashes of the whole log, and when its last entry was written.
fn read(
    ground: &Ground,
    store: &dyn Store,
    keys: Option<&mut LogKeys>,
) -> Result<(MerkleTree, Option<Timestamp>), Error> {
    let tree = audit::read_log(ground.console(), store, keys)?;
    let last = match tree.len().checked_sub(1) {
        Some(last) => {
            store.log_read(last, 1)?.first().map(|entry| Leaf::from_bytes(entry)).transpose()?
        }
        None => None,
    };
    Ok((tree, last.map(|leaf| leaf.at)))
}

fn clock(last: Timestamp) -> Finding {
    let now = SystemClock::default().now();
    let ahead_ms = last.ms_since(now);
    if ahead_ms > CLOCK_MS {
        let says = format!("it says {now}, and the log's last entry is of {last}");
        let next =
            "set the clock: this gate decides as of the later instant, and its time stands still";
        return Finding::warning("clock", says, next);
    }
    Finding::good("clock", format!("{now}, after the log's last entry"))
}
