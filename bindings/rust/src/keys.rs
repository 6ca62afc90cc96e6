//! The signer of a gate in a folder: the host's own, or a key in a file there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use placet_core::audit::Signer;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, Parts};

use crate::durable::sync_folder;
use crate::signing_key::SigningKeyFile;
use crate::system::SystemEntropy;

/// The key that signs.
const PRESENT: &str = "log.key";
/// The key that is to follow, see [`crate::GateBuilder::open`].
const NEXT: &str = "log.key.next";

/// The key in `folder`, made where there is none and no log that it could belong to.
pub(crate) fn in_folder(
    folder: &Path,
    origin: &str,
    has_log: bool,
) -> Result<Arc<dyn Signer>, Error> {
    let path = folder.join(PRESENT);
    if has_log && !path.exists() {
        return Err(Error::new(Code::SignerUnavailable, "the log has entries and no signing key")
            .with_help("restore `log.key` from a backup: a new key would be another log"));
    }
    Ok(Arc::new(SigningKeyFile::at(path).open_or_create(origin, &SystemEntropy)?))
}

/// A gate of `parts` whose key is the one that the log names: where that is the key in `log.key.next`, the key was
/// rotated, and the file takes the place of `log.key`.
pub(crate) fn gate_with_its_key(mut parts: Parts, folder: &Path) -> Result<Gate, Error> {
    let gate = Gate::new(parts.clone());
    let named = gate.log_key()?;
    if named.is_none_or(|named| named == *gate.verifier_key()) {
        return Ok(gate);
    }
    let wrong = gate.check_key();
    drop(gate);
    let next = folder.join(NEXT);
    if !next.exists() {
        wrong?;
    }
    let signer = SigningKeyFile::at(&next).open_or_create("unused", &SystemEntropy)?;
    parts.signer = Arc::new(signer);
    let gate = Gate::new(parts);
    gate.check_key()?;
    let moved = fs::rename(&next, folder.join(PRESENT)).and_then(|()| sync_folder(folder));
    moved.map_err(|source| {
        Error::new(Code::SignerUnavailable, "the new key cannot take the place of `log.key`")
            .with_help("check the rights of the folder, then open the gate again")
            .with_source(source)
    })?;
    Ok(gate)
}
