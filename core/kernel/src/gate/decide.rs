//! Asking: the index first, then the policies over the stored rows that the index named. Both must say yes.

use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::about::About;
use super::txn::{Txn, lost_race};
use super::{Gate, Shelf};
use crate::audit::Decision;
use crate::authz::{
    Action, ActionKind, Approve, Asker, Authorizer, Denial, Facts, GrantRows, MembershipRows,
    Permit, Question, Reason, Scope, Witness, answer,
};
use crate::error::{Code, Error};
use crate::id::{ProjectId, UserId};
use crate::org::Row;
use crate::org::book::{Book, Epoch, ProjectRow, global_role_path};
use crate::org::{GlobalRole, GlobalRoleGrant, Project, RolePermission, TeamModule, User};
use crate::request::Header;
use crate::store::{Key, records};

impl Txn<'_> {
    /// Asks whether `user` may do `A` in `scope`. `subject` is what a caller who may not even see it
    /// is told does not exist.
    pub(super) fn ask<A: ActionKind>(
        &mut self,
        user: UserId,
        scope: Scope,
        subject: &str,
    ) -> Result<Permit<A>, Error> {
        if let Some(project) = scope.project_id()
            && self.shelf(project)?.is_none()
        {
            return Err(not_found(subject));
        }
        self.ask_knowing(user, scope, &About::default(), subject)
    }

    /// Like [`Self::ask`], about going on with the request: policies are told what its plan says.
    pub(super) fn ask_about<A: ActionKind>(
        &mut self,
        user: UserId,
        header: &Header,
        subject: &str,
    ) -> Result<Permit<A>, Error> {
        if self.shelf(header.project_id)?.is_none() {
            return Err(not_found(subject));
        }
        let about = self.about(header)?;
        self.ask_knowing(user, header.scope(), &about, subject)
    }

    fn ask_knowing<A: ActionKind>(
        &mut self,
        user: UserId,
        scope: Scope,
        about: &About,
        subject: &str,
    ) -> Result<Permit<A>, Error> {
        match self.judge_knowing(user, &A::ACTION, scope, about)? {
            Ok(witness) => Ok(Permit::granted(user, scope, witness)),
            Err(denial) => {
                let question = Question { user, action: A::ACTION, scope, at: self.now };
                Err(self.refusal(&question, subject, &denial)?)
            }
        }
    }

    /// Asks whether `user` may approve what `header` is about. Unlike [`Self::ask`] it tells the policies what the plan says and who
    /// wrote that, so that separation of duties has two locks: they and the request's own state.
    pub(super) fn ask_to_approve(
        &mut self,
        user: UserId,
        header: &Header,
        subject: &str,
    ) -> Result<Permit<Approve>, Error> {
        let (action, scope) = (Action::APPROVE, header.scope());
        if self.shelf(header.project_id)?.is_none() {
            return Err(not_found(subject));
        }
        let about = self.about(header)?.with_authors(header.authors());
        match self.judge_knowing(user, &action, scope, &about)? {
            Ok(witness) => Ok(Permit::granted(user, scope, witness)),
            Err(denial) => {
                let question = Question { user, action, scope, at: self.now };
                let error = self.refusal(&question, subject, &denial)?;
                let is_policy = |reason: &Reason| matches!(reason, Reason::Forbidden { .. });
                if error.code() == Code::Denied && denial.reasons.iter().all(is_policy) {
                    // The same words, whichever lock was first.
                    header.check_is_not_author(user)?;
                }
                Err(error)
            }
        }
    }

    /// Decides, and notes the decision for the leaf.
    pub(super) fn judge(
        &mut self,
        user: UserId,
        action: &Action,
        scope: Scope,
    ) -> Result<Result<Witness, Denial>, Error> {
        self.judge_knowing(user, action, scope, &About::default())
    }

    /// Like [`Self::judge`], with what policies are told of what it is about.
    pub(super) fn judge_knowing(
        &mut self,
        user: UserId,
        action: &Action,
        scope: Scope,
        about: &About,
    ) -> Result<Result<Witness, Denial>, Error> {
        if let Some(project) = scope.project_id() {
            // First: it tells the earliest instant that this decision can be made at.
            self.shelf(project)?;
        }
        let question = Question { user, action: action.clone(), scope, at: self.now };
        self.asked = Some((user, action.clone(), scope));
        self.note_told(about);
        // Where this node lacks the set, it decides by none, and that is a no: of the set that it lacks.
        let mut decision = Decision::new(user, action.clone(), self.deciding_set()?);
        let answer = self.judge_question(&question, about)?;
        match &answer {
            Ok(witness) => {
                decision.allowed = true;
                decision.witness = Some(*witness);
            }
            Err(denial) => decision.because = denial.codes(),
        }
        self.decisions.push(decision);
        Ok(answer)
    }

    pub(super) fn judge_question(
        &mut self,
        question: &Question,
        about: &About,
    ) -> Result<Result<Witness, Denial>, Error> {
        self.has_judged = true;
        let (facts, witness) = match self.named_rows(question, about)? {
            Err(denial) => return Ok(Err(denial)),
            Ok(named) => named,
        };
        let Some(authorizer) = self.authorizer()? else {
            return Ok(Err(Denial::because(Reason::PolicySetMissing)));
        };
        match judged_by(&*authorizer, question, &facts) {
            Ok(()) => Ok(Ok(witness)),
            Err(reasons) if reasons.is_empty() => self.disagree().map(Err),
            Err(reasons) => Ok(Err(Denial { reasons })),
        }
    }

    /// The answer of the index: a denial, or the very rows that it names, read again from the store for the policies
    /// to judge.
    pub(super) fn named_rows(
        &mut self,
        question: &Question,
        about: &About,
    ) -> Result<Result<(Facts, Witness), Denial>, Error> {
        let Some(asker) = self.asker(question.user)? else {
            return Ok(Err(Denial::because(Reason::InactiveUser)));
        };
        let shelf = match question.scope.project_id() {
            None => None,
            Some(project) => Some(self.shelf(project)?.ok_or_else(|| not_found("project"))?),
        };
        let known = shelf.as_deref().map(Shelf::known);
        match answer(question, &asker, known) {
            Err(denial) => Ok(Err(denial)),
            Ok(witness) => match self.facts(question, asker, witness)? {
                Some(facts) => {
                    let (authors, plan) = (about.authors.clone(), about.plan.clone());
                    Ok(Ok((Facts { authors, plan, ..facts }, witness)))
                }
                None => self.disagree().map(Err),
            },
        }
    }

    /// The deciders do not agree: a lost race where the facts moved meanwhile, else an alarm.
    fn disagree(&mut self) -> Result<Denial, Error> {
        if self.is_current()? { Ok(self.gate.alarm()) } else { Err(lost_race()) }
    }

    /// The stored rows that `witness` names; `None` when the index named one that is not stored.
    fn facts(
        &mut self,
        question: &Question,
        asker: Asker,
        witness: Witness,
    ) -> Result<Option<Facts>, Error> {
        let Asker { user, global_roles } = asker;
        let user_id = user.id;
        let global_roles =
            global_roles.into_iter().map(|role| GlobalRoleGrant { user_id, role }).collect();
        let mut facts = Facts {
            user,
            global_roles,
            membership: None,
            grant: None,
            authors: BTreeSet::new(),
            plan: None,
            team_roles: BTreeSet::new(),
        };
        let Some(project) = question.scope.project_id() else { return Ok(Some(facts)) };
        if let Some(shelf) = self.shelf(project)? {
            facts.team_roles = shelf.team_roles(question);
        }
        self.fetch(rows_of(project, question.scope, &witness))?;
        if let (Some(membership), Some(team)) = (witness.membership, witness.team) {
            let row = self.row(project, "team_members", &membership.to_string(), None)?;
            let Some(Row::Membership(membership)) = row else { return Ok(None) };
            let row = self.row(project, "teams", &team.to_string(), None)?;
            let Some(Row::Team(team)) = row else { return Ok(None) };
            let team_module = match question.scope {
                Scope::Project { module: Some(module), .. } => {
                    self.team_module(project, TeamModule { team_id: team.id, module_id: module })?
                }
                Scope::Project { module: None, .. } | Scope::Platform => None,
            };
            facts.membership = Some(MembershipRows { membership, team, team_module });
        }
        if let (Some(grant), Some(permission)) = (witness.grant, witness.permission) {
            let row = self.row(project, "user_project_roles", &grant.to_string(), None)?;
            let Some(Row::Grant(grant)) = row else { return Ok(None) };
            let row = self.row(project, "project_permissions", &permission.to_string(), None)?;
            let Some(Row::Permission(permission)) = row else { return Ok(None) };
            let link = RolePermission { role_id: grant.role_id, permission_id: permission.id };
            let (role, held) = (link.role_id.to_string(), link.permission_id.to_string());
            let row = self.row(project, "project_role_permissions", &role, Some(&held))?;
            let Some(Row::RolePermission(role_permission)) = row else { return Ok(None) };
            facts.grant = Some(GrantRows { grant, role_permission, permission });
        }
        Ok(Some(facts))
    }

    fn team_module(
        &mut self,
        project: ProjectId,
        link: TeamModule,
    ) -> Result<Option<TeamModule>, Error> {
        let (team, module) = (link.team_id.to_string(), link.module_id.to_string());
        match self.row(project, "team_modules", &team, Some(&module))? {
            Some(Row::TeamModule(row)) => Ok(Some(row)),
            Some(_) | None => Ok(None),
        }
    }

    fn row(
        &mut self,
        project: ProjectId,
        table: &str,
        first: &str,
        second: Option<&str>,
    ) -> Result<Option<Row>, Error> {
        let project = project.to_string();
        let path: Vec<&str> = [project.as_str(), table, first].into_iter().chain(second).collect();
        Ok(self.get::<ProjectRow>(&path)?.map(|found| found.row))
    }

    /// The user and their global roles; `None` when there is no such user.
    pub(super) fn asker(&mut self, id: UserId) -> Result<Option<Asker>, Error> {
        let roles = [GlobalRole::PlatformAdmin, GlobalRole::Auditor];
        let mut keys = vec![records::key_of::<User>(&[&id.to_string()])];
        keys.extend(roles.map(|role| {
            let [name, holder] = global_role_path(role, id);
            records::key_of::<GlobalRoleGrant>(&[&name, &holder])
        }));
        self.fetch(keys)?;
        let Some(user) = self.get::<User>(&[&id.to_string()])? else { return Ok(None) };
        let mut global_roles = Vec::new();
        for role in roles {
            let [name, holder] = global_role_path(role, id);
            if self.get::<GlobalRoleGrant>(&[&name, &holder])?.is_some() {
                global_roles.push(role);
            }
        }
        Ok(Some(Asker { user, global_roles }))
    }

    /// Everything of one project at its present epoch, which the commit then expects unchanged.
    pub(super) fn shelf(&mut self, project: ProjectId) -> Result<Option<Arc<Shelf>>, Error> {
        let id = project.to_string();
        let Some(epoch) = self.get::<Epoch>(&[&id])? else { return Ok(None) };
        self.gate.not_before(epoch.at);
        self.now = self.now.max(epoch.at);
        let Some(version) = self.version_of::<Epoch>(&[&id]) else { return Err(lost_race()) };
        let cached = self.gate.shelves().get(&project).cloned();
        if let Some((at, shelf)) = cached
            && at == version
        {
            return Ok(Some(shelf));
        }
        let Some(row) = self.get::<Project>(&[&id])? else { return Ok(None) };
        let shelf = Arc::new(self.gate.load_shelf(row)?);
        // A change during the scan would have moved the epoch; then what was read is worth nothing.
        let after = self.gate.parts.store.get(&records::key_of::<Epoch>(&[&id]))?;
        if after.map(|stored| stored.version) != Some(version) {
            return Err(lost_race());
        }
        self.gate.shelves().insert(project, (version, Arc::clone(&shelf)));
        Ok(Some(shelf))
    }
}

