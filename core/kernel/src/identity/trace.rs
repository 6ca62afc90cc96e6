//! The trace that a call belongs to.

use core::fmt;
use core::num::NonZeroU128;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

/// The trace that a call belongs to: the `trace-id` of W3C Trace Context (§3.2.2.3), 16 bytes, not all zero.
///
/// ```
/// use placet_core::identity::TraceId;
/// let text = "4bf92f3577b34da6a3ce929d0e0e4736";
/// assert_eq!(text.parse::<TraceId>()?.to_string(), text);
/// assert!("00000000000000000000000000000000".parse::<TraceId>().is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId(NonZeroU128);

impl FromStr for TraceId {
    type Err = Error;

    /// Fails with `invalid_input` when it is not 32 lower-case hex digits, or all are zero.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = (text.len() == 32 && text.bytes().all(is_hex)).then_some(text);
        let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        number.and_then(NonZeroU128::new).map(Self).ok_or_else(|| {
            let shown = crate::letters::shown(text);
            Error::new(Code::InvalidInput, format!("`{shown}` is not a trace id")).with_help(
                "write 32 lower-case hex digits that are not all zero, as in `traceparent`",
            )
        })
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl TryFrom<String> for TraceId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(trace: TraceId) -> Self {
        trace.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_has_one_spelling() {
        let good = "0000000000000000000000000000000f";
        assert_eq!(good.parse::<TraceId>().unwrap().to_string(), good);
        for wrong in
            ["", "f", "+000000000000000000000000000000f", &good.to_uppercase(), &"0".repeat(32)]
        {
            assert_eq!(wrong.parse::<TraceId>().unwrap_err().code(), Code::InvalidInput, "{wrong}");
        }
    }
}
