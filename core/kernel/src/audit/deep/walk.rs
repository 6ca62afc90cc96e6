//! The log read, the records scanned, and both compared: as often as the memory asks for.

use std::collections::BTreeSet;

use super::DeepOptions;
use super::derived::{Look, Wrong};
use super::frontier::Frontier;
use super::kinds::{Known, key_named, kind, name_of, told_by};
use super::ledger::{Ledger, Mark, Says, Share, mark_of};
use super::report::{DeepFault, DeepFinding, DeepProgress, DeepReport, DeepStep};
use super::texts;
use crate::audit::{Checkpoint, Leaf, leaf_hash};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::store::records;
use crate::store::{Key, Store};

/// How many leaves are read at a time: a leaf has at most 8 KiB.
pub(super) const LEAVES: usize = 256;
/// How many records are read at a time: one may be as large as a payload.
const ROWS: usize = 32;
/// How often a record that others write is looked at again.
const LOOKS_MAX: usize = 1_000;

/// A check under way.
pub(super) struct Check<'a> {
    pub(super) store: &'a dyn Store,
    options: &'a DeepOptions,
    progress: &'a mut dyn FnMut(&DeepProgress) -> Result<(), Error>,
    /// How many entries the log had at the beginning.
    entries: u64,
    root: Option<Digest>,
    ledger: Ledger,
    later: Vec<Share>,
    // How far this pass has read the log, and its root there.
    read: u64,
    frontier: Frontier,
    // What leaves wrote that came in while something was looked at again.
    touched: Option<BTreeSet<Mark>>,
    pub(super) findings: Vec<DeepFinding>,
    told: BTreeSet<(DeepFault, Option<String>, Option<u64>)>,
    left_out: u64,
    records: u64,
    pass: u64,
}

