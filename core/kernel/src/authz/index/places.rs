//! The question asked from the other end: where can somebody, and where can nobody else.

use core::convert::Infallible;
use core::fmt;

use super::Index;
use super::bits::Bits;
use super::check::{Asked, local_action};
use super::paging::Paging;
use super::project::{ProjectIndex, Spot};
use super::reverse::suffice;
use super::shard::Person;
use super::words::{narrow, wide};
use crate::authz::action::{Action, Rule};
use crate::authz::question::Scope;
use crate::clock::Timestamp;
use crate::id::{ProjectId, UserId};
use crate::org::GlobalRole;

/// One page of places, ordered by project, module and environment. A place without a module or an environment
/// stands for the question that names none.
///
/// What a global role gives everywhere is not listed place by place: the role is named.
///
/// ```
/// use placet_core::authz::{Action, Paging};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// // Page by page, until there is no next one.
/// let (index, at, mut page) = (gate.index()?, gate.now(), Some(Paging::first(3)));
/// let mut count = 0;
/// while let Some(which) = page {
///     let found = index.where_can(office.bo.user(), &Action::APPROVE, at, which);
///     count += found.items.len();
///     page = found.next.map(|last| which.after(last));
/// }
/// assert_eq!(count, 4); // the module or none, in the environment or none
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Places<Item = Scope> {
    /// The places, by rows of the user's own; for [`Index::matrix`] with what the user can do there.
    pub items: Vec<Item>,
    /// The global roles by which the user can wherever those suffice.
    pub global_roles: Vec<GlobalRole>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Scope>,
}

/// Whose places are listed, which page of them, and in which projects whoever asks may know them.
pub(crate) struct Listing<'m, E> {
    pub(crate) user: UserId,
    pub(crate) page: Paging<Scope>,
    pub(crate) may: &'m mut dyn FnMut(ProjectId) -> Result<bool, E>,
}

impl<E> fmt::Debug for Listing<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Index {
    /// Where `user` can do `action` at that instant. Pages are stable: a place where they can throughout is on
    /// exactly one of them.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Paging, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let (user, page) = (office.bo.user(), Paging::first(100));
    /// let found = gate.index()?.where_can(user, &Action::APPROVE, gate.now(), page);
    /// assert!(found.items.contains(&Scope::module(office.project, office.module, office.environment)));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn where_can(
        &self,
        user: UserId,
        action: &Action,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Places {
        let Ok(found) = self.where_can_of(everywhere(user, page, &mut |_| Ok(true)), action, at);
        found
    }

    /// Everything that `user` can do at that instant: each place with the actions there, in the order of their
    /// names. Pages are as those of [`Self::where_can`].
    ///
    /// ```
    /// # use placet_core::authz::{Action, Paging, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let matrix = gate.index()?.matrix(office.bo.user(), gate.now(), Paging::first(100));
    /// let (place, actions) = &matrix.items[0];
    /// assert_eq!(*place, Scope::project(office.project));
    /// assert_eq!(*actions, [Action::APPROVE, Action::EXECUTE]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn matrix(
        &self,
        user: UserId,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Places<(Scope, Vec<Action>)> {
        let Ok(found) = self.matrix_of(everywhere(user, page, &mut |_| Ok(true)), at);
        found
    }

    /// The places in which `user` can do `action` at that instant and nobody else can: what is to be filled
    /// before they leave. Pages are as those of [`Self::where_can`].
    ///
    /// Of the global roles it names those that give the action to this user and to nobody else.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Paging, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let (index, bo, page) = (gate.index()?, office.bo.user(), Paging::first(100));
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// assert!(index.only_by(bo, &Action::APPROVE, gate.now(), page).items.contains(&place));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn only_by(
        &self,
        user: UserId,
        action: &Action,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Places {
        let Ok(found) = self.only_by_of(everywhere(user, page, &mut |_| Ok(true)), action, at);
        found
    }

