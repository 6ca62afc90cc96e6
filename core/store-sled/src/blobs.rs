//! Long values, in files of their own that are named by what they hold.
//!
//! sled would put them into its file, or into files that it does not sync, and writes pages anew when
//! something beside them changes. A long value is written once, and brought to the disk before the tree
//! that names it. How many records name it stands in the tree; the file goes when none does, after that
//! is on the disk. What a crash leaves over is removed at the next opening.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use placet_core::digest::Digest;
use placet_core::store::StoreError;

use crate::fault::unavailable;
use crate::sync::{Syncer, sync_folder};

/// A value longer than this has a file of its own, in bytes.
pub(crate) const BLOB_BYTES: usize = 64 << 10;

/// While a file is written.
const UNFINISHED: &str = "unfinished";

/// The folder with the files.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// The folder below that of the store. It is created where it is not there; the caller syncs its name.
    pub(crate) fn open(store: &Path) -> io::Result<Self> {
        let folder = store.join("values");
        fs::create_dir_all(&folder)?;
        sync_folder(&folder)?;
        Ok(Self { folder })
    }

    /// Writes `bytes` down under their digest. On `Ok` file and name are on the disk.
    pub(crate) fn put(
        &self,
        digest: &Digest,
        bytes: &[u8],
        syncer: &mut dyn Syncer,
    ) -> io::Result<()> {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        // Also one that was there: who made it may have been killed before its name was synced.
        fs::create_dir_all(folder)?;
        syncer.sync_names(&self.folder)?;
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            let unfinished = folder.join(UNFINISHED);
            let mut file = File::create(&unfinished)?;
            file.write_all(bytes)?;
            syncer.sync(&file)?;
            fs::rename(&unfinished, &path)?;
        }
        syncer.sync_names(folder)
    }

    /// What is under `digest`, not compared with it; `None` where nothing is.
    pub(crate) fn get(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(digest)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Removes what nobody names any more.
    pub(crate) fn remove(&self, digest: &Digest) {
        // What cannot be removed is in nobody's way; the next opening tries again, and compacting insists.
        let _left = fs::remove_file(self.path(digest));
    }

    /// Removes what was not finished, and all for which `is_named` says no.
    pub(crate) fn tidy(&self, is_named: impl Fn(&Digest) -> bool) -> io::Result<()> {
        self.each(|path, digest| match digest {
            Some(digest) if is_named(&digest) => Ok(()),
            Some(digest) => {
                self.remove(&digest);
                Ok(())
            }
            None => fs::remove_file(path),
        })
    }

    /// As [`Self::tidy`], for whoever must be sure that it is gone: what cannot be removed is an error, and what was is
    /// gone after a power cut too.
    pub(crate) fn clear(
        &self,
        is_named: impl Fn(&Digest) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |path: &Path, cause| unavailable("remove what was erased in", path, cause);
        let mut found = Vec::new();
        let listed = self.each(|path, digest| {
            found.push((path.to_owned(), digest));
            Ok(())
        });
        listed.map_err(|cause| failed(&self.folder, cause))?;
        for (path, digest) in found {
            if !digest.map_or(Ok(false), |digest| is_named(&digest))? {
                fs::remove_file(&path).map_err(|cause| failed(&path, cause))?;
            }
        }
        // Every folder: what was removed earlier, when nobody had to be sure, must not come back either.
        let sync_all =
            || fs::read_dir(&self.folder)?.try_for_each(|folder| sync_folder(&folder?.path()));
        sync_all().map_err(|cause| failed(&self.folder, cause))
    }

    /// Shows each file of ours with its digest; none for one that was not finished.
    fn each(
        &self,
        mut visit: impl FnMut(&Path, Option<Digest>) -> io::Result<()>,
    ) -> io::Result<()> {
        for level in fs::read_dir(&self.folder)? {
            let level = level?;
            if !level.file_type()?.is_dir() {
                continue;
            }
            let first = level.file_name().to_string_lossy().into_owned();
            for file in fs::read_dir(level.path())? {
                let file = file?;
                let name = file.file_name().to_string_lossy().into_owned();
                match format!("{first}{name}").parse() {
                    Ok(digest) => visit(&file.path(), Some(digest))?,
                    Err(_) if name == UNFINISHED => visit(&file.path(), None)?,
                    // Not ours.
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let (first, rest) = name.split_at_checked(2).unwrap_or_default();
        self.folder.join(first).join(rest)
    }
}
