//! The question asked from the other end: who can, and where.

use super::Index;
use super::check::Asked;
use super::project::{ProjectIndex, Spot};
use super::shard::Person;
use super::words::wide;
use crate::authz::action::{Action, Rule};
use crate::authz::question::Scope;
use crate::clock::Timestamp;
use crate::id::{ProjectId, UserId};
use crate::org::GlobalRole;

/// Who can do something somewhere: one page of users, and the roles whose every active holder can.
///
/// ```
/// use placet_core::authz::Paging;
/// # use placet_core::authz::{Action, Scope};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// let found = gate.index()?.who_can(&Action::APPROVE, place, gate.now(), Paging::first(100));
/// assert_eq!((found.users, found.next), (vec![office.bo.user()], None));
/// assert!(found.global_roles.is_empty()); // no global role approves anything
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WhoCan {
    /// By rows of their own, in ascending order of their ids.
    pub users: Vec<UserId>,
    /// By a global role, whoever holds it.
    pub global_roles: Vec<GlobalRole>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<UserId>,
}

/// Which page of users: at most so many of them, from the beginning or after one.
///
/// ```
/// use placet_core::authz::Paging;
/// use placet_core::id::UserId;
/// let second = Paging::first(100).after(UserId::from_u128(7));
/// # assert_ne!(second, Paging::first(100));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Paging {
    after: Option<UserId>,
    limit: usize,
}

impl Paging {
    /// The first page, of at most `limit`.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// The page that begins after `user`, such as [`WhoCan::next`].
    #[must_use]
    pub const fn after(self, user: UserId) -> Self {
        Self { after: Some(user), limit: self.limit }
    }
}

/// How many people are looked up before the first of them is asked about.
const AT_ONCE: usize = 32;

impl Index {
    /// Who can do `action` in `scope` at that instant, in ascending order of their ids. Pages are stable: a
    /// user who can throughout is on exactly one of them.
    pub fn who_can(&self, action: &Action, scope: Scope, at: Timestamp, page: Paging) -> WhoCan {
        let Paging { after, limit } = page;
        let mut found =
            WhoCan { global_roles: by_role(action.rule(), scope).to_vec(), ..WhoCan::default() };
        let Some((number, project, spot)) = self.spot_of(scope) else { return found };
        if matches!(action.rule(), Rule::Administer | Rule::Audit) {
            return found;
        }
        let asked = self.asked(action, number, spot, at);
        let members = project.members();
        let first = after.map_or(0, |after| members.partition_point(|user| *user <= after));
        let mut members = members.get(first..).unwrap_or_default().iter();
        loop {
            // Some are looked up before the first is asked about: so one need not wait for the other.
            let some = members.by_ref().take(AT_ONCE).map(|user| self.people.find(*user));
            let some: Vec<_> = some.collect();
            if some.is_empty() {
                return found;
            }
            let can = |person: &Person<'_>| project.by_rows(person, &asked);
            for person in some.into_iter().flatten().filter(can) {
                if found.users.len() >= limit {
                    found.next = found.users.last().copied();
                    return found;
                }
                found.users.push(person.id);
            }
        }
    }

    /// Every active holder of a global role, in ascending order.
    pub fn holders(&self, role: GlobalRole) -> Vec<UserId> {
        let mut holders: Vec<UserId> = self.people.holders(role).collect();
        holders.sort_unstable();
        holders
    }

