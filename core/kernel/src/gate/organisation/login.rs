//! Who came in: what the host says of users that it authenticated.

use crate::audit::Event;
use crate::authz::Scope;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::identity::Caller;
use crate::org::User;

impl Gate {
    /// Records that a user came in, whom the host authenticated, with whatever the caller says of the way in: see
    /// [`Caller::via`]. Each call is a leaf of its own; nothing else changes.
    ///
    /// Fails with [`Code::Denied`] where nobody active has this id: a host lets them in no further then.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::identity::Caller;
    /// use placet_core::id::UserId;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// gate.record_login(&office.ana.via("cli".parse()?))?;
    /// let (_, leaf) = gate.audit(&office.root, 0)?.pop().expect("it was recorded");
    /// assert_eq!((leaf.event.as_str(), leaf.actor), ("identity.login", Some(office.ana.user())));
    /// assert_eq!(leaf.channel.map(|channel| channel.to_string()).as_deref(), Some("cli"));
    ///
    /// let stranger = Caller::authenticated(UserId::from_u128(404));
    /// let error = gate.record_login(&stranger).unwrap_err();
    /// assert_eq!(error.code(), Code::Denied);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn record_login(&self, caller: &Caller) -> Result<(), Error> {
        let user = caller.user();
        self.transact(|txn| {
            let found = txn.get::<User>(&[&user.to_string()])?;
            if !found.is_some_and(|found| found.is_active) {
                return Err(Error::new(Code::Denied, format!("`{user}` is no active user"))
                    .with_help("ask a PLATFORM_ADMIN to add them, or to make them active"));
            }
            let mut leaf = Self::leaf(txn, Event::IdentityLogin, Some(caller));
            leaf.scope = Some(Scope::Platform);
            Ok(((), leaf))
        })
    }
}
