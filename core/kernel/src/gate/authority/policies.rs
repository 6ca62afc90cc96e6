//! Which set of policies decides: the same on every node, changed between two decisions and never in one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::audit::{Event, Leaf};
use crate::authz::{Administer, Authorizer, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::Txn;
use crate::id::UserId;
use crate::identity::Caller;
use crate::org::command::CommandKind;
use crate::store::Key;
use crate::store::records::{self, Record};

/// The set that was adopted last. Every decision expects it unchanged.
#[derive(Debug, Deserialize, Serialize)]
struct PolicySet {
    digest: Digest,
}

const CURRENT: &str = "current";
/// How it is called where it may not be touched.
const SUBJECT: &str = "policy set";

/// The key that the set which decides is found under.
pub(in crate::gate) fn policy_sets() -> Key {
    records::key_of::<PolicySet>(&[])
}

impl Record for PolicySet {
    const KIND: &'static str = "policy_set";

    fn path(&self) -> Vec<String> {
        vec![CURRENT.to_owned()]
    }
}

/// How many sets a gate has ready, the one that it was opened with and the one that decides apart.
const READY_MAX: usize = 4;

/// The policy engines that this gate has ready. Which of them decides is said by the store.
#[derive(Debug, Default)]
pub(in crate::gate) struct Ready(Mutex<VecDeque<Arc<dyn Authorizer>>>);

impl Ready {
    fn sets(&self) -> MutexGuard<'_, VecDeque<Arc<dyn Authorizer>>> {
        // A set is put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Makes a set of policies ready on this node, and returns its digest. It decides nothing before it is
    /// adopted: make it ready on every node, and adopt it on one. The set that decides is kept, and beside it
    /// the four that were made ready last.
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
        {
            let mut ready = self.ready.sets();
            ready.retain(|known| known.policy_set_digest() != digest);
            ready.push_back(authorizer);
            if ready.len() <= READY_MAX {
                return digest;
            }
        }
        // Another node may have adopted one of these, and nobody asked here since: only the store knows which
        // one must stay. Where it cannot be asked, none is dropped before it can.
        let Ok(adopted) = self.adopted_set() else { return digest };
        let mut ready = self.ready.sets();
        let others = ready.iter().filter(|set| Some(set.policy_set_digest()) != adopted).count();
        let mut dropped = others.saturating_sub(READY_MAX);
        ready.retain(|set| {
            let goes = dropped > 0 && Some(set.policy_set_digest()) != adopted;
            dropped = dropped.saturating_sub(usize::from(goes));
            !goes
        });
        digest
    }

    /// Lets the set of that digest decide from now on, here and on every other node. It takes the action
    /// `administer`, by the set that decides now and by the new one: neither may forbid it.
    ///
    /// A decision that is under way when it changes is made again. A node that does not have the set ready
    /// denies everything until it has.
    ///
    /// Fails with [`Code::NotFound`] for a set that is not ready here, with [`Code::ApprovalRequired`] where that
    /// needs approval itself (see [`Self::propose`]), and with [`Code::PolicySetMissing`] where
    /// the one that decides now is not: it would not be asked. Make that one ready first; where it is lost for
    /// good, [`Self::recover_policies`] is the way out.
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
        let new = self.wanted_set(digest)?;
        self.transact(|txn| {
            let before = txn.deciding_set()?;
            txn.check_is_ready(before)?;
            let permit = txn.ask::<Administer>(caller.user(), Scope::Platform, SUBJECT)?;
            permit.spend_on(&Scope::Platform)?;
            txn.check_needs_no_approval(CommandKind::AdoptPolicies, None)?;
            txn.adopt(caller.user(), &new)?;
            Ok(((), set_leaf(txn, Event::PoliciesAdopted, Some(caller), (before, digest))))
        })?;
        self.keep(new);
        Ok(())
    }

    /// Lets the set of that digest decide where the one that decides now is lost for good: no node has it ready,
    /// and nobody can make it again. Nobody is asked, and no policy is: it is an act of the host, as opening the
    /// store is, and takes no caller. The log has a leaf of its own kind, `policies.recovered`, that names both.
    ///
    /// A host does not offer this to its users: whoever can call it can set aside what the policies forbid.
    ///
    /// Fails with [`Code::NotFound`] for a set that is not ready here, and with [`Code::WrongState`] where the one
    /// that decides now is ready: then it is asked, by [`Self::adopt_policies`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office, ScriptedAuthorizer};
    ///
    /// # use placet_core::authz::{Authorizer, Facts, PolicyHit, Question, Verdict};
    /// # use placet_core::digest::Digest;
    /// # #[derive(Debug)]
    /// # struct House;
    /// # impl Authorizer for House {
    /// #     fn decide(&self, _: &Question, _: &Facts) -> Result<Verdict, placet_core::error::Error> {
    /// #         let hit = PolicyHit::new("any".to_owned(), "house.rs:1".to_owned());
    /// #         Ok(Verdict::new(vec![hit], Vec::new(), Vec::new()))
    /// #     }
    /// #     fn policy_set_digest(&self) -> Digest { Digest::of(b"house") }
    /// # }
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts.clone());
    /// let office = Office::found(&gate)?;
    /// let house = gate.prepare_policies(Arc::new(House));
    /// gate.adopt_policies(&office.root, house)?;
    ///
    /// // Started again, and nobody has the text of the house any more.
    /// let gate = Gate::new(bench.parts);
    /// let known = gate.prepare_policies(Arc::new(ScriptedAuthorizer::agreeing()));
    /// assert!(gate.adopt_policies(&office.root, known).is_err());
    /// gate.recover_policies(known)?;
    /// assert_eq!(gate.policy_set()?, known);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn recover_policies(&self, digest: Digest) -> Result<(), Error> {
        let new = self.wanted_set(digest)?;
        self.transact(|txn| {
            let before = txn.deciding_set()?;
            if txn.authorizer()?.is_some() {
                let sentence = format!("the policy set that decides now, `{before}`, is ready");
                return Err(Error::new(Code::WrongState, sentence)
                    .with_help("ask it: adopt the other one with `adopt_policies`"));
            }
            txn.put(&PolicySet { digest })?;
            Ok(((), set_leaf(txn, Event::PoliciesRecovered, None, (before, digest))))
        })?;
        self.keep(new);
        Ok(())
    }

    /// The digest of the set that decides now.
    ///
    /// ```
    /// # let (gate, _office) = placet_core::testing::Office::in_memory()?;
    /// assert_eq!(gate.policy_set()?, gate.policy_set()?);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn policy_set(&self) -> Result<Digest, Error> {
        let own = self.parts.authorizer.policy_set_digest();
        self.consult(|txn| Ok(txn.get::<PolicySet>(&[CURRENT])?.map_or(own, |set| set.digest)))
    }

    /// The set that was adopted last, if any was, as the store says at this moment.
    fn adopted_set(&self) -> Result<Option<Digest>, Error> {
        let key = records::key_of::<PolicySet>(&[CURRENT]);
        let stored = self.parts.store.get(&key)?;
        let set = stored.map(|stored| records::decode::<PolicySet>(&key, &stored.value));
        Ok(set.transpose()?.map(|set| set.digest))
    }

    pub(in crate::gate) fn wanted_set(&self, digest: Digest) -> Result<Arc<dyn Authorizer>, Error> {
        self.ready_set(digest).ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("the policy set `{digest}` is not ready on this node"),
            )
            .with_help("make it ready with `prepare_policies`, on every node")
        })
    }

    /// Keeps a set that was just adopted, should others have pushed it out meanwhile.
    pub(in crate::gate) fn keep(&self, adopted: Arc<dyn Authorizer>) {
        if self.ready_set(adopted.policy_set_digest()).is_none() {
            self.ready.sets().push_back(adopted);
        }
    }

    fn ready_set(&self, digest: Digest) -> Option<Arc<dyn Authorizer>> {
        let opened_with = &self.parts.authorizer;
        if opened_with.policy_set_digest() == digest {
            return Some(Arc::clone(opened_with));
        }
        let ready = self.ready.sets();
        ready.iter().find(|set| set.policy_set_digest() == digest).cloned()
    }
}