    /// Every place in which `user` can do `action` by rows of their own, ordered by project, module and
    /// environment. A place without a module or an environment stands for the question that names none.
    ///
    /// What a global role gives everywhere is not listed: [`Self::global_roles`] names it.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let places = gate.index()?.where_can(office.bo.user(), &Action::APPROVE, gate.now());
    /// assert!(places.contains(&Scope::module(office.project, office.module, office.environment)));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn where_can(&self, user: UserId, action: &Action, at: Timestamp) -> Vec<Scope> {
        let mut places = Vec::new();
        // No row of a project gives these, whatever it says.
        if matches!(action.rule(), Rule::Administer | Rule::Audit) {
            return places;
        }
        let Some(person) = self.people.find(user) else { return places };
        for (number, project) in self.projects_of(user) {
            let asked = self.asked(action, number, Spot::WHOLE, at);
            project.places(&person, &asked, &mut places);
        }
        places
    }

    /// The projects that `user` has rows in, ordered by their ids.
    pub fn project_ids(&self, user: UserId) -> Vec<ProjectId> {
        self.projects_of(user).into_iter().map(|(_, project)| project.id()).collect()
    }

    /// The global roles of an active user.
    pub fn global_roles(&self, user: UserId) -> Vec<GlobalRole> {
        let flags = self.people.flags(user);
        let roles = [GlobalRole::PlatformAdmin, GlobalRole::Auditor].into_iter();
        roles.filter(|role| flags.holds(*role)).collect()
    }

    /// Everything that `user` can do by rows of their own: each action with the places of it, in the
    /// order of their names.
    ///
    /// ```
    /// # use placet_core::authz::Action;
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let matrix = gate.index()?.matrix(office.bo.user(), gate.now());
    /// assert!(matrix.iter().any(|(action, _)| *action == Action::APPROVE));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn matrix(&self, user: UserId, at: Timestamp) -> Vec<(Action, Vec<Scope>)> {
        let mut numbers: Vec<u16> = Vec::new();
        for (_, project) in self.projects_of(user) {
            numbers.extend(project.rules().actions());
        }
        numbers.sort_unstable();
        numbers.dedup();
        let named = numbers.into_iter().filter_map(|number| self.actions.name(number));
        let mut matrix: Vec<(Action, Vec<Scope>)> = named
            .map(|action| (action.clone(), self.where_can(user, action, at)))
            .filter(|(_, places)| !places.is_empty())
            .collect();
        matrix.sort_by(|a, b| a.0.cmp(&b.0));
        matrix
    }

    /// The projects in which `user` has rows, with their numbers, in the order of their ids.
    fn projects_of(&self, user: UserId) -> Vec<(u32, &ProjectIndex)> {
        let person = self.people.find(user);
        let numbers = person.into_iter().flat_map(|person| person.projects());
        let found = numbers.filter_map(|number| Some((number, self.projects.get(wide(number))?)));
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by_key(|(_, project)| project.id());
        found
    }
}

/// The global roles that suffice.
pub(crate) const fn by_role(rule: Rule, scope: Scope) -> &'static [GlobalRole] {
    match (rule, scope) {
        (Rule::Administer, Scope::Platform) | (Rule::Manage, Scope::Project { .. }) => {
            &[GlobalRole::PlatformAdmin]
        }
        (Rule::Read, Scope::Project { .. }) => &[GlobalRole::Auditor],
        (Rule::Audit, _) => &[GlobalRole::PlatformAdmin, GlobalRole::Auditor],
        (Rule::Administer, Scope::Project { .. })
        | (Rule::TwoLegs, _)
        | (Rule::Read | Rule::Manage, Scope::Platform) => &[],
    }
}

impl ProjectIndex {
    /// Places in which somebody has the action by rows of their own, whatever spot was asked about.
    fn places(&self, person: &Person<'_>, asked: &Asked, found: &mut Vec<Scope>) {
        let rules = self.rules();
        let Some(local) = self.local_action(person, asked) else { return };
        let (mut members, mut allowed) =
            (Bits::new(rules.module_words()), Bits::new(rules.place_words()));
        for span in person.spans(asked.project).filter(|span| span.contains(asked.at)) {
            if span.is_grant() {
                allowed.add(rules.places_of(span.what(), local));
            } else {
                members.add(rules.modules_of(span.what()));
            }
        }
        let (modules, environments) = self.block.counts();
        if asked.rule == Rule::Manage {
            // Managing takes the whole project, wherever in it one asks.
            let is_full = allowed.has(rules.bit(Spot::WHOLE));
            allowed = Bits { is_full, ..Bits::new(0) };
        }
        let project = self.id();
        found.reserve(allowed.count());
        for module in 0..=modules {
            if asked.rule == Rule::TwoLegs && !members.has(wide(module)) {
                continue;
            }
            for environment in 0..=environments {
                let spot = Spot { module, environment };
                if allowed.has(rules.bit(spot)) {
                    let (module, environment) = self.place_ids(spot);
                    found.push(Scope::Project { project, module, environment });
                }
            }
        }
    }
}

/// Bits in a few words on the stack, or on the heap where there are more.
#[derive(Debug)]
struct Bits {
    few: [u32; 8],
    many: Vec<u32>,
    is_full: bool,
}

impl Bits {
    fn new(words: usize) -> Self {
        let few = [0; 8];
        let many = if words > few.len() { vec![0; words] } else { Vec::new() };
        Self { few, many, is_full: false }
    }

    fn words(&self) -> &[u32] {
        if self.many.is_empty() { &self.few } else { &self.many }
    }

    fn add(&mut self, words: &[u32]) {
        let sums = if self.many.is_empty() { &mut self.few } else { &mut *self.many };
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum |= *word;
        }
    }

    fn has(&self, bit: usize) -> bool {
        let word = self.words().get(bit / 32).copied().unwrap_or_default();
        self.is_full || word >> (bit % 32) & 1 == 1
    }

    fn count(&self) -> usize {
        let ones = self.words().iter().map(|word| word.count_ones());
        usize::try_from(ones.fold(0, u32::saturating_add)).unwrap_or_default()
    }
}
