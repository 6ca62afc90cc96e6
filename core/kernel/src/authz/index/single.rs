//! One project by itself, with everybody's rows in it: what a verb judges by.

use super::Actions;
use super::people::People;
use super::project::{NotLive, PlaceIds, ProjectIndex, Spot, number};
use super::rows::{Rows, Span};
use super::words::wide;
use crate::clock::Timestamp;
use crate::id::{GrantId, MembershipId, PermissionId, RoleId, TeamId, UserId};
use crate::org::Interval;
use crate::org::book::Book;

/// A project and the rows in it. It knows nothing else of anybody: not whether they are active.
#[derive(Debug)]
pub(crate) struct SingleIndex {
    project: ProjectIndex,
    people: People,
}

/// Its only project has this number.
const NUMBER: u32 = 0;

impl SingleIndex {
    /// Compiles `book`; actions that are new are added to `actions`.
    pub(crate) fn build(book: &Book, actions: &mut Actions) -> Self {
        let (project, lines) = ProjectIndex::compile(book.into(), NUMBER, actions);
        let people = People::build([], lines, project.users().len());
        Self { project, people }
    }

    /// The numbers of a module and an environment of this project; `None` where one is not of it.
    pub(crate) fn spot(&self, place: PlaceIds) -> Option<Spot> {
        self.project.spot(place)
    }

    /// The rows of `user`, with their ids.
    fn rows(&self, user: UserId, kind: Rows) -> impl Iterator<Item = (u128, Span)> + '_ {
        let person = self.people.find(user);
        person.into_iter().flat_map(move |person| person.rows_of(NUMBER, kind))
    }

    /// Whether `user` has a live membership there; the best witness, or the row that comes nearest.
    pub(crate) fn leg_1(
        &self,
        user: UserId,
        module: u32,
        at: Timestamp,
    ) -> Result<(MembershipId, TeamId), NotLive<MembershipId>> {
        let mut ended = None;
        for (id, span) in self.rows(user, Rows::Memberships) {
            if !self.project.rules().looks_after(span.what(), module) {
                continue;
            }
            let (id, team) =
                (MembershipId::from_u128(id), self.project.names().teams.get(wide(span.what())));
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
        let Some(local) = self.project.rules().local_action(action) else { return Err(None) };
        for (id, span) in self.rows(user, Rows::Grants) {
            if !self.project.rules().allows(span.what(), local, self.project.rules().bit(spot)) {
                continue;
            }
            let id = GrantId::from_u128(id);
            let permission = self.project.permission(span.what(), action, spot);
            match (span.contains(at), permission, self.project.names().roles.get(wide(span.what())))
            {
                (true, Some(permission), _) => return Ok((id, permission)),
                (_, _, Some(role)) => ended = nearer(ended, (id, *role), span.interval()),
                (_, _, None) => {}
            }
        }
        Err(ended)
    }

    /// Whether `user` holds `role` at the instant, by which grant.
    pub(crate) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        let role = number(&self.project.names().roles, &role)?;
        let mut rows = self.rows(user, Rows::Grants);
        let live = rows.find(|(_, span)| span.what() == role && span.contains(at));
        live.map(|(id, _)| GrantId::from_u128(id))
    }

    /// The places for which the user's live grants have permissions to read, each once, the widest first.
    pub(crate) fn read_places(
        &self,
        user: UserId,
        read: Option<u16>,
        at: Timestamp,
    ) -> Vec<PlaceIds> {
        let Some(read) = read else { return Vec::new() };
        let live = self.rows(user, Rows::Grants).filter(|(_, span)| span.contains(at));
        let held = live.flat_map(|(_, span)| {
            let held = self.project.names().held.iter();
            held.filter(move |held| held.role == span.what() && held.action == read)
        });
        let mut spots: Vec<(u32, u32)> = held.map(|held| held.spot).collect();
        spots.sort_by_key(|spot| (spot.0 != 0, spot.1 != 0, *spot));
        spots.dedup();
        let spots = spots.into_iter().map(|(module, environment)| Spot { module, environment });
        spots.map(|spot| self.project.place_ids(spot)).collect()
    }

    /// Whether the user ever had a membership or a role here.
    pub(crate) fn has_row_of(&self, user: UserId) -> bool {
        self.people.find(user).is_some_and(|person| person.rows(NUMBER).next().is_some())
    }

    /// The user's memberships that hold at the instant.
    pub(crate) fn memberships(
        &self,
        user: UserId,
        at: Timestamp,
    ) -> impl Iterator<Item = MembershipId> {
        let live = self.rows(user, Rows::Memberships).filter(move |(_, span)| span.contains(at));
        live.map(|(id, _)| MembershipId::from_u128(id))
    }

    /// Everybody with a grant here, each once, in ascending order.
    pub(crate) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        let granted = |user: &UserId| self.rows(*user, Rows::Grants).next().is_some();
        self.project.users().iter().copied().filter(granted)
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
