//! Who there is: active or not, person or agent, global roles, and the projects somebody has rows in.

use super::spine::Spine;
use super::table::spread;
use crate::id::UserId;
use crate::org::{GlobalRole, User, UserKind};

/// What the rule asks about a user beside their rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flags(u8);

impl Flags {
    const ACTIVE: u8 = 1;
    const AGENT: u8 = 2;
    const PLATFORM_ADMIN: u8 = 4;
    const AUDITOR: u8 = 8;

    pub(crate) fn of(user: &User, roles: &[GlobalRole]) -> Self {
        let mut bits = 0;
        if user.is_active {
            bits |= Self::ACTIVE;
        }
        if user.kind == UserKind::Agent {
            bits |= Self::AGENT;
        }
        roles.iter().fold(Self(bits), |flags, role| flags.with(*role))
    }

    const fn bit(role: GlobalRole) -> u8 {
        match role {
            GlobalRole::PlatformAdmin => Self::PLATFORM_ADMIN,
            GlobalRole::Auditor => Self::AUDITOR,
        }
    }

    /// The same, and that role.
    pub(super) const fn with(self, role: GlobalRole) -> Self {
        Self(self.0 | Self::bit(role))
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) const fn is_active(self) -> bool {
        self.0 & Self::ACTIVE != 0
    }

    #[inline]
    pub(crate) const fn is_agent(self) -> bool {
        self.0 & Self::AGENT != 0
    }

    /// Whether they hold `role`, and may use it: a user who is not active holds nothing.
    #[inline]
    pub(crate) const fn holds(self, role: GlobalRole) -> bool {
        self.is_active() && self.0 & Self::bit(role) != 0
    }
}

/// Everybody, in groups that a change copies one of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct People {
    shards: Spine<Shard>,
    shift: u32,
}

/// Some people, in ascending order of their ids, and their projects' numbers, one after the other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Shard {
    ids: Vec<UserId>,
    flags: Vec<Flags>,
    // Where each one's projects end.
    ends: Vec<u32>,
    projects: Vec<u32>,
}

/// About how many people stand in a shard.
const SHARD: usize = 128;

impl People {
    /// Puts everybody in, without their projects.
    pub(super) fn build(people: &[(UserId, Flags)]) -> Self {
        let count = people.len().div_ceil(SHARD).max(16).next_power_of_two();
        let shift = 64_u32.saturating_sub(count.trailing_zeros());
        let made = Self { shards: Spine::default(), shift };
        let mut shards = vec![Vec::with_capacity(SHARD); count];
        for (id, flags) in people {
            if let Some(shard) = shards.get_mut(made.place(*id)) {
                shard.push((*id, *flags));
            }
        }
        let shards = shards.into_iter().map(|people| Shard::build(people, Vec::new()));
        Self { shards: shards.collect(), shift }
    }

    /// Everybody, with their projects, which come in any order.
    #[must_use]
    pub(super) fn with_projects(&self, projects: &[(UserId, u32)]) -> Self {
        let mut held = vec![Vec::with_capacity(SHARD); self.shards.len()];
        for (id, project) in projects {
            if let Some(shard) = held.get_mut(self.place(*id)) {
                shard.push((*id, *project));
            }
        }
        let shards = self.shards.iter().zip(held).map(|(shard, held)| {
            let people = shard.ids.iter().copied().zip(shard.flags.iter().copied());
            Shard::build(people.collect(), held)
        });
        Self { shards: shards.collect(), shift: self.shift }
    }

    fn place(&self, id: UserId) -> usize {
        let hash = spread(id.as_u128());
        usize::try_from(hash.checked_shr(self.shift).unwrap_or_default()).unwrap_or_default()
    }

    /// What is known of `id`; no flag is set for a stranger.
    #[inline]
    pub(super) fn flags(&self, id: UserId) -> Flags {
        let Some(shard) = self.shards.get(self.place(id)) else { return Flags::default() };
        let Ok(at) = shard.ids.binary_search(&id) else { return Flags::default() };
        shard.flags.get(at).copied().unwrap_or_default()
    }

