//! Who is needed: groups of people, and how they are put together.

use serde::{Deserialize, Serialize};

use super::PEOPLE_MAX;
use crate::error::{Code, Error};
use crate::id::{RoleId, TeamId, UserId};
use crate::org::TeamRole;

/// A group of people of a project. Whoever counts for one may approve there, too: a group gives no right.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::SetQuorum;
/// use placet_core::request::{Exclude, Group, Need, Order, Quorum, Stage};
///
/// // One particular person must agree.
/// let bo = Need::NOf { n: 1, of: vec![Group::Person(office.bo.user())] };
/// let stages = vec![Stage::new("owner".parse()?, bo)];
/// let quorum = Quorum::new(stages, Order::Sequence, Exclude::default())?;
/// let (project, environment) = (office.project, office.environment);
/// gate.manage(&office.root, &SetQuorum { project, environment, quorum })?;
/// assert_eq!(office.approved(&gate)?.state.name().as_str(), "APPROVED");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Group {
    /// Everybody who may approve there.
    Anyone,
    /// Whoever holds this project role.
    ProjectRole(RoleId),
    /// Whoever has this role in this team; without a team, in any that looks after the request's module.
    TeamRole {
        /// The team, or any that looks after the module.
        team: Option<TeamId>,
        /// What they are in it.
        role: TeamRole,
    },
    /// Whoever is in this team, in whatever role.
    Team(TeamId),
    /// This person.
    Person(UserId),
}

/// Whose approvals are enough, as an expression. Each person fills one place of it, never two.
///
/// ```
/// use placet_core::id::RoleId;
/// use placet_core::request::{Exclude, Group, Need, Order, Quorum, Stage};
/// # let (qa, owner, board) = (RoleId::from_u128(1), RoleId::from_u128(2), RoleId::from_u128(3));
///
/// let one = |role| Need::NOf { n: 1, of: vec![Group::ProjectRole(role)] };
/// // One of QA and one product owner, or else two of the board.
/// let need = Need::AnyOf(vec![
///     Need::AllOf(vec![one(qa), one(owner)]),
///     Need::NOf { n: 2, of: vec![Group::ProjectRole(board)] },
/// ]);
/// let stages = vec![Stage::new("release".parse()?, need)];
/// assert_eq!(Quorum::new(stages, Order::Sequence, Exclude::default())?.people(), 2);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// `n` different people, each of them in at least one of these groups.
    NOf {
        /// How many, at least 1.
        n: u8,
        /// The groups that they may come from.
        of: Vec<Group>,
    },
    /// All of these, by different people.
    AllOf(Vec<Self>),
    /// One of these, whichever comes first.
    AnyOf(Vec<Self>),
    /// `k` of these, by different people.
    SomeOf {
        /// How many of them, at least 1.
        k: u8,
        /// What there is to choose from.
        of: Vec<Self>,
    },
}

/// The most members of one list in an expression.
pub(super) const LIST_MAX: usize = 16;
/// How deep expressions may be put into each other.
const DEPTH_MAX: u8 = 5;

/// One way to meet a need: a list of places, each with the groups that one person of it comes from.
pub(super) type Way<'a> = Vec<&'a [Group]>;

