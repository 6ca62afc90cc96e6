//! Who vouches for a plugin: signatures over its manifest and the digest of its component.

use std::collections::BTreeSet;

use placet_core::audit::{SignedNote, Signer, VerifierKey};
use placet_core::digest::{Digest, canonical_json};
use placet_core::error::{Code, Error};
use placet_core::org::Slug;

use crate::manifest::Manifest;

/// The first line of what is signed, so that no signature over something else counts here.
const FIRST_LINE: &str = "placet plugin manifest v1";

/// The keys that a host believes about plugins, and how many of them must have signed one.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, Signer};
/// use placet_core::error::Code;
/// use placet_runners::Trusted;
///
/// let ana = Ed25519Signer::from_seed("example.org/ana", &[1; 32])?;
/// let keys = vec![ana.verifier_key().clone()];
/// assert_eq!(Trusted::new(keys.clone(), 1)?.needed(), 1);
/// // One key is never two signers.
/// assert_eq!(Trusted::new([keys.clone(), keys].concat(), 2).unwrap_err().code(), Code::InvalidInput);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trusted {
    keys: Vec<VerifierKey>,
    needed: usize,
}

impl Trusted {
    /// `needed` signatures by different ones of `keys`. A key is the same under another name.
    ///
    /// Fails with [`Code::InvalidInput`] where so many can never be reached, where none is needed, and for the key of a
    /// witness, which signs something else.
    pub fn new(keys: Vec<VerifierKey>, needed: usize) -> Result<Self, Error> {
        let wrong =
            |what: String, help: &str| Err(Error::new(Code::InvalidInput, what).with_help(help));
        if let Some(witness) = keys.iter().find(|key| key.is_cosigner()) {
            return wrong(
                format!("`{}` is the key of a witness", witness.name()),
                "name keys that sign plain notes",
            );
        }
        let distinct = distinct(&keys).len();
        if needed == 0 {
            return wrong(
                "a plugin is to be signed by nobody".to_owned(),
                "ask for one signature, or set no signers",
            );
        }
        if needed > distinct {
            return wrong(
                format!("{needed} signers are needed, and there are {distinct} different keys"),
                "name more keys, or ask for fewer signatures",
            );
        }
        Ok(Self { keys, needed })
    }

    /// How many different keys must have signed.
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// Which of the keys signed `note` over this manifest and component, each of them once, whatever its name there.
    ///
    /// Fails with [`Code::Refused`] where the note is none, is about another manifest or component, or has a signature
    /// in the name of one of the keys that is not its own. Signatures by others are ignored, as the format asks.
    ///
    /// ```
    /// use placet_core::audit::{Ed25519Signer, Signer};
    /// use placet_runners::{Trusted, shipped};
    ///
    /// let ana = Ed25519Signer::from_seed("example.org/ana", &[1; 32])?;
    /// let bo = Ed25519Signer::from_seed("example.org/bo", &[2; 32])?;
    /// let plugin = shipped::sql();
    /// let note = plugin.manifest.sign(&plugin.component, &[&ana, &ana])?.to_string();
    /// let keys = vec![ana.verifier_key().clone(), bo.verifier_key().clone()];
    /// let signers =
    ///     Trusted::new(keys, 2)?.signers_of(&plugin.manifest, &plugin.component, note.as_bytes())?;
    /// assert_eq!(signers, [ana.verifier_key().clone()]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn signers_of(
        &self,
        manifest: &Manifest,
        component: &[u8],
        note: &[u8],
    ) -> Result<Vec<VerifierKey>, Error> {
        let component = Digest::of(component);
        self.found(manifest, component, note).map_err(|unsound| {
            let message = format!("the signatures of `{}` do not count: ", manifest.name);
            unsound.told(message, component)
        })
    }

    /// Fails unless enough different keys signed `note` over this manifest and component.
    pub(crate) fn check(
        &self,
        name: &Slug,
        (manifest, component): (&Manifest, Digest),
        note: Option<&[u8]>,
    ) -> Result<(), Error> {
        let found = note.ok_or_else(|| Unsound::new("nobody signed it")).and_then(|note| {
            let found = self.found(manifest, component, note)?.len();
            let needed = self.needed;
            if found < needed {
                let why = format!("{found} of {needed} signers whom this host trusts signed it");
                return Err(Unsound::new(why));
            }
            Ok(())
        });
        found.map_err(|unsound| {
            unsound.told(format!("the plugin `{name}` is not installed: "), component)
        })
    }

    fn found(
        &self,
        manifest: &Manifest,
        component: Digest,
        note: &[u8],
    ) -> Result<Vec<VerifierKey>, Unsound> {
        let unsound = |error: Error| Unsound {
            why: "its signatures do not hold".to_owned(),
            source: Some(error),
        };
        let note = SignedNote::parse(note).map_err(unsound)?;
        let text = signed_text(manifest, component).map_err(unsound)?;
        let mut signers: Vec<VerifierKey> = Vec::new();
        for line in note.signatures() {
            for key in self
                .keys
                .iter()
                .filter(|key| (key.name(), key.id()) == (line.name(), line.key_id()))
            {
                // A wrong signature in the name of a key that we trust is nobody's mistake.
                let signed = note.verify(core::slice::from_ref(key)).map_err(unsound)?;
                if signed != text {
                    let why = "what was signed is another manifest, or another component";
                    return Err(Unsound::new(why));
                }
                if signers.iter().all(|signer| signer.public_key() != key.public_key()) {
                    signers.push(key.clone());
                }
            }
        }
        Ok(signers)
    }
}

