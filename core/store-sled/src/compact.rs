//! The store written anew, without the bytes of what was overwritten, removed or erased.
//!
//! The new files are made in a folder of their own, below that of the store. One rename says that they are whole: a
//! store that is opened before it has the old files, and after it the new ones, which the opening puts in place if need be.
//! Long values have files of their own that hold nothing else; they stay where they are. One that nobody names any more is
//! removed first: an opening lets it be where it cannot be removed, and here that is an error.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use placet_core::store::{StoreError, StoreErrorKind};

use crate::blobs::Blobs;
use crate::fault::{damaged, guarded, unavailable};
use crate::folder::{self, Folder, config, open_data, wait_until_closed};
use crate::head::Head;
use crate::options::Options;
use crate::record::{Position, Record, count_key, is_log, is_pair};
use crate::sum::Sum;
use crate::sync::{Fdatasync, sync_folder};

/// While the new files are made.
const COMPACTING: &str = "compacting";
/// When they are whole.
const COMPACTED: &str = "compacted";

/// What is put in place. sled writes a snapshot when it needs one, and has no blobs: see `sync.rs`.
const FILES: [&str; 3] = ["conf", "db", "head"];

/// How many bytes are copied at a time, about.
const COPIED_BYTES: usize = 1 << 20;

/// Told before each step that a kill could prevent. Tests make it fail.
pub(crate) type Step<'a> = &'a mut dyn FnMut(&'static str) -> io::Result<()>;

/// Told how many records were copied.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64) -> Result<(), StoreError>;

pub(crate) fn compact(
    folder: &Path,
    options: &Options,
    progress: Progress<'_>,
    step: Step<'_>,
) -> Result<(), StoreError> {
    if !folder.join("head").exists() && !folder.join(COMPACTED).exists() {
        let message = format!("there is no store in `{}`", folder.display());
        return Err(StoreError::new(StoreErrorKind::Unavailable, message)
            .with_help("name the folder of the store"));
    }
    let Folder { db, blobs, disk, position, sections, lock } =
        folder::open(folder, options, Box::new(Fdatasync))?;
    sections.unchecked().check_span(&db, &[], |_| true)?;
    // Before anything is made: where one stays, the folder is as it was, and the host is told.
    blobs.clear(|digest| guarded("reading", || db.contains_key(count_key(digest))))?;
    let fresh = folder.join(COMPACTING);
    let failed = |cause| unavailable("write the new files in", &fresh, cause);
    step("folder").and_then(|()| fs::create_dir(&fresh)).map_err(failed)?;
    let copied = copy(&db, &blobs, position, (&fresh, options), progress);
    // Before anything of either is moved: its threads may write until they end.
    drop((db, disk));
    wait_until_closed(&folder.join("db"))?;
    if let Err(error) = copied {
        // The next opening removes what cannot be removed now.
        let _left = fs::remove_dir_all(&fresh);
        return Err(error);
    }
    settle(&fresh, position, step)?;
    let mut place = || {
        step("whole")?;
        fs::rename(&fresh, folder.join(COMPACTED))?;
        step("whole, synced")?;
        sync_folder(folder)?;
        finish(folder, step)
    };
    place().map_err(|cause| unavailable("put the new files into", folder, cause))?;
    drop(lock);
    Ok(())
}

/// Copies every raw pair into a new data file, and makes sure that it is what was written.
fn copy(
    db: &sled::Db,
    blobs: &Blobs,
    position: Position,
    (fresh, options): (&Path, &Options),
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let new = open_data(&config(fresh, options), &fresh.join("db"))?;
    let (mut batch, mut bytes, mut records) = (sled::Batch::default(), 0_usize, 0_u64);
    let (mut pairs_sum, mut log_sum) = (Sum::default(), Sum::default());
    let read = |raw_key: &[u8]| guarded("reading", || db.get(raw_key));
    let mut all = db.iter();
    while let Some((raw_key, raw)) = guarded("reading", || all.next().transpose())? {
        let sum = Sum::of(&raw_key, &raw);
        if is_pair(&raw_key) {
            pairs_sum = pairs_sum.plus(sum);
        } else if is_log(&raw_key) {
            log_sum = log_sum.plus(sum);
        }
        if is_pair(&raw_key) || is_log(&raw_key) {
            Record::parse(&raw_key, &raw)?.value(&raw_key, read, blobs)?;
        }
        bytes = bytes.saturating_add(raw_key.len()).saturating_add(raw.len());
        batch.insert(raw_key, raw);
        records = records.saturating_add(1);
        if bytes >= COPIED_BYTES {
            guarded("writing", || new.apply_batch(std::mem::take(&mut batch)))?;
            bytes = 0;
            progress(records)?;
        }
    }
    if (pairs_sum, log_sum) != (position.pairs, position.log) {
        return Err(damaged("records are missing, or older than what was written"));
    }
    guarded("writing", || new.apply_batch(batch))?;
    guarded("flushing", || new.flush())?;
    progress(records)
}

/// Brings the new files to the disk, with a head that says what is in them.
fn settle(fresh: &Path, position: Position, step: Step<'_>) -> Result<(), StoreError> {
    wait_until_closed(&fresh.join("db"))?;
    let mut head = Head::create(&fresh.join("head"))?;
    let mut write = || {
        step("head")?;
        head.write(position)?;
        for entry in fs::read_dir(fresh)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                fs::remove_file(entry.path())?;
            }
        }
        // Fails where there is something in it.
        fs::remove_dir(fresh.join("blobs"))?;
        for name in FILES {
            step("sync")?;
            File::open(fresh.join(name))?.sync_all()?;
        }
        sync_folder(fresh)
    };
    write().map_err(|cause| unavailable("write the new files in", fresh, cause))
}

