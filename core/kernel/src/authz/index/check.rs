//! The question "may they, now?": no lock, no memory taken, no row that is not this user's.

use super::Index;
use super::flags::Flags;
use super::project::{ProjectIndex, Spot};
use super::rules::Rules;
use super::shard::Person;
use super::words::wide;
use crate::authz::action::{Action, Rule};
use crate::authz::question::Scope;
use crate::clock::Timestamp;
use crate::id::{ProjectId, UserId};
use crate::org::GlobalRole;

/// An action that was looked up before.
///
/// ```
/// # use placet_core::authz::{Action, Scope};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// let index = gate.index()?;
/// let (approve, shop) = (index.action(&Action::APPROVE), Scope::project(office.project));
/// let place = index.place(shop).expect("it is there");
/// assert!(!index.can_at(office.ana.user(), &approve, &place, gate.now()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ActionHandle {
    name: Action,
    rule: Rule,
    takes_person: bool,
    table: u32,
    number: Option<u16>,
}

/// A place that was looked up before. It stays right when the organisation changes: where what it stands
/// on was numbered anew, it is looked up again.
///
/// ```
/// # use placet_core::authz::{Action, Scope};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// let index = gate.index()?;
/// let place = index.place(Scope::module(office.project, office.module, office.environment));
/// let (place, read) = (place.expect("it is there"), index.action(&Action::READ));
/// assert!(index.can_at(office.ana.user(), &read, &place, gate.now()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PlaceHandle {
    scope: Scope,
    number: u32,
    shape: u32,
    spot: Spot,
}

impl Index {
    /// Looks an action up. One that no role has yet is an action all the same.
    pub fn action(&self, action: &Action) -> ActionHandle {
        ActionHandle {
            name: action.clone(),
            rule: action.rule(),
            takes_person: takes_person(action),
            table: self.actions.table,
            number: self.actions.number(action),
        }
    }

    /// Looks a place up; `None` where there is no such project, module or environment.
    pub fn place(&self, scope: Scope) -> Option<PlaceHandle> {
        let Scope::Project { project, module, environment } = scope else {
            return Some(PlaceHandle { scope, number: 0, shape: 0, spot: Spot::WHOLE });
        };
        let (number, found) = self.project(project)?;
        let spot = found.spot((module, environment))?;
        Some(PlaceHandle { scope, number, shape: found.shape, spot })
    }

    pub(super) fn project(&self, id: ProjectId) -> Option<(u32, &ProjectIndex)> {
        let number = self.numbers.get(id)?;
        Some((u32::try_from(number).ok()?, self.projects.get(number)?))
    }

    /// Whether `user` may do `action` in `scope` at that instant. Anything unknown is a no.
    #[must_use]
    pub fn can(&self, user: UserId, action: &Action, scope: Scope, at: Timestamp) -> bool {
        let Scope::Project { project, module, environment } = scope else {
            return self.can_on_platform(user, action.rule());
        };
        // First, because this is waited for longest, and nothing else has to be waited for to begin with it.
        let Some(person) = self.people.find(user) else { return false };
        let Some((project, found)) = self.project(project) else { return false };
        let Some(spot) = found.spot((module, environment)) else { return false };
        found.permits(&person, &self.asked(action, project, spot, at))
    }

    /// As [`Self::can`], with what was looked up before.
    #[must_use]
    #[inline]
    pub fn can_at(
        &self,
        user: UserId,
        action: &ActionHandle,
        place: &PlaceHandle,
        at: Timestamp,
    ) -> bool {
        let Scope::Project { .. } = place.scope else {
            return self.can_on_platform(user, action.rule);
        };
        // First, as above.
        let person = self.people.find(user);
        let found =
            self.projects.get(wide(place.number)).filter(|found| found.shape == place.shape);
        let (Some(found), Some(number)) = (found, self.number_of(action)) else {
            return self.can(user, &action.name, place.scope, at);
        };
        let (project, spot) = (place.number, place.spot);
        let ActionHandle { rule, takes_person, .. } = *action;
        let asked = Asked { project, action: Some(number), rule, takes_person, spot, at };
        person.is_some_and(|person| found.permits(&person, &asked))
    }

    fn number_of(&self, action: &ActionHandle) -> Option<u16> {
        action.number.filter(|_| action.table == self.actions.table)
    }

