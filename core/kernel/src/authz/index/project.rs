//! One project, compiled: what each role may where, which modules each team looks after, and everybody's rows.

use std::sync::Arc;

use super::rules::Rules;
use super::staff::{Rows, Staff};
use crate::clock::Timestamp;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
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
#[derive(Clone, Debug)]
pub(crate) struct ProjectIndex {
    pub(super) id: ProjectId,
    /// Changes whenever modules or environments are numbered anew.
    pub(super) shape: u32,
    pub(super) rules: Rules,
    pub(super) staff: Staff,
    // Apart: of these a question with handles needs none.
    pub(super) names: Arc<Names>,
}

/// What numbers stand for. Each list is in ascending order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Names {
    pub(super) modules: Box<[ModuleId]>,
    pub(super) environments: Box<[EnvironmentId]>,
    pub(super) teams: Box<[TeamId]>,
    pub(super) roles: Box<[RoleId]>,
    pub(super) held: Box<[Held]>,
}

impl PartialEq for ProjectIndex {
    /// Whether both hold the same; shapes are only names.
    fn eq(&self, other: &Self) -> bool {
        let Self { id, shape: _, rules, staff, names } = self;
        (id, rules, staff, names) == (&other.id, &other.rules, &other.staff, &other.names)
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

#[inline]
pub(super) fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl ProjectIndex {
    /// The numbers of a module and an environment of this project; `None` where one is not of it.
    pub(crate) fn spot(&self, (module, environment): PlaceIds) -> Option<Spot> {
        let find_module = |id| number(&self.names.modules, &id)?.checked_add(1);
        let find_environment = |id| number(&self.names.environments, &id)?.checked_add(1);
        Some(Spot {
            module: module.map_or(Some(0), find_module)?,
            environment: environment.map_or(Some(0), find_environment)?,
        })
    }

    /// The permission by which `role` has the action there.
    pub(super) fn permission(&self, role: u32, action: u16, spot: Spot) -> Option<PermissionId> {
        let first =
            self.names.held.partition_point(|held| (held.role, held.action) < (role, action));
        let rows = self.names.held.get(first..)?.iter();
        let mut rows = rows.take_while(|held| (held.role, held.action) == (role, action));
        let fits = |held: &Held| {
            (held.spot.0 == 0 || held.spot.0 == spot.module)
                && (held.spot.1 == 0 || held.spot.1 == spot.environment)
        };
        rows.find(|held| fits(held)).map(|held| held.permission)
    }

    /// Whether `user` has a live membership there; the best witness, or the row that comes nearest.
    pub(crate) fn leg_1(
        &self,
        user: UserId,
        module: u32,
        at: Timestamp,
    ) -> Result<(MembershipId, TeamId), NotLive<MembershipId>> {
        let mut ended = None;
        for (id, span) in self.staff.rows(user, Rows::Memberships) {
            if !self.rules.looks_after(span.what(), module) {
                continue;
            }
            let (id, team) = (MembershipId::from_u128(id), self.names.teams.get(wide(span.what())));
            match (span.contains(at), team) {
                (true, Some(team)) => return Ok((id, *team)),
                _ => ended = nearer(ended, id, span.interval()),
            }
        }
        Err(ended)
    }

    /// Whether `user` has a live grant of a role with the action there.
    pub(crate) fn leg_2(
        &self,
        user: UserId,
        action: Option<u16>,
        spot: Spot,
        at: Timestamp,
    ) -> Result<(GrantId, PermissionId), NotLive<(GrantId, RoleId)>> {
        let mut ended = None;
        let Some(action) = action else { return Err(None) };
        let Some(local) = self.rules.local_action(action) else { return Err(None) };
        for (id, span) in self.staff.rows(user, Rows::Grants) {
            if !self.rules.allows(span.what(), local, self.rules.bit(spot)) {
                continue;
            }
            let id = GrantId::from_u128(id);
            let permission = self.permission(span.what(), action, spot);
            match (span.contains(at), permission, self.names.roles.get(wide(span.what()))) {
                (true, Some(permission), _) => return Ok((id, permission)),
                (_, _, Some(role)) => ended = nearer(ended, (id, *role), span.interval()),
                (_, _, None) => {}
            }
        }
        Err(ended)
    }

    /// Whether `user` holds `role` at the instant, by which grant.
    pub(crate) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        let role = number(&self.names.roles, &role)?;
        let mut rows = self.staff.rows(user, Rows::Grants);
        let live = rows.find(|(_, span)| span.what() == role && span.contains(at));
        live.map(|(id, _)| GrantId::from_u128(id))
    }

    /// The widest place that `user` may read anything at.
    pub(crate) fn read_place(
        &self,
        user: UserId,
        read: Option<u16>,
        at: Timestamp,
    ) -> Option<PlaceIds> {
        let read = read?;
        let live = self.staff.rows(user, Rows::Grants).filter(|(_, span)| span.contains(at));
        let held = live.flat_map(|(_, span)| {
            self.names
                .held
                .iter()
                .filter(move |held| held.role == span.what() && held.action == read)
        });
        let widest = held.min_by_key(|held| (held.spot.0 != 0, held.spot.1 != 0))?;
        Some(self.place_ids(Spot { module: widest.spot.0, environment: widest.spot.1 }))
    }

    /// The ids of a spot.
    pub(super) fn place_ids(&self, spot: Spot) -> PlaceIds {
        let module = wide(spot.module).checked_sub(1).and_then(|at| self.names.modules.get(at));
        let environment = wide(spot.environment).checked_sub(1);
        let environment = environment.and_then(|at| self.names.environments.get(at));
        (module.copied(), environment.copied())
    }

    /// Everybody with a grant here, each once, in ascending order.
    pub(crate) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        let granted = |user: &UserId| self.staff.rows(*user, Rows::Grants).next().is_some();
        self.staff.users().filter(granted)
    }

    /// The same project, with other rows.
    pub(super) fn with_staff(&self, staff: Staff) -> Self {
        let (rules, names) = (self.rules.clone(), Arc::clone(&self.names));
        Self { id: self.id, shape: self.shape, rules, staff, names }
    }

    /// About how many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let Names { modules, environments, teams, roles, held } = &*self.names;
        size_of_val(&**modules)
            .saturating_add(size_of_val(&**environments))
            .saturating_add(size_of_val(&**teams))
            .saturating_add(size_of_val(&**roles))
            .saturating_add(size_of_val(&**held))
            .saturating_add(size_of::<Names>())
            .saturating_add(self.rules.heap_bytes())
            .saturating_add(self.staff.heap_bytes())
    }
}

/// Of two rows that fit and are not live, the one that holds longest.
fn nearer<Id: Copy>(so_far: NotLive<Id>, id: Id, valid: Interval) -> NotLive<Id> {
    let ends = |valid: Interval| valid.until().unwrap_or(Timestamp::MAX);
    match so_far {
        Some((_, kept)) if ends(kept) >= ends(valid) => so_far,
        Some(_) | None => Some((id, valid)),
    }
}