    /// The numbers of the projects that `id` has rows in, in ascending order.
    pub(super) fn projects(&self, id: UserId) -> &[u32] {
        let found = || {
            let shard = self.shards.get(self.place(id))?;
            shard.projects_at(shard.ids.binary_search(&id).ok()?)
        };
        found().unwrap_or_default()
    }

    /// Everybody with a global role, in no order that means anything.
    pub(super) fn holders(&self, role: GlobalRole) -> impl Iterator<Item = UserId> {
        self.shards.iter().flat_map(move |shard| {
            let people = shard.ids.iter().zip(&shard.flags);
            people.filter(move |(_, flags)| flags.holds(role)).map(|(id, _)| *id)
        })
    }

    /// About how many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let each = self.shards.iter().map(|shard| {
            size_of_val(&*shard.ids)
                .saturating_add(size_of_val(&*shard.flags))
                .saturating_add(size_of_val(&*shard.ends))
                .saturating_add(size_of_val(&*shard.projects))
                .saturating_add(size_of::<Shard>())
        });
        each.fold(0, usize::saturating_add)
    }

    /// Everybody, with `id` as given.
    pub(super) fn with(&self, id: UserId, flags: Flags, projects: &[u32]) -> Self {
        let at = self.place(id);
        let Some(shard) = self.shards.get(at) else {
            // Nobody was here at all.
            let held: Vec<_> = projects.iter().map(|project| (id, *project)).collect();
            return Self::build(&[(id, flags)]).with_projects(&held);
        };
        Self { shards: self.shards.with(at, shard.with(id, flags, projects)), shift: self.shift }
    }
}

impl Shard {
    fn build(mut people: Vec<(UserId, Flags)>, mut held: Vec<(UserId, u32)>) -> Self {
        held.sort_unstable();
        held.dedup();
        // Somebody who has rows and does not exist is nobody yet: no flag is set.
        people.extend(held.iter().map(|(id, _)| (*id, Flags::default())));
        people.sort_by_key(|(id, _)| *id);
        people.dedup_by_key(|(id, _)| *id);
        let mut shard = Self {
            ids: Vec::with_capacity(people.len()),
            flags: Vec::with_capacity(people.len()),
            ends: Vec::with_capacity(people.len()),
            projects: Vec::with_capacity(held.len()),
        };
        let mut held = held.into_iter().peekable();
        for (id, flags) in people {
            while let Some((_, project)) = held.next_if(|(of, _)| *of == id) {
                shard.projects.push(project);
            }
            shard.push(id, flags);
        }
        shard
    }

    /// Gives back what growing left over: there are thousands of these.
    fn fit(mut self) -> Self {
        self.ids.shrink_to_fit();
        self.flags.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.projects.shrink_to_fit();
        self
    }

    fn push(&mut self, id: UserId, flags: Flags) {
        self.ids.push(id);
        self.flags.push(flags);
        self.ends.push(u32::try_from(self.projects.len()).unwrap_or(u32::MAX));
    }

    fn projects_at(&self, at: usize) -> Option<&[u32]> {
        let end = usize::try_from(*self.ends.get(at)?).ok()?;
        let start = match at.checked_sub(1) {
            None => 0,
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
        };
        self.projects.get(start..end)
    }

    fn with(&self, id: UserId, flags: Flags, projects: &[u32]) -> Self {
        let mut made = Self::default();
        let mut is_in = false;
        for (at, (other, their_flags)) in self.ids.iter().zip(&self.flags).enumerate() {
            if !is_in && *other >= id {
                made.projects.extend_from_slice(projects);
                made.push(id, flags);
                is_in = true;
            }
            if *other != id {
                made.projects.extend_from_slice(self.projects_at(at).unwrap_or_default());
                made.push(*other, *their_flags);
            }
        }
        if !is_in {
            made.projects.extend_from_slice(projects);
            made.push(id, flags);
        }
        made.fit()
    }
}