impl Need {
    /// Refuses what nobody could mean, and what is too large to be judged quickly.
    pub(super) fn check(&self, depth: u8) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(invalid(format!(
                "an expression of a quorum is more than {DEPTH_MAX} levels deep"
            )));
        }
        let many = |len: usize| -> Result<(), Error> {
            match len {
                0 => Err(invalid("a list of a quorum names nobody".to_owned())),
                len if len > LIST_MAX => {
                    Err(invalid(format!("a list of a quorum has {len} members, over {LIST_MAX}")))
                }
                _ => Ok(()),
            }
        };
        match self {
            Self::NOf { n, of } => {
                check_people(usize::from(*n))?;
                many(of.len())?;
                let named: std::collections::BTreeSet<&Group> = of.iter().collect();
                let is_person = |group: &&Group| matches!(group, Group::Person(_));
                if named.iter().all(is_person) && named.len() < usize::from(*n) {
                    let sentence =
                        format!("{n} approvals are asked of {} named people", named.len());
                    return Err(invalid(sentence));
                }
                Ok(())
            }
            Self::AllOf(of) | Self::AnyOf(of) => {
                many(of.len())?;
                of.iter().try_for_each(|need| need.check(depth.saturating_add(1)))
            }
            Self::SomeOf { k, of } => {
                many(of.len())?;
                if *k == 0 || usize::from(*k) > of.len() {
                    return Err(invalid(format!("{k} of {} is nothing to choose", of.len())));
                }
                of.iter().try_for_each(|need| need.check(depth.saturating_add(1)))
            }
        }
    }

    /// In how many ways it can be met, without listing them.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::NOf { .. } => 1,
            Self::AllOf(of) => of.iter().map(Self::count).fold(1, usize::saturating_mul),
            Self::AnyOf(of) => of.iter().map(Self::count).fold(0, usize::saturating_add),
            Self::SomeOf { k, of } => {
                // By how many were chosen so far.
                let mut ways = vec![0_usize; usize::from(*k).saturating_add(1)];
                if let Some(none) = ways.first_mut() {
                    *none = 1;
                }
                for need in of {
                    let (count, before) = (need.count(), ways.clone());
                    for (more, fewer) in ways.iter_mut().skip(1).zip(before) {
                        *more = more.saturating_add(fewer.saturating_mul(count));
                    }
                }
                ways.last().copied().unwrap_or(0)
            }
        }
    }

    /// The ways to meet it. Their number was looked at before.
    pub(super) fn ways(&self) -> Vec<Way<'_>> {
        match self {
            Self::NOf { n, of } => vec![vec![of.as_slice(); usize::from(*n)]],
            Self::AllOf(of) => {
                of.iter().fold(vec![Vec::new()], |ways, need| both(&ways, &need.ways()))
            }
            Self::AnyOf(of) => of.iter().flat_map(Self::ways).collect(),
            Self::SomeOf { k, of } => {
                let k = usize::from(*k);
                // With how many were chosen. Whoever can no longer get to `k` is left behind.
                let mut chosen: Vec<(usize, Way<'_>)> = vec![(0, Vec::new())];
                for (at, need) in of.iter().enumerate() {
                    let left = of.len().saturating_sub(at).saturating_sub(1);
                    let mine = need.ways();
                    let mut next = Vec::new();
                    for (count, way) in chosen {
                        if count < k {
                            let with = both(core::slice::from_ref(&way), &mine);
                            let more = count.saturating_add(1);
                            next.extend(with.into_iter().map(|way| (more, way)));
                        }
                        next.push((count, way));
                    }
                    next.retain(|(count, _)| count.saturating_add(left) >= k);
                    chosen = next;
                }
                chosen.into_iter().map(|(_, way)| way).collect()
            }
        }
    }

    /// Every group that it names.
    pub(super) fn groups(&self) -> Vec<&Group> {
        match self {
            Self::NOf { n: _, of } => of.iter().collect(),
            Self::AllOf(of) | Self::AnyOf(of) | Self::SomeOf { k: _, of } => {
                of.iter().flat_map(Self::groups).collect()
            }
        }
    }
}

/// Each of `left` with each of `right`.
pub(super) fn both<T: Clone>(left: &[Vec<T>], right: &[Vec<T>]) -> Vec<Vec<T>> {
    let pairs = left.iter().flat_map(|one| right.iter().map(move |other| (one, other)));
    pairs.map(|(one, other)| one.iter().chain(other).cloned().collect()).collect()
}

/// Refuses a number of people that approves nothing, or more than can be judged again at a start.
pub(super) fn check_people(n: usize) -> Result<(), Error> {
    if n == 0 {
        return Err(Error::new(Code::InvalidInput, "a quorum of 0 approves nothing")
            .with_help("ask for at least one approval"));
    }
    if n > usize::from(PEOPLE_MAX) {
        let sentence = format!("a quorum of {n} people is more than {PEOPLE_MAX}");
        return Err(Error::new(Code::InvalidInput, sentence)
            .with_help("ask for fewer approvals; every one of them is judged again when it runs"));
    }
    Ok(())
}

pub(super) fn invalid(sentence: String) -> Error {
    Error::new(Code::InvalidInput, sentence)
        .with_help("write the quorum in a simpler way, and name who is to approve")
}
