//! How far approvals are from a quorum, and whose yes would bring them nearer.

use std::collections::BTreeSet;

use super::approval::{Approval, Fit};
use super::count::{Nearest, Slot, Voter, nearest};
use super::need::Group;
use super::{Order, Quorum, SPARE_MAX};
use crate::digest::Digest;
use crate::id::{ApprovalId, UserId};

/// How far the approvals are from the quorum.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{Standing, State};
///
/// let State::PendingApproval(pending) = office.pending(&gate)?.state else { unreachable!() };
/// let said = match pending.quorum.standing(&pending.approvals, &pending.digest) {
///     Standing::Reached => "it may run".to_owned(),
///     Standing::Missing(people) => format!("{people} more must agree"),
/// };
/// assert_eq!(said, "1 more must agree");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers must tell enough from not enough")]
pub enum Standing {
    /// Enough.
    Reached,
    /// This many more are needed, at the least.
    Missing(u8),
}

/// Some people who are still needed.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{Group, State};
///
/// let State::PendingApproval(pending) = office.pending(&gate)?.state else { unreachable!() };
/// let ways = pending.quorum.awaited(&pending.approvals, &pending.digest);
/// let [way] = ways.as_slice() else { unreachable!() };
/// assert_eq!((way[0].stage, way[0].n, way[0].of.as_slice()), (0, 1, [Group::Anyone].as_slice()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Awaited {
    /// The stage, from 0.
    pub stage: u8,
    /// How many different people.
    pub n: u8,
    /// The groups that they may come from.
    pub of: Vec<Group>,
}

impl Awaited {
    /// The empty places of a way, those that are alike together.
    pub(crate) fn in_way(way: &Nearest<'_, '_>) -> Vec<Self> {
        let mut told: Vec<Self> = Vec::new();
        for Slot { stage, of } in way.empty() {
            match told.iter_mut().find(|one| one.stage == stage && one.of == of) {
                Some(one) => one.n = one.n.saturating_add(1),
                None => told.push(Self { stage, n: 1, of: of.to_vec() }),
            }
        }
        told
    }
}

/// How many ways are told of whom is awaited.
const TOLD_MAX: usize = 4;

impl Quorum {
    /// Counts `approvals`: each person once over all stages, and only what was given for `digest`.
    pub fn standing(&self, approvals: &[Approval], digest: &Digest) -> Standing {
        let (_, voters) = voters(approvals, digest);
        // One that asks for nobody was never stored, and is reached by nobody.
        let missing = self.rounds().iter().try_fold(0_usize, |sum, ways| {
            nearest(ways, &voters).first().map(|way| sum.saturating_add(way.missing))
        });
        match missing {
            Some(0) if !self.stages.is_empty() => Standing::Reached,
            Some(missing) => Standing::Missing(u8::try_from(missing.max(1)).unwrap_or(u8::MAX)),
            None => Standing::Missing(u8::MAX),
        }
    }

    /// Who is still needed: each of the lists is one way to go on, the shortest first, and at most 4 are told. Where
    /// stages follow each other, it is about the one that is open. Empty when it is reached.
    pub fn awaited(&self, approvals: &[Approval], digest: &Digest) -> Vec<Vec<Awaited>> {
        let (_, voters) = voters(approvals, digest);
        for ways in self.rounds() {
            let found = nearest(&ways, &voters);
            if found.first().is_some_and(|way| way.missing == 0) {
                continue;
            }
            let mut told: Vec<Vec<Awaited>> = Vec::new();
            for way in &found {
                let list = Awaited::in_way(way);
                if !told.contains(&list) && told.len() < TOLD_MAX {
                    told.push(list);
                }
            }
            return told;
        }
        Vec::new()
    }

    /// What has to be reached, one after the other: each stage, or all of them at once.
    fn rounds(&self) -> Vec<Vec<Vec<Slot<'_>>>> {
        match self.order {
            Order::Parallel => vec![self.ways()],
            Order::Sequence => (0..self.stages.len()).map(|stage| self.ways_of(stage)).collect(),
        }
    }

    /// The stage that is open, where stages follow each other and one is.
    pub(crate) fn open_stage(&self, approvals: &[Approval], digest: &Digest) -> Option<u8> {
        let (_, voters) = voters(approvals, digest);
        let is_open = |ways: &Vec<Vec<Slot<'_>>>| {
            nearest(ways, &voters).first().is_none_or(|way| way.missing > 0)
        };
        match self.order {
            Order::Parallel => None,
            Order::Sequence => u8::try_from(self.rounds().iter().position(is_open)?).ok(),
        }
    }

    /// What the yes of somebody with these fits would count for: the stage, where it is bound to one, and the fits
    /// that matter there. Nothing where they are in no group that is asked for now.
    pub(crate) fn admits(
        &self,
        approvals: &[Approval],
        digest: &Digest,
        fits: &[Fit],
    ) -> Option<(Option<u8>, Vec<Fit>)> {
        let stage = self.open_stage(approvals, digest);
        let asked: Vec<&Group> = match stage {
            None => self.groups(),
            Some(stage) => self.stages.get(usize::from(stage))?.need.groups(),
        };
        let fits: Vec<Fit> =
            fits.iter().filter(|fit| asked.contains(&&fit.group)).copied().collect();
        if fits.is_empty() {
            return None;
        }
        // One that fills no place now may, when another stops counting. There is no end to them but this one.
        let groups = fits.iter().map(|fit| fit.group).collect();
        let helps = approvals.len() < SPARE_MAX
            || self.brings_nearer(approvals, digest, &Voter { stage, groups });
        helps.then_some((stage, fits))
    }

    fn brings_nearer(&self, approvals: &[Approval], digest: &Digest, more: &Voter) -> bool {
        let (_, mut voters) = voters(approvals, digest);
        let ways = self.ways();
        let filled = |voters: &[Voter]| -> Vec<usize> {
            let held = ways.iter().map(|way| super::count::matching(way, voters));
            held.map(|held| held.iter().flatten().count()).collect()
        };
        let before = filled(&voters);
        voters.push(more.clone());
        before.iter().zip(filled(&voters)).any(|(before, after)| *before < after)
    }

    /// The approvals of one way to reach it; nothing where it is not reached.
    pub(crate) fn counted(
        &self,
        approvals: &[Approval],
        digest: &Digest,
    ) -> Option<BTreeSet<ApprovalId>> {
        let (ids, voters) = voters(approvals, digest);
        let rounds = self.rounds();
        let mut counted = BTreeSet::new();
        for ways in &rounds {
            let found = nearest(ways, &voters);
            let way = found.first().filter(|way| way.missing == 0)?;
            counted.extend(way.held.iter().flatten().filter_map(|at| ids.get(*at)));
        }
        (!rounds.is_empty()).then_some(counted)
    }
}

/// Whoever approved `digest`, each person once, and by which approval.
fn voters(approvals: &[Approval], digest: &Digest) -> (Vec<ApprovalId>, Vec<Voter>) {
    let mut seen: BTreeSet<UserId> = BTreeSet::new();
    let own = approvals.iter().filter(|given| given.digest == *digest && seen.insert(given.user));
    own.map(|given| (given.id, given.voter())).unzip()
}
