//! What somebody is told who may not, and where in a project they may look at all.

use super::decide::not_found;
use super::txn::Txn;
use crate::authz::{Action, Denial, Question, Scope};
use crate::error::{Code, Error};
use crate::id::{ProjectId, UserId};

impl Txn<'_> {
    /// What the denied caller is told: why, or that there is nothing, if they may not even look.
    pub(super) fn refusal(
        &mut self,
        question: &Question,
        subject: &str,
        denial: &Denial,
    ) -> Result<Error, Error> {
        let Question { user, action, scope, at: _ } = question;
        if let Some(project) = scope.project_id()
            && !self.may_look(*user, project, *scope)?
        {
            return Ok(not_found(subject));
        }
        Ok(Error::new(Code::Denied, format!("`{user}` may not {action} here: {denial}"))
            .with_help("ask who could, or ask an administrator of the project for what is missing")
            .with_detail("action", action)
            .with_detail("scope", scope))
    }

    /// Whether the user may know that there is something in `scope`: a request takes reading its very place,
    /// a place that or managing the project, and the project itself reading anything of it or managing it.
    fn may_look(&mut self, user: UserId, project: ProjectId, scope: Scope) -> Result<bool, Error> {
        let whole = Scope::project(project);
        let place = if scope == whole { self.read_scope(user, project)? } else { scope };
        if self.quietly(user, &Action::READ, place)?.is_allowed() {
            return Ok(true);
        }
        Ok(self.about.is_none() && self.quietly(user, &Action::MANAGE, whole)?.is_allowed())
    }

    /// Where in `project` the user may read: the widest place of those that rows and policies let them; the
    /// whole project when nowhere.
    pub(super) fn read_scope(&mut self, user: UserId, project: ProjectId) -> Result<Scope, Error> {
        let whole = Scope::project(project);
        let Some(shelf) = self.shelf(project)? else { return Ok(whole) };
        // The whole goes first: a global role reads it, whatever narrow places somebody has beside.
        let places = shelf.read_places(user, self.now).into_iter().filter_map(|place| {
            let scope = Scope::Project { project, module: place.0, environment: place.1 };
            (scope != whole).then_some(scope)
        });
        let places: Vec<Scope> = places.collect();
        if places.is_empty() {
            return Ok(whole);
        }
        for scope in core::iter::once(whole).chain(places) {
            if self.quietly(user, &Action::READ, scope)?.is_allowed() {
                return Ok(scope);
            }
        }
        Ok(whole)
    }
}
