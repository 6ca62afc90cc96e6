//! The store written anew into another file, without the bytes of what was overwritten, removed or erased.
//!
//! redb's own compaction moves pages and leaves what stood in free ones.

use std::fs::{self, File};
use std::path::Path;

use placet_core::store::{StoreError, StoreErrorKind};
use redb::{ReadableDatabase as _, ReadableTable as _};

use crate::fault::{Fault, guarded, unavailable};
use crate::file::{self, COMMITS, LOG, LOG_LEN, META, Opened, PAIRS, compacting, sync_name};
use crate::record::{Place, decode};

/// How many records are copied between two calls of `progress`.
const COPIED: u64 = 1_024;

pub(crate) fn compact(
    path: &Path,
    progress: &mut dyn FnMut(u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if !path.exists() {
        let message = format!("there is no store at `{}`", path.display());
        return Err(StoreError::new(StoreErrorKind::Unavailable, message)
            .with_help("name the file of the store"));
    }
    // Held until the end: it is the lock, and removes what an earlier try left.
    let old = file::open(path, Box::new(|| Ok(())))?;
    let fresh = compacting(path);
    let new = file::open(&fresh, Box::new(|| Ok(())))?;
    let copied = guarded("compacting", || copy(&old, &new, progress));
    drop(new);
    let place = || {
        File::open(&fresh)?.sync_all()?;
        // From here on it is the new one: all of it is on the disk.
        fs::rename(&fresh, path)?;
        sync_name(path)
    };
    let placed = copied.and_then(|()| {
        place().map_err(|cause| unavailable("putting the new file into its place", cause))
    });
    if placed.is_err() {
        // The next opening removes what cannot be removed now.
        let _left = fs::remove_file(&fresh);
    }
    drop(old);
    placed
}

/// Copies all records as they are, in one transaction, and tests each.
fn copy(
    old: &Opened,
    new: &Opened,
    progress: &mut dyn FnMut(u64) -> Result<(), StoreError>,
) -> Result<(), Fault> {
    let reading = old.db.begin_read()?;
    let mut writing = new.db.begin_write()?;
    writing.set_two_phase_commit(true);
    let mut copied = 0_u64;
    let mut count = || {
        copied = copied.saturating_add(1);
        if copied.is_multiple_of(COPIED) { progress(copied) } else { Ok(()) }
    };
    {
        let mut pairs = writing.open_table(PAIRS)?;
        for pair in reading.open_table(PAIRS)?.iter()? {
            let (key, raw) = pair?;
            decode(Place::Key(key.value()), raw.value())?;
            pairs.insert(key.value(), raw.value())?;
            count()?;
        }
        let mut log = writing.open_table(LOG)?;
        for entry in reading.open_table(LOG)?.iter()? {
            let (index, raw) = entry?;
            decode(Place::Log(index.value()), raw.value())?;
            log.insert(index.value(), raw.value())?;
            count()?;
        }
        let mut meta = writing.open_table(META)?;
        meta.insert(COMMITS, old.position.commits)?;
        meta.insert(LOG_LEN, old.position.log_len)?;
    }
    writing.commit()?;
    progress(copied)?;
    Ok(())
}
