//! Users, projects and global roles: the commands that take PLATFORM_ADMIN.

use core::fmt;
use std::collections::BTreeMap;

use crate::audit::Event;
use crate::authz::{Administer, Scope, check_is_no_context};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::id::{ProjectId, UserId};
use crate::identity::Caller;
use crate::org::book::{Epoch, PLATFORM, Unique, global_role_path};
use crate::org::command::sealed::Sealed;
use crate::org::command::{
    CreateProject, CreateUser, GrantGlobalRole, RenameProject, RevokeGlobalRole, SetUserActive,
};
use crate::org::{Email, GlobalRole, GlobalRoleGrant, Project, User, UserKind};
use crate::store::records;

/// A command about the whole platform. It takes PLATFORM_ADMIN.
///
/// ```
/// use placet_core::gate::PlatformCommand;
/// use placet_core::org::command::CreateProject;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let command = CreateProject { code: "bank".parse()?, name: "Bank".parse()? };
/// gate.administer(&office.root, &command)?;
/// let log = gate.audit(&office.root, 0)?;
/// assert_eq!(log.last().map(|(_, leaf)| leaf.event.as_str()), Some(CreateProject::EVENT.as_str()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait PlatformCommand: Sealed + fmt::Debug {
    /// What it gives back, such as the id of what it made.
    type Output;
    /// The event's code in the audit log.
    const EVENT: Event;

    /// Checks the command and writes it.
    #[doc(hidden)]
    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<Self::Output, Error>;
}

/// What a platform command works on. It stands in the signature of a hidden method, so it is public; nobody
/// outside can name it.
///
/// What the command notes on it, and what it writes, goes into the log as one entry:
///
/// ```
/// use placet_core::org::command::CreateProject;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let command = CreateProject { code: "bank".parse()?, name: "Bank".parse()? };
/// let id = gate.administer(&office.root, &command)?.to_string();
/// let (_, leaf) = gate.audit(&office.root, 0)?.pop().expect("there is an entry");
/// assert_eq!(leaf.facts["project"], id);
/// assert!(leaf.records.iter().any(|record| record.name.contains(&id)));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct PlatformDesk<'t, 'g> {
    txn: &'t mut Txn<'g>,
    caller: UserId,
    facts: BTreeMap<String, String>,
}

impl Gate {
    /// Carries out a command about the platform.
    ///
    /// Fails with [`Code::Denied`], with [`Code::ApprovalRequired`] for a command that needs approval itself (see
    /// [`Self::propose`]), and with what the command's rules refuse.
    /// The rules answer [`Code::AlreadyExists`], [`Code::NotFound`] or [`Code::Refused`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::org::command::SetUserActive;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let stop = |user| SetUserActive { user, active: false };
    /// gate.administer(&office.root, &stop(office.ana.user()))?;
    /// assert!(gate.projects(&office.ana)?.is_empty());
    /// // The last active PLATFORM_ADMIN stays.
    /// let error = gate.administer(&office.root, &stop(office.root.user())).unwrap_err();
    /// assert_eq!(error.code(), Code::Refused);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn administer<C: PlatformCommand>(
        &self,
        caller: &Caller,
        command: &C,
    ) -> Result<C::Output, Error> {
        self.transact(|txn| {
            let permit = txn.ask::<Administer>(caller.user(), Scope::Platform, "platform")?;
            permit.spend_on(&Scope::Platform)?;
            txn.check_needs_no_approval(C::KIND, None)?;
            self.check_clock()?;
            let (output, facts) = txn.carry_out_for_all(command, caller.user())?;
            let mut leaf = Self::leaf(txn, C::EVENT, Some(caller));
            leaf.facts = facts;
            leaf.scope = Some(Scope::Platform);
            Ok((output, leaf))
        })
    }
}

