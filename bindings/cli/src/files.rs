//! What is read from files and from standard input, and what cannot be.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use placet::error::{Code, Error};

/// The longest text that is read: what placet takes of any of these is far less.
const TEXT_BYTES_MAX: u64 = 32 << 20;

/// The text of a file; `-` is standard input.
pub(crate) fn text(path: &Path) -> Result<String, Error> {
    let bytes =
        if path.as_os_str() == "-" { limited(path, io::stdin().lock())? } else { bytes(path)? };
    String::from_utf8(bytes).map_err(|source| {
        Error::new(Code::InvalidInput, format!("`{}` is not UTF-8 text", path.display()))
            .with_help("save it as UTF-8")
            .with_source(source)
    })
}

/// The bytes of a file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    limited(path, file)
}

/// A file that may be absent.
pub(crate) fn found(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::symlink_metadata(path) {
        Err(error) if is_absent(&error) => Ok(None),
        _ => bytes(path).map(Some),
    }
}

/// What says that a path leads nowhere; a file where a folder should be is one of them.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn limited(path: &Path, from: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let most = TEXT_BYTES_MAX.saturating_add(1);
    from.take(most).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= TEXT_BYTES_MAX) {
        return Ok(bytes);
    }
    let sentence = format!("`{}` has more than {TEXT_BYTES_MAX} bytes", path.display());
    Err(Error::new(Code::TooLarge, sentence)
        .with_help("split it, or check that it is the right file"))
}

/// An error about a file of the caller's.
pub(crate) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::new(Code::InvalidInput, format!("`{}` cannot be read", path.display()))
        .with_help("check the path and its rights")
        .with_source(source)
}

/// An error about a file that was to be written.
pub(crate) fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::new(Code::InvalidInput, format!("`{}` cannot be written", path.display()))
        .with_help("check the path, its rights and the room on the disk")
        .with_source(source)
}

/// Writes a file whole or not at all: whoever serves the folder meanwhile shows no half of one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}
