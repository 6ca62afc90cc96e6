//! A signing key in a file: the one of the log, beside the store, or a person's for plugins.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_core::audit::{Ed25519Signer, Signer as _};
use placet_core::digest::to_hex;
use placet_core::entropy::Entropy;
use placet_core::error::{Code, Error};

use crate::durable::write_durably;

/// A file with an Ed25519 key and its name, the log's or the person's, in the text form of Go's `note.NewSigner`:
/// `PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the 32-byte seed>`.
///
/// On Unix it is made so that only its owner may read it. Whoever has it can sign heads of that log, or plugins
/// in that person's name.
///
/// ```
/// use placet::audit::Signer;
/// use placet::{SigningKeyFile, SystemEntropy};
///
/// # let folder = tempfile::tempdir()?;
/// let file = SigningKeyFile::at(folder.path().join("log.key"));
/// let made = file.open_or_create("example.org/changes", &SystemEntropy::default())?;
/// assert_eq!(made.name(), "example.org/changes");
/// // Now that there is a key, it is read, and keeps its name.
/// let read = file.open_or_create("another", &SystemEntropy::default())?;
/// assert_eq!(read.verifier_key().to_string(), made.verifier_key().to_string());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigningKeyFile {
    path: PathBuf,
}

const ED25519: u8 = 1;

impl SigningKeyFile {
    /// The file at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads the key; where there is no file yet, makes a key called `name`.
    ///
    /// Fails with [`Code::SignerUnavailable`], with [`Code::InvalidInput`] for a name that cannot name a key,
    /// and as `entropy` does.
    pub fn open_or_create(
        &self,
        name: &str,
        entropy: &dyn Entropy,
    ) -> Result<Ed25519Signer, Error> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.parse(text.trim_end()),
            Err(error) if error.kind() == ErrorKind::NotFound => self.create(name, entropy),
            Err(error) => Err(self.unusable("cannot be read").with_source(error)),
        }
    }

    /// Reads the key.
    ///
    /// Fails with [`Code::SignerUnavailable`], also where there is no file.
    ///
    /// ```
    /// use placet::SigningKeyFile;
    /// use placet::error::Code;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let missing = SigningKeyFile::at(folder.path().join("ana.key")).open();
    /// assert_eq!(missing.unwrap_err().code(), Code::SignerUnavailable);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(&self) -> Result<Ed25519Signer, Error> {
        let text = fs::read_to_string(&self.path);
        let text = text.map_err(|error| self.unusable("cannot be read").with_source(error))?;
        self.parse(text.trim_end())
    }

    fn parse(&self, text: &str) -> Result<Ed25519Signer, Error> {
        let damaged = || self.unusable("is not a signing key");
        // The key data may hold `+` itself, so it is what is left after the first two.
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or_else(damaged)?;
        let (name, rest) = rest.split_once('+').ok_or_else(damaged)?;
        let (id, data) = rest.split_once('+').ok_or_else(damaged)?;
        let data = STANDARD.decode(data).map_err(|error| damaged().with_source(error))?;
        let Some((&ED25519, seed)) = data.split_first() else { return Err(damaged()) };
        let seed: &[u8; 32] = seed.try_into().map_err(|_| damaged())?;
        let signer = Ed25519Signer::from_seed(name, seed)?;
        if to_hex(&signer.verifier_key().id()) == id { Ok(signer) } else { Err(damaged()) }
    }

    fn create(&self, name: &str, entropy: &dyn Entropy) -> Result<Ed25519Signer, Error> {
        let mut seed = [0; 32];
        entropy.fill(&mut seed)?;
        let signer = Ed25519Signer::from_seed(name, &seed)?;
        let data: Vec<u8> = core::iter::once(ED25519).chain(seed).collect();
        let id = to_hex(&signer.verifier_key().id());
        let text = format!("PRIVATE+KEY+{name}+{id}+{}\n", STANDARD.encode(data));
        // A key that was used must still be there after a power cut, or the log could not go on.
        write_durably(&self.path, &text)
            .map_err(|error| self.unusable("cannot be written").with_source(error))?;
        Ok(signer)
    }

    fn unusable(&self, what: &str) -> Error {
        let path = self.path.display();
        Error::new(Code::SignerUnavailable, format!("the signing key `{path}` {what}"))
            .with_help("check the file and its rights, or restore it from a backup")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = SigningKeyFile::at(folder.path().join("log.key"));
        let made = file.open_or_create("example.org/log", &SystemEntropy).unwrap();
        let read = file.open_or_create("another name", &SystemEntropy).unwrap();
        assert_eq!(made.verifier_key().to_string(), read.verifier_key().to_string());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("log.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        for text in ["", "PRIVATE+KEY+a+b", "PRIVATE+KEY+a+00000000+AQ==", "hello"] {
            fs::write(&path, text).unwrap();
            let error = SigningKeyFile::at(&path).open_or_create("a", &SystemEntropy).unwrap_err();
            assert_eq!(error.code(), Code::SignerUnavailable);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
