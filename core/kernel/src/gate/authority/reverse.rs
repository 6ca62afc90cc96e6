//! Who can, and where: asked by a caller, who learns what they may know. The index answers; the policies of the
//! host say who may ask, and are not asked about the answer.
#![expect(
    clippy::too_many_arguments,
    reason = "each part of a question is of a type of its own: none is taken for another"
)]

use crate::authz::{Action, Index, Listing, Paging, Places, Scope, WhoCan};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::id::{ProjectId, UserId};
use crate::identity::Caller;

impl Gate {
    /// Who can do `action` in `scope` at that instant, by the index alone: [`Index::who_can`] for a caller.
    /// At most [`crate::limits::Limits::page_rows_max`] at a time.
    ///
    /// It takes `manage` or `audit` there. Whoever may not ask learns no more than
    /// [`crate::error::Code::NotFound`], as for a project that does not exist.
    ///
    /// ```
    /// use placet_core::authz::{Action, Paging, Scope};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let (now, page) = (gate.now(), Paging::first(100));
    /// let found = gate.who_can(&office.root, &Action::APPROVE, place, now, page)?;
    /// assert_eq!(found.users, [office.bo.user()]);
    /// let error = gate.who_can(&office.ana, &Action::APPROVE, place, now, page).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn who_can(
        &self,
        caller: &Caller,
        action: &Action,
        scope: Scope,
        at: Timestamp,
        page: Paging,
    ) -> Result<WhoCan, Error> {
        self.may_ask_who(caller, scope)?;
        self.with_index(|index| index.who_can(action, scope, at, self.at_most_a_page(page)))
    }

    /// Who could do `action` in `scope` at that instant if those who are `away` did nothing:
    /// [`Index::who_can_without`] for a caller. Who may ask is as for [`Self::who_can`].
    ///
    /// ```
    /// use placet_core::authz::{Action, Paging, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let (root, monday) = (&office.root, gate.now().plus_ms(3 * 86_400_000));
    /// let (away, page) = ([office.bo.user()], Paging::first(100));
    /// let left = gate.who_can_without(root, &Action::APPROVE, place, monday, &away, page)?;
    /// assert!(left.users.is_empty()); // somebody must stand in for Bo
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn who_can_without(
        &self,
        caller: &Caller,
        action: &Action,
        scope: Scope,
        at: Timestamp,
        away: &[UserId],
        page: Paging,
    ) -> Result<WhoCan, Error> {
        self.may_ask_who(caller, scope)?;
        let page = self.at_most_a_page(page);
        self.with_index(|index| index.who_can_without(action, scope, at, away, page))
    }

    /// Where `user` can do `action` at that instant, by the index alone: [`Index::where_can`] for a caller.
    /// At most [`crate::limits::Limits::page_rows_max`] places at a time.
    ///
    /// A user may ask about themselves. Of anybody else it lists the places of those projects in which the caller
    /// has `manage` or `audit`, and names global roles to whoever has `audit` on the platform. Whoever has
    /// neither anywhere in the user's projects learns no more than [`crate::error::Code::NotFound`], as for a
    /// user who does not exist.
    ///
    /// ```
    /// use placet_core::authz::{Action, Paging, Scope};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let (bo, now, page) = (office.bo.user(), gate.now(), Paging::first(100));
    /// for caller in [&office.bo, &office.root] {
    ///     assert!(gate.where_can(caller, bo, &Action::APPROVE, now, page)?.items.contains(&place));
    /// }
    /// let error = gate.where_can(&office.ana, bo, &Action::APPROVE, now, page).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn where_can(
        &self,
        caller: &Caller,
        user: UserId,
        action: &Action,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Result<Places, Error> {
        let is_own = caller.user() == user;
        self.about(caller, is_own, user, page, |index, listing| {
            index.where_can_of(listing, action, at)
        })
    }

    /// Everything that `user` can do at that instant, by the index alone: [`Index::matrix`] for a caller. Who may
    /// ask, and about which places, is as for [`Self::where_can`].
    ///
    /// ```
    /// use placet_core::authz::{Action, Paging, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (ana, page) = (office.ana.user(), Paging::first(100));
    /// let matrix = gate.matrix(&office.ana, ana, gate.now(), page)?;
    /// let (place, actions) = &matrix.items[0];
    /// assert_eq!(*place, Scope::project(office.project));
    /// assert_eq!(*actions, [Action::READ, Action::REQUEST]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn matrix(
        &self,
        caller: &Caller,
        user: UserId,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Result<Places<(Scope, Vec<Action>)>, Error> {
        let is_own = caller.user() == user;
        self.about(caller, is_own, user, page, |index, listing| index.matrix_of(listing, at))
    }

    /// The places in which `user` can do `action` at that instant and nobody else can, by the index alone:
    /// [`Index::only_by`] for a caller. Who may ask, and about which places, is as for [`Self::where_can`] of
    /// somebody else, also for the user: the answer is about all the others.
    ///
    /// ```
    /// use placet_core::authz::{Action, Paging, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let (bo, page) = (office.bo.user(), Paging::first(100));
    /// let to_fill = gate.only_by(&office.root, bo, &Action::APPROVE, gate.now(), page)?;
    /// assert!(to_fill.items.contains(&place));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn only_by(
        &self,
        caller: &Caller,
        user: UserId,
        action: &Action,
        at: Timestamp,
        page: Paging<Scope>,
    ) -> Result<Places, Error> {
        self.about(caller, false, user, page, |index, listing| {
            index.only_by_of(listing, action, at)
        })
    }

    fn at_most_a_page<Key: Copy + Ord>(&self, page: Paging<Key>) -> Paging<Key> {
        page.at_most(self.parts.limits.page_rows_max)
    }

    /// Lets pass who may know what anybody can in `scope`.
    fn may_ask_who(&self, caller: &Caller, scope: Scope) -> Result<(), Error> {
        self.consult(|txn| {
            let whole = scope.project_id().map_or(Scope::Platform, Scope::project);
            let is_there = match scope.project_id() {
                Some(project) => txn.shelf(project)?.is_some(),
                None => true,
            };
            if is_there && txn.may_explain_anybody(caller, whole)? {
                return Ok(());
            }
            Err(not_found("such scope"))
        })
    }

    /// Asks the index about `user`, for a caller: about all of it where `is_open`, else about the projects in
    /// which the caller may know what anybody can.
    fn about<Item>(
        &self,
        caller: &Caller,
        is_open: bool,
        user: UserId,
        page: Paging<Scope>,
        ask: impl Fn(&Index, Listing<'_, Error>) -> Result<Places<Item>, Error>,
    ) -> Result<Places<Item>, Error> {
        let page = self.at_most_a_page(page);
        self.consult(|txn| {
            let index = self.index()?;
            let now = self.now();
            let knows_roles = is_open || txn.may_explain_anybody(caller, Scope::Platform)?;
            let mut may = |project: ProjectId| {
                let whole = Scope::project(project);
                let looks = [Action::MANAGE, Action::AUDIT];
                // Where the index says no, nobody need be asked, nor the project be read.
                let perhaps =
                    || looks.iter().any(|look| index.can(caller.user(), look, whole, now));
                Ok(is_open || (perhaps() && txn.may_explain_anybody(caller, whole)?))
            };
            if !knows_roles {
                let mut projects = index.project_ids(user).into_iter();
                if !projects.try_fold(false, |any, project| Ok::<_, Error>(any || may(project)?))? {
                    return Err(not_found("such person or place"));
                }
            }
            let mut found = ask(&index, Listing { user, page, may: &mut may })?;
            if !knows_roles {
                found.global_roles.clear();
            }
            Ok(found)
        })
    }
}
