//! The log in the forms that other tools read: each a pure function of an entry, its index and the log's origin.
//!
//! None of them is a proof: whoever needs one takes the leaf at the index, with [`LogProof`](super::LogProof).

mod ndjson; // a line of JSON
mod cloudevents; // CloudEvents 1.0
mod ocsf; // OCSF 1.4.0
mod cef; // CEF:0
mod syslog; // RFC 5424
mod told; // what all of them say alike

pub use cloudevents::cloud_events_batch;
pub use syslog::Syslog;

use super::leaf::Leaf;
use crate::error::Error;

/// A form of an event for other tools, one entry of the log at a time.
///
/// ```
/// use placet_core::audit::EventFormat;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (index, leaf) = gate.audit(&office.root, 0)?.remove(0);
/// let line = EventFormat::Cef.write(index, &leaf, gate.origin())?;
/// assert!(line.starts_with("CEF:0|placet|placet|"));
/// assert!(line.contains("|platform.bootstrapped|platform bootstrapped|"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EventFormat {
    /// One JSON object a line: `index`, `leaf` as it stands in the log, and `origin`. The lines are those of
    /// NDJSON 1.0 (<https://github.com/ndjson/ndjson-spec>).
    Ndjson,
    /// One `CloudEvents` 1.0 event a line, in the JSON event format, structured
    /// (<https://github.com/cloudevents/spec>, `spec.md` and `formats/json-format.md`). `source` names the log and `id`
    /// is the index, so both together name one entry for ever; `type` is the event's code after `placet.`; `data` is
    /// the leaf. [`cloud_events_batch`] makes a batch of several.
    CloudEvents,
    /// One OCSF event a line, of schema version 1.4.0 (<https://github.com/ocsf/ocsf-schema>, tag `1.4.0`): logins are
    /// Authentication (3002), users Account Change (3001), roles of users User Access Management (3005), teams Group
    /// Management (3006), and all else Entity Management (3004). The leaf stands whole in `unmapped`. API Activity (6003)
    /// is not used: it needs the address of the caller, which no leaf has.
    Ocsf,
    /// One line of `CEF:0` (`ArcSight` Common Event Format, "Implementing `ArcSight` CEF", version 23 of 2016), without a syslog
    /// header. Long values are cut at the lengths of its dictionary.
    Cef,
    /// One syslog message (RFC 5424).
    Syslog(Syslog),
}

impl EventFormat {
    /// The word for the form, in exports and on command lines: `ndjson`, `cloudevents`, `ocsf`, `cef` or `syslog`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::CloudEvents => "cloudevents",
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
            Self::Syslog(_) => "syslog",
        }
    }

    /// The entry `leaf` at `index` of the log `origin`. It ends in a line feed, but where a syslog message is framed
    /// by its length, and has no other one.
    ///
    /// Fails with [`Code::Internal`](crate::error::Code::Internal) where a leaf has no JSON form.
    pub fn write(&self, index: u64, leaf: &Leaf, origin: &str) -> Result<String, Error> {
        let mut line = match self {
            Self::Ndjson => ndjson::write(index, leaf, origin)?,
            Self::CloudEvents => cloudevents::write(index, leaf, origin)?,
            Self::Ocsf => ocsf::write(index, leaf, origin)?,
            Self::Cef => cef::write(index, leaf, origin),
            Self::Syslog(syslog) => return syslog.write(index, leaf, origin),
        };
        line.push('\n');
        Ok(line)
    }
}
