//! Cosignatures, byte for byte as C2SP tlog-cosignature defines them for Ed25519: somebody who is not the log
//! vouches that it saw a head, that the head continues every earlier one it saw, and when that was.

use super::checkpoint::Checkpoint;
use super::encoding::{NUMBER_MAX, malformed, tampered};
use super::key::{Signer, VerifierKey};
use super::note::{NoteSignature, SignedNote};
use crate::error::{Code, Error};

/// What is signed (C2SP tlog-cosignature, "Ed25519 signed message"): two lines, then the text of the checkpoint.
pub(super) fn message(text: &str, unix_s: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {unix_s}\n{text}").into_bytes()
}

/// The instant, in seconds since 1970, and the Ed25519 signature of a cosignature.
pub(super) fn parse(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (at, rest) = signature.split_first_chunk::<8>()?;
    let at = u64::from_be_bytes(*at);
    (at <= NUMBER_MAX && rest.len() == 64).then_some((at, rest))
}

impl Checkpoint {
    /// A witness's word that it saw this head at `unix_s`, in whole seconds since 1970 (C2SP tlog-cosignature).
    ///
    /// Only a witness that checked that the head continues all earlier ones it saw may make one. Its key signs nothing
    /// else: others verify with [`VerifierKey::from_ed25519_cosigner`] of the name and public key of `signer`.
    ///
    /// Fails with `invalid_input` at second 0, which means that no time is told, and after 2^63 - 1; with
    /// `signer_unavailable` when the signer fails or answers a signature that its own key does not accept.
    ///
    /// ```
    /// use placet_core::audit::{Checkpoint, Ed25519Signer, Signer, VerifierKey, empty_root};
    /// let log = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
    /// let witness = Ed25519Signer::from_seed("witness.example/w1", &[8; 32])?;
    ///
    /// let head = Checkpoint::new("example.com/log", 0, empty_root())?;
    /// let note = head.sign(&[&log])?.with_signature(head.cosign(&witness, 1_770_000_000)?)?;
    ///
    /// let key = VerifierKey::from_ed25519_cosigner("witness.example/w1", witness.verifier_key().public_key())?;
    /// assert_eq!(note.cosigned_at(&key)?, 1_770_000_000);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn cosign(&self, signer: &dyn Signer, unix_s: u64) -> Result<NoteSignature, Error> {
        if unix_s == 0 || unix_s > NUMBER_MAX {
            return Err(malformed(format!("no cosignature can be made at second {unix_s}"))
                .with_help("set the clock of the witness"));
        }
        let signing = signer.verifier_key();
        let key = VerifierKey::from_ed25519_cosigner(signing.name(), signing.public_key())?;
        let message = message(&self.to_string(), unix_s);
        let signature = signer.sign(&message)?;
        if !key.signed(&message, &signature) {
            let sentence = format!("the signer `{}` answered a wrong signature", key.name());
            return Err(Error::new(Code::SignerUnavailable, sentence)
                .with_help("check that the signer holds the private half of its verifier key")
                .with_detail("key", key));
        }
        let bytes = [unix_s.to_be_bytes().as_slice(), &signature].concat();
        Ok(NoteSignature::made_by(&key, bytes))
    }
}

