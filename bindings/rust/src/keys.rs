//! The keys of a gate in a folder: its signer, the host's own or a key in a file there, and what vouches for compiled
//! plugins.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use placet_core::audit::Signer;
use placet_core::digest::to_hex;
use placet_core::entropy::Entropy as _;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, Parts};
use placet_runners::{CompiledKey, WasmRunner};

use crate::durable::{sync_folder, write_durably};
use crate::signing_key::SigningKeyFile;
use crate::system::SystemEntropy;

/// The key that signs.
const PRESENT: &str = "log.key";
/// The key that is to follow, see [`crate::GateBuilder::open`].
const NEXT: &str = "log.key.next";
/// The key of the compiled plugins.
const COMPILED: &str = "compiled.key";

/// `runner`, which keeps its compiled plugins in `folder` from now on.
pub(crate) fn keeping_compiled(runner: WasmRunner, folder: &Path) -> Result<WasmRunner, Error> {
    runner.with_compiled_in(folder.join("compiled"), of_compiled(folder)?)
}

/// The key of the compiled plugins in `folder`, made where there is none. What it vouched for before it was lost is
/// compiled anew.
fn of_compiled(folder: &Path) -> Result<CompiledKey, Error> {
    let path = folder.join(COMPILED);
    let unusable = |what: &str| {
        let message = format!("the key of the compiled plugins `{}` {what}", path.display());
        Error::new(Code::StoreUnavailable, message).with_help(
            "check the rights of the folder, or remove the file: then another key is made",
        )
    };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let key = from_hex(text.trim_end()).ok_or_else(|| unusable("is not a key"))?;
            Ok(CompiledKey::from_bytes(key))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; 32];
            SystemEntropy.fill(&mut key)?;
            write_durably(&path, &format!("{}\n", to_hex(&key)))
                .map_err(|error| unusable("cannot be written").with_source(error))?;
            Ok(CompiledKey::from_bytes(key))
        }
        Err(error) => Err(unusable("cannot be read").with_source(error)),
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some((digit(high)? << 4) | digit(low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

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
