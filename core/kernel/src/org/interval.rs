//! Half-open intervals of time: from an instant on, until just before another.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Code, Error};

/// A time span `[from, until)`: it holds `from` and does not hold `until`. Without `until` it never ends.
///
/// ```
/// use placet_core::org::Interval;
/// let july = Interval::new("2026-07-01T00:00:00Z".parse()?, Some("2026-08-01T00:00:00Z".parse()?))?;
/// assert!(july.contains("2026-07-01T00:00:00Z".parse()?));
/// assert!(!july.contains("2026-08-01T00:00:00Z".parse()?));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Interval {
    // Invariant: from < until.
    from: Timestamp,
    until: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
struct Ends {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Interval {
    /// The span from `from` until just before `until`.
    ///
    /// Fails with [`Code::InvalidInput`] when it would be empty or run backwards.
    pub fn new(from: Timestamp, until: Option<Timestamp>) -> Result<Self, Error> {
        match until {
            Some(until) if until <= from => Err(Error::new(
                Code::InvalidInput,
                format!("an interval from `{from}` until `{until}` holds no instant"),
            )
            .with_help("let it end after it begins, or leave the end open")),
            Some(_) | None => Ok(Self { from, until }),
        }
    }

    /// The span that begins at `from` and never ends.
    pub const fn starting(from: Timestamp) -> Self {
        Self { from, until: None }
    }

    /// The first instant inside.
    pub const fn from(self) -> Timestamp {
        self.from
    }

    /// The first instant after it, where it ends.
    pub const fn until(self) -> Option<Timestamp> {
        self.until
    }

    /// Whether `at` lies inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether any instant lies inside both.
    pub fn overlaps(self, other: Self) -> bool {
        other.until.is_none_or(|until| self.from < until)
            && self.until.is_none_or(|until| other.from < until)
    }
}

impl TryFrom<Ends> for Interval {
    type Error = Error;

    fn try_from(ends: Ends) -> Result<Self, Error> {
        Self::new(ends.from, ends.until)
    }
}

impl From<Interval> for Ends {
    fn from(interval: Interval) -> Self {
        Self { from: interval.from, until: interval.until }
    }
}
