//! "May they?" and "why not?", without doing anything.

use core::fmt;

use super::Gate;
use super::decide::not_found;
use super::txn::Txn;
use crate::authz::{Action, Denial, Question, Reason, Scope, Witness};
use crate::error::Error;
use crate::id::UserId;
use crate::identity::Caller;

/// The answer to a question, with what makes it so. Its text form is one sentence for a person.
///
/// ```
/// use placet_core::authz::{Action, Scope};
/// use placet_core::gate::Answer;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// match gate.explain(&office.root, office.ana.user(), &Action::APPROVE, place)? {
///     Answer::Allowed(_) => panic!("Ana asks and reads"),
///     Answer::Denied(denial) => assert_eq!(denial.reasons[0].code(), "no_grant"),
/// }
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an answer is a yes or a no")]
pub enum Answer {
    /// Yes, by these rows.
    Allowed(Witness),
    /// No, for these reasons.
    Denied(Denial),
}

impl Answer {
    /// Whether it is a yes.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (ana, place) = (office.ana.user(), Scope::project(office.project));
    /// assert!(gate.explain(&office.ana, ana, &Action::READ, place)?.is_allowed());
    /// assert!(!gate.explain(&office.ana, ana, &Action::MANAGE, place)?.is_allowed());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(_) => f.write_str("allowed"),
            Self::Denied(denial) => write!(f, "denied: {denial}"),
        }
    }
}

impl Gate {
    /// Whether `user` may do `action` in `scope` now, by the index alone: for lists and for showing buttons. Any
    /// error is a no. The policies of the host are not asked, and a verb decides afresh whatever this said.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// let shows_button = |user| gate.can(user, &Action::EXECUTE, place);
    /// assert!(shows_button(office.bo.user()));
    /// assert!(!shows_button(office.ana.user()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn can(&self, user: UserId, action: &Action, scope: Scope) -> bool {
        let at = self.now();
        self.with_index(|index| index.can(user, action, scope, at)).unwrap_or(false)
    }

    /// Decides whether `user` may do `action` in `scope` now, as a verb would: by the index and by the
    /// policies, over rows read at this moment. Whatever keeps it from deciding is a no. Nothing is written.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// assert!(gate.authorize(office.bo.user(), &Action::APPROVE, place).is_allowed());
    /// assert!(!gate.authorize(office.ana.user(), &Action::APPROVE, place).is_allowed());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn authorize(&self, user: UserId, action: &Action, scope: Scope) -> Answer {
        self.consult(|txn| {
            if let Some(project) = scope.project_id()
                && txn.shelf(project)?.is_none()
            {
                return Ok(Answer::Denied(Denial::because(Reason::NoSuchPlace)));
            }
            txn.quietly(user, action, scope)
        })
        .unwrap_or_else(|error| {
            let code = error.code();
            Answer::Denied(Denial::because(Reason::Undecided { code }))
        })
    }

    /// Why `user` may or may not do `action` in `scope` now. Everybody may ask about themselves where
    /// they may read; about others whoever manages the project or reads the audit.
    ///
    /// Fails with [`crate::error::Code::NotFound`] where the caller may not look.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (bo, place) = (office.bo.user(), Scope::project(office.project));
    /// let answer = gate.explain(&office.root, bo, &Action::READ, place)?;
    /// assert!(answer.to_string().starts_with("denied: no role with the permission `read`"));
    /// // Ana does not manage the project: not her business.
    /// let error = gate.explain(&office.ana, bo, &Action::READ, place).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn explain(
        &self,
        caller: &Caller,
        user: UserId,
        action: &Action,
        scope: Scope,
    ) -> Result<Answer, Error> {
        self.consult(|txn| {
            if let Some(project) = scope.project_id()
                && txn.shelf(project)?.is_none()
            {
                return Err(not_found("such scope"));
            }
            let project = scope.project_id().map_or(Scope::Platform, Scope::project);
            let looks = [Action::MANAGE, Action::AUDIT];
            let mut may_look = caller.user() == user && scope == Scope::Platform;
            if let (true, Some(project)) = (caller.user() == user, scope.project_id()) {
                let place = txn.read_scope(user, project)?;
                may_look = may_look || txn.quietly(user, &Action::READ, place)?.is_allowed();
            }
            for look in &looks {
                may_look = may_look || txn.quietly(caller.user(), look, project)?.is_allowed();
            }
            if !may_look {
                return Err(not_found("such scope"));
            }
            txn.quietly(user, action, scope)
        })
    }
}

impl Txn<'_> {
    /// Decides without leaving a trace: looking is not doing.
    pub(super) fn quietly(
        &mut self,
        user: UserId,
        action: &Action,
        scope: Scope,
    ) -> Result<Answer, Error> {
        let question = Question { user, action: action.clone(), scope, at: self.now };
        Ok(match self.judge_question(&question)? {
            Ok(witness) => Answer::Allowed(witness),
            Err(denial) => Answer::Denied(denial),
        })
    }
}
