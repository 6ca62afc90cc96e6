//! "May they?" and "why not?", without doing anything.

use crate::authz::{
    Action, Answer, Asker, Denial, Explanation, Missing, Paging, Question, Reason, Rule, Scope,
    answer, by_role,
};
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::about::About;
use crate::gate::decide::not_found;
use crate::gate::shelf::Shelf;
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::org::{User, UserKind};

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
        // The instant is read after the index, which may tell that it is later than the clock says.
        self.with_index(|index| index.can(user, action, scope, self.now())).unwrap_or(false)
    }

    /// Decides whether `user` may do `action` in `scope` now: by the index and by the policies, over rows read at
    /// this moment. Whatever keeps it from deciding is a no. Nothing is written.
    ///
    /// It is about no request: a yes to `approve` says that the user may approve there, and the verb still refuses
    /// whoever wrote or submitted what they would approve, and whom a policy keeps from such a plan.
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

    /// Says why a user may or may not do something, what would change it and until when, for the present instant
    /// or for another: then as the rows of today tell it, for what was decided then stands in the log.
    ///
    /// A user may ask about themselves where they may read; anybody else takes `manage` or `audit` there.
    /// Whoever may not learns no more than [`crate::error::Code::NotFound`], as for a place that does not exist.
    /// Whoever manages and does not audit learns no name of a user without a row in the project: there the id
    /// stands for it.
    ///
    /// It is about no request, as [`Self::authorize`]: that nobody approves what they wrote is no part of it, and policies
    /// are told no plan. The explanation says so; [`Self::explain_request`] asks about one.
    ///
    /// ```
    /// use placet_core::authz::{Action, Question, Scope};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let scope = Scope::module(office.project, office.module, office.environment);
    /// let question = Question { user: office.bo.user(), action: Action::APPROVE, scope, at: gate.now() };
    /// assert!(gate.explain(&office.root, &question)?.answer.is_allowed());
    /// // Ana may not ask about Bo.
    /// assert_eq!(gate.explain(&office.ana, &question).unwrap_err().code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn explain(&self, caller: &Caller, question: &Question) -> Result<Explanation, Error> {
        self.explained(caller, question, None)
    }

    /// Like [`Self::explain`], now, about going on with a request: policies are told what its plan says, and of `approve`
    /// who wrote it, as the verbs `submit`, `approve` and `execute` tell them. What its state has to say, see
    /// [`Self::actions`]. Whoever asks must be allowed to read the request besides.
    ///
    /// Fails with [`crate::error::Code::NotFound`] where it does not exist or may not be seen.
    ///
    /// ```
    /// use placet_core::authz::{Action, Language};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let ana = office.ana;
    /// let why = gate.explain_request(&ana, id, ana.user(), &Action::APPROVE)?;
    /// assert!(why.is_told_plan && !why.answer.is_allowed());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn explain_request(
        &self,
        caller: &Caller,
        id: RequestId,
        user: UserId,
        action: &Action,
    ) -> Result<Explanation, Error> {
        let scope = self.consult(|txn| Ok(txn.readable(caller, id)?.header.scope()))?;
        let question = Question { user, action: action.clone(), scope, at: self.now() };
        self.explained(caller, &question, Some(id))
    }

    fn explained(
        &self,
        caller: &Caller,
        question: &Question,
        request: Option<RequestId>,
    ) -> Result<Explanation, Error> {
        let Question { user, action, scope, at } = question;
        let (answer, missing, user_name, place, is_told_plan) = self.consult(|txn| {
            txn.may_explain(caller, *user, *scope)?;
            let Some(asker) = txn.asker(*user)? else { return Err(not_found("such scope")) };
            let about = match request {
                None => About::default(),
                Some(id) => txn.about_doing(id, action)?,
            };
            let answer = txn.quietly_asked(question, &about)?;
            let shelf = match scope.project_id() {
                Some(project) => txn.shelf(project)?,
                None => None,
            };
            let missing = match &answer {
                Answer::Allowed(_) => Vec::new(),
                Answer::Denied(denial) => missing(denial, question, &asker, shelf.as_deref()),
            };
            let user_name = txn.name_for(caller, &asker.user, *scope)?;
            let place =
                shelf.map_or_else(|| scope.to_string(), |shelf| shelf.known().place_text(*scope));
            Ok((answer, missing, user_name, place, about.plan.is_some()))
        })?;
        let (until, who_can) = self.with_index(|index| {
            // Where a policy decided otherwise, rows do not tell until when.
            let by_rows = index.can(*user, action, *scope, *at) == answer.is_allowed();
            let until = by_rows.then(|| index.until(*user, action, *scope, *at)).flatten();
            (until, index.who_can(action, *scope, *at, Paging::first(WHO_MAX)))
        })?;
        let question = question.clone();
        Ok(Explanation {
            question,
            answer,
            missing,
            until,
            who_can,
            user_name,
            place,
            is_told_plan,
        })
    }
}

/// How many users an explanation names who could.
const WHO_MAX: usize = 20;

/// What would make a yes of it; nothing where nothing could.
fn missing(
    denial: &Denial,
    question: &Question,
    asker: &Asker,
    shelf: Option<&Shelf>,
) -> Vec<Missing> {
    if asker.user.is_active {
        return missing_if_active(denial, question, &asker.user, shelf).unwrap_or_default();
    }
    if !denial.reasons.iter().all(Reason::is_about_rows) {
        return Vec::new();
    }
    // Being stopped is told first and hides the rest: what would the index say, were they active?
    let active = User { is_active: true, ..asker.user.clone() };
    let active = Asker { user: active, global_roles: asker.global_roles.clone() };
    let rest = match answer(question, &active, shelf.map(Shelf::known)) {
        Ok(_) => Some(Vec::new()),
        Err(denial) => missing_if_active(&denial, question, &active.user, shelf),
    };
    rest.map(|rest| core::iter::once(Missing::Activation).chain(rest).collect()).unwrap_or_default()
}

