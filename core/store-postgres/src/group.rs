//! Which batches of a group pass, and what they change together.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::store::{Batch, Committed, Key, Version};

use crate::record::Head;

/// What became of one batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Applied(Committed),
    Conflict(Key),
}

/// A group that was judged: what to write, and what to answer once it is written.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) before: Head,
    pub(crate) after: Head,
    /// The last value of each key that changes, `None` where it is removed.
    pub(crate) changes: BTreeMap<&'a Key, (Version, Option<&'a [u8]>)>,
    /// The new entries, in order, from index `before.log_len` on.
    pub(crate) entries: Vec<&'a [u8]>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// The keys that `batches` expect something of.
pub(crate) fn expected(batches: &[Batch]) -> BTreeSet<&Key> {
    batches.iter().flat_map(|batch| batch.expected.iter().map(|(key, _)| key)).collect()
}

impl<'a> Group<'a> {
    /// Judges `batches` in order, each after those before it. `head` and `versions`, which has every
    /// expected key that is there, are what the database says under the lock.
    pub(crate) fn judge(
        head: Head,
        versions: &BTreeMap<Key, Version>,
        batches: &'a [Batch],
    ) -> Self {
        let verdicts = Vec::with_capacity(batches.len());
        let (changes, entries) = (BTreeMap::new(), Vec::new());
        let mut group = Self { before: head, after: head, changes, entries, verdicts };
        for batch in batches {
            let verdict = group.admit(versions, batch);
            group.verdicts.push(verdict);
        }
        group
    }

    fn admit(&mut self, versions: &BTreeMap<Key, Version>, batch: &'a Batch) -> Verdict {
        for (key, expected) in &batch.expected {
            let found = match self.changes.get(key) {
                Some((version, value)) => value.map(|_| *version),
                None => versions.get(key).copied(),
            };
            if found != *expected {
                return Verdict::Conflict(key.clone());
            }
        }
        // The number of commits is the version: it never comes back, whatever is removed.
        self.after.commits = self.after.commits.saturating_add(1);
        let version = Version::new(self.after.commits);
        for (key, value) in &batch.writes {
            self.changes.insert(key, (version, value.as_deref()));
        }
        let log_index = batch.entry.as_ref().map(|entry| {
            self.entries.push(entry);
            let index = self.after.log_len;
            self.after.log_len = index.saturating_add(1);
            index
        });
        Verdict::Applied(Committed::new(version, log_index))
    }

    /// Whether no batch passed.
    pub(crate) fn is_empty(&self) -> bool {
        self.before == self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::from_segments(&[name])
    }

    const HEAD: Head = Head { commits: 10, log_len: 4 };

    #[test]
    fn later_batches_see_earlier_ones_and_a_conflict_stops_only_its_own() {
        let versions = BTreeMap::from([(key("a"), Version::new(7))]);
        let put = |batch: Batch| batch.put(key("a"), vec![1]).append(vec![1]);
        let batches = [
            put(Batch::default().expect(key("a"), Version::new(7))),
            put(Batch::default().expect(key("a"), Version::new(7))), // the first one was quicker
            put(Batch::default().expect(key("a"), Version::new(11))), // it has seen the first one
            Batch::default().remove(key("a")),
            put(Batch::default().expect_absent(key("a"))),
        ];
        let group = Group::judge(HEAD, &versions, &batches);
        let applied =
            |version, index| Verdict::Applied(Committed::new(Version::new(version), index));
        let due = [
            applied(11, Some(4)),
            Verdict::Conflict(key("a")),
            applied(12, Some(5)),
            applied(13, None),
            applied(14, Some(6)),
        ];
        assert_eq!(group.verdicts, due);
        assert_eq!(group.after, Head { commits: 14, log_len: 7 });
        assert_eq!(group.changes[&key("a")], (Version::new(14), Some([1].as_slice())));
        assert_eq!(group.entries.len(), 3);
    }

    #[test]
    fn a_group_of_conflicts_writes_nothing() {
        let batches = [Batch::default().expect(key("a"), Version::new(1)).put(key("a"), vec![])];
        let group = Group::judge(HEAD, &BTreeMap::new(), &batches);
        assert!(group.is_empty() && group.changes.is_empty());
        assert_eq!(expected(&batches), BTreeSet::from([&key("a")]));
    }

    #[test]
    fn of_two_writes_of_one_key_the_later_one_counts() {
        let batches = [Batch::default().put(key("a"), vec![1]).remove(key("a"))];
        let group = Group::judge(HEAD, &BTreeMap::new(), &batches);
        assert_eq!(group.changes[&key("a")], (Version::new(11), None));
    }
}
