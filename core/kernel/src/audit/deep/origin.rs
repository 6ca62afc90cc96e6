//! Whose bytes stand where they do not belong: those of an earlier time, or of another record.

use std::collections::BTreeMap;

use super::report::{DeepFault, DeepStep};
use super::walk::{Check, LEAVES};
use crate::audit::Leaf;
use crate::error::Error;

impl Check<'_> {
    /// Looks in the log for who left the bytes that were found in the wrong place.
    pub(super) fn name_origins(&mut self) -> Result<(), Error> {
        let mut asked: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, finding) in self.findings.iter().enumerate() {
            let is_record = matches!(finding.fault, DeepFault::Changed | DeepFault::Added);
            if let Some(found) = finding.found.filter(|_| is_record) {
                asked.entry(found).or_default().push(place);
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let (mut from, len) = (0_u64, self.store.log_len()?);
        loop {
            let entries = self.store.log_read(from, LEAVES)?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                let changes = Leaf::from_bytes(&entry).map(|leaf| leaf.records).unwrap_or_default();
                for change in changes {
                    let places = change.after.and_then(|after| asked.get(&after));
                    for place in places.into_iter().flatten() {
                        self.came_from(*place, &change.name, from);
                    }
                }
                from = from.saturating_add(1);
            }
            self.tell(DeepStep::Origins, from, Some(len))?;
        }
    }

    /// Notes that the bytes of a finding are those that `leaf` left under `name`.
    fn came_from(&mut self, place: usize, name: &str, leaf: u64) {
        let Some(finding) = self.findings.get_mut(place) else { return };
        let is_own = finding.record.as_deref() == Some(name);
        if finding.fault == DeepFault::Older && !is_own {
            return;
        }
        finding.source = Some((name.to_owned(), leaf));
        // One that nobody wrote does not become older by whose bytes it has.
        if finding.fault != DeepFault::Added {
            finding.fault = if is_own { DeepFault::Older } else { DeepFault::Swapped };
        }
    }
}