    /// As [`Self::where_can`], for whoever may not know everything.
    pub(crate) fn where_can_of<E>(
        &self,
        listing: Listing<'_, E>,
        action: &Action,
        at: Timestamp,
    ) -> Result<Places, E> {
        let global_roles = self.roles_for(listing.user, action.rule());
        let asked = self.asked(action, 0, Spot::WHOLE, at);
        let look = |number: u32, project: &ProjectIndex, person: &Person<'_>| {
            Some((project.places_of(person, &Asked { project: number, ..asked })?, ()))
        };
        let found = self.list(listing, look, |(), scope, _| scope)?;
        Ok(Places { global_roles, ..found })
    }

    /// As [`Self::matrix`], for whoever may not know everything.
    pub(crate) fn matrix_of<E>(
        &self,
        listing: Listing<'_, E>,
        at: Timestamp,
    ) -> Result<Places<(Scope, Vec<Action>)>, E> {
        let user = listing.user;
        let look = |number: u32, project: &ProjectIndex, person: &Person<'_>| {
            let mut all: Option<Bits> = None;
            let mut each = Vec::new();
            for action in project.rules().actions().filter_map(|action| self.actions.name(action)) {
                let asked = self.asked(action, number, Spot::WHOLE, at);
                let Some(places) = project.places_of(person, &asked) else { continue };
                all.get_or_insert_with(|| project.no_places()).add(places.words());
                each.push((action, places));
            }
            each.sort_unstable_by_key(|(action, _)| *action);
            Some((all?, each))
        };
        let found = self.list(listing, look, |each, scope, bit| {
            let there = each.iter().filter(|(_, places)| places.has(bit));
            (scope, there.map(|(action, _)| (*action).clone()).collect())
        })?;
        Ok(Places { global_roles: self.global_roles(user), ..found })
    }

    /// As [`Self::only_by`], for whoever may not know everything.
    pub(crate) fn only_by_of<E>(
        &self,
        listing: Listing<'_, E>,
        action: &Action,
        at: Timestamp,
    ) -> Result<Places, E> {
        let (user, rule) = (listing.user, action.rule());
        let asked = self.asked(action, 0, Spot::WHOLE, at);
        // Where a global role suffices, it does in every project: one other holder is enough for all.
        if suffice(rule).iter().any(|role| self.is_held(*role, rule, &[user])) {
            return Ok(Places { items: Vec::new(), global_roles: Vec::new(), next: None });
        }
        let look = |number: u32, project: &ProjectIndex, person: &Person<'_>| {
            let asked = Asked { project: number, ..asked };
            let mut only = project.places_of(person, &asked)?;
            let others = project.users().iter().filter(|other| **other != user);
            for other in others.filter_map(|other| self.people.find(*other)) {
                if let Some(places) = project.places_of(&other, &asked) {
                    only.take_away(places.words());
                    if only.is_empty() {
                        return None;
                    }
                }
            }
            Some((only, ()))
        };
        let found = self.list(listing, look, |(), scope, _| scope)?;
        Ok(Places { global_roles: self.roles_for(user, rule), ..found })
    }

    /// One page of what `look` finds in each project of the user, in order. `item` makes an item of a place, of
    /// its number in the project, and of what `look` found beside the places.
    fn list<'a, E, Found, Item>(
        &'a self,
        listing: Listing<'_, E>,
        look: impl Fn(u32, &'a ProjectIndex, &Person<'a>) -> Option<(Bits, Found)>,
        item: impl Fn(&Found, Scope, usize) -> Item,
    ) -> Result<Places<Item>, E> {
        let Listing { user, page, may } = listing;
        let mut listed = Places { items: Vec::new(), global_roles: Vec::new(), next: None };
        let mut last = None;
        let first = page.begins_after().and_then(|after| after.project_id());
        let Some(person) = self.people.find(user) else { return Ok(listed) };
        let projects = self.projects_of(&person).into_iter();
        for (number, project) in projects.filter(|(_, project)| Some(project.id()) >= first) {
            let Some((places, found)) = look(number, project, &person) else { continue };
            // Last, because it may have to read.
            if !may(project.id())? {
                continue;
            }
            listed.items.reserve(page.room(listed.items.len()).min(places.count()));
            for (bit, scope) in project.scopes(&places).filter(|(_, scope)| page.reaches(*scope)) {
                if page.is_full(listed.items.len()) {
                    listed.next = last;
                    return Ok(listed);
                }
                listed.items.push(item(&found, scope, bit));
                last = Some(scope);
            }
        }
        Ok(listed)
    }

    /// The projects that `user` has rows in, ordered by their ids.
    pub fn project_ids(&self, user: UserId) -> Vec<ProjectId> {
        let person = self.people.find(user);
        let projects = person.into_iter().flat_map(|person| self.projects_of(&person));
        projects.map(|(_, project)| project.id()).collect()
    }

    /// The projects that `user` may read anything of, or manage; `None` for all of them, by a global role.
    pub(crate) fn seen_by(&self, user: UserId, at: Timestamp) -> Option<Vec<ProjectId>> {
        let shows = [Action::READ, Action::MANAGE];
        if shows.iter().any(|action| !self.roles_for(user, action.rule()).is_empty()) {
            return None;
        }
        let Some(person) = self.people.find(user) else { return Some(Vec::new()) };
        let sees = |(number, project): &(u32, &ProjectIndex)| {
            shows.iter().any(|action| {
                let asked = self.asked(action, *number, Spot::WHOLE, at);
                project.places_of(&person, &asked).is_some()
            })
        };
        let seen = self.projects_of(&person).into_iter().filter(sees);
        Some(seen.map(|(_, project)| project.id()).collect())
    }

    /// The projects in which somebody has rows, with their numbers, in the order of their ids.
    fn projects_of(&self, person: &Person<'_>) -> Vec<(u32, &ProjectIndex)> {
        let numbers = person.projects();
        let found = numbers.filter_map(|number| Some((number, self.projects.get(wide(number))?)));
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by_key(|(_, project)| project.id());
        found
    }
}

