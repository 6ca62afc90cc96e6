//! The log by years: each is a log of its own, which can be kept elsewhere and verified alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::{self, Checkpoint, Destination, Edge, Event, Leaf, TilePath, TiledTree};
use crate::audit::{leaf_hash, tile_bytes};
use crate::authz::{Audit, Scope};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::store::records::{self, Record};

/// One year of the log, which is over: entries of the whole log that are a log of their own, with an origin that
/// ends in the year.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// gate.seal_years()?;
/// assert_eq!(gate.years(&office.root)?, []); // the first year is not over
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LogYear {
    /// The year, in UTC.
    pub year: i32,
    /// The index of its first entry in the whole log.
    pub first: u64,
    /// How many entries it has.
    pub size: u64,
    /// The root hash of their tree (RFC 6962).
    pub root: Digest,
}

impl Record for LogYear {
    const KIND: &'static str = "log_year";

    fn path(&self) -> Vec<String> {
        vec![format!("{:04}", self.year)]
    }
}

impl LogYear {
    fn end(&self) -> u64 {
        self.first.saturating_add(self.size)
    }
}

fn year_of(at: Timestamp) -> Option<i32> {
    at.to_string().get(..4)?.parse().ok()
}

/// How many entries are read at a time: whole tiles.
const STRIDE: u64 = 4_096;

