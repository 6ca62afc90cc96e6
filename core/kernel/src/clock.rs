//! Time. The kernel never asks the machine for it: a [`Clock`] comes in from outside.

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

/// Tells the time. Drivers hand in the machine's clock, tests one that they move by hand.
///
/// ```
/// use std::sync::LazyLock;
/// use std::time::{Instant, UNIX_EPOCH};
/// use placet_core::clock::{Clock, Timestamp};
///
/// #[derive(Debug)]
/// struct Machine;
///
/// impl Clock for Machine {
///     fn now(&self) -> Timestamp {
///         let micros = UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
///         Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
///     }
///
///     fn steady_ms(&self) -> u64 {
///         static START: LazyLock<Instant> = LazyLock::new(Instant::now);
///         u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
///     }
/// }
///
/// assert!(Machine.now() > "2026-01-01T00:00:00Z".parse()?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant, in UTC. Somebody may set it, backwards too.
    fn now(&self) -> Timestamp;

    /// Milliseconds since a start of its own, on a clock that nobody can set: it goes forward only, at the
    /// pace of time. Leases and deadlines go by it, for a wall clock that jumps must not end a run.
    fn steady_ms(&self) -> u64;
}

/// An instant in UTC, to the microsecond. Written as RFC 3339 with six decimals and `Z`.
///
/// Parsing takes any zone and cuts digits after the sixth. It fails with [`Code::InvalidInput`] on other
/// texts and outside [`Self::MIN`] to [`Self::MAX`].
///
/// ```
/// use placet_core::clock::Timestamp;
/// let at: Timestamp = "2026-02-07T12:30:00Z".parse()?;
/// assert_eq!(at.to_string(), "2026-02-07T12:30:00.000000Z");
/// assert_eq!(at.plus_ms(1_500).to_string(), "2026-02-07T12:30:01.500000Z");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    // Invariant: within MIN..=MAX, so that printing and adding cannot fail.
    micros: i64,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the earliest instant that is accepted.
    pub const MIN: Self = Self { micros: 0 };
    /// 9999-12-31T23:59:59.999999Z, the last instant that RFC 3339 can write.
    pub const MAX: Self = Self { micros: 253_402_300_799_999_999 };

    /// Makes an instant from microseconds since 1970-01-01T00:00:00Z, held within [`Self::MIN`] and [`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.micros {
            Self::MIN
        } else if micros > Self::MAX.micros {
            Self::MAX
        } else {
            Self { micros }
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.micros
    }

    /// The instant `ms` milliseconds later, at most [`Self::MAX`].
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        let ms = if ms > 253_402_300_800_000 { 253_402_300_800_000 } else { ms };
        Self::from_micros(self.micros.saturating_add_unsigned(ms.saturating_mul(1_000)))
    }

    /// Whole milliseconds from `earlier` to this instant; zero when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        if self.micros <= earlier.micros { 0 } else { self.micros.abs_diff(earlier.micros) / 1_000 }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = DateTime::from_timestamp_micros(self.micros)
            .map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true));
        f.write_str(text.as_deref().unwrap_or("invalid instant"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
        let micros = parsed.map(|at| at.timestamp_micros());
        match micros {
            Some(micros) if (Self::MIN.micros..=Self::MAX.micros).contains(&micros) => {
                Ok(Self { micros })
            }
            Some(_) | None => {
                let shown = crate::letters::shown(text);
                Err(Error::new(Code::InvalidInput, format!("`{shown}` is not an instant"))
                    .with_help("write RFC 3339 with a zone, for example `2026-02-07T12:30:00Z`"))
            }
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}
