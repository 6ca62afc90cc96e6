//! Randomness, from outside, for salts.

use core::fmt;

use crate::error::Error;

/// A source of random bytes that nobody can guess. Drivers hand in the operating system's.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error>;
}
