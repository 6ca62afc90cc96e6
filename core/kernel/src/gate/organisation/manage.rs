//! The organisation of one project: environments, modules, teams, roles, grants.

use std::collections::BTreeMap;

use crate::authz::{Action, Manage, Scope, rights_bytes};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::{Txn, lost_race};
use crate::id::UserId;
use crate::identity::Caller;
use crate::org::book::{Book, Epoch, ProjectRow, Used};
use crate::org::command::{Desk, ProjectCommand, in_use};
use crate::org::{Row, User};

impl Gate {
    /// Carries out a command about one project. It takes PLATFORM_ADMIN or the action `manage`.
    ///
    /// Fails with [`Code::Denied`], with [`Code::ApprovalRequired`] for a command that needs approval itself (see
    /// [`Self::propose`]), and with what the command's rules refuse.
    /// Whoever may neither read nor manage the project gets [`Code::NotFound`]. A role, a permission, a module, an
    /// environment or a team that makes the rights of the project larger than
    /// [`crate::limits::Limits::rights_bytes_max`] is [`Code::TooLarge`], and nothing is written.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::org::command::CreateModule;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (code, name) = ("stock".parse()?, "Stock".parse()?);
    /// let command = CreateModule { project: office.project, code, name };
    /// let id = gate.manage(&office.root, &command)?;
    /// let modules = gate.organisation(&office.root, office.project)?.modules;
    /// assert!(modules.iter().any(|module| module.id == id));
    /// assert_eq!(gate.manage(&office.ana, &command).unwrap_err().code(), Code::Denied);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn manage<C: ProjectCommand>(
        &self,
        caller: &Caller,
        command: &C,
    ) -> Result<C::Output, Error> {
        let project = command.project();
        let (scope, subject) = (Scope::project(project), format!("project `{project}`"));
        self.transact(|txn| {
            let permit = txn.ask::<Manage>(caller.user(), scope, &subject)?;
            permit.spend_on(&scope)?;
            txn.check_needs_no_approval(C::KIND, Some(project))?;
            self.check_clock()?;
            let (output, facts) = txn.carry_out(command, caller.user())?;
            let mut leaf = Self::leaf(txn, C::EVENT, Some(caller));
            leaf.scope = Some(scope);
            leaf.facts = facts;
            Ok((output, leaf))
        })
    }

    /// Refuses rows that make the rights of a project larger than the limit. One that is over it already may do
    /// whatever does not make them larger.
    fn check_rights(&self, book: &Book, put: &[Row]) -> Result<(), Error> {
        let (bytes, limit) = (rights_bytes(book, put), self.parts.limits.rights_bytes_max);
        if bytes <= limit || bytes <= rights_bytes(book, &[]) {
            return Ok(());
        }
        let sentence =
            format!("the rights of this project would take {bytes} bytes; the limit is {limit}");
        let help = "remove roles, actions, modules or environments that nobody uses, or make a project of its own";
        Err(Error::new(Code::TooLarge, sentence)
            .with_help(help)
            .with_detail("bytes", bytes)
            .with_detail("limit", limit))
    }
}

impl Txn<'_> {
    /// Checks a command of a project as `caller`'s, and writes what it says. Whether they may is asked before.
    pub(in crate::gate) fn carry_out<C: ProjectCommand>(
        &mut self,
        command: &C,
        caller: UserId,
    ) -> Result<(C::Output, BTreeMap<String, String>), Error> {
        let (project, gate) = (command.project(), self.gate);
        let id = project.to_string();
        let shelf = self.shelf(project)?.ok_or_else(|| not_found(&format!("project `{id}`")))?;
        let about = match command.subject() {
            None => None,
            Some(user) => {
                let found = self.get::<User>(&[&user.to_string()])?;
                Some(found.ok_or_else(|| not_found(&format!("user `{user}`")))?)
            }
        };
        let mut named = Vec::new();
        for user in command.names() {
            named.extend(self.get::<User>(&[&user.to_string()])?);
        }
        let in_use = match command.removes() {
            None => false,
            Some(removed) => {
                if self.is_reviewed_in(project, &removed)? {
                    return Err(in_use("place", "a governance that reviews commands here"));
                }
                self.get::<Used>(&[&removed])?.is_some()
            }
        };
        let decided = command.decide(&Desk {
            book: &shelf.book,
            caller,
            subject: about.as_ref(),
            named: &named,
            in_use,
            now: self.now,
            ids: &*gate.parts.ids,
            forms: &*gate.parts.forms,
            runner: &*gate.parts.runner,
        })?;
        gate.check_rights(&shelf.book, &decided.put)?;
        let mut facts = command.facts();
        if facts.is_empty() {
            for row in decided.put.iter().chain(&decided.remove) {
                row.note_facts(&mut facts);
            }
        }
        for row in decided.put {
            if let Row::Governance(governance) = &row {
                self.check_still_guards(project, Some(governance))?;
                self.check_can_be_changed(governance, &Action::MANAGE)?;
            }
            self.put(&ProjectRow { project, row })?;
        }
        for row in decided.remove {
            if matches!(row, Row::Governance(_)) {
                self.check_still_guards(project, None)?;
            }
            self.remove(&ProjectRow { project, row })?;
        }
        let epoch = self.get::<Epoch>(&[&id])?.ok_or_else(lost_race)?;
        self.put(&epoch.next(self.now))?;
        Ok((decided.output, facts))
    }
}
