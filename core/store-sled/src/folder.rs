//! The files: the folder, the lock, the first opening and every later one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use placet_core::store::{StoreError, StoreErrorKind};

use crate::blobs::Blobs;
use crate::compact;
use crate::fault::{damaged, guarded, unavailable};
use crate::head::Head;
use crate::options::Options;
use crate::record::{Inside, POSITION, Position, Record, log_key};
use crate::sections::Sections;
use crate::sync::{Disk, Syncer, sync_folder};

/// How sled cuts its file, in bytes.
///
/// What is written between two syncs must not go over two borders. sled notes in each new segment how far
/// the ones before were safe, and takes what the operating system has for safe; after a power cut the new
/// segment may be there and the one before not, and then sled believes in an empty file. A group that is
/// shorter than a segment, with what sled writes anew along with it, begins in one that was synced: all
/// that can be lost is its own end.
///
/// From a quarter of it on, a page goes to a file of its own, which sled does not sync: no page of ours is
/// as long (16 values in chunks, 320 of the longest keys).
pub(crate) const SEGMENT_BYTES: usize = 8 << 20;

/// How often sled tidies up in the background, in milliseconds. It may write for half of this time before it
/// syncs, so for the reason above it must not be long.
const TIDY_EVERY_MS: u64 = 100;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) db: sled::Db,
    pub(crate) blobs: Blobs,
    pub(crate) disk: Disk,
    pub(crate) position: Position,
    pub(crate) sections: Sections,
    /// Held as long as the store is open.
    pub(crate) lock: File,
}

/// Opens `folder`, creates what is not there, and compares what is there with the head.
pub(crate) fn open(
    folder: &Path,
    options: &Options,
    syncer: Box<dyn Syncer>,
) -> Result<Folder, StoreError> {
    let create = || create(folder);
    let stood = create().map_err(|cause| unavailable("create the folder", folder, cause))?;
    let lock = lock(folder)?;
    compact::finish(folder, &mut |_| Ok(()))
        .map_err(|cause| unavailable("finish compacting", folder, cause))?;
    let head_path = folder.join("head");
    let head = Head::open(&head_path)?;
    if head.is_none() {
        let sync = || sync_levels(&fs::canonicalize(folder)?, &stood, sync_folder);
        sync().map_err(|cause| unavailable("sync the folders above", folder, cause))?;
    }
    let data_path = folder.join("db");
    if let Some((_, said)) = &head
        && !data_path.exists()
    {
        return Err(missing(*said, Position::default(), &data_path));
    }
    let conf_path = folder.join("conf");
    renew_conf(&conf_path, options).map_err(|cause| unavailable("renew", &conf_path, cause))?;
    drop_unfinished(folder).map_err(|cause| unavailable("tidy up", folder, cause))?;
    let db = open_data(&config(folder, options), &data_path)?;
    let found =
        guarded("reading", || db.get(POSITION))?.map(|raw| Inside::from_bytes(&raw)).transpose()?;
    let blobs = Blobs::open(folder).map_err(|cause| unavailable("create", folder, cause))?;
    let (head, position) = match (head, found) {
        (None, found) => first(&db, found, &head_path)?,
        (Some((_, said)), None) => return Err(missing(said, Position::default(), &data_path)),
        (Some((head, said)), Some(found)) => {
            agree(said, found, &data_path)?;
            tail(&db, &blobs, found.now)?;
            (head, found.now)
        }
    };
    let sections = Sections::open(&db, position.pairs)?;
    // What a killed process had written is taken over now, so it must be on the disk before anyone reads it.
    guarded("flushing", || db.flush())?;
    let settle = || {
        // The names first: a head that can be found beside data that cannot would look like damage.
        File::open(&conf_path)?.sync_all()?;
        sync_folder(&folder.join("blobs"))?;
        sync_folder(folder)?;
        let mut disk = Disk::open(folder, blobs.clone(), head, syncer)?;
        disk.settle(position)?;
        Ok(disk)
    };
    let disk = settle().map_err(|cause| unavailable("sync the files in", folder, cause))?;
    Ok(Folder { db, blobs, disk, position, sections, lock })
}

/// How sled opens what is in `folder`.
pub(crate) fn config(folder: &Path, options: &Options) -> sled::Config {
    sled::Config::default()
        .path(folder)
        .cache_capacity(options.cache_bytes_max)
        .segment_size(options.segment_bytes())
        .flush_every_ms(Some(TIDY_EVERY_MS))
}