impl SignedNote {
    /// When the witness with `key` last vouched for this note, in whole seconds since 1970, by its own clock.
    ///
    /// Fails with `log_tampered` when it did not, or its signature is wrong, and with `invalid_input` when `key` is not
    /// that of a cosigner.
    pub fn cosigned_at(&self, key: &VerifierKey) -> Result<u64, Error> {
        if !key.is_cosigner() {
            return Err(malformed(format!(
                "`{}` makes plain signatures, without a time",
                key.name()
            ))
            .with_help("name the key of a witness: its type is 4, not 1"));
        }
        self.verify(core::slice::from_ref(key))?;
        let theirs = self.signatures().iter().filter(|line| line.is_by(key));
        let latest = theirs.filter_map(|line| parse(line.bytes())).map(|(at, _)| at).max();
        latest.ok_or_else(|| tampered(format!("`{}` did not cosign the note", key.name())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Ed25519Signer, empty_root};

    // A checkpoint of a public log as a public witness returned it, with the log's own line (an RFC 6962 signature, type
    // 5, that nobody here knows). The witness published its key.
    const SEEN: &str = "coachandhorses2026h1.staging.certificate.transparency.goog\n\
        185550722\n\
        YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=\n\
        \n\
        — coachandhorses2026h1.staging.certificate.transparency.goog MpXgsHy8ZwxXnO+WjtVrPxAzL49Rs1gWTkNVNeEa//5peAzaocRCB3qt3EaibjzY5GILLtGgBP7dBhgcSHy+JQh0OAc=\n\
        — witness.navigli.sunlight.geomys.org o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==\n";
    const WITNESS: &str =
        "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G";

    // The example of C2SP tlog-cosignature, whose keys are not published.
    const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

    fn note(text: &str) -> SignedNote {
        SignedNote::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_cosignature_of_a_public_witness_verifies() {
        let key: VerifierKey = WITNESS.parse().unwrap();
        assert!(key.is_cosigner());
        assert_eq!(key.to_string(), WITNESS);
        assert_eq!(note(SEEN).cosigned_at(&key).unwrap(), 0x6a6f_b0f3);
        assert!(note(SEEN).only_by(&[key]).unwrap().to_string().lines().count() == 5);
    }

    #[test]
    fn every_changed_byte_of_a_cosigned_note_is_found() {
        let key: VerifierKey = WITNESS.parse().unwrap();
        // The log's line is not this key's, so what it says is not covered.
        let whole = note(SEEN).only_by(core::slice::from_ref(&key)).unwrap().to_string();
        for at in 0..whole.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1 << (at % 8);
            let read = SignedNote::parse(&bytes).and_then(|note| note.cosigned_at(&key));
            assert!(read.is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_example_of_the_specification_is_read_with_its_time() {
        let example = note(EXAMPLE);
        let (at, signature) = parse(example.signatures()[1].bytes()).unwrap();
        assert_eq!((at, signature.len()), (1_679_315_147, 64));
        let checkpoint: Checkpoint = example.unverified_text().parse().unwrap();
        let signed = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(&checkpoint.to_string(), at), signed.as_bytes());
    }

    #[test]
    fn a_cosignature_is_good_for_its_key_kind_text_and_time_only() {
        let witness = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
        let public = witness.verifier_key().public_key();
        let key = VerifierKey::from_ed25519_cosigner("witness.example/w1", public).unwrap();
        assert_ne!(key.id(), witness.verifier_key().id(), "the type is part of the id");
        let head = Checkpoint::new("example.com/log", 0, empty_root()).unwrap();
        let cosigned = head.cosign(&witness, 5).unwrap();
        let whole = head.sign(&[&witness]).unwrap().with_signature(cosigned.clone()).unwrap();
        assert_eq!(whole.cosigned_at(&key).unwrap(), 5);
        assert!(whole.cosigned_at(witness.verifier_key()).is_err(), "a plain key tells no time");
        // Neither signature passes for the other.
        let plain = head.sign(&[&witness]).unwrap();
        assert!(plain.cosigned_at(&key).is_err());
        let other = Checkpoint::new("example.com/log", 0, empty_root()).unwrap();
        let other = other.with_extension("more").unwrap().sign(&[&witness]).unwrap();
        assert!(other.with_signature(cosigned).unwrap().cosigned_at(&key).is_err());
        for second in [0, NUMBER_MAX + 1] {
            assert!(head.cosign(&witness, second).is_err());
        }
        assert!(parse(&[0xff; 72]).is_none(), "a time after 2^63 - 1");
        assert!(parse(&[0; 71]).is_none());
    }
}
