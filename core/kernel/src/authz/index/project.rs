//! One project, compiled: what each role may where, which modules each team looks after, and everybody's rows.

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
    pub(super) modules: Box<[ModuleId]>,
    pub(super) environments: Box<[EnvironmentId]>,
    pub(super) teams: Box<[TeamId]>,
    pub(super) roles: Box<[RoleId]>,
    /// The numbers of the actions that some role is allowed.
    pub(super) actions: Box<[u16]>,
    pub(super) module_words: usize,
    pub(super) place_words: usize,
    /// For each team, a bit for each module that it looks after, and the first one for the whole project.
    pub(super) team_modules: Box<[u64]>,
    /// For each role and each of `actions`, a bit for each spot.
    pub(super) role_places: Box<[u64]>,
    pub(super) held: Box<[Held]>,
    pub(super) staff: Staff,
}

impl PartialEq for ProjectIndex {
    /// Whether both hold the same; shapes are only names.
    fn eq(&self, other: &Self) -> bool {
        let Self { id, shape: _, modules, environments, teams, roles, actions, .. } = self;
        *id == other.id
            && *modules == other.modules
            && *environments == other.environments
            && *teams == other.teams
            && *roles == other.roles
            && *actions == other.actions
            && self.team_modules == other.team_modules
            && self.role_places == other.role_places
            && self.held == other.held
            && self.staff == other.staff
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

/// The bit of `at` in a field of bits that begins at `start`.
#[inline]
fn is_set(words: &[u64], start: usize, at: usize) -> bool {
    let word = words.get(start.wrapping_add(at / 64)).copied().unwrap_or_default();
    word >> (at % 64) & 1 == 1
}

#[inline]
pub(super) fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl ProjectIndex {
    /// Where role and action meet in `role_places`.
    #[inline]
    pub(super) fn field(&self, role: u32, action: usize) -> usize {
        let field = wide(role).wrapping_mul(self.actions.len()).wrapping_add(action);
        field.wrapping_mul(self.place_words)
    }

    /// The place of the action with that number among this project's own.
    #[inline]
    pub(super) fn local_action(&self, number: u16) -> Option<usize> {
        self.actions.iter().position(|action| *action == number)
    }

    /// The numbers of a module and an environment of this project; `None` where one is not of it.
    pub(crate) fn spot(&self, (module, environment): PlaceIds) -> Option<Spot> {
        let find_module = |id| number(&self.modules, &id)?.checked_add(1);
        let find_environment = |id| number(&self.environments, &id)?.checked_add(1);
        Some(Spot {
            module: module.map_or(Some(0), find_module)?,
            environment: environment.map_or(Some(0), find_environment)?,
        })
    }

    #[inline]
    pub(super) fn bit(&self, spot: Spot) -> usize {
        let columns = self.environments.len().wrapping_add(1);
        wide(spot.module).wrapping_mul(columns).wrapping_add(wide(spot.environment))
    }

    /// Whether the team looks after the module.
    #[inline]
    pub(super) fn looks_after(&self, team: u32, module: u32) -> bool {
        let start = wide(team).wrapping_mul(self.module_words);
        is_set(&self.team_modules, start, wide(module))
    }

    /// Whether the role has a permission for the action there; `action` is the project's own number.
    #[inline]
    pub(super) fn allows(&self, role: u32, action: usize, bit: usize) -> bool {
        is_set(&self.role_places, self.field(role, action), bit)
    }

    /// The permission by which `role` has the action there.
    pub(super) fn permission(&self, role: u32, action: u16, spot: Spot) -> Option<PermissionId> {
        let first = self.held.partition_point(|held| (held.role, held.action) < (role, action));
        let rows = self.held.get(first..)?.iter();
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
            if !self.looks_after(span.what(), module) {
                continue;
            }
            let (id, team) = (MembershipId::from_u128(id), self.teams.get(wide(span.what())));
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
        let Some(local) = self.local_action(action) else { return Err(None) };
        for (id, span) in self.staff.rows(user, Rows::Grants) {
            if !self.allows(span.what(), local, self.bit(spot)) {
                continue;
            }
            let id = GrantId::from_u128(id);
            let permission = self.permission(span.what(), action, spot);
            match (span.contains(at), permission, self.roles.get(wide(span.what()))) {
                (true, Some(permission), _) => return Ok((id, permission)),
                (_, _, Some(role)) => ended = nearer(ended, (id, *role), span.interval()),
                (_, _, None) => {}
            }
        }
        Err(ended)
    }

    /// Whether `user` holds `role` at the instant, by which grant.
    pub(crate) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        let role = number(&self.roles, &role)?;
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
            self.held.iter().filter(move |held| held.role == span.what() && held.action == read)
        });
        let widest = held.min_by_key(|held| (held.spot.0 != 0, held.spot.1 != 0))?;
        Some(self.place_ids(Spot { module: widest.spot.0, environment: widest.spot.1 }))
    }

    /// The ids of a spot.
    pub(super) fn place_ids(&self, spot: Spot) -> PlaceIds {
        let module = wide(spot.module).checked_sub(1).and_then(|at| self.modules.get(at));
        let environment = wide(spot.environment).checked_sub(1);
        let environment = environment.and_then(|at| self.environments.get(at));
        (module.copied(), environment.copied())
    }

    /// Everybody with a grant here, each once, in ascending order.
    pub(crate) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        let granted = |user: &UserId| self.staff.rows(*user, Rows::Grants).next().is_some();
        self.staff.users().filter(granted)
    }

    /// The actions that some role here has, by their numbers.
    pub(super) fn actions(&self) -> &[u16] {
        &self.actions
    }

    /// The words of bits of a role and one of this project's actions.
    pub(super) fn places_of(&self, role: u32, action: usize) -> &[u64] {
        let start = self.field(role, action);
        self.role_places.get(start..start.saturating_add(self.place_words)).unwrap_or_default()
    }

    pub(super) fn place_words(&self) -> usize {
        self.place_words
    }

    /// The same project, with other rows.
    pub(super) fn with_staff(&self, staff: Staff) -> Self {
        // Not by update syntax, which would copy the staff that is left behind.
        Self {
            id: self.id,
            shape: self.shape,
            modules: self.modules.clone(),
            environments: self.environments.clone(),
            teams: self.teams.clone(),
            roles: self.roles.clone(),
            actions: self.actions.clone(),
            module_words: self.module_words,
            place_words: self.place_words,
            team_modules: self.team_modules.clone(),
            role_places: self.role_places.clone(),
            held: self.held.clone(),
            staff,
        }
    }

    /// About how many bytes this takes on the heap, its staff apart.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.modules)
            .saturating_add(size_of_val(&*self.environments))
            .saturating_add(size_of_val(&*self.teams))
            .saturating_add(size_of_val(&*self.roles))
            .saturating_add(size_of_val(&*self.team_modules))
            .saturating_add(size_of_val(&*self.role_places))
            .saturating_add(size_of_val(&*self.held))
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
