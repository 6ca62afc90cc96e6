//! The way out of a governance that locks everybody out.

use super::governance::PlatformGovernance;
use crate::audit::Event;
use crate::authz::{Action, Answer, Reason, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::{Txn, lost_race};
use crate::id::{ProjectId, UserId};
use crate::org::book::{Epoch, ProjectRow};
use crate::org::{Governance, Row};

impl Gate {
    /// Takes away the governance of a project, or of the platform, where it locks everybody out: nobody could
    /// propose, approve and run a command there any more. Nobody is asked: it is an act of the host, as opening the
    /// store is, and takes no caller. The log has a leaf of its own kind, `governance.lifted`.
    ///
    /// A host does not offer this to its users, and there is no other way out: no role, no setting and no variable of the
    /// environment sets a governance aside.
    ///
    /// Fails with [`Code::NotFound`] where there is none, and with [`Code::WrongState`] as long as people could
    /// change it as it says; with [`Code::Refused`] where the platform is governed in that project: lift that of the
    /// platform first. Whatever keeps it from telling that is an error too: a lost race, a store that cannot be
    /// read, a policy that fails, a set of policies that this node does not have.
    ///
    /// ```
    /// use std::collections::BTreeSet;
    /// use placet_core::error::Code;
    /// use placet_core::org::command::{CommandKind, CreateTeam, SetGovernance, SetUserActive};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// office.let_all_manage(&gate)?;
    /// let (project, module, environment) = (office.project, office.module, office.environment);
    /// let commands = BTreeSet::from([CommandKind::CreateTeam]);
    /// gate.manage(&office.root, &SetGovernance { project, module, environment, commands })?;
    /// assert_eq!(gate.lift_governance(Some(project)).unwrap_err().code(), Code::WrongState);
    ///
    /// // The only approver leaves.
    /// gate.administer(&office.root, &SetUserActive { user: office.bo.user(), active: false })?;
    /// gate.lift_governance(Some(project))?;
    /// gate.manage(&office.root, &CreateTeam { project, name: "Storage".parse()? })?;
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn lift_governance(&self, project: Option<ProjectId>) -> Result<(), Error> {
        self.transact(|txn| {
            let missing = || not_found("governance here");
            let found = match project {
                None => txn.platform_governance()?,
                Some(project) => {
                    let shelf = txn.shelf(project)?.ok_or_else(missing)?;
                    shelf.book.governance.clone()
                }
            };
            let governance = found.ok_or_else(missing)?;
            let rule = if project.is_some() { Action::MANAGE } else { Action::ADMINISTER };
            txn.check_locks_out(&governance, &rule)?;
            if let Some(project) = project {
                txn.check_still_guards(project, None)?;
            }
            self.check_clock()?;
            let mut leaf = Self::leaf(txn, Event::GovernanceLifted, None);
            leaf.scope = Some(project.map_or(Scope::Platform, Scope::project));
            match project {
                None => txn.remove(&PlatformGovernance(governance))?,
                Some(project) => {
                    let id = project.to_string();
                    txn.remove(&ProjectRow { project, row: Row::Governance(governance) })?;
                    let epoch = txn.get::<Epoch>(&[&id])?.ok_or_else(lost_race)?;
                    txn.put(&epoch.next(txn.now))?;
                }
            }
            Ok(((), leaf))
        })
    }
}

impl Txn<'_> {
    /// Refuses to say that nobody could act under `governance`, unless that is known.
    fn check_locks_out(&mut self, governance: &Governance, rule: &Action) -> Result<(), Error> {
        let deciding = self.deciding_set()?;
        self.check_is_ready(deciding)?;
        match self.check_can_be_changed(governance, rule) {
            Ok(()) => {
                let sentence = "there are people who could change this governance as it says";
                Err(Error::new(Code::WrongState, sentence)
                    .with_help("propose the change, and let it be approved"))
            }
            // Nobody can be let in where the project or its place is gone.
            Err(error) if error.code() == Code::NotFound => Ok(()),
            Err(error) if error.code() == Code::QuorumUnsatisfiable => {
                self.check_was_decided(governance, rule)
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses where a no came from something that failed: whoever it keeps out is not locked out.
    fn check_was_decided(&mut self, governance: &Governance, rule: &Action) -> Result<(), Error> {
        let (project, scope) = (governance.project_id, governance.scope());
        let level = if *rule == Action::MANAGE { Scope::project(project) } else { Scope::Platform };
        let shelf = self.shelf(project)?.ok_or_else(|| not_found("project"))?;
        let users: Vec<UserId> = shelf.granted_users().collect();
        let asked = [
            (rule.clone(), level),
            (Action::REQUEST, scope),
            (Action::APPROVE, scope),
            (Action::EXECUTE, scope),
        ];
        for user in users {
            for (action, scope) in &asked {
                let Answer::Denied(denial) = self.quietly(user, action, *scope)? else { continue };
                if denial.reasons.iter().any(Reason::is_a_doubt) {
                    let sentence = format!("nobody can tell whether `{user}` may {action} there");
                    return Err(Error::new(Code::WrongState, sentence)
                        .with_help("repair what keeps the policies from deciding, and try again")
                        .with_detail("reason", denial.codes().join(", ")));
                }
            }
        }
        Ok(())
    }
}
