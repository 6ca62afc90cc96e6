//! The first opening and every later one.

use core::sync::atomic::AtomicU64;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::store::{StoreError, StoreErrorKind};
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition,
};

use crate::disk::{BeforeSync, Disk};
use crate::fault::{Fault, damaged, guarded, unavailable};
use crate::record::{Place, decode};

/// The values, by key.
pub(crate) const PAIRS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pairs");
/// The log, by index.
pub(crate) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
/// What the store knows of itself.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(crate) const COMMITS: &str = "commits";
pub(crate) const LOG_LEN: &str = "log_len";
const FORMAT: &str = "format";

/// The format that this version writes.
const FORMAT_NOW: u64 = 1;

/// How much redb keeps in memory, in bytes.
const CACHE_BYTES_MAX: usize = 64 << 20;

/// How far the store is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Position {
    /// How many batches were applied.
    pub(crate) commits: u64,
    /// How many entries the log has.
    pub(crate) log_len: u64,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) db: Database,
    pub(crate) position: Position,
    pub(crate) syncs: Arc<AtomicU64>,
}

/// Opens the file at `path`, creates it where it is not there, and checks what is in it.
pub(crate) fn open(path: &Path, before_sync: BeforeSync) -> Result<Opened, StoreError> {
    let what = format!("opening `{}`", path.display());
    let (file, is_new) = open_file(path).map_err(|cause| unavailable(&what, cause))?;
    let opened = file.try_clone().map_err(|cause| unavailable(&what, cause))?;
    let (db, position, syncs) = guarded(&what, || {
        let disk = Disk::new(file, is_new, before_sync)?;
        let syncs = disk.syncs();
        let db = Database::builder()
            .set_cache_size(CACHE_BYTES_MAX)
            // Without it redb trusts a file that was closed well, and may panic later where that is wrong.
            .set_check_integrity_on_open(true)
            .create_with_backend(disk)?;
        let position = match read(&db)? {
            Some(position) => position,
            None => first(&db)?,
        };
        Ok((db, position, syncs))
    })?;
    if !is_at(&opened, path).map_err(|cause| unavailable(&what, cause))? {
        let message = format!("`{}` was put in another's place just now", path.display());
        return Err(StoreError::new(StoreErrorKind::Locked, message).with_help("open it again"));
    }
    // What a compaction left that was killed. Nobody else is at work here: the file is locked.
    match fs::remove_file(compacting(path)) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(unavailable("removing what a compaction left", cause));
        }
        Ok(()) | Err(_) => {}
    }
    if position.commits == 0 {
        // Before anything is acknowledged; a later opening need not do it again.
        sync_name(path).map_err(|cause| unavailable("syncing the folder of the file", cause))?;
    }
    Ok(Opened { db, position, syncs })
}

/// Opens the file, and says whether it was created just now.
fn open_file(path: &Path) -> io::Result<(File, bool)> {
    let existing = OpenOptions::new().read(true).write(true).open(path);
    match existing {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        existing => return existing.map(|file| (file, false)),
    }
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        // Somebody was faster; whoever opens first locks it.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().read(true).write(true).open(path).map(|file| (file, false))
        }
        created => created.map(|file| (file, true)),
    }
}

/// Where the new file is made while a store is compacted.
pub(crate) fn compacting(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".compacting");
    name.into()
}

/// Whether `file` still is what stands at `path`: a compaction may have replaced it before it was locked.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (file.metadata()?, fs::metadata(path)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it reads files on other systems")]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    // An open file cannot be replaced there.
    Ok(true)
}

/// Brings the file's name to the disk.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    // Other systems than Unix have no such call.
    match path.parent().filter(|_| cfg!(unix)) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// What the file says of itself, tested. `None` for a database without any table: it was created, and the
/// process ended before the first step after that.
fn read(db: &Database) -> Result<Option<Position>, Fault> {
    let reading = db.begin_read()?;
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) if reading.list_tables()?.next().is_none() => {
            return Ok(None);
        }
        Err(
            redb::TableError::TableDoesNotExist(_) | redb::TableError::TableTypeMismatch { .. },
        ) => return Err(foreign().into()),
        Err(cause) => return Err(cause.into()),
    };
    let number = |name| -> Result<u64, Fault> { Ok(meta.get(name)?.ok_or_else(foreign)?.value()) };
    let format = number(FORMAT)?;
    if format > FORMAT_NOW {
        let message =
            format!("the file has format {format}, this version knows up to {FORMAT_NOW}");
        let newer = StoreError::new(StoreErrorKind::NewerFormat, message)
            .with_help("open it with the version that wrote it, or a newer one");
        return Err(newer.into());
    }
    let position = Position { commits: number(COMMITS)?, log_len: number(LOG_LEN)? };
    let log = reading.open_table(LOG)?;
    let last = log.last()?;
    let last_index = last.as_ref().map(|(index, _)| index.value());
    if log.len()? != position.log_len || last_index != position.log_len.checked_sub(1) {
        let message = format!("{} of {} log entries are there", log.len()?, position.log_len);
        return Err(damaged(message).into());
    }
    if let Some((index, raw)) = last {
        decode(Place::Log(index.value()), raw.value())?;
    }
    reading.open_table(PAIRS)?;
    Ok(Some(position))
}

fn foreign() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the file is a database of another program")
        .with_help("name another file; it is created where it is not there")
}

/// Starts an empty store.
fn first(db: &Database) -> Result<Position, Fault> {
    let mut writing = db.begin_write()?;
    writing.set_two_phase_commit(true);
    let start = Position::default();
    {
        let mut meta = writing.open_table(META)?;
        meta.insert(FORMAT, FORMAT_NOW)?;
        meta.insert(COMMITS, start.commits)?;
        meta.insert(LOG_LEN, start.log_len)?;
        writing.open_table(PAIRS)?;
        writing.open_table(LOG)?;
    }
    writing.commit()?;
    Ok(start)
}
