//! The keys behind signed notes: the public half as text, the private half behind a trait.

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::cosignature;
use super::encoding::{from_base64, malformed, shown, to_base64};
use crate::digest::{Digest, to_hex};
use crate::error::Error;

// Signature types of C2SP signed-note: Ed25519 over the note, and cosignatures of C2SP tlog-cosignature.
const ED25519: u8 = 0x01;
const COSIGNATURE: u8 = 0x04;

/// What a key signs: the note as it is, or that it saw the note at some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Ed25519,
    Cosignature,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => ED25519,
            Self::Cosignature => COSIGNATURE,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            ED25519 => Some(Self::Ed25519),
            COSIGNATURE => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The public half of a key that signs notes, written `name+id+key` (C2SP signed-note, "Verifier keys").
///
/// ```
/// use placet_core::audit::VerifierKey;
/// let text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
/// let key: VerifierKey = text.parse()?;
/// assert_eq!(key.name(), "example.com/foo");
/// assert_eq!(key.to_string(), text);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct VerifierKey {
    // Invariant: `is_key_name`.
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
    kind: Kind,
}

impl VerifierKey {
    /// A key from its name and the 32 bytes of an Ed25519 public key (RFC 8032).
    ///
    /// Fails with `invalid_input` when the name is empty or has spaces, control characters or `+`, or when
    /// the bytes are no usable key.
    pub fn from_ed25519(name: &str, public: &[u8; 32]) -> Result<Self, Error> {
        Self::of_kind(name, public, Kind::Ed25519)
    }

    /// The key of a witness: the same, for the timestamped cosignatures of C2SP tlog-cosignature.
    ///
    /// Fails as [`Self::from_ed25519`] does.
    pub fn from_ed25519_cosigner(name: &str, public: &[u8; 32]) -> Result<Self, Error> {
        Self::of_kind(name, public, Kind::Cosignature)
    }

    fn of_kind(name: &str, public: &[u8; 32], kind: Kind) -> Result<Self, Error> {
        if !is_key_name(name) {
            return Err(malformed(format!("`{}` cannot name a key", shown(name)))
                .with_help("name keys like `example.com/log`, without spaces and without `+`"));
        }
        let key = VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak());
        let key = key.ok_or_else(|| {
            malformed(format!("the bytes of the key `{}` are no Ed25519 public key", shown(name)))
                .with_help("copy the verifier key again from where the log's operator published it")
        })?;
        Ok(Self { name: name.to_owned(), id: key_id(name, public, kind), key, kind })
    }

    /// The name, often that of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short id that stands in front of each signature. Not a secret and no proof of anything.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether it vouches by cosignatures, as witnesses do, and not by plain signatures.
    pub fn is_cosigner(&self) -> bool {
        self.kind == Kind::Cosignature
    }

    /// Whether `signature` is this key's over the note `text`.
    pub(super) fn accepts(&self, text: &str, signature: &[u8]) -> bool {
        match self.kind {
            Kind::Ed25519 => self.signed(text.as_bytes(), signature),
            Kind::Cosignature => cosignature::parse(signature)
                .is_some_and(|(at, rest)| self.signed(&cosignature::message(text, at), rest)),
        }
    }

    /// Whether `signature` is the Ed25519 signature (RFC 8032) of these bytes by this key.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

/// What a name of a key is made of (C2SP signed-note): not empty, no Unicode space, no `+`. Control
/// characters are out because the note around it may not have them.
pub(super) fn is_key_name(name: &str) -> bool {
    let wrong = |letter: char| letter.is_whitespace() || letter == '+' || letter < ' ';
    !name.is_empty() && !name.contains(wrong)
}

fn key_id(name: &str, public: &[u8; 32], kind: Kind) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[kind.byte()], public]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[self.kind.byte()].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, to_hex(&self.id), to_base64(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Fails with `invalid_input` when the text is not a verifier key, its id is not the one of its name
    /// and key, or the key is for neither Ed25519 signatures nor Ed25519 cosignatures.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            malformed(format!("`{}` is not a verifier key: {why}", shown(text)))
                .with_help("a verifier key is a name, eight hex digits and base64, joined by `+`")
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it does not have three parts"));
        };
        let bytes = from_base64(key).ok_or_else(|| wrong("its last part is not base64"))?;
        let kind = bytes.split_first().and_then(|(kind, key)| Some((Kind::of(*kind)?, key)));
        let (kind, public) = kind.ok_or_else(|| {
            wrong("its type is neither an Ed25519 signature nor an Ed25519 cosignature")
        })?;
        let public = public.try_into().map_err(|_| wrong("its key is not 32 bytes long"))?;
        let key = Self::of_kind(name, public, kind)?;
        if to_hex(&key.id) == id { Ok(key) } else { Err(wrong("its id belongs to another key")) }
    }
}

