//! Compiled components of earlier processes, as files that only we write. Nothing in a file is believed before its
//! MAC: neither a size, nor a version.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use placet_core::error::{Code, Error};

use super::key::{CompiledKey, MAC_BYTES};
use super::trusted::Trusted;

/// How many files are kept: those of older versions of plugins and of wasmtime go.
const FILES_MAX: usize = 64;

/// How many letters the name of a file has: a digest.
const NAME_BYTES: usize = 64;

/// What the name of a file ends with that is not whole yet.
const UNFINISHED: &str = "partial";

/// No larger file is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A folder that only we write, and the key of what is in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    key: CompiledKey,
}

impl Folder {
    /// The folder at `path`, made where there is none. One that others can write, or that is somebody else's, is refused.
    pub(super) fn open(path: &Path, key: CompiledKey) -> Result<Self, Error> {
        let refused = |why: &str| {
            let path = path.display();
            Error::new(
                Code::StoreUnavailable,
                format!("the folder of compiled plugins `{path}` {why}"),
            )
            .with_help("remove it, or name another: it is made so that only this user may use it")
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|error| refused("cannot be made").with_source(error))?;
        let found = fs::symlink_metadata(path)
            .map_err(|error| refused("cannot be read").with_source(error))?;
        if !found.is_dir() {
            return Err(refused("is a link or a file"));
        }
        why_foreign(&found).map_or_else(
            || Ok(Self { path: path.to_owned(), key }),
            |why| Err(refused(&format!("is not this user's alone: {why}"))),
        )
    }

    /// What is in the file called `name`, where it bears our MAC; `None` where there is no such file.
    pub(super) fn load(&self, name: &str) -> Result<Option<Trusted>, String> {
        let file = match open_plain(&self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("it cannot be opened: {error}")),
        };
        let found = file.metadata().map_err(|error| format!("it cannot be read: {error}"))?;
        if !found.is_file() {
            return Err("it is no plain file".to_owned());
        }
        if let Some(why) = why_foreign(&found) {
            return Err(why.to_owned());
        }
        let mut bytes = Vec::new();
        let read = file.take(FILE_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| format!("it cannot be read: {error}"))?;
        let Some((mac, rest)) = bytes.split_at_checked(MAC_BYTES) else {
            return Err("it is too short".to_owned());
        };
        if !self.key.vouches(name, rest, mac) {
            return Err("it does not bear the mark of this host's key".to_owned());
        }
        Ok(Some(Trusted::checked(bytes.split_off(MAC_BYTES))))
    }

    /// Keeps `bytes` in the file called `name`: whole and on the disk, or not at all.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mac = self.key.mac(name, bytes);
        let mac = mac.ok_or_else(|| io::Error::other("the key cannot be used"))?;
        let partial = self.path.join(format!("{name}.{}.{UNFINISHED}", process::id()));
        let written = write_new(&partial, &[&mac, bytes])
            .and_then(|()| fs::rename(&partial, self.path.join(name)));
        if written.is_err() {
            // What is left of it would be replaced by the next try.
            let _left = fs::remove_file(&partial);
        }
        written?;
        if cfg!(unix) {
            File::open(&self.path)?.sync_all()?;
        }
        self.forget_oldest();
        Ok(())
    }

    /// Removes the oldest of our files past [`FILES_MAX`]. What cannot be removed stays, and does no harm.
    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        // The host names the folder, and may keep other things there.
        let ours =
            entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
        let aged = ours.filter_map(|entry| {
            let modified: SystemTime = entry.metadata().ok()?.modified().ok()?;
            Some((modified, entry.path()))
        });
        let mut files: Vec<_> = aged.collect();
        files.sort();
        let surplus = files.len().saturating_sub(FILES_MAX);
        for (_, path) in files.into_iter().take(surplus) {
            let _left = fs::remove_file(path);
        }
    }
}

/// Whether a file is called as ours are: whole, or not finished by somebody who was killed.
fn is_ours(name: &str) -> bool {
    let (stem, rest) = name.split_once('.').unwrap_or((name, ""));
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    stem.len() == NAME_BYTES
        && stem.bytes().all(is_hex)
        && (rest.is_empty() || rest.ends_with(UNFINISHED))
}

/// Writes a file that was not there before.
fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // What an earlier process of this number left, or somebody planted, is not written into.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Opens a file for reading: no link is followed, and no pipe waited for.
#[cfg(unix)]
fn open_plain(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_plain(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a link"));
    }
    File::open(path)
}

/// Why somebody else could have written it.
#[cfg(unix)]
fn why_foreign(found: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    if found.uid() != rustix::process::geteuid().as_raw() {
        Some("it belongs to another user")
    } else if found.mode() & 0o022 != 0 {
        Some("others can write it")
    } else {
        None
    }
}

/// Where files have no such owners, the MAC alone tells.
#[cfg(not(unix))]
const fn why_foreign(_found: &Metadata) -> Option<&'static str> {
    None
}