impl Gate {
    /// Seals each year of the log that is over: a leaf says which entries it has and what their root is. Call it now and
    /// then; it needs no caller, and does nothing where nothing is due. Answers how many years it sealed.
    ///
    /// A year ends at the first entry that is younger. What a node with a slow clock adds later is in the next one.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, _) = Office::in_memory()?;
    /// assert_eq!(gate.seal_years()?, 0);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn seal_years(&self) -> Result<u32, Error> {
        let mut sealed = 0_u32;
        while let Some(due) = self.due_year()? {
            // A seal stays: a clock that leapt ends no year.
            self.check_clock()?;
            let is_first = self.attempt(|txn| {
                if txn.get::<LogYear>(&[&format!("{:04}", due.year)])?.is_some() {
                    return Ok((false, None));
                }
                txn.put(&due)?;
                let mut leaf = Self::leaf(txn, Event::LogYearSealed, None);
                leaf.scope = Some(Scope::Platform);
                for (name, value) in [
                    ("year", due.year.to_string()),
                    ("first", due.first.to_string()),
                    ("size", due.size.to_string()),
                    ("root", due.root.to_string()),
                ] {
                    leaf.facts.insert(name.to_owned(), value);
                }
                Ok((true, Some(leaf)))
            })?;
            sealed = sealed.saturating_add(u32::from(is_first));
        }
        Ok(sealed)
    }

    /// The years that were sealed, oldest first. For PLATFORM_ADMIN and AUDITOR.
    ///
    /// Fails with [`Code::Denied`] for everybody else.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// assert!(gate.years(&office.ana).is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn years(&self, caller: &Caller) -> Result<Vec<LogYear>, Error> {
        self.consult(|txn| {
            ask(txn, caller)?;
            self.scan_all(&records::key_of::<LogYear>(&[]))
        })
    }

    /// Writes a sealed year as a static log of its own (C2SP tlog-tiles), whose origin is that of the log, `/` and the
    /// year. [`verify_export`](crate::audit::verify_export) verifies it, and
    /// so does whatever verifies the whole. It is signed with the present key; whoever trusts an earlier one follows only
    /// the rotations of that year. For PLATFORM_ADMIN and AUDITOR.
    ///
    /// Fails with [`Code::Denied`] for everybody else, with [`Code::NotFound`] for a year that is not sealed, with
    /// [`Code::LogTampered`] where the entries are not those that were sealed, and with the errors of `to`.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let mut folder = BTreeMap::new();
    /// let error = gate.export_year(&office.root, 2026, &mut folder).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn export_year(
        &self,
        caller: &Caller,
        year: i32,
        to: &mut dyn Destination,
    ) -> Result<(), Error> {
        let sealed = self.consult(|txn| {
            ask(txn, caller)?;
            txn.get::<LogYear>(&[&format!("{year:04}")])?.ok_or_else(|| {
                Error::new(Code::NotFound, format!("the year {year} of the log is not sealed"))
                    .with_help("`seal_years` seals a year when it is over")
            })
        })?;
        self.check_key()?;
        // All tiles but those of the leaves, which are made again from the entries: an eighth of a byte for each entry.
        let mut above = BTreeMap::new();
        let edge = self.edge_of(sealed.first, sealed.end(), |path, hashes| {
            if path.level() > Some(0) {
                above.insert((path.level(), path.index()), hashes.to_vec());
            }
        })?;
        if edge.root() != sealed.root {
            return Err(Error::new(
                Code::LogTampered,
                format!("the entries of the year {year} are not those that were sealed"),
            )
            .with_help("verify the store, and compare the log with an export made earlier")
            .with_detail("leaf_first", sealed.first)
            .with_detail("leaf_last", sealed.end().saturating_sub(1)));
        }
        let entries = |from: u64, limit| self.entries(sealed.first.saturating_add(from), limit);
        let tree = TiledTree::new(sealed.size, |path: TilePath| {
            let Some(level) = path.level() else { return Ok(None) };
            if let Some(hashes) = above.get(&(Some(level), path.index())) {
                return Ok(Some(tile_bytes(hashes)));
            }
            if level > 0 {
                return Ok(edge.unfinished(level).map(tile_bytes));
            }
            let found = entries(path.start(), usize::from(path.width()))?;
            let hashes: Vec<Digest> = found.iter().map(|entry| leaf_hash(entry)).collect();
            Ok(Some(tile_bytes(&hashes)))
        });
        let origin = format!("{}/{year:04}", self.origin());
        let head = Checkpoint::new(&origin, sealed.size, sealed.root)?;
        let head = head.sign(&[&*self.parts.signer])?;
        audit::export(&tree, &head, None, entries, to)
    }

    /// The next year to be sealed, if one is over.
    fn due_year(&self) -> Result<Option<LogYear>, Error> {
        let sealed: Vec<LogYear> = self.scan_all(&records::key_of::<LogYear>(&[]))?;
        let len = self.parts.store.log_len()?;
        let (year, first) = match sealed.last() {
            Some(last) => (last.year.saturating_add(1), last.end()),
            None if len == 0 => return Ok(None),
            None => (self.year_at(0)?, 0),
        };
        if year_of(self.now()).is_none_or(|now| now <= year) {
            return Ok(None);
        }
        let end = self.end_of(year, first, len)?;
        let root = self.edge_of(first, end, |_, _| {})?.root();
        Ok(Some(LogYear { year, first, size: end.saturating_sub(first), root }))
    }

    /// The first of the entries `from..to` that is younger than `year`. Where clocks stepped back there are several
    /// places like that; whichever is found is where the year ends.
    fn end_of(&self, year: i32, from: u64, to: u64) -> Result<u64, Error> {
        let (mut low, mut high) = (from, to);
        while low < high {
            let middle = low.midpoint(high);
            if self.year_at(middle)? > year {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Ok(low)
    }

    fn year_at(&self, index: u64) -> Result<i32, Error> {
        let entry = self.entries(index, 1)?;
        let leaf =
            entry.first().map_or_else(|| Err(unread(index)), |entry| Leaf::from_bytes(entry));
        year_of(leaf?.at).ok_or_else(|| unread(index))
    }

    fn edge_of(
        &self,
        first: u64,
        end: u64,
        mut full: impl FnMut(TilePath, &[Digest]),
    ) -> Result<Edge, Error> {
        let (mut edge, mut next) = (Edge::default(), first);
        while next < end {
            let limit = usize::try_from(end.saturating_sub(next).min(STRIDE)).unwrap_or(1);
            for entry in self.entries(next, limit)? {
                edge.append(leaf_hash(&entry), |path, hashes| {
                    full(path, hashes);
                    Ok(())
                })?;
                next = next.saturating_add(1);
            }
        }
        Ok(edge)
    }

    /// Exactly `limit` entries from `from` on.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, Error> {
        let found = self.parts.store.log_read(from, limit)?;
        if found.len() == limit { Ok(found) } else { Err(unread(from)) }
    }
}

fn ask(txn: &mut Txn<'_>, caller: &Caller) -> Result<(), Error> {
    let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
    permit.spend_on(&Scope::Platform).map(drop)
}

fn unread(index: u64) -> Error {
    Error::new(Code::StoreDamaged, format!("log entry {index} cannot be read"))
        .with_help("restore the store from a backup")
}