/// What an active user lacks; `None` where nothing makes a yes of it.
fn missing_if_active(
    denial: &Denial,
    question: &Question,
    user: &User,
    shelf: Option<&Shelf>,
) -> Option<Vec<Missing>> {
    let (rule, is_agent) = (question.action.rule(), user.kind == UserKind::Agent);
    let never = is_agent
        && (matches!(rule, Rule::Manage | Rule::Administer) || question.action == Action::APPROVE);
    if never || !denial.reasons.iter().all(Reason::is_about_rows) {
        return None;
    }
    Some(match (rule, shelf) {
        (Rule::TwoLegs, Some(shelf)) => {
            let membership = shelf.missing_membership(question).into_iter();
            membership.chain(shelf.missing_grant(question)).collect()
        }
        (Rule::Read | Rule::Manage, Some(shelf)) => {
            shelf.missing_grant(question).into_iter().collect()
        }
        (Rule::Administer | Rule::Audit, _) | (_, None) => {
            vec![Missing::GlobalRole { any_of: by_role(rule, question.scope).to_vec() }]
        }
    })
}

impl Txn<'_> {
    /// Lets pass who may know what `user` can in `scope`.
    fn may_explain(&mut self, caller: &Caller, user: UserId, scope: Scope) -> Result<(), Error> {
        if let Some(project) = scope.project_id()
            && self.shelf(project)?.is_none()
        {
            return Err(not_found("such scope"));
        }
        if caller.user() == user {
            // The question is about the caller: then reading there is enough.
            let reads =
                scope == Scope::Platform || self.quietly(user, &Action::READ, scope)?.is_allowed();
            if reads {
                return Ok(());
            }
        }
        let whole = scope.project_id().map_or(Scope::Platform, Scope::project);
        if self.may_explain_anybody(caller, whole)? { Ok(()) } else { Err(not_found("such scope")) }
    }

    /// What an explanation calls the user: by name for whoever may know them, from a row in the project or by
    /// auditing; by the id that they were asked about otherwise.
    fn name_for(&mut self, caller: &Caller, user: &User, scope: Scope) -> Result<String, Error> {
        let known = match scope.project_id() {
            None => true,
            Some(project) => {
                let has_row = self.shelf(project)?.is_some_and(|shelf| shelf.has_row_of(user.id));
                has_row
                    || caller.user() == user.id
                    || self.audits(caller, Scope::project(project))?
            }
        };
        Ok(if known { user.display_name.to_string() } else { user.id.to_string() })
    }

    /// Whether the caller may `audit` there, who may know of everybody.
    pub(in crate::gate) fn audits(&mut self, caller: &Caller, whole: Scope) -> Result<bool, Error> {
        Ok(self.quietly(caller.user(), &Action::AUDIT, whole)?.is_allowed())
    }

    /// Whether the caller may know what `user` can in `whole`: the platform, or a project that is there.
    pub(in crate::gate) fn can_explain(
        &mut self,
        caller: &Caller,
        user: UserId,
        whole: Scope,
    ) -> Result<bool, Error> {
        if caller.user() == user {
            // The question is about the caller: then reading anything of the project is enough.
            let Some(project) = whole.project_id() else { return Ok(true) };
            let place = self.read_scope(user, project)?;
            if self.quietly(user, &Action::READ, place)?.is_allowed() {
                return Ok(true);
            }
        }
        self.may_explain_anybody(caller, whole)
    }

    /// Whether the caller may know what anybody can in `whole`.
    pub(in crate::gate) fn may_explain_anybody(
        &mut self,
        caller: &Caller,
        whole: Scope,
    ) -> Result<bool, Error> {
        for look in [Action::MANAGE, Action::AUDIT] {
            if self.quietly(caller.user(), &look, whole)?.is_allowed() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Decides without leaving a trace: looking is not doing. It is about no request; see [`Self::quietly_about`].
    pub(in crate::gate) fn quietly(
        &mut self,
        user: UserId,
        action: &Action,
        scope: Scope,
    ) -> Result<Answer, Error> {
        self.quietly_about(user, action, scope, &About::default())
    }

    /// Like [`Self::quietly`], with what policies are told of what it is about.
    pub(in crate::gate) fn quietly_about(
        &mut self,
        user: UserId,
        action: &Action,
        scope: Scope,
        about: &About,
    ) -> Result<Answer, Error> {
        let question = Question { user, action: action.clone(), scope, at: self.now };
        self.quietly_asked(&question, about)
    }

    /// What policies are told of the request where somebody would do that with it, as its verbs tell them.
    fn about_doing(&mut self, id: RequestId, action: &Action) -> Result<About, Error> {
        let header = self.request(id)?.header;
        if !action.goes_on() {
            return Ok(About::default());
        }
        let about = self.about(&header)?;
        Ok(if *action == Action::APPROVE { about.with_authors(header.authors()) } else { about })
    }

    fn quietly_asked(&mut self, question: &Question, about: &About) -> Result<Answer, Error> {
        Ok(match self.judge_question(question, about)? {
            Ok(witness) => Answer::Allowed(witness),
            Err(denial) => Answer::Denied(denial),
        })
    }
}