/// Why a note does not count.
#[derive(Debug)]
struct Unsound {
    why: String,
    source: Option<Error>,
}

impl Unsound {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), source: None }
    }

    fn told(self, before: String, component: Digest) -> Error {
        let error = Error::new(Code::Refused, before + &self.why)
            .with_help(
                "have its manifest and component signed by people whose keys this host knows",
            )
            .with_detail("digest", component);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// Different keys: a key is the same under another name.
fn distinct(keys: &[VerifierKey]) -> BTreeSet<[u8; 32]> {
    keys.iter().map(|key| *key.public_key()).collect()
}

/// What is signed: a line that says what it is, the digest of the component, and the manifest as canonical JSON.
fn signed_text(manifest: &Manifest, component: Digest) -> Result<String, Error> {
    let manifest = canonical_json(manifest)?;
    let manifest = String::from_utf8_lossy(&manifest).into_owned();
    Ok(format!("{FIRST_LINE}\n{component}\n{manifest}\n"))
}

impl Manifest {
    /// What is signed of this manifest and `component`: a line that says what it is, the digest of the component, and the
    /// manifest as canonical JSON. It is for signers elsewhere; [`Self::sign`] signs it.
    ///
    /// Fails as [`canonical_json`] does.
    ///
    /// ```
    /// use placet_runners::Manifest;
    ///
    /// let text = Manifest::new("own", "0.1.0").signed_text(b"component")?;
    /// assert!(text.starts_with("placet plugin manifest v1\n"));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn signed_text(&self, component: &[u8]) -> Result<String, Error> {
        signed_text(self, Digest::of(component))
    }

    /// Signs this manifest together with `component`, as a C2SP signed note. Lines of other signers can be
    /// [added](SignedNote::with_signature_line).
    ///
    /// Fails as [`SignedNote::sign`] does.
    ///
    /// ```
    /// use placet_core::audit::{Ed25519Signer, Signer};
    /// use placet_core::error::Code;
    /// use placet_runners::{Grant, Trusted, WasmRunner, shipped};
    ///
    /// let ana = Ed25519Signer::from_seed("example.org/ana", &[1; 32])?;
    /// let mut plugin = shipped::sql();
    /// plugin.manifest.version = "0.1.0-ours".to_owned();
    /// let note = plugin.manifest.sign(&plugin.component, &[&ana])?.to_string();
    /// let host = |name: &str| {
    ///     let grant = Grant::none().with("sql");
    ///     WasmRunner::builder()
    ///         .signers(Trusted::new(vec![ana.verifier_key().clone()], 1)?)
    ///         .plugin("own".parse()?, plugin.component.clone(), plugin.manifest.clone(), grant)
    ///         .note(name.parse()?, note.clone())
    ///         .build()
    /// };
    /// assert!(host("own").is_ok());
    /// // The note of another plugin is none for this one.
    /// assert_eq!(host("other").unwrap_err().code(), Code::Refused);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn sign(&self, component: &[u8], signers: &[&dyn Signer]) -> Result<SignedNote, Error> {
        SignedNote::sign(&self.signed_text(component)?, signers)
    }
}
