//! The question "may they, now?": no lock, no memory taken, no row that is not this user's.

use super::Index;
use super::people::Flags;
use super::project::{ProjectIndex, Spot};
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
            takes_person: *action == Action::APPROVE,
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
        let Some((_, found)) = self.project(project) else { return false };
        let Some(spot) = found.spot((module, environment)) else { return false };
        let number = self.actions.number(action);
        let asked = Asked { user, number, takes_person: *action == Action::APPROVE, spot, at };
        self.can_in_project(found, action.rule(), &asked)
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
        let number = usize::try_from(place.number).unwrap_or(usize::MAX);
        let found = self.projects.get(number).filter(|found| found.shape == place.shape);
        let (Some(found), Some(number)) = (found, self.number_of(action)) else {
            return self.can(user, &action.name, place.scope, at);
        };
        let (number, takes_person) = (Some(number), action.takes_person);
        self.can_in_project(
            found,
            action.rule,
            &Asked { user, number, takes_person, spot: place.spot, at },
        )
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

    #[inline]
    pub(super) fn can_in_project(&self, project: &ProjectIndex, rule: Rule, asked: &Asked) -> bool {
        match rule {
            Rule::TwoLegs => project.two_legs(asked),
            Rule::Read => {
                project.second_leg(asked)
                    || self.people.flags(asked.user).holds(GlobalRole::Auditor)
            }
            Rule::Manage => {
                let whole = Asked { spot: Spot::WHOLE, takes_person: true, ..*asked };
                if project.second_leg(&whole) {
                    return true;
                }
                let flags = self.people.flags(asked.user);
                flags.holds(GlobalRole::PlatformAdmin) && !flags.is_agent()
            }
            Rule::Audit => audits(self.people.flags(asked.user)),
            Rule::Administer => false,
        }
    }

    /// Whether `scope` is a place of this organisation.
    pub(super) fn spot_of(&self, scope: Scope) -> Option<(&ProjectIndex, Spot)> {
        let Scope::Project { project, module, environment } = scope else { return None };
        let (_, found) = self.project(project)?;
        Some((found, found.spot((module, environment))?))
    }

    /// About how many bytes this index takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let projects = self
            .projects
            .iter()
            .map(|project| project.heap_bytes().saturating_add(size_of::<ProjectIndex>()));
        let people = self.people.heap_bytes().saturating_add(self.numbers.heap_bytes());
        projects.fold(people, usize::saturating_add)
    }
}

fn audits(flags: Flags) -> bool {
    flags.holds(GlobalRole::PlatformAdmin) || flags.holds(GlobalRole::Auditor)
}

/// A question about one project, in its own numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) user: UserId,
    pub(super) number: Option<u16>,
    pub(super) takes_person: bool,
    pub(super) spot: Spot,
    pub(super) at: Timestamp,
}

impl ProjectIndex {
    /// Membership and grant.
    #[inline]
    pub(super) fn two_legs(&self, asked: &Asked) -> bool {
        let Some(place) = self.staff.find(asked.user) else { return false };
        let Some(action) = asked.number.and_then(|number| self.rules.local_action(number)) else {
            return false;
        };
        self.two_legs_of(place, action, asked)
    }

    /// The same for the user at `place`, with the project's own number of the action.
    #[inline]
    pub(super) fn two_legs_of(&self, place: usize, action: usize, asked: &Asked) -> bool {
        let flags = self.staff.flags(place);
        if !flags.is_active() || (asked.takes_person && flags.is_agent()) {
            return false;
        }
        let bit = self.rules.bit(asked.spot);
        let (mut is_member, mut is_granted) = (false, false);
        for span in self.staff.spans(place).filter(|span| span.contains(asked.at)) {
            if span.is_grant() {
                is_granted = is_granted || self.rules.allows(span.what(), action, bit);
            } else {
                is_member = is_member || self.rules.looks_after(span.what(), asked.spot.module);
            }
        }
        is_member && is_granted
    }

    /// The grant alone.
    #[inline]
    pub(super) fn second_leg(&self, asked: &Asked) -> bool {
        let Some(place) = self.staff.find(asked.user) else { return false };
        let Some(action) = asked.number.and_then(|number| self.rules.local_action(number)) else {
            return false;
        };
        self.second_leg_of(place, action, asked)
    }

    #[inline]
    pub(super) fn second_leg_of(&self, place: usize, action: usize, asked: &Asked) -> bool {
        let flags = self.staff.flags(place);
        if !flags.is_active() || (asked.takes_person && flags.is_agent()) {
            return false;
        }
        let bit = self.rules.bit(asked.spot);
        let mut live = self.staff.spans(place).filter(|span| span.contains(asked.at));
        live.any(|span| span.is_grant() && self.rules.allows(span.what(), action, bit))
    }
}

impl PlaceHandle {
    /// Which place it is.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}
