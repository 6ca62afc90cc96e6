//! Which key signs the log, and how another takes its place.

use serde::{Deserialize, Serialize};

use super::Gate;
use super::txn::Txn;
use crate::audit::{Event, KeyRotation, Signer, VerifierKey};
use crate::authz::{Administer, Scope};
use crate::error::{Code, Error};
use crate::identity::Caller;
use crate::store::records::Record;

/// The key that signs the log from here on.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct LogKey {
    key: String,
}

impl LogKey {
    pub(super) fn of(signer: &dyn Signer) -> Self {
        Self { key: signer.verifier_key().to_string() }
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
        let found = self.look_ahead(|txn| txn.get::<LogKey>(&[]))?;
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
            self.check_signs(txn)?;
            txn.put(&LogKey::of(next))?;
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
        self.look_ahead(|txn| self.check_signs(txn))
    }

    fn check_signs(&self, txn: &mut Txn<'_>) -> Result<(), Error> {
        let Some(LogKey { key }) = txn.get::<LogKey>(&[])? else { return Ok(()) };
        if key == self.verifier_key().to_string() {
            return Ok(());
        }
        Err(Error::new(Code::SignerUnavailable, "the log is signed with another key")
            .with_help("open the gate with the key that the log names, which is the one of its last rotation")
            .with_detail("key", key))
    }
}
