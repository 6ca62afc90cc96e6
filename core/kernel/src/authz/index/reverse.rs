//! The question asked from the other end: who can.
#![expect(
    clippy::too_many_arguments,
    reason = "each part of a question is of a type of its own: none is taken for another"
)]

use super::Index;
use super::check::Asked;
use super::flags::Flags;
use super::members::Hint;
use super::paging::Paging;
use super::project::{ProjectIndex, Spot};
use super::shard::Person;
use super::words::narrow;
use crate::authz::action::{Action, Rule};
use crate::authz::question::Scope;
use crate::clock::Timestamp;
use crate::id::UserId;
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
    /// By a global role, whoever holds it. Where somebody is away, only those that somebody else holds.
    pub global_roles: Vec<GlobalRole>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<UserId>,
}

/// How many people are looked up before the first of them is asked about.
const AT_ONCE: usize = 32;

impl Index {
    /// Who can do `action` in `scope` at that instant, in ascending order of their ids. Pages are stable: a
    /// user who can throughout is on exactly one of them.
    pub fn who_can(&self, action: &Action, scope: Scope, at: Timestamp, page: Paging) -> WhoCan {
        let mut found = self.by_rows(action, scope, at, &[], page);
        if self.place(scope).is_some() {
            found.global_roles = by_role(action.rule(), scope).to_vec();
        }
        found
    }

    /// Who could do `action` in `scope` at that instant if those who are `away` did nothing, as
    /// [`Self::who_can`] lists them. Of the global roles it names those that somebody holds who is not away.
    ///
    /// Whoever is away counts as if they were not active; nothing else changes, and nobody is put in their place.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Paging, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let (index, page) = (gate.index()?, Paging::first(100));
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let away = [office.bo.user(), office.root.user()];
    /// let left = index.who_can_without(&Action::APPROVE, place, gate.now(), &away, page);
    /// assert!(left.users.is_empty());
    /// // Nobody else is PLATFORM_ADMIN, who manages every project.
    /// assert!(!index.who_can(&Action::MANAGE, place, gate.now(), page).global_roles.is_empty());
    /// let left = index.who_can_without(&Action::MANAGE, place, gate.now(), &away, page);
    /// assert!(left.global_roles.is_empty());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn who_can_without(
        &self,
        action: &Action,
        scope: Scope,
        at: Timestamp,
        away: &[UserId],
        page: Paging,
    ) -> WhoCan {
        let mut found = self.by_rows(action, scope, at, away, page);
        if self.place(scope).is_some() {
            let roles = by_role(action.rule(), scope).iter().copied();
            found.global_roles =
                roles.filter(|role| self.is_held(*role, action.rule(), away)).collect();
        }
        found
    }

    fn by_rows(
        &self,
        action: &Action,
        scope: Scope,
        at: Timestamp,
        away: &[UserId],
        page: Paging,
    ) -> WhoCan {
        let mut found = WhoCan::default();
        let Some((number, project, spot)) = self.spot_of(scope) else { return found };
        let asked = self.asked(action, number, spot, at);
        let can = |person: &Person<'_>| project.by_rows(person, &asked);
        let Some(wanted) = project.wanted(&asked) else { return found };
        let first = project.users().partition_point(|user| !page.reaches(*user));
        let mut there = project.members().hinted(first, &wanted).filter(|id| !away.contains(id));
        loop {
            // Some are looked up before the first of them is asked about: so one need not wait for the other.
            let some = there.by_ref().take(AT_ONCE).map(|user| self.people.find(user));
            let some: Vec<_> = some.collect();
            if some.is_empty() {
                return found;
            }
            for person in some.into_iter().flatten().filter(can) {
                if page.is_full(found.users.len()) {
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

    /// Whether somebody holds `role` who is not away, and can do by it what the rule gives to it.
    pub(super) fn is_held(&self, role: GlobalRole, rule: Rule, away: &[UserId]) -> bool {
        let mut holders = self.people.holders(role);
        holders.any(|user| !away.contains(&user) && counts(rule, self.people.flags(user)))
    }

    /// The global roles of an active user.
    pub fn global_roles(&self, user: UserId) -> Vec<GlobalRole> {
        let flags = self.people.flags(user);
        let roles = [GlobalRole::PlatformAdmin, GlobalRole::Auditor].into_iter();
        roles.filter(|role| flags.holds(*role)).collect()
    }

    /// The global roles by which `user` can do what the rule is about, wherever a role suffices for it.
    pub(super) fn roles_for(&self, user: UserId, rule: Rule) -> Vec<GlobalRole> {
        let flags = self.people.flags(user);
        let roles = suffice(rule).iter().copied();
        roles.filter(|role| flags.holds(*role) && counts(rule, flags)).collect()
    }
}

impl ProjectIndex {
    /// What rows somebody needs who can by rows, one of each; `None` where nobody can.
    fn wanted(&self, asked: &Asked) -> Option<Vec<Hint>> {
        let (rules, names) = (self.rules(), self.names());
        let action = rules.local_action(asked.action?)?;
        let spot = if asked.rule == Rule::Manage { Spot::WHOLE } else { asked.spot };
        let bit = rules.bit(spot);
        let roles = (0..narrow(names.roles.len())).filter(|role| rules.allows(*role, action, bit));
        let mut wanted = vec![roles.map(Hint::role).fold(Hint::default(), Hint::and)];
        if asked.rule == Rule::TwoLegs {
            let teams = 0..narrow(names.teams.len());
            let teams = teams.filter(|team| rules.looks_after(*team, spot.module));
            wanted.push(teams.map(Hint::team).fold(Hint::default(), Hint::and));
        }
        Some(wanted)
    }
}

/// Whether a global role is any use to somebody for what the rule is about.
const fn counts(rule: Rule, flags: Flags) -> bool {
    !(matches!(rule, Rule::Manage | Rule::Administer) && flags.is_agent())
}

/// The global roles that suffice where a role suffices at all.
pub(super) const fn suffice(rule: Rule) -> &'static [GlobalRole] {
    match rule {
        Rule::Administer | Rule::Manage => &[GlobalRole::PlatformAdmin],
        Rule::Read => &[GlobalRole::Auditor],
        Rule::Audit => &[GlobalRole::PlatformAdmin, GlobalRole::Auditor],
        Rule::TwoLegs => &[],
    }
}

/// The global roles that suffice.
pub(crate) const fn by_role(rule: Rule, scope: Scope) -> &'static [GlobalRole] {
    match (rule, scope) {
        (Rule::Administer, Scope::Project { .. })
        | (Rule::Read | Rule::Manage, Scope::Platform) => &[],
        (Rule::Administer | Rule::Manage | Rule::Read | Rule::Audit | Rule::TwoLegs, _) => {
            suffice(rule)
        }
    }
}
