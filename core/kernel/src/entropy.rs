//! Randomness, from outside, for salts.

use core::fmt;

use crate::error::Error;

/// A source of random bytes that nobody can guess. Drivers hand in the operating system's.
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering};
/// use placet_core::digest::Digest;
/// use placet_core::entropy::Entropy;
/// use placet_core::error::Error;
///
/// /// Stretches a secret seed: for a host whose randomness comes once, at its start.
/// #[derive(Debug)]
/// struct Stretched { seed: [u8; 32], drawn: AtomicU64 }
///
/// impl Entropy for Stretched {
///     fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
///         for block in bytes.chunks_mut(32) {
///             let number = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
///             let digest = Digest::of_parts(&[&self.seed, &number]);
///             block.copy_from_slice(&digest.as_bytes()[..block.len()]);
///         }
///         Ok(())
///     }
/// }
///
/// # let seed = [7; 32];
/// let entropy = Stretched { seed, drawn: AtomicU64::new(0) };
/// let (mut first, mut second) = ([0; 16], [0; 16]);
/// entropy.fill(&mut first)?;
/// entropy.fill(&mut second)?;
/// assert_ne!(first, second);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`, all of them.
    ///
    /// Fails, by custom with [`crate::error::Code::Internal`], when there is no randomness to give. The verb
    /// that needed a salt then fails with the same error and writes nothing.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error>;
}
