//! One project, compiled: what each role may where, and which modules each team looks after.

use std::sync::Arc;

use super::block::Block;
use super::members::Members;
use super::outline::{Granted, Member};
use super::rows::{Line, Rows};
use super::rules::Rules;
use crate::id::{EnvironmentId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId};
use crate::org::Interval;

/// Places are numbered: a module and an environment, each counted from 1, where 0 is none in particular.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Spot {
    pub(super) module: u32,
    pub(super) environment: u32,
}

impl Spot {
    /// The project as a whole.
    pub(crate) const WHOLE: Self = Self { module: 0, environment: 0 };

    /// The number of the module.
    pub(crate) const fn module(self) -> u32 {
        self.module
    }
}

/// A module and an environment, or none in particular.
pub(crate) type PlaceIds = (Option<ModuleId>, Option<EnvironmentId>);

/// A row that fits and is not live: whose, and when it holds.
pub(crate) type NotLive<Id> = Option<(Id, Interval)>;

/// The index of one project.
///
/// It holds only rows whose every reference is to a row of the same project: anything else helps nobody.
// In one line of a cache, because a list of these is read at random.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct ProjectIndex {
    pub(super) block: Block,
    /// Changes whenever modules or environments are numbered anew.
    pub(super) shape: u32,
    pub(super) back: Arc<Back>,
}

/// What stands apart, because a question does not ask it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Back {
    pub(super) names: Arc<Names>,
    pub(super) members: Members,
}

/// What numbers stand for. Each list is in ascending order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Names {
    pub(super) teams: Box<[TeamId]>,
    pub(super) roles: Box<[RoleId]>,
    pub(super) held: Box<[Held]>,
}

impl PartialEq for ProjectIndex {
    /// Whether both hold the same; shapes are only names.
    fn eq(&self, other: &Self) -> bool {
        let Self { block, shape: _, back } = self;
        (block, back) == (&other.block, &other.back)
    }
}

/// A permission, and a role that has it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Held {
    pub(super) role: u32,
    pub(super) action: u16,
    pub(super) spot: (u32, u32),
    pub(super) permission: PermissionId,
}

/// The number of `item` in sorted `items`.
pub(super) fn number<T: Ord>(items: &[T], item: &T) -> Option<u32> {
    items.binary_search(item).ok().and_then(|at| u32::try_from(at).ok())
}

impl ProjectIndex {
    pub(super) fn id(&self) -> ProjectId {
        self.block.id()
    }

    #[inline]
    pub(super) fn rules(&self) -> Rules<'_> {
        self.block.rules()
    }

    pub(super) fn names(&self) -> &Names {
        &self.back.names
    }

    pub(super) fn members(&self) -> &Members {
        &self.back.members
    }

    /// Whoever has rows here, in ascending order.
    pub(super) fn users(&self) -> &[UserId] {
        self.members().users()
    }

    pub(super) fn membership(&self, row: &Member) -> Option<Line> {
        let what = number(&self.names().teams, &row.team)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Memberships))
    }

    pub(super) fn grant(&self, row: &Granted) -> Option<Line> {
        let what = number(&self.names().roles, &row.role)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Grants))
    }

    /// The numbers of a module and an environment of this project; `None` where one is not of it.
    pub(crate) fn spot(&self, (module, environment): PlaceIds) -> Option<Spot> {
        let find_module = |id| self.block.module(id)?.checked_add(1);
        let find_environment = |id| self.block.environment(id)?.checked_add(1);
        Some(Spot {
            module: module.map_or(Some(0), find_module)?,
            environment: environment.map_or(Some(0), find_environment)?,
        })
    }

    /// The permission by which `role` has the action there.
    pub(super) fn permission(&self, role: u32, action: u16, spot: Spot) -> Option<PermissionId> {
        let first =
            self.names().held.partition_point(|held| (held.role, held.action) < (role, action));
        let rows = self.names().held.get(first..)?.iter();
        let mut rows = rows.take_while(|held| (held.role, held.action) == (role, action));
        let fits = |held: &Held| {
            (held.spot.0 == 0 || held.spot.0 == spot.module)
                && (held.spot.1 == 0 || held.spot.1 == spot.environment)
        };
        rows.find(|held| fits(held)).map(|held| held.permission)
    }

    /// The ids of a spot.
    pub(super) fn place_ids(&self, spot: Spot) -> PlaceIds {
        let module = spot.module.checked_sub(1).and_then(|at| self.block.module_id(at));
        let environment = spot.environment.checked_sub(1);
        (module, environment.and_then(|at| self.block.environment_id(at)))
    }

    /// The same project, with others who have rows here.
    pub(super) fn with_members(&self, members: Members) -> Self {
        let back = Back { names: Arc::clone(&self.back.names), members };
        Self { block: self.block.clone(), shape: self.shape, back: Arc::new(back) }
    }

    /// About how many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let Names { teams, roles, held } = self.names();
        size_of_val(&**teams)
            .saturating_add(size_of_val(&**roles))
            .saturating_add(size_of_val(&**held))
            .saturating_add(self.members().heap_bytes())
            .saturating_add(size_of::<Names>())
            .saturating_add(size_of::<Back>())
            .saturating_add(self.block.heap_bytes())
    }
}
