//! How calls fail.

/// How one call fails.
///
/// ```
/// use placet_plugin_sdk::testing::Fault;
/// assert!(Fault::ALL.contains(&Fault::LostAfter));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The host refuses it.
    Denied,
    /// The host finds it malformed.
    Invalid,
    /// Nobody listens. Commands have no such fault, and are refused.
    Connection,
    /// The time was over before it was sent, or before the command was begun.
    Timeout,
    /// It was cancelled before it was sent, or before the command was begun.
    Cancelled,
    /// It was lost on its way; a command was stopped before it did anything.
    LostBefore,
    /// It took effect, and the answer was lost; a command was stopped after it.
    LostAfter,
    /// It took effect, and the answer was too large. A command is not begun, for its input is.
    Limit,
    /// Somebody between answers with this status, and it never arrives. A command runs, and exits with it.
    Instead(u16),
    /// It took effect, and somebody between answers with this status. A command exits with it.
    Covered(u16),
    /// It took effect, and the answer's body is rubbish.
    Rubbish,
    /// It took effect, and the answer's body is empty JSON.
    Hollow,
    /// The host dies before it is sent.
    KillBefore,
    /// It takes effect, and the host dies.
    KillAfter,
}

impl Fault {
    /// One of each.
    pub const ALL: &'static [Self] = &[
        Self::Denied,
        Self::Invalid,
        Self::Connection,
        Self::Timeout,
        Self::Cancelled,
        Self::LostBefore,
        Self::LostAfter,
        Self::Limit,
        Self::Instead(302),
        Self::Instead(403),
        Self::Instead(404),
        Self::Instead(503),
        Self::Covered(302),
        Self::Covered(408),
        Self::Covered(500),
        Self::Rubbish,
        Self::Hollow,
        Self::KillBefore,
        Self::KillAfter,
    ];
}
