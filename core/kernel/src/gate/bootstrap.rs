//! The first administrator of an empty store.

use super::Gate;
use super::administer::{email_key, new_user};
use crate::error::{Code, Error};
use crate::id::UserId;
use crate::org::book::{Epoch, PLATFORM};
use crate::org::command::CreateUser;
use crate::org::{GlobalRole, GlobalRoleGrant, UserKind};

impl Gate {
    /// Makes the first user and gives them PLATFORM_ADMIN. Works only on an empty store, and writes
    /// leaf 0.
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
    /// assert_eq!(gate.users(&root, None)?.items.len(), 1);
    /// assert_eq!(gate.bootstrap(&first).unwrap_err().code(), Code::AlreadyBootstrapped);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn bootstrap(&self, first_admin: &CreateUser) -> Result<UserId, Error> {
        if first_admin.kind != UserKind::Person {
            return Err(Error::new(Code::InvalidInput, "the first administrator must be a person")
                .with_help("name somebody who can answer for the platform"));
        }
        self.transact(|txn| {
            if txn.get::<Epoch>(&[PLATFORM])?.is_some() {
                return Err(Error::new(
                    Code::AlreadyBootstrapped,
                    "this store already holds an organisation",
                )
                .with_help("ask a PLATFORM_ADMIN of it to add you"));
            }
            let user = new_user(txn, first_admin);
            txn.put(&email_key(&user))?;
            txn.put(&user)?;
            txn.put(&GlobalRoleGrant { user_id: user.id, role: GlobalRole::PlatformAdmin })?;
            txn.put(&Epoch::first(PLATFORM, txn.now))?;
            let mut leaf = Self::leaf(txn, "platform.bootstrapped", None);
            leaf.actor = Some(user.id);
            Ok((user.id, leaf))
        })
    }
}