/// Removes new files that are not whole, and puts those in place that are. The folder is locked, and sled is closed.
pub(crate) fn finish(folder: &Path, step: Step<'_>) -> io::Result<()> {
    let (fresh, whole) = (folder.join(COMPACTING), folder.join(COMPACTED));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    if !whole.exists() {
        return Ok(());
    }
    // What belongs to the old data file. sled would believe it of the new one.
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            step("snapshot")?;
            fs::remove_file(entry.path())?;
        }
    }
    let blobs = folder.join("blobs");
    if blobs.exists() {
        step("blobs")?;
        fs::remove_dir_all(&blobs)?;
    }
    for name in FILES {
        let new = whole.join(name);
        // The others are in place: this is not the first try.
        if new.exists() {
            step("move")?;
            fs::rename(new, folder.join(name))?;
        }
    }
    step("moved")?;
    sync_folder(folder)?;
    step("end")?;
    fs::remove_dir_all(&whole)?;
    sync_folder(folder)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "this is a test")]
mod tests {
    use placet_core::store::{Batch, Key, Store as _, Version};

    use super::*;
    use crate::SledStore;

    const SECRET: &[u8] = b"Ana Quispe 4711";

    type Content = (Vec<(Key, Version, Vec<u8>)>, Vec<Vec<u8>>);

    fn content(folder: &Path) -> Content {
        let options = Options::default().with_full_check(true);
        let store = SledStore::open_with(folder, &options).unwrap();
        let pairs = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
        let pairs = pairs.into_iter().map(|(key, stored)| (key, stored.version, stored.value));
        (pairs.collect(), store.log_read(0, usize::MAX).unwrap())
    }