/// Signs notes. A host implements it to keep its key in a key service; [`Ed25519Signer`] holds it in memory.
///
/// ```
/// use placet_core::audit::{SignedNote, Signer, VerifierKey};
/// use placet_core::error::{Code, Error};
///
/// /// Sends what is to be signed to a key service.
/// #[derive(Debug)]
/// struct KeyService {
///     key: VerifierKey,
///     ask: fn(&[u8]) -> Option<[u8; 64]>,
/// }
///
/// impl Signer for KeyService {
///     fn verifier_key(&self) -> &VerifierKey {
///         &self.key
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
///         let gone = || Error::new(Code::SignerUnavailable, "the key service does not answer");
///         (self.ask)(message).ok_or_else(gone)
///     }
/// }
///
/// let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// let signer = KeyService { key, ask: |_| None };
/// let error = SignedNote::sign("the head\n", &[&signer]).expect_err("nobody signs");
/// assert_eq!(error.code(), Code::SignerUnavailable);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public half of the key. It does not change while the signer lives.
    fn verifier_key(&self) -> &VerifierKey;

    /// The Ed25519 signature (RFC 8032) of `message` by that key.
    ///
    /// Fails with `signer_unavailable` when the key cannot be used now. Callers verify what comes back.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error>;

    /// The name of the key.
    fn name(&self) -> &str {
        self.verifier_key().name()
    }
}

/// A signer whose key is in memory. The key is wiped when it is dropped and never printed.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, Signer};
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// assert_eq!(signer.name(), "example.com/log");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub struct Ed25519Signer {
    key: SigningKey,
    verifier_key: VerifierKey,
}

impl Ed25519Signer {
    /// A signer from the 32-byte seed of an Ed25519 key (RFC 8032). The seed is the secret.
    ///
    /// Fails with `invalid_input` when `name` cannot name a key.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        let key = SigningKey::from_bytes(seed);
        let verifier_key = VerifierKey::from_ed25519(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier_key })
    }
}

impl Signer for Ed25519Signer {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier_key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        Ok(self.key.sign(message).to_bytes())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({}, ****)", self.verifier_key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // RFC 8032, section 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        let seed: Digest = SEED.parse().unwrap();
        let signer = Ed25519Signer::from_seed("rfc8032.example", seed.as_bytes()).unwrap();
        assert_eq!(to_hex(signer.verifier_key().public_key()), PUBLIC);
        let signature = signer.sign(b"").unwrap();
        assert_eq!(to_hex(&signature), SIGNATURE);
        assert!(signer.verifier_key().accepts("", &signature));
    }

    #[test]
    fn a_signer_prints_without_its_seed() {
        let seed: Digest = SEED.parse().unwrap();
        let signer = Ed25519Signer::from_seed("quiet.example", seed.as_bytes()).unwrap();
        let printed = format!("{signer:?}");
        assert!(printed.contains("quiet.example") && printed.contains("****"));
        for secret in
            [SEED.to_owned(), to_base64(seed.as_bytes()), format!("{:?}", seed.as_bytes())]
        {
            assert!(!printed.contains(&secret), "{printed}");
        }
    }

    #[test]
    fn names_that_would_break_a_note_are_refused() {
        for wrong in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{0}"] {
            Ed25519Signer::from_seed(wrong, &[7; 32]).unwrap_err();
        }
    }

    #[test]
    fn a_verifier_key_has_one_spelling() {
        let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        assert_eq!(key.parse::<VerifierKey>().unwrap().to_string(), key);
        for wrong in [
            "",
            "++",
            "example.com/foo",
            "example.com/fox+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
            "example.com/foo+530d903a+AQAA",
            "weak.example+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            wrong.parse::<VerifierKey>().unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_the_same(name in "\\PC{1,20}", seed: [u8; 32], junk: String) {
            if let Ok(signer) = Ed25519Signer::from_seed(&name, &seed) {
                let text = signer.verifier_key().to_string();
                prop_assert_eq!(&text.parse::<VerifierKey>().unwrap(), signer.verifier_key());
            }
            if let Ok(key) = junk.parse::<VerifierKey>() {
                prop_assert_eq!(key.to_string(), junk);
            }
        }
    }
}
