//! The list of all files of a bundle with their digests. It is signed with the key of the log, as a note whose first
//! line is that of no checkpoint.

use core::fmt;
use std::collections::BTreeMap;

use crate::audit::encoding::{from_decimal, malformed_at, shown};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::RequestId;

/// The first line. The number is that of the form, and of the report.
const FORM: &str = "placet evidence v1";

/// What one file must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct File {
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
}

/// All files but the list itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) origin: String,
    pub(crate) request: RequestId,
    pub(crate) made_at: Timestamp,
    pub(crate) files: BTreeMap<String, File>,
}

impl Manifest {
    pub(crate) fn new(origin: &str, request: RequestId, made_at: Timestamp) -> Self {
        Self { origin: origin.to_owned(), request, made_at, files: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, path: &str, bytes: &[u8]) {
        let file = File {
            digest: Digest::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.files.insert(path.to_owned(), file);
    }

    /// The rotations of the log's key, in their order.
    pub(super) fn rotations(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|path| path.starts_with(ROTATIONS))
    }

    /// Reads the text of a list. Whatever would print differently is not one.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |line| {
            let sentence = format!("`{}` is not the list of an evidence bundle", shown(text));
            malformed_at(line, sentence)
                .with_help("get the file `manifest` from another copy of the bundle")
        };
        let mut lines = text.lines();
        if lines.next() != Some(FORM) {
            return Err(wrong(1));
        }
        let mut field = |line, name: &str| {
            let value = lines.next().and_then(|text| text.strip_prefix(name)?.strip_prefix(' '));
            value.ok_or_else(|| wrong(line))
        };
        let origin = field(2, "log")?;
        let request = field(3, "request")?.parse().map_err(|_| wrong(3))?;
        let made_at = field(4, "made")?.parse().map_err(|_| wrong(4))?;
        let mut manifest = Self::new(origin, request, made_at);
        for (text, line) in lines.zip(5_usize..) {
            let (path, file) = file_of(text).ok_or_else(|| wrong(line))?;
            manifest.files.insert(path.to_owned(), file);
        }
        // One spelling each, and one order.
        let again = manifest.to_string();
        if again == text {
            return Ok(manifest);
        }
        let same = again.lines().zip(text.lines()).take_while(|(one, other)| one == other).count();
        Err(wrong(same.saturating_add(1)))
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{FORM}\nlog {}\nrequest {}\nmade {}",
            self.origin, self.request, self.made_at
        )?;
        let mut files = self.files.iter();
        files.try_for_each(|(path, File { digest, bytes })| writeln!(f, "{digest} {bytes} {path}"))
    }
}

/// A file's line in the list: its digest, its length and its path.
fn file_of(line: &str) -> Option<(&str, File)> {
    let mut words = line.splitn(3, ' ');
    let (digest, bytes, path) = (words.next()?, words.next()?, words.next()?);
    let file = File { digest: digest.parse().ok()?, bytes: from_decimal(bytes)? };
    is_path(path).then_some((path, file))
}

/// Whether `path` stays in the folder, wherever that is.
fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_letter)
    };
    path.split('/').all(is_part)
}

/// Where leaf `index` stands, byte for byte as it was logged.
pub(crate) fn leaf_path(index: u64) -> String {
    format!("leaves/{index:010}.json")
}

/// Where the proof of leaf `index` stands.
pub(crate) fn proof_path(index: u64) -> String {
    format!("leaves/{index:010}.tlog-proof")
}

/// Where the rotations of the log's key stand.
pub(super) const ROTATIONS: &str = "keys/";

/// Where the rotation of the log's key stands that leaf `index` tells of.
pub(crate) fn rotation_path(index: u64) -> String {
    format!("{ROTATIONS}{index:010}.note")
}

/// Where the record stands that leaves call `name`, byte for byte as it is stored.
pub(crate) fn record_path(name: &str) -> String {
    format!("records/{name}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_spelling_and_names_no_file_outside() {
        let mut manifest = Manifest::new(
            "example.com/log",
            RequestId::from_u128(1),
            "2026-02-07T12:00:00Z".parse().unwrap(),
        );
        manifest.add("checkpoint", b"it");
        manifest.add("leaves/0000000001.json", b"");
        let text = manifest.to_string();
        assert_eq!(Manifest::parse(&text).unwrap(), manifest);
        for (from, to, line) in [
            ("v1", "v2", "1"),
            ("log example", "log  example", ""),
            ("request req", "request prj", "3"),
            ("checkpoint", "../checkpoint", "5"),
            ("checkpoint", "/checkpoint", "5"),
            ("checkpoint", "leaves//checkpoint", "5"),
            (" 2 ", " 02 ", "5"),
            ("checkpoint", "zeal", "5"),
            ("leaves", "zeal\nleaves", "7"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            // An origin may have blanks in it; it is compared with the one that is expected.
            if from != "log example" {
                let error = Manifest::parse(&changed).unwrap_err();
                assert_eq!(error.details()["line"], line, "{changed}");
            }
        }
    }
}