    fn says(folder: &Path) -> usize {
        let mut found = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found += says(&path);
            } else {
                let bytes = fs::read(path).unwrap();
                found += bytes.windows(SECRET.len()).filter(|part| *part == SECRET).count();
            }
        }
        found
    }

    /// A store with short values, chunks, long values and a log, in which a secret was overwritten.
    fn make(folder: &Path) {
        let store = SledStore::open(folder).unwrap();
        let key = |number: usize| Key::from_segments(&["k", &number.to_string()]);
        for number in 0..300 {
            let batch = Batch::default().put(key(number), SECRET.to_vec()).append(vec![7; 20]);
            store.commit(batch).unwrap();
        }
        for number in 0..300 {
            let bytes = [10, 20_000, 100_000]
                [usize::from(number % 50 == 0) + usize::from(number % 100 == 0)];
            store.commit(Batch::default().put(key(number), vec![1; bytes])).unwrap();
        }
        store.commit(Batch::default().remove(key(9))).unwrap();
    }

    /// Compacts, and stops at step `stop` as if the process had been killed there; whether it was stopped.
    fn stopped(folder: &Path, stop: usize) -> bool {
        let mut steps = 0_usize;
        let done = compact(folder, &Options::default(), &mut |_| Ok(()), &mut |_| {
            steps += 1;
            if steps > stop { Err(io::Error::other("killed")) } else { Ok(()) }
        });
        done.is_err()
    }

    #[test]
    fn everything_stays_but_what_was_overwritten_and_it_can_stop_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let due = content(folder.path());
        assert!(says(folder.path()) > 100, "it is there before");
        for stop in 0.. {
            let was_stopped = stopped(folder.path(), stop);
            assert!(content(folder.path()) == due, "step {stop}");
            assert!(
                !folder.path().join(COMPACTING).exists() && !folder.path().join(COMPACTED).exists()
            );
            if !was_stopped {
                assert!(stop > 10, "{stop} steps");
                break;
            }
        }
        assert_eq!(says(folder.path()), 0);
        // It goes on being a store.
        let store = SledStore::open(folder.path()).unwrap();
        store.commit(Batch::default().append(b"more".to_vec())).unwrap();
        drop(store);
        assert_eq!(content(folder.path()).1.len(), due.1.len() + 1);
    }

    /// The test above is worth something: new files that were called whole too early are found.
    #[test]
    fn new_files_that_lack_something_are_no_store() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let other = tempfile::tempdir().unwrap();
        drop(SledStore::open(other.path()).unwrap());
        wait_until_closed(&other.path().join("db")).unwrap();
        let whole = folder.path().join(COMPACTED);
        fs::create_dir(&whole).unwrap();
        fs::copy(other.path().join("db"), whole.join("db")).unwrap();
        let error = SledStore::open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Damaged);
    }

    #[test]
    fn a_long_value_that_cannot_be_removed_is_told_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let due = content(folder.path());
        let left_over = |text: &[u8]| {
            let name = placet_core::digest::Digest::of(text).to_string();
            let (first, rest) = name.split_at_checked(2).unwrap();
            folder.path().join("values").join(first).join(rest)
        };
        // One that a failed removal left. An opening would remove it.
        let (gone, stays) = (left_over(b"gone"), left_over(b"stays"));
        for path in [&gone, &stays] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        fs::write(&gone, SECRET).unwrap();
        let compacted = || SledStore::compact(folder.path(), &Options::default(), |_| Ok(()));
        compacted().unwrap();
        assert!(!gone.exists());
        assert_eq!(says(folder.path()), 0);
        // A folder in the place of a file cannot be removed as one, whoever runs this.
        fs::create_dir(&stays).unwrap();
        fs::write(stays.join("text"), SECRET).unwrap();
        let error = compacted().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("remove what was erased"), "{error}");
        assert!(content(folder.path()) == due);
        fs::remove_dir_all(&stays).unwrap();
        compacted().unwrap();
        assert!(content(folder.path()) == due);
    }

    #[test]
    fn a_host_can_stop_it_and_nothing_is_made_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let due = content(folder.path());
        let enough = |_: u64| Err(StoreError::new(StoreErrorKind::Unavailable, "enough"));
        let error = SledStore::compact(folder.path(), &Options::default(), enough).unwrap_err();
        assert_eq!(error.to_string(), "enough");
        assert!(content(folder.path()) == due);
        let open = SledStore::open(folder.path()).unwrap();
        let locked = SledStore::compact(folder.path(), &Options::default(), |_| Ok(()));
        assert_eq!(locked.unwrap_err().kind(), StoreErrorKind::Locked);
        drop(open);
        let nothing = folder.path().join("nothing");
        SledStore::compact(&nothing, &Options::default(), |_| Ok(())).unwrap_err();
        assert!(!nothing.exists());
    }
}
