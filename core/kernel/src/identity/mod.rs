//! Who is calling. The host authenticates; the gate takes its word for who it is, and for nothing else.

mod channel;
mod trace;

pub use channel::Channel;
pub use trace::TraceId;

use crate::id::UserId;

/// A user whom the host has authenticated, as the caller of a verb, and how the call came in.
///
/// All but the user is the host's word for the audit log: it opens nothing.
///
/// ```
/// use placet_core::id::UserId;
/// use placet_core::identity::Caller;
/// let caller = Caller::authenticated(UserId::from_u128(1))
///     .via("cli".parse()?)
///     .traced("4bf92f3577b34da6a3ce929d0e0e4736".parse()?);
/// assert_eq!(caller.user(), UserId::from_u128(1));
/// assert_eq!(caller.channel().map(|channel| channel.to_string()).as_deref(), Some("cli"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    user: UserId,
    on_behalf_of: Option<UserId>,
    channel: Option<Channel>,
    os_user: Option<u32>,
    trace: Option<TraceId>,
}

impl Caller {
    /// Vouches that `user` is who is calling.
    pub const fn authenticated(user: UserId) -> Self {
        Self { user, on_behalf_of: None, channel: None, os_user: None, trace: None }
    }

    /// Says whom the caller works for, as an agent does. Rights are the caller's alone. Whoever a request is written or
    /// submitted for counts as an author of it, and does not approve it.
    #[must_use]
    pub const fn on_behalf_of(mut self, user: UserId) -> Self {
        self.on_behalf_of = Some(user);
        self
    }

    /// Says how the call came in.
    #[must_use]
    pub const fn via(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Says which user of the operating system it was, by its number. A name has no place in the log.
    #[must_use]
    pub const fn as_os_user(mut self, number: u32) -> Self {
        self.os_user = Some(number);
        self
    }

    /// Says which trace the call belongs to.
    #[must_use]
    pub const fn traced(mut self, trace: TraceId) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The user.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Whom the user works for.
    pub const fn principal(&self) -> Option<UserId> {
        self.on_behalf_of
    }

    /// How the call came in.
    pub const fn channel(&self) -> Option<Channel> {
        self.channel
    }

    /// The number of the operating system's user.
    pub const fn os_user(&self) -> Option<u32> {
        self.os_user
    }

    /// The trace that the call belongs to.
    pub const fn trace(&self) -> Option<TraceId> {
        self.trace
    }
}
