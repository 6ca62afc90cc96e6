//! A witness of our own (C2SP tlog-witness), without its network: bodies in, answers out.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{HeadStore, Signer, Submission, VerifierKey, WitnessError};
use placet_core::clock::Clock;
use placet_core::digest::Digest;
use placet_core::error::Error;

/// The longest request that is read, in bytes: a proof of 63 hashes and a note with many post-quantum signatures.
pub const REQUEST_BYTES_MAX: usize = 128 << 10;

/// How often a request is checked anew because others came in between.
const ROUNDS_MAX: usize = 8;

const TEXT: &str = "text/plain; charset=utf-8";
const SIZE: &str = "text/x.tlog.size";

/// What a witness answers: an HTTP status, the type of the body, and the body.
///
/// ```
/// use placet_witness::Answer;
/// fn is_cosigned(answer: &Answer) -> bool {
///     answer.status == 200 && answer.body.starts_with("— ")
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, content_type: TEXT, body: body.into() }
    }

    /// Why something is refused, in one line.
    pub(crate) fn refusal(status: u16, why: &str) -> Self {
        Self::text(status, format!("{why}\n"))
    }
}

/// Cosigns the heads of the logs that it knows, each only when it continues the latest one that it cosigned.
///
/// It answers exactly as C2SP tlog-witness says, with Ed25519 cosignatures; `sign-subtree` is not offered. The check and
/// the record of it are one step ([`HeadStore::replace`]), and the record is durable before the answer leaves: neither
/// two requests at once nor a process that is killed make it vouch for two histories.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::audit::{Ed25519Signer, Submission};
/// use placet_core::testing::{ManualClock, Office};
/// use placet_witness::{HeadFolder, WitnessServer};
///
/// # let folder = tempfile::tempdir()?;
/// let (gate, _) = Office::in_memory()?;
/// let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32])?;
/// let clock = ManualClock::at("2026-02-07T12:00:00Z".parse()?);
/// let witness = WitnessServer::new(Arc::new(signer), Arc::new(HeadFolder::at(folder.path())), Arc::new(clock))?
///     .with_log(gate.origin(), vec![gate.verifier_key().clone()]);
///
/// let head = gate.checkpoint()?;
/// let request = Submission::new(0, head.clone(), Vec::new())?.to_string();
/// let answer = witness.add_checkpoint(request.as_bytes());
/// assert_eq!(answer.status, 200);
/// let cosigned = head.with_signature_line(answer.body.trim_end())?;
/// assert_eq!(cosigned.cosigned_at(witness.key())?, 1_770_465_600);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WitnessServer {
    signer: Arc<dyn Signer>,
    key: VerifierKey,
    heads: Arc<dyn HeadStore>,
    clock: Arc<dyn Clock>,
    logs: BTreeMap<String, Vec<VerifierKey>>,
}

impl WitnessServer {
    /// A witness that signs with `signer`, remembers in `heads` and goes by `clock`. It knows no log yet.
    ///
    /// The key must sign nothing else. Fails with `invalid_input` when it is no Ed25519 key.
    pub fn new(
        signer: Arc<dyn Signer>,
        heads: Arc<dyn HeadStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let signing = signer.verifier_key();
        let key = VerifierKey::from_ed25519_cosigner(signing.name(), signing.public_key())?;
        Ok(Self { signer, key, heads, clock, logs: BTreeMap::new() })
    }

    /// Lets it witness the log `origin`, whose heads are signed by one of `keys`.
    #[must_use]
    pub fn with_log(mut self, origin: impl Into<String>, keys: Vec<VerifierKey>) -> Self {
        self.logs.insert(origin.into(), keys);
        self
    }

    /// The key that its cosignatures verify with. Publish its text form.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Answers a request with whatever method and path: `POST /add-checkpoint`, and `GET /<origin hash>/checkpoint`.
    pub fn handle(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        match (method, path) {
            ("POST", "/add-checkpoint") => self.add_checkpoint(body),
            (_, "/add-checkpoint") => Answer::refusal(405, "use POST"),
            (method, path) => {
                let hash = path.strip_prefix('/').and_then(|path| path.strip_suffix("/checkpoint"));
                match hash {
                    Some(hash) if matches!(method, "GET" | "HEAD") => self.checkpoint(hash),
                    Some(_) => Answer::refusal(405, "use GET"),
                    None => Answer::refusal(404, "there is nothing at this path"),
                }
            }
        }
    }

