//! The first administrator of an empty store.

use super::administer::{email_key, new_user};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::log::keys::LogKey;
use crate::gate::txn::Txn;
use crate::id::UserId;
use crate::org::book::{Epoch, PLATFORM, Unique};
use crate::org::command::CreateUser;
use crate::org::{GlobalRole, GlobalRoleGrant, UserKind};

impl Gate {
    /// Makes the first user and gives them PLATFORM_ADMIN. Works only on an empty store, and writes
    /// leaf 0.
    ///
    /// An answer may be lost after leaf 0 was written, and nothing else would tell the founder's id. So a call
    /// with the founder's e-mail address answers the same id again, and writes nothing, as long as leaf 0 is all
    /// that the log has: once anybody did anything, or was denied it, the id is known.
    ///
    /// Fails with [`Code::AlreadyBootstrapped`], or with [`Code::InvalidInput`] for an agent.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::error::Code;
    /// use placet_core::gate::Gate;
    /// use placet_core::identity::Caller;
    /// use placet_core::org::{UserKind, command::CreateUser};
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::Bench;
    ///
    /// let gate = Gate::new(Bench::on(Arc::new(MemoryStore::default()))?.parts);
    /// let (email, display_name) = ("root@example.org".parse()?, "Root".parse()?);
    /// let first = CreateUser { kind: UserKind::Person, email, display_name };
    /// let root = Caller::authenticated(gate.bootstrap(&first)?);
    /// assert_eq!(gate.bootstrap(&first)?, root.user());
    /// # use placet_core::org::command::CreateProject;
    /// # let (code, name) = ("shop".parse()?, "Shop".parse()?);
    ///
    /// gate.administer(&root, &CreateProject { code, name })?;
    /// assert_eq!(gate.bootstrap(&first).unwrap_err().code(), Code::AlreadyBootstrapped);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn bootstrap(&self, first_admin: &CreateUser) -> Result<UserId, Error> {
        if first_admin.kind != UserKind::Person {
            return Err(Error::new(Code::InvalidInput, "the first administrator must be a person")
                .with_help("name somebody who can answer for the platform"));
        }
        self.attempt(|txn| {
            if txn.get::<Epoch>(&[PLATFORM])?.is_some() {
                return txn.founder(first_admin).map(|founder| (founder, None));
            }
            let user = new_user(txn, first_admin);
            txn.put(&email_key(&user.email, user.id))?;
            txn.put(&user)?;
            txn.put(&GlobalRoleGrant { user_id: user.id, role: GlobalRole::PlatformAdmin })?;
            txn.put(&Epoch::first(PLATFORM, txn.now))?;
            txn.put(&LogKey::of(&*self.parts.signer))?;
            let mut leaf = Self::leaf(txn, Event::PlatformBootstrapped, None);
            leaf.actor = Some(user.id);
            leaf.facts.insert("key".to_owned(), self.verifier_key().to_string());
            Ok((user.id, Some(leaf)))
        })
    }
}

impl Txn<'_> {
    /// Who founded this store, for whoever did it with the same address a moment ago.
    fn founder(&mut self, again: &CreateUser) -> Result<UserId, Error> {
        // While there is no other leaf, there is no other user.
        if self.gate.parts.store.log_len()? == 1 {
            let claim = email_key(&again.email, UserId::from_u128(0));
            if let Some(founder) = self.get::<Unique>(&[&claim.what, &claim.value])? {
                return founder.holder.parse();
            }
        }
        Err(Error::new(Code::AlreadyBootstrapped, "this store already holds an organisation")
            .with_help("ask a PLATFORM_ADMIN of it to add you"))
    }
}