    fn can_on_platform(&self, user: UserId, rule: Rule) -> bool {
        let flags = self.people.flags(user);
        match rule {
            Rule::Administer => flags.holds(GlobalRole::PlatformAdmin) && !flags.is_agent(),
            Rule::Audit => audits(flags),
            Rule::TwoLegs | Rule::Read | Rule::Manage => false,
        }
    }

    pub(super) fn asked(&self, action: &Action, project: u32, spot: Spot, at: Timestamp) -> Asked {
        let (rule, takes_person) = (action.rule(), takes_person(action));
        Asked { project, action: self.actions.number(action), rule, takes_person, spot, at }
    }

    /// Whether `scope` is a place of this organisation.
    pub(super) fn spot_of(&self, scope: Scope) -> Option<(u32, &ProjectIndex, Spot)> {
        let Scope::Project { project, module, environment } = scope else { return None };
        let (number, found) = self.project(project)?;
        Some((number, found, found.spot((module, environment))?))
    }

    /// About how many bytes this index takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let whole = size_of::<ProjectIndex>();
        let projects =
            self.projects.iter().map(|project| project.heap_bytes().saturating_add(whole));
        let people = self.people.heap_bytes().saturating_add(self.numbers.heap_bytes());
        projects.fold(people, usize::saturating_add)
    }
}

/// Whether an agent may never do it.
pub(super) fn takes_person(action: &Action) -> bool {
    matches!(action.rule(), Rule::Manage | Rule::Administer) || *action == Action::APPROVE
}

fn audits(flags: Flags) -> bool {
    flags.holds(GlobalRole::PlatformAdmin) || flags.holds(GlobalRole::Auditor)
}

/// A question about one project and somebody, in the index's own numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) project: u32,
    pub(super) action: Option<u16>,
    pub(super) rule: Rule,
    pub(super) takes_person: bool,
    pub(super) spot: Spot,
    pub(super) at: Timestamp,
}

impl ProjectIndex {
    /// What the rule of the action says about somebody.
    #[inline]
    pub(super) fn permits(&self, person: &Person<'_>, asked: &Asked) -> bool {
        let flags = person.flags;
        self.by_rows(person, asked)
            || match asked.rule {
                Rule::TwoLegs | Rule::Administer => false,
                Rule::Read => flags.holds(GlobalRole::Auditor),
                Rule::Manage => flags.holds(GlobalRole::PlatformAdmin) && !flags.is_agent(),
                Rule::Audit => audits(flags),
            }
    }

    /// The same by rows alone, whatever global role they hold.
    #[inline]
    pub(super) fn by_rows(&self, person: &Person<'_>, asked: &Asked) -> bool {
        match asked.rule {
            Rule::TwoLegs => self.two_legs(person, asked),
            Rule::Read => self.second_leg(person, asked),
            // Managing takes the whole project, wherever in it one asks.
            Rule::Manage => self.second_leg(person, &Asked { spot: Spot::WHOLE, ..*asked }),
            Rule::Audit | Rule::Administer => false,
        }
    }

    /// Membership and grant.
    #[inline]
    fn two_legs(&self, person: &Person<'_>, asked: &Asked) -> bool {
        let rules = self.rules();
        let Some(action) = local_action(&rules, person, asked) else { return false };
        let bit = rules.bit(asked.spot);
        let (mut is_member, mut is_granted) = (false, false);
        for span in person.spans(asked.project).filter(|span| span.contains(asked.at)) {
            if span.is_grant() {
                is_granted = is_granted || rules.allows(span.what(), action, bit);
            } else {
                is_member = is_member || rules.looks_after(span.what(), asked.spot.module);
            }
        }
        is_member && is_granted
    }

    /// The grant alone.
    #[inline]
    fn second_leg(&self, person: &Person<'_>, asked: &Asked) -> bool {
        let rules = self.rules();
        let Some(action) = local_action(&rules, person, asked) else { return false };
        let bit = rules.bit(asked.spot);
        let mut live = person.spans(asked.project).filter(|span| span.contains(asked.at));
        live.any(|span| span.is_grant() && rules.allows(span.what(), action, bit))
    }
}

/// The project's own number of the action; `None` also for somebody who may not do it whatever their rows say.
#[inline]
pub(super) fn local_action(rules: &Rules<'_>, person: &Person<'_>, asked: &Asked) -> Option<usize> {
    let number = asked.action?;
    if !person.flags.is_active() || (asked.takes_person && person.flags.is_agent()) {
        return None;
    }
    rules.local_action(number)
}

impl PlaceHandle {
    /// Which place it is.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}