/// Removes `conf` when it is damaged or torn, so that sled writes it again. It holds nothing but what is fixed
/// here, and sled would believe in other numbers, checksum or not.
fn renew_conf(path: &Path, options: &Options) -> io::Result<()> {
    let bytes = options.segment_bytes();
    // Behind it stands a checksum of four bytes.
    let due = format!("segment_size: {bytes}\nuse_compression: false\nversion: 0.34\n");
    match fs::read(path) {
        Ok(raw) if raw.strip_prefix(due.as_bytes()).is_some_and(|sum| sum.len() == 4) => Ok(()),
        Ok(_) => fs::remove_file(path),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
    }
}

/// Removes a snapshot that sled had not finished. sled would take it for the newest one, and for damage; without
/// it, it takes the one before, or reads its whole file.
fn drop_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// How often, and how long in milliseconds, the opening waits for sled to let its file go: half a minute, as on a busy
/// machine its threads end late.
const LET_GO_TRIES: u32 = 30_000;
const LET_GO_MS: u64 = 1;

/// Opens sled. One that was just closed in this process may hold its file for a moment longer: its own
/// threads end when they end. Our lock says that it is nobody else.
pub(crate) fn open_data(config: &sled::Config, data_path: &Path) -> Result<sled::Db, StoreError> {
    for _ in 0..LET_GO_TRIES {
        match guarded("opening the data file", || config.open().map(Some).or_else(held))? {
            Some(db) => return Ok(db),
            None => let_go(),
        }
    }
    let message = format!("another program holds `{}`", data_path.display());
    Err(StoreError::new(StoreErrorKind::Locked, message)
        .with_help("end the program that opened the data file with sled itself"))
}

/// Waits until sled, which was closed, has let its file go: until then its threads may write beside it.
pub(crate) fn wait_until_closed(data_path: &Path) -> Result<(), StoreError> {
    for _ in 0..LET_GO_TRIES {
        let file = File::open(data_path).map_err(|cause| unavailable("open", data_path, cause))?;
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => let_go(),
            Err(TryLockError::Error(cause)) => return Err(unavailable("lock", data_path, cause)),
        }
    }
    let message = format!("another program holds `{}`", data_path.display());
    Err(StoreError::new(StoreErrorKind::Locked, message)
        .with_help("end the program that opened the data file with sled itself"))
}

/// `None` where the file is locked, which sled says only in words.
fn held(cause: sled::Error) -> Result<Option<sled::Db>, sled::Error> {
    if let sled::Error::Io(io) = &cause
        && io.to_string().starts_with("could not acquire lock")
    {
        return Ok(None);
    }
    Err(cause)
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits for threads of this process, not for a time of day"
)]
fn let_go() {
    std::thread::sleep(core::time::Duration::from_millis(LET_GO_MS));
}

/// Creates `folder` with all levels that are not there, and says which folder was the last that was.
fn create(folder: &Path) -> io::Result<PathBuf> {
    let stood = folder.ancestors().find(|level| level.exists());
    // A relative path ends in an empty one: the working folder.
    let stood = stood.filter(|level| *level != Path::new("")).unwrap_or(Path::new("."));
    let stood = fs::canonicalize(stood)?;
    fs::create_dir_all(folder)?;
    Ok(stood)
}

/// Brings the name of each level of `folder` to the disk, from the lowest to the root. Both paths are
/// canonical.
///
/// Also the levels that were there before this opening, above `stood` too: an earlier opening may have
/// been killed between creating them and syncing them. Called while there is no head, so before anything
/// was acknowledged, and not again.
fn sync_levels(
    folder: &Path,
    stood: &Path,
    mut sync: impl FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    for parent in folder.ancestors().skip(1) {
        match sync(parent) {
            // Nothing of ours was made in there just now, and not every folder may be opened, or can be
            // synced (one of the system's own).
            Err(cause) if !parent.starts_with(stood) && cannot_sync(&cause) => {}
            synced => synced?,
        }
    }
    Ok(())
}

fn cannot_sync(cause: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        cause.kind(),
        Kind::PermissionDenied | Kind::InvalidInput | Kind::Unsupported | Kind::ReadOnlyFilesystem
    )
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|cause| unavailable("open", &path, cause))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message =
                format!("`{}` is open already, here or in another process", folder.display());
            Err(StoreError::new(StoreErrorKind::Locked, message).with_help(
                "close the other one, or share one open store; several nodes need the PostgreSQL store",
            ))
        }
        Err(TryLockError::Error(cause)) => Err(unavailable("lock", &path, cause)),
    }
}