/// A listing for whoever may know everything.
fn everywhere(
    user: UserId,
    page: Paging<Scope>,
    may: &mut dyn FnMut(ProjectId) -> Result<bool, Infallible>,
) -> Listing<'_, Infallible> {
    Listing { user, page, may }
}

impl ProjectIndex {
    /// The places in which somebody has the action by rows that hold, whatever spot was asked about; `None` where there is none. A bit stands
    /// for a place as [`super::rules::Rules::bit`] numbers it.
    fn places_of(&self, person: &Person<'_>, asked: &Asked) -> Option<Bits> {
        if matches!(asked.rule, Rule::Administer | Rule::Audit) {
            // No row of a project gives these, whatever it says.
            return None;
        }
        let rules = self.rules();
        let local = local_action(&rules, person, asked)?;
        let (mut members, mut places) = (Bits::new(rules.module_words()), self.no_places());
        for span in person.spans(asked.project).filter(|span| span.contains(asked.at)) {
            if span.is_grant() {
                places.add(rules.places_of(span.what(), local));
            } else {
                members.add(rules.modules_of(span.what()));
            }
        }
        match asked.rule {
            // Managing takes the whole project, wherever in it one asks.
            Rule::Manage if places.has(rules.bit(Spot::WHOLE)) => {
                places.fill(self.place_count());
            }
            Rule::Manage => return None,
            Rule::TwoLegs => {
                let columns = self.columns();
                places.keep(|bit| members.has(bit.checked_div(columns).unwrap_or_default()));
            }
            Rule::Read | Rule::Administer | Rule::Audit => {}
        }
        (!places.is_empty()).then_some(places)
    }

    fn no_places(&self) -> Bits {
        Bits::new(self.rules().place_words())
    }

    /// How many places a module has, the one without an environment among them.
    fn columns(&self) -> usize {
        wide(self.block.counts().1).saturating_add(1)
    }

    fn place_count(&self) -> usize {
        wide(self.block.counts().0).saturating_add(1).saturating_mul(self.columns())
    }

    /// What the bits stand for, in the order of the scopes.
    fn scopes(&self, places: &Bits) -> impl Iterator<Item = (usize, Scope)> {
        let (project, columns) = (self.id(), self.columns());
        // The last module, because it mostly comes again.
        let mut row = (usize::MAX, None);
        places.ones().filter_map(move |bit| {
            let (module, environment) = (bit.checked_div(columns)?, bit.checked_rem(columns)?);
            if row.0 != module {
                row = (module, self.place_ids(Spot { module: narrow(module), environment: 0 }).0);
            }
            let environment = Spot { module: 0, environment: narrow(environment) };
            let (_, environment) = self.place_ids(environment);
            Some((bit, Scope::Project { project, module: row.1, environment }))
        })
    }
}
