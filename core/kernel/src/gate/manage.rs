//! The organisation of one project: environments, modules, teams, roles, grants.

use super::Gate;
use super::decide::not_found;
use super::txn::lost_race;
use crate::authz::{Manage, Scope, rights_bytes};
use crate::error::{Code, Error};
use crate::identity::Caller;
use crate::org::book::{Book, Epoch, ProjectRow, Used};
use crate::org::command::{Desk, ProjectCommand};
use crate::org::{Row, User};

impl Gate {
    /// Carries out a command about one project. It takes PLATFORM_ADMIN or the action `manage`.
    ///
    /// Fails with [`Code::Denied`], and with what the command's rules refuse.
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
        let (id, scope) = (project.to_string(), Scope::project(project));
        let subject = format!("project `{id}`");
        self.transact(|txn| {
            let shelf = txn.shelf(project)?.ok_or_else(|| not_found(&subject))?;
            let permit = txn.ask::<Manage>(caller.user(), scope, &subject)?;
            permit.spend_on(&scope)?;
            self.check_clock()?;
            let about = match command.subject() {
                None => None,
                Some(user) => {
                    let found = txn.get::<User>(&[&user.to_string()])?;
                    Some(found.ok_or_else(|| not_found(&format!("user `{user}`")))?)
                }
            };
            let mut named = Vec::new();
            for user in command.names() {
                named.extend(txn.get::<User>(&[&user.to_string()])?);
            }
            let in_use = match command.removes() {
                None => false,
                Some(removed) => txn.get::<Used>(&[&removed])?.is_some(),
            };
            let decided = command.decide(&Desk {
                book: &shelf.book,
                caller: caller.user(),
                subject: about.as_ref(),
                named: &named,
                in_use,
                now: txn.now,
                ids: &*self.parts.ids,
                forms: &*self.parts.forms,
            })?;
            self.check_rights(&shelf.book, &decided.put)?;
            let mut facts = command.facts();
            if facts.is_empty() {
                for row in decided.put.iter().chain(&decided.remove) {
                    row.note_facts(&mut facts);
                }
            }
            for row in decided.put {
                txn.put(&ProjectRow { project, row })?;
            }
            for row in decided.remove {
                txn.remove(&ProjectRow { project, row })?;
            }
            let epoch = txn.get::<Epoch>(&[&id])?.ok_or_else(lost_race)?;
            txn.put(&epoch.next(txn.now))?;
            let mut leaf = Self::leaf(txn, C::EVENT, Some(caller));
            leaf.scope = Some(scope);
            leaf.facts = facts;
            Ok((decided.output, leaf))
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
