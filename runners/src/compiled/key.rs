//! The key that vouches for compiled components.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How many bytes a MAC has.
pub(super) const MAC_BYTES: usize = 32;

/// The key of a folder of compiled components. Compiled code is loaded only where it bears a MAC of this key, so
/// whoever has it can have the host run anything: keep it where only the host reads it.
///
/// ```
/// use placet_runners::CompiledKey;
/// let key = CompiledKey::from_bytes([7; 32]);
/// // It is not shown.
/// assert_eq!(format!("{key:?}"), "CompiledKey(****)");
/// ```
#[derive(Clone)]
pub struct CompiledKey([u8; 32]);

impl CompiledKey {
    /// The key of these bytes, which must come from a source of randomness.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The MAC of the file called `name` that holds `bytes`.
    pub(super) fn mac(&self, name: &str, bytes: &[u8]) -> Option<[u8; MAC_BYTES]> {
        Some(self.over(name, bytes)?.finalize().into_bytes().into())
    }

    /// Whether `mac` is the MAC of the file called `name` that holds `bytes`. Takes as long for any wrong one.
    pub(super) fn vouches(&self, name: &str, bytes: &[u8], mac: &[u8]) -> bool {
        self.over(name, bytes).is_some_and(|over| over.verify_slice(mac).is_ok())
    }

    // HMAC takes keys of any length: there is always one.
    fn over(&self, name: &str, bytes: &[u8]) -> Option<Hmac<Sha256>> {
        let mut over = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        // Names have one length, so nothing can move from a name into the bytes.
        over.update(name.as_bytes());
        over.update(bytes);
        Some(over)
    }
}

impl fmt::Debug for CompiledKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompiledKey(****)")
    }
}