impl Txn<'_> {
    /// Checks a command about the platform as `caller`'s, and writes what it says. Whether they may is asked before.
    pub(in crate::gate) fn carry_out_for_all<C: PlatformCommand>(
        &mut self,
        command: &C,
        caller: UserId,
    ) -> Result<(C::Output, BTreeMap<String, String>), Error> {
        let mut desk = PlatformDesk { txn: self, caller, facts: BTreeMap::new() };
        let output = command.apply(&mut desk)?;
        Ok((output, desk.facts))
    }
}

pub(in crate::gate) fn new_user(txn: &Txn<'_>, command: &CreateUser) -> User {
    User {
        id: UserId::from_u128(txn.gate.parts.ids.next()),
        kind: command.kind,
        email: command.email.clone(),
        display_name: command.display_name.clone(),
        is_active: true,
    }
}

/// Keeps an e-mail address unique. Its key holds a digest: keys are not the place for addresses.
pub(crate) fn email_key(email: &Email, holder: UserId) -> Unique {
    let folded = email.as_str().to_lowercase();
    Unique {
        what: "users.email".to_owned(),
        value: Digest::of(folded.as_bytes()).to_string(),
        holder: holder.to_string(),
    }
}

impl<'g> PlatformDesk<'_, 'g> {
    /// The try that it writes in.
    pub(in crate::gate) fn txn(&mut self) -> &mut Txn<'g> {
        self.txn
    }

    /// Says something in the leaf: ids and words of ours.
    pub(in crate::gate) fn note(&mut self, name: &str, value: &impl fmt::Display) {
        self.facts.insert(name.to_owned(), value.to_string());
    }

    fn claim(&mut self, unique: &Unique, taken: Error) -> Result<(), Error> {
        if self.txn.get::<Unique>(&[&unique.what, &unique.value])?.is_some() {
            return Err(taken);
        }
        self.txn.put(unique)
    }

    fn user(&mut self, id: UserId) -> Result<User, Error> {
        self.txn.get::<User>(&[&id.to_string()])?.ok_or_else(|| not_found(&format!("user `{id}`")))
    }

    /// Makes changes to the set of administrators one after the other.
    fn bump_platform(&mut self) -> Result<(), Error> {
        let now = self.txn.now;
        let epoch = self.txn.get::<Epoch>(&[PLATFORM])?;
        let next = epoch.map_or_else(|| Epoch::first(PLATFORM, now), |epoch| epoch.next(now));
        self.txn.put(&next)
    }

    /// Refuses to leave the platform without an active administrator other than `without`. Called after
    /// `bump_platform`: the epoch it read guards what this scan sees.
    fn keep_an_admin(&mut self, without: UserId) -> Result<(), Error> {
        let role = GlobalRole::PlatformAdmin;
        let prefix = records::key_of::<GlobalRoleGrant>(&[role.as_str()]);
        let page = self.txn.gate.parts.limits.page_rows_max.max(1);
        let mut after = None;
        loop {
            let found = self.txn.gate.parts.store.scan(&prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                let row: GlobalRoleGrant = records::decode(&key, &stored.value)?;
                if row.user_id != without && self.user(row.user_id)?.is_active {
                    return Ok(());
                }
                after = Some(key);
            }
            if !full {
                return Err(Error::new(
                    Code::Refused,
                    format!("`{without}` is the last active PLATFORM_ADMIN"),
                )
                .with_help("make somebody else PLATFORM_ADMIN first"));
            }
        }
    }

    fn holds(&mut self, user: UserId, role: GlobalRole) -> Result<bool, Error> {
        let [name, holder] = global_role_path(role, user);
        Ok(self.txn.get::<GlobalRoleGrant>(&[&name, &holder])?.is_some())
    }
}

impl PlatformCommand for CreateUser {
    type Output = UserId;
    const EVENT: Event = Event::OrgUserCreated;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<UserId, Error> {
        let user = new_user(desk.txn, self);
        if user.is_erased() {
            return Err(Error::new(
                Code::InvalidInput,
                "this address stands for those that were erased",
            )
            .with_help("use another address"));
        }
        let taken = Error::new(Code::AlreadyExists, "there is a user with this e-mail address")
            .with_help("use that user, or another address");
        desk.claim(&email_key(&user.email, user.id), taken)?;
        desk.note("user", &user.id);
        desk.txn.put(&user)?;
        Ok(user.id)
    }
}

