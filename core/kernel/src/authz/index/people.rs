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
    shift: u32,
    count: usize,
}

/// How many people stand in a shard at most, on the average. More would make each change dearer, fewer the list of
/// shards longer.
const SHARD: usize = 16;

/// How many shards there are for so many people.
fn shards_for(people: usize) -> usize {
    people.div_ceil(SHARD).max(16).next_power_of_two()
}

impl People {
    /// Everybody and all rows; both come in any order. Of two flags of one user the first counts.
    pub(super) fn build(
        people: impl IntoIterator<Item = (UserId, Flags)>,
        lines: impl IntoIterator<Item = Line>,
        expected: usize,
    ) -> Self {
        let count = shards_for(expected);
        let shift = 64_u32.saturating_sub(count.trailing_zeros());
        let mut made = Self { shift, ..Self::default() };
        let mut lots: Vec<Lot> = vec![(Vec::with_capacity(SHARD), Vec::new()); count];
        for person in people {
            if let Some((people, _)) = lots.get_mut(made.place(person.0)) {
                people.push(person);
            }
        }
        for line in lines {
            if let Some((_, lines)) = lots.get_mut(made.place(line.user)) {
                lines.push(line);
            }
        }
        made.shards = lots.into_iter().map(Shard::build).collect();
        let counts = made.shards.iter().map(Shard::len);
        made.count = counts.fold(0, usize::saturating_add);
        made.dealt()
    }

    /// The same, dealt out anew where there are too many for so few shards.
    fn dealt(self) -> Self {
        if shards_for(self.count) <= self.shards.len() {
            return self;
        }
        let everybody = || self.shards.iter().flat_map(Shard::everybody);
        let people = everybody().map(|person| (person.id, person.flags));
        Self::build(people, everybody().flat_map(|person| person.lines()), self.count)
    }

    #[inline]
    fn place(&self, id: UserId) -> usize {
        let hash = spread(id.as_u128());
        usize::try_from(hash.checked_shr(self.shift).unwrap_or_default()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn find(&self, id: UserId) -> Option<Person<'_>> {
        self.shards.get(self.place(id))?.find(id)
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
            users.iter().map(|user| (self.place(*user), *user)).collect();
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
        Self { shards: self.shards.with_all(made), shift: self.shift, count }.dealt()
    }
}
