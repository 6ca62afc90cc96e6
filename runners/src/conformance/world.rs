//! Where a plugin is examined.

use core::fmt;

use placet_core::org::Slug;

use crate::builder::Builder;

/// What goes wrong with one call of the host to its target.
///
/// ```
/// use placet_runners::conformance::Trouble;
///
/// assert!(Trouble::FAULTS.iter().all(|fault| !fault.is_death()));
/// assert!(Trouble::DiesAfter.has_happened() && !Trouble::DiesBefore.has_happened());
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a world must play each of them")]
pub enum Trouble {
    /// The call fails, and nothing of it happens.
    Fails,
    /// It happens, and its answer is lost.
    LostAfter,
    /// It does not happen, and nobody says so.
    LostBefore,
    /// Everything ends before it happens: neither this call nor any later one has an effect.
    DiesBefore,
    /// It happens, and then everything ends.
    DiesAfter,
}

impl Trouble {
    /// What a plugin is told of.
    pub const FAULTS: [Self; 3] = [Self::Fails, Self::LostAfter, Self::LostBefore];

    /// What nobody is told of.
    pub const DEATHS: [Self; 2] = [Self::DiesBefore, Self::DiesAfter];

    /// Whether the call had its effect.
    pub const fn has_happened(self) -> bool {
        matches!(self, Self::LostAfter | Self::DiesAfter)
    }

    /// Whether everything ends with it.
    pub const fn is_death(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }
}

/// Targets of one kind, with a diary. [`SqlWorld`](super::SqlWorld) is a database; there is none yet for
/// endpoints and commands, so that plugins for them are not examined.
///
/// ```
/// use placet_runners::conformance::{SqlWorld, Trouble, World};
///
/// let world = SqlWorld::new("sqlite");
/// world.reset(Some((0, Trouble::Fails)));
/// assert!(world.calls().is_empty() && world.applied().is_empty() && !world.is_in_doubt());
/// ```
pub trait World: Send + Sync + fmt::Debug {
    /// Adds its targets to a host. The job's target has this name.
    fn install(&self, builder: Builder, target: Slug) -> Builder;

    /// Begins anew: nothing was called and nothing has an effect. At the call with this number, from 0, there is
    /// trouble.
    fn reset(&self, trouble: Option<(usize, Trouble)>);

    /// Goes on after a death: what had an effect is there, and nobody is left who could add to it.
    fn revive(&self);

    /// The calls since [`Self::reset`] that could go wrong, in their order.
    fn calls(&self) -> Vec<String>;

    /// The bodies of steps that have an effect now, in the order in which they got it.
    fn applied(&self) -> Vec<String>;

    /// What was tried while planning and undone again.
    fn tried(&self) -> Vec<String>;

    /// Whether something was begun of which nobody can tell how it ended. Only then may a verification say `unknown`.
    fn is_in_doubt(&self) -> bool;
}