impl PlatformCommand for SetUserActive {
    type Output = ();
    const EVENT: Event = Event::OrgUserActiveSet;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        let user = desk.user(self.user)?;
        if user.is_erased() {
            let sentence = format!("the name and the address of `{}` were erased", self.user);
            return Err(Error::new(Code::WrongState, sentence)
                .with_help("create another user for whoever comes back"));
        }
        desk.note("user", &self.user);
        desk.note("active", &self.active);
        desk.bump_platform()?;
        if !self.active && desk.holds(self.user, GlobalRole::PlatformAdmin)? {
            desk.keep_an_admin(self.user)?;
        }
        desk.txn.put(&User { is_active: self.active, ..user })
    }
}

impl PlatformCommand for CreateProject {
    type Output = ProjectId;
    const EVENT: Event = Event::OrgProjectCreated;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<ProjectId, Error> {
        check_is_no_context(&self.code)?;
        let id = ProjectId::from_u128(desk.txn.gate.parts.ids.next());
        let unique = Unique {
            what: "projects.code".to_owned(),
            value: self.code.to_string(),
            holder: id.to_string(),
        };
        desk.note("project", &id);
        desk.claim(&unique, crate::org::command::taken("project", self.code.as_str()))?;
        desk.txn.put(&Project { id, code: self.code.clone(), name: self.name.clone() })?;
        desk.txn.put(&Epoch::first(id.to_string(), desk.txn.now))?;
        Ok(id)
    }
}

impl PlatformCommand for RenameProject {
    type Output = ();
    const EVENT: Event = Event::OrgProjectRenamed;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        let id = self.project.to_string();
        let missing = || not_found(&format!("project `{id}`"));
        let project = desk.txn.get::<Project>(&[&id])?.ok_or_else(missing)?;
        let epoch = desk.txn.get::<Epoch>(&[&id])?.ok_or_else(missing)?;
        desk.note("project", &id);
        desk.txn.put(&Project { name: self.name.clone(), ..project })?;
        desk.txn.put(&epoch.next(desk.txn.now))
    }
}

impl PlatformCommand for GrantGlobalRole {
    type Output = ();
    const EVENT: Event = Event::OrgGlobalRoleGranted;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        if self.user == desk.caller {
            return Err(Error::new(
                Code::Refused,
                format!("`{}` cannot grant a global role to themselves", self.user),
            )
            .with_help("ask another PLATFORM_ADMIN"));
        }
        let user = desk.user(self.user)?;
        if user.kind == UserKind::Agent && self.role == GlobalRole::PlatformAdmin {
            return Err(Error::new(Code::Refused, "an agent cannot be PLATFORM_ADMIN")
                .with_help("name a person"));
        }
        if desk.holds(self.user, self.role)? {
            return Err(crate::org::command::taken("holder of", self.role.as_str()));
        }
        desk.note("user", &self.user);
        desk.note("global_role", &self.role.as_str());
        desk.bump_platform()?;
        desk.txn.put(&GlobalRoleGrant { user_id: self.user, role: self.role })
    }
}

impl PlatformCommand for RevokeGlobalRole {
    type Output = ();
    const EVENT: Event = Event::OrgGlobalRoleRevoked;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        desk.user(self.user)?;
        if !desk.holds(self.user, self.role)? {
            return Err(not_found(&format!("grant of {} to `{}`", self.role.as_str(), self.user)));
        }
        desk.note("user", &self.user);
        desk.note("global_role", &self.role.as_str());
        desk.bump_platform()?;
        if self.role == GlobalRole::PlatformAdmin {
            desk.keep_an_admin(self.user)?;
        }
        desk.txn.remove(&GlobalRoleGrant { user_id: self.user, role: self.role })
    }
}
