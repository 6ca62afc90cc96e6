//! The folder, its key, the room on its disk.

use std::fs;
use std::path::Path;

use placet::audit::Signer as _;
use placet::{SigningKeyFile, SystemEntropy};

use super::Finding;

pub(super) fn look(folder: &Path) -> Vec<Finding> {
    if !folder.is_dir() {
        let says = format!("`{}` is not there", folder.display());
        let next =
            "check the path; a disk may not be mounted; a new gate is founded with `org bootstrap`";
        return vec![Finding::broken("folder", says, next)];
    }
    vec![Finding::good("folder", folder.display().to_string()), key(folder), room(folder)]
}

fn key(folder: &Path) -> Finding {
    let path = folder.join("log.key");
    if !path.exists() {
        if folder.join("log.begun").exists() {
            let next = "restore `log.key` from a backup: a new key would be another log";
            return Finding::broken("signing key", "the log was begun, and its key is gone", next);
        }
        return Finding::good("signing key", "none yet; it is made with the first entry");
    }
    let signer = match SigningKeyFile::at(&path).open_or_create("absent", &SystemEntropy::default())
    {
        Ok(signer) => signer,
        Err(error) => return Finding::of("signing key", &error),
    };
    if is_open_to_others(&path) {
        let next = "let only its owner read it (chmod 600): whoever has it signs heads of this log";
        return Finding::warning("signing key", "others may read it", next);
    }
    Finding::good("signing key", format!("of the log {}", signer.verifier_key()))
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(path: &Path) -> bool {
    let _nobody_tells = fs::metadata(path);
    false
}

/// Less than this is a warning, in bytes.
const ROOM_BYTES_MIN: u64 = 1 << 30;

#[cfg(unix)]
fn room(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let says = format!("{} MiB free", free >> 20);
            if free < ROOM_BYTES_MIN {
                return Finding::warning(
                    "disk",
                    says,
                    "make room: a store that cannot write stops everything",
                );
            }
            Finding::good("disk", says)
        }
        Err(error) => Finding::skipped("disk", error.to_string()),
    }
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Finding {
    Finding::skipped("disk", "this system is not asked how much room is left")
}