/// Starts an empty store. Without a head nothing was ever acknowledged, so nothing may be there.
fn first(
    db: &sled::Db,
    found: Option<Inside>,
    head_path: &Path,
) -> Result<(Head, Position), StoreError> {
    let start = Inside { now: Position::default(), anchor: Position::default() };
    let empty = found.is_none_or(|found| found == start)
        && guarded("reading", || {
            db.iter().keys().find(|key| key.as_deref() != Ok(POSITION)).transpose()
        })?
        .is_none();
    if !empty {
        return Err(damaged(format!(
            "`{}` is missing, and the store is not empty",
            head_path.display()
        )));
    }
    guarded("writing", || db.insert(POSITION, start.to_bytes()))?;
    Ok((Head::create(head_path)?, Position::default()))
}

/// Compares the head with what sled found.
fn agree(said: Position, found: Inside, data_path: &Path) -> Result<(), StoreError> {
    // A group that was applied but not acknowledged may stand on top of what the head says.
    if found.now == said || found.anchor == said {
        return Ok(());
    }
    if found.now.commits < said.commits {
        return Err(missing(said, found.now, data_path));
    }
    Err(damaged(format!(
        "the head and `{}` do not belong together: the head says {} commits and {} log entries, the data \
         say {} and {}",
        data_path.display(),
        said.commits,
        said.log_len,
        found.now.commits,
        found.now.log_len,
    )))
}

/// The last log entry must be there and whole, and none after it.
fn tail(db: &sled::Db, blobs: &Blobs, now: Position) -> Result<(), StoreError> {
    if let Some(last) = now.log_len.checked_sub(1) {
        let raw_key = log_key(last);
        let read = |raw_key: &[u8]| guarded("reading", || db.get(raw_key));
        let raw = read(&raw_key)?.ok_or_else(|| damaged(format!("log entry {last} is missing")))?;
        Record::parse(&raw_key, &raw)?.value(&raw_key, read, blobs)?;
    }
    Ok(())
}

fn missing(said: Position, found: Position, data_path: &Path) -> StoreError {
    damaged(format!(
        "`{}` ends too early: commits {} to {} are missing, {} of {} log entries are there",
        data_path.display(),
        found.commits.saturating_add(1),
        said.commits,
        found.log_len.min(said.log_len),
        said.log_len,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which folders are synced, where each call answers as `answer` says.
    fn synced(
        folder: &Path,
        stood: &Path,
        answer: impl Fn(&Path) -> io::Result<()>,
    ) -> (io::Result<()>, Vec<PathBuf>) {
        let mut synced = Vec::new();
        let done = sync_levels(folder, stood, |level| {
            synced.push(level.to_owned());
            answer(level)
        });
        (done, synced)
    }

    #[test]
    fn each_level_is_synced_into_its_parent() {
        let (done, levels) = synced(Path::new("/a/b/c/d"), Path::new("/a/b"), |_| Ok(()));
        done.unwrap();
        assert_eq!(levels, ["/a/b/c", "/a/b", "/a", "/"].map(PathBuf::from));
    }

    #[test]
    fn a_level_that_was_created_must_be_synced() {
        for (refuses, passes) in [("/a/b/c", false), ("/a/b", false), ("/a", true), ("/", true)] {
            let answer = |level: &Path| {
                if level == Path::new(refuses) {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                Ok(())
            };
            let (done, _) = synced(Path::new("/a/b/c/d"), Path::new("/a/b"), answer);
            assert_eq!(done.is_ok(), passes, "{refuses}");
        }
        // A disk that fails is never passed over.
        let (done, _) = synced(Path::new("/a/b"), Path::new("/a/b"), |level| {
            if level == Path::new("/") { Err(io::Error::other("the disk said no")) } else { Ok(()) }
        });
        done.unwrap_err();
    }

    #[test]
    fn says_which_level_stood() {
        let base = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(base.path()).unwrap();
        assert_eq!(create(&base.join("a/b/c")).unwrap(), base);
        assert!(base.join("a/b/c").is_dir());
        assert_eq!(create(&base.join("a/b/c")).unwrap(), base.join("a/b/c"));
        assert_eq!(create(&base.join("a/x/../y")).unwrap(), base.join("a"));
        assert!(base.join("a/y").is_dir());
        fs::write(base.join("file"), "").unwrap();
        create(&base.join("file")).unwrap_err();
        create(&base.join("file/below")).unwrap_err();
    }
}