impl Gate {
    fn load_shelf(&self, project: Project) -> Result<Shelf, Error> {
        let prefix = records::key_of::<ProjectRow>(&[&project.id.to_string()]);
        let mut book = Book::new(project);
        let (page, mut after) = (self.parts.limits.page_rows_max.max(1), None);
        loop {
            let found = self.parts.store.scan(&prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                let row: ProjectRow = records::decode(&key, &stored.value)?;
                book.insert(row.row);
                after = Some(key);
            }
            if !full {
                break;
            }
        }
        Ok(Shelf::of(book))
    }

    /// The two deciders do not agree: counted, and a denial.
    fn alarm(&self) -> Denial {
        self.disagreements.fetch_add(1, Ordering::Relaxed);
        Denial::because(Reason::Disagreement)
    }
}

/// Lets policies judge rows: a yes, or what forbids it. No reason at all means that nothing permits it but, at
/// most, a rule of the host, which has not looked at the rows.
pub(super) fn judged_by(
    authorizer: &dyn Authorizer,
    question: &Question,
    facts: &Facts,
) -> Result<(), Vec<Reason>> {
    // A policy engine that panics gave no answer either.
    let asked = catch_unwind(AssertUnwindSafe(|| authorizer.decide(question, facts)));
    let Ok(Ok(verdict)) = asked else { return Err(vec![Reason::PolicyFailed]) };
    if verdict.confirms() {
        return Ok(());
    }
    let forbids = verdict.forbidden_by.into_iter();
    let mut reasons: Vec<Reason> =
        forbids.map(|hit| Reason::Forbidden { policy: hit.id, place: hit.place }).collect();
    if !verdict.errors.is_empty() {
        reasons.push(Reason::PolicyFailed);
    }
    Err(reasons)
}

