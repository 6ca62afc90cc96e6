//! The store under a folder written anew, while no gate is open on it.

use std::path::Path;

use placet_core::error::Error;
use placet_core::store::{StoreError, StoreErrorKind};
use placet_store_sled::{Options, SledStore};

use crate::gate::Gate;

impl Gate {
    /// Writes the store in `folder` anew, so that no file of it holds the bytes of what was erased or overwritten. No
    /// gate may be open there. Keys, values and log stay what they are; so do checkpoints and proofs. It needs as much
    /// room on the disk as the store has.
    ///
    /// To be called after [`erase`](placet_core::gate::Gate::erase) where the erased texts must be gone from the files
    /// too. Backups, copies and what the file system keeps of removed files are the host's. A gate on PostgreSQL has
    /// nothing to compact here: see the crate `placet-store-postgres`.
    ///
    /// `progress` gets how many records were copied; its error ends the work and is handed on, and the store is as
    /// it was. After a kill at any step the next opening finds the old store or the new one, whole. Fails with
    /// [`Code::StoreLocked`](placet_core::error::Code::StoreLocked) while a gate is open there, and with
    /// [`Code::StoreUnavailable`](placet_core::error::Code::StoreUnavailable) where there is no store.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let gate = placet::Gate::open(folder)?;
    /// let key = gate.verifier_key().to_string();
    /// drop(gate);
    /// placet::Gate::compact(folder, |_records| Ok(()))?;
    /// assert_eq!(placet::Gate::open(folder)?.verifier_key().to_string(), key);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compact(
        folder: impl AsRef<Path>,
        mut progress: impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut ended = None;
        let done = SledStore::compact(folder.as_ref().join("store"), &Options::default(), |now| {
            progress(now).map_err(|error| {
                ended = Some(error);
                StoreError::new(StoreErrorKind::Unavailable, "the host ended it")
            })
        });
        match ended {
            Some(error) => Err(error),
            None => Ok(done?),
        }
    }
}
