//! The one place that calls `fdatasync`, and the list of what needs it.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::digest::Digest;

use crate::blobs::Blobs;
use crate::head::Head;
use crate::record::Position;

/// Brings a file's content to the disk. A trait, so that tests can make it fail.
pub(crate) trait Syncer: Send + fmt::Debug {
    /// Returns when all that was written to `file` is on the disk. Called once for each need: after an
    /// error the operating system may have forgotten what it could not write, and a second call would lie.
    fn sync(&mut self, file: &File) -> io::Result<()>;

    /// Returns when the names in `folder` are on the disk.
    fn sync_names(&mut self, folder: &Path) -> io::Result<()> {
        sync_folder(folder)
    }
}

/// Asks the operating system.
#[derive(Debug)]
pub(crate) struct Fdatasync;

impl Syncer for Fdatasync {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// Asks nobody: a store with this forgets.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub(crate) struct NoSync;

#[cfg(feature = "testing")]
impl Syncer for NoSync {
    fn sync(&mut self, _file: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_names(&mut self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The files that must be on the disk before a commit is acknowledged.
#[derive(Debug)]
pub(crate) struct Disk {
    // A descriptor of its own on sled's data file: sled's flush only starts the writing on Linux. It also
    // reports errors of syncs that sled did in the background.
    data: File,
    sled_blobs: PathBuf,
    blobs: Blobs,
    head: Head,
    syncer: Box<dyn Syncer>,
    syncs: Arc<AtomicU64>,
}

impl Disk {
    pub(crate) fn open(
        folder: &Path,
        blobs: Blobs,
        head: Head,
        syncer: Box<dyn Syncer>,
    ) -> io::Result<Self> {
        let data = File::open(folder.join("db"))?;
        let sled_blobs = folder.join("blobs");
        Ok(Self { data, sled_blobs, blobs, head, syncer, syncs: Arc::default() })
    }

    /// Writes a long value down. On `Ok` it is on the disk.
    pub(crate) fn put(&mut self, digest: &Digest, value: &[u8]) -> io::Result<()> {
        self.blobs.put(digest, value, self.syncer.as_mut())
    }

    /// How often the data file was synced, shared with whoever asks.
    pub(crate) fn syncs(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.syncs)
    }

    /// Brings everything that sled has flushed to the disk, then the head that says so.
    ///
    /// In this order: a head on the disk ahead of its data would look like damage.
    pub(crate) fn settle(&mut self, position: Position) -> io::Result<()> {
        self.sync_sled_blobs()?;
        self.syncer.sync(&self.data)?;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.head.write(position)?;
        self.syncer.sync(self.head.file())
    }

    // sled writes a page of a quarter segment or more to a file of its own and does not sync it. Chunks
    // and the key limit keep pages smaller, so that there is none; this is for the day when that is wrong.
    fn sync_sled_blobs(&mut self) -> io::Result<()> {
        let mut any = false;
        for blob in std::fs::read_dir(&self.sled_blobs)? {
            match File::open(blob?.path()) {
                Ok(file) => self.syncer.sync(&file)?,
                // sled removed it in the meantime: nothing refers to it any more.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(cause),
            }
            any = true;
        }
        if any { self.syncer.sync_names(&self.sled_blobs) } else { Ok(()) }
    }
}

/// Brings a folder's list of names to the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems than Unix have no such call.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
