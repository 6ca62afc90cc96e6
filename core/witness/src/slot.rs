//! One head in one file. It is replaced in one step: whole, durable, and only where nobody else did so meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::audit::{SignedNote, WitnessError};

use crate::disk::{Disk, RealDisk};

/// The file, and beside it a lock for whoever writes.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Slot {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self::on(Arc::new(RealDisk), path)
    }

    pub(crate) fn on(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        Self { path, disk }
    }

    /// What is kept.
    pub(crate) fn read(&self) -> Result<Option<SignedNote>, WitnessError> {
        let bytes = self.disk.read(&self.path).map_err(|error| self.unusable("read", &error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        SignedNote::parse(&bytes).map(Some).map_err(|_| {
            // A file is written whole or not at all: this is not a torn write of ours.
            let sentence = format!("the file `{}` is not a signed head", self.path.display());
            WitnessError::refused(sentence, "find out who wrote to it, and restore it")
        })
    }

    /// Replaces what is kept by `new` where it is `expected`.
    pub(crate) fn replace(
        &self,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        // Held until the end of this; the system lets go of it when the process is killed.
        let _alone = self.lock().map_err(|error| self.unusable("locked", &error))?;
        if self.read()?.as_ref() != expected {
            return Ok(false);
        }
        self.put(new.to_string().as_bytes()).map_err(|error| self.unusable("written", &error))?;
        Ok(true)
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let partial = self.beside("partial");
        self.disk.write(&partial, bytes)?;
        self.disk.rename(&partial, &self.path)?;
        self.disk.sync_folder(self.folder())
    }

    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(self.folder())?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.beside("lock"))?;
        file.lock()?;
        Ok(file)
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) | None => Path::new("."),
        }
    }

    fn beside(&self, what: &str) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".");
        path.push(what);
        PathBuf::from(path)
    }

    fn unusable(&self, what: &str, error: &io::Error) -> WitnessError {
        let sentence = format!("the file `{}` cannot be {what}: {error}", self.path.display());
        WitnessError::unreachable(
            sentence,
            "check that the disk is there, and the rights on its folder",
        )
    }
}
