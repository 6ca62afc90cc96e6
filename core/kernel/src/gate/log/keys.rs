//! Which key signs the log, and how another takes its place.

use serde::{Deserialize, Serialize};

use crate::audit::{AuditQuery, Checkpoint, Event, KeyRotation, SignedNote, Signer, VerifierKey};
use crate::authz::{Administer, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::store::records::Record;

/// The key that signs the log from here on, and those before it.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::gate) struct LogKey {
    key: String,
    // Oldest first.
    earlier: Vec<String>,
}

impl LogKey {
    pub(in crate::gate) fn of(signer: &dyn Signer) -> Self {
        Self { key: signer.verifier_key().to_string(), earlier: Vec::new() }
    }

    fn followed_by(mut self, signer: &dyn Signer) -> Self {
        self.earlier.push(self.key);
        Self { key: signer.verifier_key().to_string(), earlier: self.earlier }
    }
}

impl Record for LogKey {
    const KIND: &'static str = "log_key";

    fn path(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Gate {
    /// The key that the log says it is signed with; nothing before it was founded.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, _) = Office::in_memory()?;
    /// assert_eq!(gate.log_key()?.as_ref(), Some(gate.verifier_key()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn log_key(&self) -> Result<Option<VerifierKey>, Error> {
        let found = self.consult(|txn| txn.get::<LogKey>(&[]))?;
        found.map(|found| found.key.parse()).transpose()
    }

    /// Has another key sign the log from here on. It takes PLATFORM_ADMIN.
    ///
    /// The present key vouches for the next one in the leaf that tells of it, so that whoever trusts the first
    /// key of a log can follow ([`KeyRotation`]). This gate signs no head any more: open it again with the new
    /// key, on every node.
    ///
    /// Fails with [`Code::Denied`] for everybody else, with [`Code::InvalidInput`] where the key has another name than
    /// the log or is the present one, and with [`Code::SignerUnavailable`] where one of the signers does not sign, or
    /// this gate's key is not the log's.
    ///
    /// ```
    /// use placet_core::audit::{Ed25519Signer, Signer};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let next = Ed25519Signer::from_seed(gate.origin(), &[8; 32])?;
    /// gate.rotate_key(&office.root, &next)?;
    /// assert_eq!(gate.log_key()?.as_ref(), Some(next.verifier_key()));
    /// let error = gate.checkpoint().expect_err("it has the old key");
    /// assert_eq!(error.code(), Code::SignerUnavailable);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn rotate_key(&self, caller: &Caller, next: &dyn Signer) -> Result<(), Error> {
        let ask = |txn: &mut Txn<'_>| {
            let permit = txn.ask::<Administer>(caller.user(), Scope::Platform, "platform")?;
            permit.spend_on(&Scope::Platform).map(drop)
        };
        self.consult(ask)?;
        // A key service may take its time: it is asked once, and not in the try that commits.
        let rotation = KeyRotation::sign(&*self.parts.signer, next)?;
        self.transact(|txn| {
            ask(txn)?;
            let known = self.check_signs(txn)?;
            txn.put(&known.followed_by(next))?;
            let mut leaf = Self::leaf(txn, Event::LogKeyRotated, Some(caller));
            leaf.scope = Some(Scope::Platform);
            leaf.facts.insert("key".to_owned(), next.verifier_key().to_string());
            leaf.facts.insert("note".to_owned(), rotation.note().to_string());
            Ok(((), leaf))
        })
    }

    /// That this gate's key is the log's.
    ///
    /// Fails with [`Code::SignerUnavailable`] where another one took its place, here or on another node.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, _) = Office::in_memory()?;
    /// gate.check_key()?;
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn check_key(&self) -> Result<(), Error> {
        self.consult(|txn| self.check_signs(txn).map(drop))
    }

    /// A head of this log, signed with its present key or one before it.
    pub(in crate::gate) fn open_head(&self, note: &SignedNote) -> Result<Checkpoint, Error> {
        let present = Checkpoint::open_note(note, self.origin(), self.verifier_key());
        let Err(cause) = present else { return present };
        let known = self.consult(|txn| txn.get::<LogKey>(&[]))?;
        for key in known.iter().flat_map(|known| &known.earlier) {
            if let Ok(head) = Checkpoint::open_note(note, self.origin(), &key.parse()?) {
                return Ok(head);
            }
        }
        Err(cause)
    }

    /// How one key of the log vouches for the next, and the entry that tells of it, oldest first.
    pub(in crate::gate) fn rotations(&self) -> Result<Vec<(u64, KeyRotation)>, Error> {
        let known = self.consult(|txn| txn.get::<LogKey>(&[]))?;
        if known.is_none_or(|known| known.earlier.is_empty()) {
            return Ok(Vec::new());
        }
        let query = AuditQuery::default().event(Event::LogKeyRotated.as_str())?;
        let found = self.consult(|_| self.all_of_log(&query))?;
        let rotation = |(index, leaf)| Some((index, KeyRotation::of_leaf(&leaf)?));
        Ok(found.into_iter().filter_map(rotation).collect())
    }

    fn check_signs(&self, txn: &mut Txn<'_>) -> Result<LogKey, Error> {
        let own = || LogKey::of(&*self.parts.signer);
        let known = txn.get::<LogKey>(&[])?.unwrap_or_else(own);
        let key = &known.key;
        if *key == self.verifier_key().to_string() {
            return Ok(known);
        }
        Err(Error::new(Code::SignerUnavailable, "the log is signed with another key")
            .with_help("open the gate with the key that the log names, which is the one of its last rotation")
            .with_detail("key", key))
    }
}
