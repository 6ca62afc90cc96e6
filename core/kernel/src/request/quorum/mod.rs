//! Which approvals are enough.
//!
//! A quorum is an expression over groups of people, in stages. Whatever it says, each person counts once over all of
//! it: the question is whether the places that it asks for can be filled with different people.

mod need;
mod count;
mod approval;
mod standing;
#[cfg(test)]
mod oracle_tests;

use serde::{Deserialize, Serialize};

use need::{LIST_MAX, both, check_people, invalid};

pub use approval::{Approval, Fit};
pub use need::{Group, Need};
pub use standing::{Awaited, Standing};

pub(crate) use count::{Slot, Voter, nearest};

use crate::error::Error;
use crate::id::RoleId;
use crate::org::Name;

/// The most people that a quorum may ask for: each is judged again in the leaf of the run's start,
/// and a leaf has at most 8 KiB.
pub const PEOPLE_MAX: u8 = 16;
/// The most stages.
const STAGES_MAX: usize = 8;
/// The most ways to meet a quorum, over all of its stages.
const WAYS_MAX: usize = 256;
/// The most approvals that are kept although they fill no place: one of them may, when another stops counting.
const SPARE_MAX: usize = 32;

/// Which approvals are enough for a change.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::request::Quorum;
///
/// let two = Quorum::n_of(2, None)?;
/// assert_eq!(two.people(), 2);
/// assert_eq!(Quorum::default().people(), 1);
/// assert_eq!(Quorum::n_of(0, None).unwrap_err().code(), Code::InvalidInput);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quorum {
    /// What is asked for. Each person fills one place over all stages.
    pub stages: Vec<Stage>,
    /// Whether the stages follow each other.
    pub order: Order,
    /// Who does not count, beside the authors, who never do.
    pub exclude: Exclude,
}

/// A part of a quorum with a name, such as `QA` or `release board`.
///
/// ```
/// use placet_core::request::{Group, Need, Stage};
///
/// let anyone = Need::NOf { n: 2, of: vec![Group::Anyone] };
/// assert_eq!(Stage::new("four eyes".parse()?, anyone).name.as_str(), "four eyes");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stage {
    /// What people see.
    pub name: Name,
    /// Who is needed.
    pub need: Need,
}

impl Stage {
    /// A stage that needs `need`.
    pub const fn new(name: Name, need: Need) -> Self {
        Self { name, need }
    }
}

/// Whether the stages of a quorum follow each other.
///
/// ```
/// use placet_core::request::{Order, Quorum};
/// assert_eq!(Quorum::default().order, Order::Sequence);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever shows a quorum must know which")]
pub enum Order {
    /// An approval counts for the stage that is open when it is given; the next opens when that is reached.
    Sequence,
    /// All stages are open, and an approval counts where it is needed.
    Parallel,
}

/// Who does not count for a quorum, beside the authors, who never do.
///
/// ```
/// use placet_core::request::Exclude;
/// let exclude = Exclude::default().with_executor().with_same_team();
/// assert!(exclude.executor && exclude.same_team);
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Exclude {
    /// Whoever approved does not start the run.
    pub executor: bool,
    /// Nobody approves who is in a team with whoever asked or wrote.
    pub same_team: bool,
}

impl Exclude {
    /// Keeps approvers from starting the run.
    #[must_use]
    pub const fn with_executor(self) -> Self {
        Self { executor: true, ..self }
    }

    /// Keeps the teams of the authors from approving.
    #[must_use]
    pub const fn with_same_team(self) -> Self {
        Self { same_team: true, ..self }
    }
}

impl Default for Quorum {
    /// One approval of anyone who may approve there.
    fn default() -> Self {
        Self::simple(1, None)
    }
}

impl Quorum {
    /// A quorum of `stages`.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] where it asks for nobody, for more than [`PEOPLE_MAX`] people, or
    /// is too large to be judged quickly.
    pub fn new(stages: Vec<Stage>, order: Order, exclude: Exclude) -> Result<Self, Error> {
        let quorum = Self { stages, order, exclude };
        quorum.check()?;
        Ok(quorum)
    }

    /// `n` different people, with `role` holders of that role.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] when `n` is 0 (a change that nobody agrees to is not approved)
    /// or more than [`PEOPLE_MAX`].
    pub fn n_of(n: u8, role: Option<RoleId>) -> Result<Self, Error> {
        check_people(usize::from(n))?;
        Ok(Self::simple(n, role))
    }

    fn simple(n: u8, role: Option<RoleId>) -> Self {
        let of = vec![role.map_or(Group::Anyone, Group::ProjectRole)];
        let stages = vec![Stage::new(Name::approval(), Need::NOf { n, of })];
        Self { stages, order: Order::Sequence, exclude: Exclude::default() }
    }

    /// The same with others who do not count.
    #[must_use]
    pub fn excluding(self, exclude: Exclude) -> Self {
        Self { exclude, ..self }
    }

    /// Refuses what asks for nobody and what is too large. Whatever is stored went through here.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.stages.is_empty() || self.stages.len() > STAGES_MAX {
            let sentence =
                format!("a quorum has 1 to {STAGES_MAX} stages, and not {}", self.stages.len());
            return Err(invalid(sentence));
        }
        self.stages.iter().try_for_each(|stage| stage.need.check(1))?;
        let counts = self.stages.iter().map(|stage| stage.need.count());
        let ways = counts.fold(1, usize::saturating_mul);
        if ways > WAYS_MAX {
            return Err(invalid(format!("a quorum can be met in over {WAYS_MAX} ways")));
        }
        if self.groups().len() > LIST_MAX.saturating_mul(4) {
            return Err(invalid("a quorum names too many groups".to_owned()));
        }
        self.ways().iter().try_for_each(|way| check_people(way.len()))
    }

    /// The role that all approvals must be given by, where the quorum is so simple.
    pub fn role(&self) -> Option<RoleId> {
        let [Stage { name: _, need: Need::NOf { n: _, of } }] = self.stages.as_slice() else {
            return None;
        };
        match of.as_slice() {
            [Group::ProjectRole(role)] => Some(*role),
            _ => None,
        }
    }

    /// How many different people must agree, at the least.
    pub fn people(&self) -> u8 {
        let fewest = self.ways().iter().map(Vec::len).min().unwrap_or(0);
        u8::try_from(fewest.max(1)).unwrap_or(u8::MAX)
    }

    /// Every group that it names.
    pub(crate) fn groups(&self) -> Vec<&Group> {
        self.stages.iter().flat_map(|stage| stage.need.groups()).collect()
    }

    /// The ways to meet one stage.
    fn ways_of(&self, stage: usize) -> Vec<Vec<Slot<'_>>> {
        let Some(wanted) = self.stages.get(stage) else { return Vec::new() };
        let stage = u8::try_from(stage).unwrap_or(u8::MAX);
        let ways = wanted.need.ways().into_iter();
        ways.map(|way| way.into_iter().map(|of| Slot { stage, of }).collect()).collect()
    }

    /// The ways to meet all stages.
    pub(crate) fn ways(&self) -> Vec<Vec<Slot<'_>>> {
        let stages = 0..self.stages.len();
        stages.fold(vec![Vec::new()], |ways, stage| both(&ways, &self.ways_of(stage)))
    }
}
