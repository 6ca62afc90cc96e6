//! How long texts are kept, by their class.

use serde::{Deserialize, Serialize};

use crate::audit::Event;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::gate::organisation::administer::{PlatformCommand, PlatformDesk};
use crate::gate::txn::Txn;
use crate::org::command::{RetentionClass, SetRetention};
use crate::store::records::Record;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// How many days texts are kept after their request was last touched. Nothing: for ever.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(in crate::gate) struct Retention {
    pub(in crate::gate) content_days: Option<u32>,
    pub(in crate::gate) comment_days: Option<u32>,
}

impl Record for Retention {
    const KIND: &'static str = "retention";

    fn path(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Retention {
    pub(in crate::gate) const fn is_empty(&self) -> bool {
        self.content_days.is_none() && self.comment_days.is_none()
    }

    /// Whether what was last touched at `since` is kept no longer than `days`.
    pub(in crate::gate) fn is_past(
        self,
        days: Option<u32>,
        since: Timestamp,
        now: Timestamp,
    ) -> bool {
        days.is_some_and(|days| {
            let kept = i64::from(days).saturating_mul(DAY_MICROS);
            since.as_micros().saturating_add(kept) <= now.as_micros()
        })
    }
}

impl Txn<'_> {
    pub(in crate::gate) fn retention(&mut self) -> Result<Retention, Error> {
        self.get::<Retention>(&[]).map(Option::unwrap_or_default)
    }
}

impl PlatformCommand for SetRetention {
    type Output = ();
    const EVENT: Event = Event::PlatformRetentionSet;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        let mut retention = desk.txn().retention()?;
        let (class, days) = match self.class {
            RetentionClass::Content => ("content", &mut retention.content_days),
            RetentionClass::Comment => ("comment", &mut retention.comment_days),
        };
        *days = self.keep_days;
        desk.note("class", &class);
        let kept = self.keep_days.map_or_else(|| "for ever".to_owned(), |days| days.to_string());
        desk.note("keep_days", &kept);
        desk.txn().put(&retention)
    }
}
