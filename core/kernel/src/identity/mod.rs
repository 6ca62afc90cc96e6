//! Who is calling. The host authenticates; the gate takes its word for who it is, and for nothing else.

use crate::id::UserId;

/// A user whom the host has authenticated, as the caller of a verb.
///
/// ```
/// use placet_core::id::UserId;
/// use placet_core::identity::Caller;
/// let caller = Caller::authenticated(UserId::from_u128(1));
/// assert_eq!(caller.user(), UserId::from_u128(1));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    user: UserId,
}

impl Caller {
    /// Vouches that `user` is who is calling.
    pub const fn authenticated(user: UserId) -> Self {
        Self { user }
    }

    /// The user.
    pub const fn user(&self) -> UserId {
        self.user
    }
}