    /// Answers `add-checkpoint`: a cosignature with 200, or 400, 403, 404, 409 and 422 as C2SP tlog-witness says; 500 and
    /// 503 where it cannot sign or remember, and 413 over [`REQUEST_BYTES_MAX`].
    pub fn add_checkpoint(&self, body: &[u8]) -> Answer {
        // Whoever was overtaken between the check and the record is checked anew against what is there by then.
        for _round in 0..ROUNDS_MAX {
            match self.try_add(body) {
                Ok(Some(answer)) | Err(answer) => return answer,
                Ok(None) => {}
            }
        }
        Answer::refusal(503, "other requests came first again and again; ask again")
    }

    /// The answer; `None` where another request came in between.
    fn try_add(&self, body: &[u8]) -> Result<Option<Answer>, Answer> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(Answer::refusal(413, "the request is too long"));
        }
        let submission =
            Submission::parse(body).map_err(|error| Answer::refusal(400, &error.to_string()))?;
        let head = submission.checkpoint();
        let keys = self.logs.get(head.origin());
        let keys = keys.ok_or_else(|| Answer::refusal(404, "this log is not known here"))?;
        // Refuses also a note in which one of them signed and the signature is wrong.
        submission.note().verify(keys).map_err(|error| Answer::refusal(403, &error.to_string()))?;
        if submission.earlier_size() > head.size() {
            return Err(Answer::refusal(400, "the old size is larger than that of the checkpoint"));
        }
        let seen = self.heads.read(head.origin()).map_err(|error| failed(&error))?;
        submission.follows(seen.as_ref()).map_err(|error| judged(&error))?;

        let unix_s = u64::try_from(self.clock.now().as_micros()).unwrap_or_default() / 1_000_000;
        let cosignature = head
            .cosign(&*self.signer, unix_s)
            .map_err(|error| Answer::refusal(500, &error.to_string()))?;
        // Nothing leaves before it is on the disk, and only one of two requests at once gets that far.
        let kept = submission.note().clone().only_by(keys);
        let kept = kept.and_then(|note| note.with_signature(cosignature.clone()));
        let kept = kept.map_err(|error| Answer::refusal(500, &error.to_string()))?;
        match self.heads.replace(head.origin(), seen.as_ref(), &kept) {
            Ok(true) => Ok(Some(Answer::text(200, format!("{cosignature}\n")))),
            Ok(false) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Answers `GET <origin hash>/checkpoint`: the latest head that it cosigned, with the log's signature and its own.
    pub fn checkpoint(&self, origin_hash: &str) -> Answer {
        let named = |origin: &&String| Digest::of(origin.as_bytes()).to_string() == origin_hash;
        let Some(origin) = self.logs.keys().find(named) else {
            return Answer::refusal(404, "this log is not known here");
        };
        match self.heads.read(origin) {
            Ok(Some(note)) => Answer::text(200, note.to_string()),
            Ok(None) => Answer::refusal(404, "no checkpoint of this log was cosigned yet"),
            Err(error) => failed(&error),
        }
    }
}

/// What the check said.
fn judged(error: &WitnessError) -> Answer {
    match error {
        WitnessError::Conflict { size } => {
            Answer { status: 409, content_type: SIZE, body: format!("{size}\n") }
        }
        WitnessError::Refused(why) => Answer::refusal(422, &why.to_string()),
        WitnessError::Unreachable(_) => failed(error),
    }
}

/// The memory failed. What of is not the client's to know: paths and addresses may be in it.
fn failed(error: &WitnessError) -> Answer {
    match error {
        WitnessError::Refused(_) => Answer::refusal(500, "the witness cannot read its own record"),
        WitnessError::Unreachable(_) | WitnessError::Conflict { .. } => {
            Answer::refusal(503, "the witness cannot reach its own record")
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
