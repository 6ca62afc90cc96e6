//! Which set of policies decides: the same on every node, changed between two decisions and never in one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::Gate;
use super::txn::Txn;
use crate::authz::{Administer, Authorizer, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::identity::Caller;
use crate::store::Key;
use crate::store::records::{self, Record};

/// The set that was adopted last. Every decision expects it unchanged.
#[derive(Debug, Deserialize, Serialize)]
struct PolicySet {
    digest: Digest,
}

const CURRENT: &str = "current";

/// The key that the set which decides is found under.
pub(super) fn policy_sets() -> Key {
    records::key_of::<PolicySet>(&[])
}

impl Record for PolicySet {
    const KIND: &'static str = "policy_set";

    fn path(&self) -> Vec<String> {
        vec![CURRENT.to_owned()]
    }
}

/// How many sets a gate has ready, the one that it was opened with apart.
const READY_MAX: usize = 4;

/// The policy engines that this gate has ready. Which of them decides is said by the store.
#[derive(Debug, Default)]
pub(super) struct Ready(Mutex<VecDeque<Arc<dyn Authorizer>>>);

impl Ready {
    fn sets(&self) -> MutexGuard<'_, VecDeque<Arc<dyn Authorizer>>> {
        // A set is put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Makes a set of policies ready on this node, and returns its digest. It decides nothing before it is
    /// adopted: make it ready on every node, and adopt it on one. The few that were made
    /// ready or decided last are kept.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::testing::{Office, ScriptedAuthorizer};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let digest = gate.prepare_policies(Arc::new(ScriptedAuthorizer::agreeing()));
    /// gate.adopt_policies(&office.root, digest)?;
    /// assert_eq!(gate.policy_set()?, digest);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn prepare_policies(&self, authorizer: Arc<dyn Authorizer>) -> Digest {
        let digest = authorizer.policy_set_digest();
        let mut ready = self.ready.sets();
        ready.retain(|known| known.policy_set_digest() != digest);
        ready.push_back(authorizer);
        while ready.len() > READY_MAX {
            ready.pop_front();
        }
        digest
    }

    /// Lets the set of that digest decide from now on, here and on every other node. It takes the action
    /// `administer`, by the set that decides now and by the new one; where the present one is not to be had
    /// on this node, by the new one.
    ///
    /// A decision that is under way when it changes is made again. A node that does not have the set ready
    /// denies everything until it has.
    ///
    /// Fails with [`Code::NotFound`] for a set that is not ready here.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::digest::Digest;
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let unknown = gate.adopt_policies(&office.root, Digest::of(b"nobody has it"));
    /// assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn adopt_policies(&self, caller: &Caller, digest: Digest) -> Result<(), Error> {
        let new = self.ready_set(digest).ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("the policy set `{digest}` is not ready on this node"),
            )
            .with_help("make it ready with `prepare_policies`, on every node")
        })?;
        self.transact(|txn| {
            let before = txn.get::<PolicySet>(&[CURRENT])?.map(|set| set.digest);
            let (user, subject) = (caller.user(), "policy set");
            // The new one must let its adopter in too: nobody locks everybody out by a slip.
            if txn.authorizer()?.is_some() {
                txn.ask::<Administer>(user, Scope::Platform, subject)?
                    .spend_on(&Scope::Platform)?;
            }
            txn.judge_by(&new);
            txn.ask::<Administer>(user, Scope::Platform, subject)?.spend_on(&Scope::Platform)?;
            txn.put(&PolicySet { digest })?;
            let mut leaf = Self::leaf(txn, "policies.adopted", Some(caller));
            leaf.scope = Some(Scope::Platform);
            let before = before.unwrap_or_else(|| self.parts.authorizer.policy_set_digest());
            leaf.facts.insert("before".to_owned(), before.to_string());
            leaf.facts.insert("after".to_owned(), digest.to_string());
            Ok(((), leaf))
        })
    }

    /// The digest of the set that decides now.
    ///
    /// ```
    /// # let (gate, _office) = placet_core::testing::Office::in_memory()?;
    /// assert_eq!(gate.policy_set()?, gate.policy_set()?);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn policy_set(&self) -> Result<Digest, Error> {
        self.consult(|txn| {
            let adopted = txn.get::<PolicySet>(&[CURRENT])?.map(|set| set.digest);
            Ok(adopted.unwrap_or_else(|| self.parts.authorizer.policy_set_digest()))
        })
    }

    fn ready_set(&self, digest: Digest) -> Option<Arc<dyn Authorizer>> {
        let opened_with = &self.parts.authorizer;
        if opened_with.policy_set_digest() == digest {
            return Some(Arc::clone(opened_with));
        }
        let mut ready = self.ready.sets();
        let at = ready.iter().position(|set| set.policy_set_digest() == digest)?;
        // To the back: what decides stays, however many are made ready after it.
        let found = ready.remove(at)?;
        ready.push_back(Arc::clone(&found));
        Some(found)
    }
}

impl Txn<'_> {
    /// The engine that decides in this try; `None` where this node does not have the set that was adopted.
    pub(super) fn authorizer(&mut self) -> Result<Option<Arc<dyn Authorizer>>, Error> {
        if let Some(judge) = &self.judge {
            return Ok(Some(Arc::clone(judge)));
        }
        Ok(match self.get::<PolicySet>(&[CURRENT])? {
            // Nobody has adopted any: the one that the gate was opened with.
            None => Some(Arc::clone(&self.gate.parts.authorizer)),
            Some(adopted) => self.gate.ready_set(adopted.digest),
        })
    }

    /// Lets `judge` decide in the rest of this try.
    fn judge_by(&mut self, judge: &Arc<dyn Authorizer>) {
        self.judge = Some(Arc::clone(judge));
    }
}