/// The one sentence for what does not exist and for what the caller may not see.
pub(super) fn not_found(subject: &str) -> Error {
    Error::new(Code::NotFound, format!("there is no {subject}, or you may not see it"))
        .with_help("check the id, or ask an administrator of the project")
}

/// The keys of the rows that `witness` names, as far as it names them.
fn rows_of(project: ProjectId, scope: Scope, witness: &Witness) -> Vec<Key> {
    let project = project.to_string();
    let key = |table: &str, first: String, second: Option<String>| {
        let path = [Some(project.as_str()), Some(table), Some(&first), second.as_deref()];
        records::key_of::<ProjectRow>(&path.into_iter().flatten().collect::<Vec<_>>())
    };
    let module = match scope {
        Scope::Project { module, .. } => module,
        Scope::Platform => None,
    };
    let Witness { membership, team, grant, permission, .. } = witness;
    let team_module = team.zip(module);
    let rows = [
        membership.map(|id| key("team_members", id.to_string(), None)),
        team.map(|id| key("teams", id.to_string(), None)),
        team_module
            .map(|(team, module)| key("team_modules", team.to_string(), Some(module.to_string()))),
        grant.map(|id| key("user_project_roles", id.to_string(), None)),
        permission.map(|id| key("project_permissions", id.to_string(), None)),
    ];
    rows.into_iter().flatten().collect()
}
