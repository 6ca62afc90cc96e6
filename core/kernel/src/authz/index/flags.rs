//! What the rule asks about a user beside their rows.

use crate::org::{GlobalRole, User, UserKind};

/// What the rule asks about a user beside their rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flags(u8);

impl Flags {
    const ACTIVE: u8 = 1;
    const AGENT: u8 = 2;
    const PLATFORM_ADMIN: u8 = 4;
    const AUDITOR: u8 = 8;

    pub(crate) fn of(user: &User, roles: &[GlobalRole]) -> Self {
        let mut bits = 0;
        if user.is_active {
            bits |= Self::ACTIVE;
        }
        if user.kind == UserKind::Agent {
            bits |= Self::AGENT;
        }
        roles.iter().fold(Self(bits), |flags, role| flags.with(*role))
    }

    const fn bit(role: GlobalRole) -> u8 {
        match role {
            GlobalRole::PlatformAdmin => Self::PLATFORM_ADMIN,
            GlobalRole::Auditor => Self::AUDITOR,
        }
    }

    /// The same, and that role.
    pub(super) const fn with(self, role: GlobalRole) -> Self {
        Self(self.0 | Self::bit(role))
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) const fn is_active(self) -> bool {
        self.0 & Self::ACTIVE != 0
    }

    #[inline]
    pub(crate) const fn is_agent(self) -> bool {
        self.0 & Self::AGENT != 0
    }

    /// Whether they hold `role`, and may use it: a user who is not active holds nothing.
    #[inline]
    pub(crate) const fn holds(self, role: GlobalRole) -> bool {
        self.is_active() && self.0 & Self::bit(role) != 0
    }
}