impl<'a> Check<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        options: &'a DeepOptions,
        progress: &'a mut dyn FnMut(&DeepProgress) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        Ok(Self {
            entries: store.log_len()?,
            store,
            options,
            progress,
            root: None,
            ledger: Ledger::new(Share::default(), options.memory_bytes_max),
            later: vec![Share::default()],
            read: 0,
            frontier: Frontier::default(),
            touched: None,
            findings: Vec::new(),
            told: BTreeSet::new(),
            left_out: 0,
            records: 0,
            pass: 0,
        })
    }

    pub(super) fn run(mut self) -> Result<DeepReport, Error> {
        for head in &self.options.heads {
            if head.size() > self.entries {
                let why = format!("a head has {} entries; {} are there", head.size(), self.entries);
                self.found(DeepFinding::new(DeepFault::LogCut, None, None).with_why(why));
            }
        }
        while let Some(share) = self.later.pop() {
            self.pass = self.pass.saturating_add(1);
            self.ledger = Ledger::new(share, self.options.memory_bytes_max);
            (self.read, self.frontier) = (0, Frontier::default());
            self.read_log(self.entries)?;
            self.scan()?;
            self.look_for_missing()?;
        }
        self.check_log_index()?;
        self.name_origins()?;
        let largest = self.options.heads.iter().map(Checkpoint::size).max();
        self.findings
            .sort_by(|a, b| (a.fault, a.leaf, &a.record).cmp(&(b.fault, b.leaf, &b.record)));
        // By what they turned out to be in the end.
        self.findings.retain(|finding| self.options.sees(finding.fault));
        Ok(DeepReport {
            findings: self.findings,
            findings_left_out: self.left_out,
            entries: self.entries,
            root: self.root.unwrap_or_else(|| Frontier::default().root()),
            entries_after_head: largest.map(|size| self.entries.saturating_sub(size)),
            records: self.records,
            passes: self.pass,
        })
    }

    pub(super) fn found(&mut self, finding: DeepFinding) {
        let once = (finding.fault, finding.record.clone(), finding.leaf);
        if self.told.contains(&once) {
            return;
        }
        if self.findings.len() >= self.options.findings_max {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.told.insert(once);
        self.findings.push(finding);
    }

    pub(super) fn tell(
        &mut self,
        step: DeepStep,
        done: u64,
        total: Option<u64>,
    ) -> Result<(), Error> {
        let passes = self.pass.saturating_add(u64::try_from(self.later.len()).unwrap_or(u64::MAX));
        (self.progress)(&DeepProgress { pass: self.pass, passes, step, done, total })
    }

    // The log.

    /// Reads the log on, up to `to` entries.
    fn read_log(&mut self, to: u64) -> Result<(), Error> {
        self.compare_heads();
        while self.read < to {
            let left = usize::try_from(to.saturating_sub(self.read)).unwrap_or(LEAVES);
            let entries = self.store.log_read(self.read, left.min(LEAVES))?;
            if entries.is_empty() {
                let sentence = format!("log entry {} of {to} cannot be read", self.read);
                return Err(Error::new(Code::StoreDamaged, sentence)
                    .with_help("restore the store from a backup"));
            }
            for entry in entries {
                self.take(&entry)?;
                self.compare_heads();
            }
            if self.touched.is_none() {
                self.tell(DeepStep::Log, self.read, Some(to))?;
            }
        }
        Ok(())
    }

    /// Compares what was read so far with the heads that were kept of it.
    fn compare_heads(&mut self) {
        if self.read == self.entries && self.root.is_none() {
            self.root = Some(self.frontier.root());
        }
        if self.pass > 1 {
            return;
        }
        for head in &self.options.heads {
            if head.size() == self.read && head.root() != self.frontier.root() {
                let why = format!("the head of {} entries has another root", head.size());
                self.found(DeepFinding::new(DeepFault::LogRewritten, None, None).with_why(why));
            }
        }
    }

    fn take(&mut self, entry: &[u8]) -> Result<(), Error> {
        let index = self.read;
        self.read = index.saturating_add(1);
        self.frontier.append(leaf_hash(entry));
        let leaf = match Leaf::from_bytes(entry) {
            Ok(leaf) => leaf,
            Err(error) if error.code() == Code::LogTampered => {
                self.found(DeepFinding::new(DeepFault::NotALeaf, None, Some(index)));
                return Ok(());
            }
            Err(error) => return Err(error.with_detail("leaf", index)),
        };
        for change in &leaf.records {
            let mark = self.met(mark_of(&key_named(&change.name)));
            if !self.ledger.covers(mark) {
                continue;
            }
            let says = change.after.map_or(Says::Gone, Says::Bytes);
            let erases = !leaf.erased.is_empty();
            let before = self.ledger.write(mark, (says, index, erases), &mut self.later);
            if erases && before.is_some_and(|line| line.erases) {
                let name = Some(change.name.clone());
                let broken = DeepFinding::new(DeepFault::BrokenChain, name, Some(index));
                self.found(broken.with_why("the leaf before it erased the same texts"));
            }
            let (left, leaf_before) = match before.map(|line| (line.says, line.leaf)) {
                Some((Says::Bytes(left), leaf)) => (Some(left), Some(leaf)),
                Some((Says::Gone | Says::There | Says::Perhaps, leaf)) => (None, Some(leaf)),
                None => (None, None),
            };
            if left != change.before {
                let broken = DeepFinding::new(
                    DeepFault::BrokenChain,
                    Some(change.name.clone()),
                    Some(index),
                );
                let why = leaf_before.map_or_else(
                    || "no leaf before it had left one".to_owned(),
                    |leaf| format!("leaf {leaf} had left another"),
                );
                self.found(broken.with_digests(left, change.before).with_why(why));
            }
        }
        for told in told_by(&leaf) {
            let mark = self.met(mark_of(&told.key));
            if !self.ledger.covers(mark) {
                continue;
            }
            let says = if told.is_sure { Says::There } else { Says::Perhaps };
            let before = self.ledger.write(mark, (says, index, false), &mut self.later);
            let again = before.is_some_and(|line| line.says == Says::There);
            if again && told.is_once {
                let (_, name) = name_of(&told.key);
                let broken = DeepFinding::new(DeepFault::BrokenChain, Some(name), Some(index));
                self.found(
                    broken.with_why("a leaf before it says the same, and none is said twice"),
                );
            }
        }
        Ok(())
    }

    fn met(&mut self, mark: Mark) -> Mark {
        if let Some(touched) = &mut self.touched {
            touched.insert(mark);
        }
        mark
    }

    // The records.

    fn scan(&mut self) -> Result<(), Error> {
        let (all, mut after, mut done) = (Key::from_segments(&[]), None, 0_u64);
        loop {
            let rows = self.store.scan(&all, after.as_ref(), ROWS)?;
            let full = rows.len() >= ROWS;
            for (key, stored) in rows {
                done = done.saturating_add(1);
                let mark = mark_of(&key);
                if self.ledger.covers(mark) {
                    let (wrong, _) = self.judge(&key, mark, Some(&stored.value))?;
                    if wrong.is_empty() {
                        self.ledger.see(mark);
                    } else {
                        self.look_again(&key, mark)?;
                    }
                }
                after = Some(key);
            }
            self.tell(DeepStep::Records, done, None)?;
            if !full {
                if self.pass == 1 {
                    self.records = done;
                }
                return Ok(());
            }
        }
    }

    fn look_for_missing(&mut self) -> Result<(), Error> {
        for (mark, leaf) in self.ledger.unseen() {
            let entry = self.store.log_read(leaf, 1)?.into_iter().next();
            let Some(Ok(leaf)) = entry.map(|entry| Leaf::from_bytes(&entry)) else { continue };
            let named = leaf.records.iter().map(|change| key_named(&change.name));
            let mut keys = named.chain(told_by(&leaf).into_iter().map(|told| told.key));
            if let Some(key) = keys.find(|key| mark_of(key) == mark) {
                self.look_again(&key, mark)?;
            }
        }
        Ok(())
    }

    /// Looks once more at what seems to be wrong, with the log as it is by then: others may be writing. What is still
    /// wrong, and was not written while it was looked at, is.
    fn look_again(&mut self, key: &Key, mark: Mark) -> Result<(), Error> {
        for _ in 0..LOOKS_MAX {
            self.touched = Some(BTreeSet::new());
            self.read_log(self.store.log_len()?)?;
            if !self.ledger.covers(mark) {
                // Another pass looks at it now.
                self.touched = None;
                return Ok(());
            }
            self.touched = Some(BTreeSet::new());
            let stored = self.store.get(key)?;
            let value = stored.as_ref().map(|stored| stored.value.as_slice());
            let (wrong, mut looked) = self.judge(key, mark, value)?;
            if wrong.is_empty() {
                self.touched = None;
                self.ledger.see(mark);
                return Ok(());
            }
            looked.insert(mark);
            self.read_log(self.store.log_len()?)?;
            let touched = self.touched.take().unwrap_or_default();
            if looked.is_disjoint(&touched) {
                for finding in wrong {
                    self.found(finding);
                }
                return Ok(());
            }
        }
        let (_, name) = name_of(key);
        Err(Error::new(
            Code::Conflict,
            format!("`{name}` is written faster than it can be checked"),
        )
        .with_help("check a copy of the store, or when there is less to do"))
    }

    /// What is wrong with the record at `key`, with these bytes or not there, and what else was looked at.
    fn judge(
        &self,
        key: &Key,
        mark: Mark,
        bytes: Option<&[u8]>,
    ) -> Result<(Vec<DeepFinding>, BTreeSet<Mark>), Error> {
        let (kind_name, name) = name_of(key);
        let row = kind(&kind_name);
        let line = self.ledger.line(mark);
        let leaf = line.map(|line| line.leaf);
        let of = |fault| DeepFinding::new(fault, Some(name.clone()), leaf);
        let is_judged = row.is_some_and(|row| row.known == Known::Judged);
        let digest = bytes.map(records::digest);
        let wrong = match (line.map(|line| line.says), digest) {
            (Some(Says::Bytes(due)), None) => {
                Some(of(DeepFault::Missing).with_digests(Some(due), None))
            }
            (Some(Says::There), None) => Some(of(DeepFault::Missing)),
            (Some(Says::Bytes(due)), found) if found != Some(due) => {
                Some(of(DeepFault::Changed).with_digests(Some(due), found))
            }
            (None | Some(Says::Gone), Some(found)) if !is_judged => {
                Some(of(DeepFault::Added).with_digests(None, Some(found)))
            }
            _ => None,
        };
        let wrong = match (wrong, line, bytes) {
            (None, Some(line), Some(bytes)) if matches!(line.says, Says::Bytes(_)) => {
                let places = row.map_or(&[][..], |row| row.texts);
                let wrong = texts::wrong_with(self.store, places, line, bytes)?;
                wrong.map(|(fault, why)| of(fault).with_why(why))
            }
            (wrong, _, _) => wrong,
        };
        let look = Look::at(self.store);
        if let Some(wrong) = wrong {
            return Ok((vec![wrong], look.looked()));
        }
        let judge = row.and_then(|row| row.judge);
        let wrong = match (judge, bytes) {
            (Some(judge), Some(bytes)) => judge(&look, key, bytes)?,
            (None, _) | (_, None) => Vec::new(),
        };
        let told = wrong.into_iter().map(|Wrong { fault, key, why }| {
            let (_, name) = name_of(&key);
            DeepFinding::new(fault, Some(name), None).with_why(why)
        });
        Ok((told.collect(), look.looked()))
    }
}