impl Txn<'_> {
    /// The engine that decides in this try; `None` where this node does not have the set that was adopted.
    pub(in crate::gate) fn authorizer(&mut self) -> Result<Option<Arc<dyn Authorizer>>, Error> {
        if let Some(judge) = &self.judge {
            return Ok(Some(Arc::clone(judge)));
        }
        Ok(match self.get::<PolicySet>(&[CURRENT])? {
            // Nobody has adopted any: the one that the gate was opened with.
            None => Some(Arc::clone(&self.gate.parts.authorizer)),
            Some(adopted) => self.gate.ready_set(adopted.digest),
        })
    }

    /// The digest of the set that decides in this try, whether or not this node has it.
    pub(in crate::gate) fn deciding_set(&mut self) -> Result<Digest, Error> {
        if let Some(judge) = &self.judge {
            return Ok(judge.policy_set_digest());
        }
        let adopted = self.get::<PolicySet>(&[CURRENT])?.map(|set| set.digest);
        Ok(adopted.unwrap_or_else(|| self.gate.parts.authorizer.policy_set_digest()))
    }

    /// Refuses to go on where this node lacks the set that decides.
    pub(in crate::gate) fn check_is_ready(&mut self, before: Digest) -> Result<(), Error> {
        if self.authorizer()?.is_some() {
            return Ok(());
        }
        let sentence =
            format!("the policy set that decides now, `{before}`, is not ready on this node");
        Err(Error::new(Code::PolicySetMissing, sentence)
            .with_help(
                "make it ready with `prepare_policies` first, so that it can be asked; \
                 if nobody has it any more, the host may call `recover_policies`",
            )
            .with_detail("policy_set", before))
    }

    /// Lets `new` decide from the commit on. It must let its adopter in too: nobody locks everybody out by a slip.
    /// Answers what the log says of it.
    pub(in crate::gate) fn adopt(
        &mut self,
        user: UserId,
        new: &Arc<dyn Authorizer>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let before = self.deciding_set()?;
        self.check_is_ready(before)?;
        self.judge_by(new);
        let permit = self.ask::<Administer>(user, Scope::Platform, SUBJECT)?;
        permit.spend_on(&Scope::Platform)?;
        let digest = new.policy_set_digest();
        self.put(&PolicySet { digest })?;
        Ok(set_facts(before, digest))
    }

    /// Lets `judge` decide in the rest of this try.
    fn judge_by(&mut self, judge: &Arc<dyn Authorizer>) {
        self.judge = Some(Arc::clone(judge));
    }
}

fn set_facts(before: Digest, after: Digest) -> BTreeMap<String, String> {
    let named = [("before", before), ("after", after)];
    named.map(|(name, digest)| (name.to_owned(), digest.to_string())).into()
}

fn set_leaf(
    txn: &Txn<'_>,
    event: Event,
    caller: Option<&Caller>,
    (before, after): (Digest, Digest),
) -> Leaf {
    let mut leaf = Gate::leaf(txn, event, caller);
    leaf.scope = Some(Scope::Platform);
    leaf.facts = set_facts(before, after);
    leaf
}
