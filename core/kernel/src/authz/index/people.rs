//! Everybody with all their rows: who is active or an agent, who holds a global role, and who has which
//! membership and grant in which project.

use super::flags::Flags;
use super::rows::Line;
use super::shard::{Lot, Person, Shard};
use super::spine::Spine;
use super::table::spread;
use crate::id::UserId;
use crate::org::GlobalRole;

/// Everybody, in small groups of which a change makes one anew.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct People {
    shards: Spine<Shard>,
    count: usize,
}

/// How many people stand in a shard on the average when they are dealt out. More would not fit into the line of a shard,
/// fewer would make the list of shards longer.
const SHARD: usize = 12;

/// How many shards there are for so many people.
fn shards_for(people: usize) -> usize {
    people.div_ceil(SHARD).max(16)
}

/// In which of so many shards somebody is.
#[inline]
fn place(id: UserId, shards: usize) -> usize {
    // As much of the way through the shards as the hash is through its range (Lemire, "Fast random integer
    // generation in an interval", 2019).
    let way =
        u128::from(spread(id.as_u128())).wrapping_mul(u128::try_from(shards).unwrap_or_default());
    usize::try_from(way >> 64).unwrap_or_default()
}

impl People {
    /// Everybody and all rows; both come in any order. Of two flags of one user the first counts.
    pub(super) fn build(
        people: impl IntoIterator<Item = (UserId, Flags)>,
        lines: impl IntoIterator<Item = Line>,
        expected: usize,
    ) -> Self {
        let count = shards_for(expected);
        let mut lots: Vec<Lot> = vec![(Vec::with_capacity(SHARD), Vec::new()); count];
        for person in people {
            if let Some((people, _)) = lots.get_mut(place(person.0, count)) {
                people.push(person);
            }
        }
        for line in lines {
            if let Some((_, lines)) = lots.get_mut(place(line.user, count)) {
                lines.push(line);
            }
        }
        let shards: Spine<Shard> = lots.into_iter().map(Shard::build).collect();
        let count = shards.iter().map(Shard::len).fold(0, usize::saturating_add);
        Self { shards, count }.dealt()
    }

    /// The same, dealt out anew where there are too many for so few shards.
    fn dealt(self) -> Self {
        let len = self.shards.len();
        if shards_for(self.count) <= len.saturating_add(len / 4) {
            return self;
        }
        let everybody = || self.shards.iter().flat_map(Shard::everybody);
        let people = everybody().map(|person| (person.id, person.flags));
        Self::build(people, everybody().flat_map(|person| person.lines()), self.count)
    }

    #[inline]
    pub(super) fn find(&self, id: UserId) -> Option<Person<'_>> {
        self.shards.get(place(id, self.shards.len()))?.find(id)
    }

    /// What is known of `id`; no flag is set for a stranger.
    #[inline]
    pub(super) fn flags(&self, id: UserId) -> Flags {
        self.find(id).map(|person| person.flags).unwrap_or_default()
    }

    /// Everybody with a global role, in no order that means anything.
    pub(super) fn holders(&self, role: GlobalRole) -> impl Iterator<Item = UserId> {
        let everybody = self.shards.iter().flat_map(Shard::everybody);
        everybody.filter(move |person| person.flags.holds(role)).map(|person| person.id)
    }

    /// About how many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let whole = |shard: &Shard| shard.heap_bytes().saturating_add(size_of::<Shard>());
        self.shards.iter().map(whole).fold(0, usize::saturating_add)
    }

    /// Everybody, and what is said of `id` now.
    pub(super) fn with_flags(&self, id: UserId, flags: Flags) -> Self {
        // Of two flags the first counts.
        self.changed(&[id], |_, (people, _)| people.insert(0, (id, flags)))
    }

    /// Everybody, with these rows in the place of what `users` had in the project of that number.
    pub(super) fn with_rows(&self, users: &[UserId], project: u32, rows: &[Line]) -> Self {
        self.changed(users, |users, (_, lines)| {
            let is_one = |user: &UserId| users.contains(user);
            lines.retain(|line| line.project != project || !is_one(&line.user));
            lines.extend(rows.iter().filter(|line| is_one(&line.user)));
        })
    }

    /// Everybody, after `change` was made to each shard in which some of `users` are: those, and what is in it.
    fn changed(&self, users: &[UserId], change: impl Fn(&[UserId], &mut Lot)) -> Self {
        if self.shards.len() == 0 {
            return Self::build([], [], 0).changed(users, change);
        }
        let mut places: Vec<(usize, UserId)> =
            users.iter().map(|user| (place(*user, self.shards.len()), *user)).collect();
        places.sort_unstable();
        let (mut made, mut count) = (Vec::new(), self.count);
        for of_one in places.chunk_by(|a, b| a.0 == b.0) {
            let users: Vec<UserId> = of_one.iter().map(|(_, user)| *user).collect();
            let Some((place, before)) =
                of_one.first().and_then(|(place, _)| Some((*place, self.shards.get(*place)?)))
            else {
                continue;
            };
            let mut lot = before.unpack();
            change(&users, &mut lot);
            let after = Shard::build(lot);
            count = count.saturating_sub(before.len());
            count = count.saturating_add(after.len());
            made.push((place, after));
        }
        Self { shards: self.shards.with_all(made), count }.dealt()
    }
}
