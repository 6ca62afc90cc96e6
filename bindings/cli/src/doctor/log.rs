//! The store and the log in it.

use std::path::Path;

use placet::SystemClock;
use placet::audit::{Checkpoint, Leaf, MerkleTree};
use placet::clock::{Clock as _, Timestamp};
use placet::error::{Code, Error};
use placet::store::Store;
use placet::store_sled::SledStore;

use super::Finding;
use crate::audit;
use crate::files;
use crate::ground::Ground;

/// Clocks that differ by less are alike, in milliseconds.
const CLOCK_MS: u64 = 5 * 60 * 1_000;

pub(super) fn look(ground: &Ground, folder: &Path, kept: Option<&Path>) -> Vec<Finding> {
    if ground.is_elsewhere() {
        return vec![Finding::skipped(
            "store",
            "the state is in a database; its own tools look after it",
        )];
    }
    if !folder.join("store").is_dir() {
        if folder.join("log.begun").exists() {
            let next = "restore the folder `store` from a backup";
            return vec![Finding::broken(
                "store",
                "this log was begun, and its store is gone",
                next,
            )];
        }
        let next = "found a gate with `org bootstrap`, or check the path";
        return vec![Finding::warning("store", "there is none", next)];
    }
    let store = match SledStore::open(folder.join("store")) {
        Ok(store) => store,
        Err(error) => {
            let error = Error::from(error);
            if error.code() == Code::StoreLocked {
                let next = "stop that process and look again; nothing is wrong with being in use";
                return vec![Finding::warning("store", "another process has it open", next)];
            }
            return vec![Finding::of("store", &error)];
        }
    };
    let mut found = vec![Finding::good("store", "opens, and its head is whole")];
    match read(ground, &store) {
        Ok((tree, last)) => {
            if tree.is_empty() && folder.join("log.begun").exists() {
                let next = "restore the folder `store` from a backup";
                found.push(Finding::broken("log", "it was begun, and is empty", next));
                return found;
            }
            found.push(Finding::good(
                "log",
                format!("{} entries, root {}", tree.len(), tree.root()),
            ));
            found.extend(last.map(clock));
            found.extend(kept.map(|kept| continues(folder, &tree, kept)));
        }
        Err(error) => found.push(Finding::of("log", &error)),
    }
    found
}

/// The hashes of the whole log, and when its last entry was written.
fn read(ground: &Ground, store: &dyn Store) -> Result<(MerkleTree, Option<Timestamp>), Error> {
    let tree = audit::read_log(ground.console(), store)?;
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

fn continues(folder: &Path, tree: &MerkleTree, kept: &Path) -> Finding {
    let what = "kept checkpoint";
    let opened = audit::key_of_folder(folder).and_then(|key| {
        let missing = || Error::new(Code::SignerUnavailable, "there is no key to check it with");
        let key = key.ok_or_else(missing)?;
        Checkpoint::open(&files::bytes(kept)?, key.name(), &key)
    });
    match opened {
        Err(error) => Finding::of(what, &error),
        Ok(earlier) if tree.root_at(earlier.size()).ok() == Some(earlier.root()) => {
            Finding::good(what, format!("the log continues it from {} entries", earlier.size()))
        }
        Ok(earlier) => {
            let says = format!("the log is not the one that had {} entries", earlier.size());
            Finding::broken(
                what,
                says,
                "it was rolled back or rewritten; keep the checkpoint as evidence",
            )
        }
    }
}
