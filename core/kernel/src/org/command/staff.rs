//! Teams, the modules they look after, and who is in them.

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand, in_use, taken};
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{MembershipId, ModuleId, ProjectId, TeamId, UserId};
use crate::org::Row;
use crate::org::{Interval, Membership, Name, Team, TeamModule, TeamRole};

/// Adds a team. Its name must be new within the project, else it fails with [`Code::AlreadyExists`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::CreateTeam;
///
/// let command = CreateTeam { project: office.project, name: "Storage".parse()? };
/// let team = gate.manage(&office.root, &command)?;
/// assert!(team.to_string().starts_with("tea_"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateTeam {
    /// The project.
    pub project: ProjectId,
    /// What people see.
    pub name: Name,
}

/// Changes a team's name.
///
/// Fails with [`Code::AlreadyExists`] for a name that a team has, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let team = gate.organisation(&office.root, office.project)?.teams[0].id;
/// use placet_core::org::command::RenameTeam;
///
/// let name = "Payments".parse()?;
/// gate.manage(&office.root, &RenameTeam { project: office.project, team, name })?;
/// let teams = gate.organisation(&office.root, office.project)?.teams;
/// assert_eq!(teams[0].name.as_str(), "Payments");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RenameTeam {
    /// The project.
    pub project: ProjectId,
    /// The team.
    pub team: TeamId,
    /// What people see.
    pub name: Name,
}

/// Removes a team with no memberships, ended ones included, no module, and that no quorum asks for.
///
/// Fails with [`Code::InUse`] for any other, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let team = gate.organisation(&office.root, office.project)?.teams[0].id;
/// use placet_core::error::Code;
/// use placet_core::org::command::RemoveTeam;
///
/// // Ana and Bo are in it.
/// let command = RemoveTeam { project: office.project, team };
/// assert_eq!(gate.manage(&office.root, &command).unwrap_err().code(), Code::InUse);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemoveTeam {
    /// The project.
    pub project: ProjectId,
    /// The team.
    pub team: TeamId,
}

/// Lets a team look after a module. A live member of the team cannot do this.
///
/// Fails with [`Code::Refused`] for a member, also one to come, with [`Code::AlreadyExists`] for what
/// the team looks after, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::{AssignModule, CreateTeam};
///
/// let (project, module) = (office.project, office.module);
/// let team = gate.manage(&office.root, &CreateTeam { project, name: "Storage".parse()? })?;
/// gate.manage(&office.root, &AssignModule { project, team, module })?;
/// // Two teams look after `pagos` now.
/// assert_eq!(gate.organisation(&office.root, project)?.team_modules.len(), 2);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct AssignModule {
    /// The project.
    pub project: ProjectId,
    /// The team.
    pub team: TeamId,
    /// A module of the same project.
    pub module: ModuleId,
}

/// Takes a module from a team.
///
/// Fails with [`Code::NotFound`] where the team does not look after it.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let team = gate.organisation(&office.root, office.project)?.teams[0].id;
/// use placet_core::authz::{Action, Scope};
/// use placet_core::org::command::UnassignModule;
///
/// let (project, module) = (office.project, office.module);
/// let place = Scope::module(project, module, office.environment);
/// assert!(gate.can(office.bo.user(), &Action::APPROVE, place));
/// gate.manage(&office.root, &UnassignModule { project, team, module })?;
/// assert!(!gate.can(office.bo.user(), &Action::APPROVE, place));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct UnassignModule {
    /// The project.
    pub project: ProjectId,
    /// The team.
    pub team: TeamId,
    /// The module.
    pub module: ModuleId,
}

/// Puts a user in a team for a time. Nobody does this to themselves; a user has a role in a team once at a
/// time, and may have another beside it, as a MEMBER who stands in for the leader; a team has one LEADER_PRIMARY
/// at a time; LEADER_TEMP must have an end.
///
/// Fails with [`Code::Refused`], [`Code::AlreadyExists`] and [`Code::InvalidInput`], in the order of these
/// rules, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::{AddMember, CreateTeam};
/// use placet_core::org::{Interval, TeamRole};
///
/// let (project, user) = (office.project, office.bo.user());
/// let team = gate.manage(&office.root, &CreateTeam { project, name: "Storage".parse()? })?;
/// let command = AddMember {
///     project,
///     team,
///     user,
///     role: TeamRole::LeaderTemp,
///     valid: Interval::new(gate.now(), Some("2026-09-01T00:00:00Z".parse()?))?,
/// };
/// let membership = gate.manage(&office.root, &command)?;
/// let rows = gate.organisation(&office.root, project)?.memberships;
/// assert!(rows.iter().any(|row| row.id == membership && row.user_id == user));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct AddMember {
    /// The project.
    pub project: ProjectId,
    /// The team.
    pub team: TeamId,
    /// The user.
    pub user: UserId,
    /// What the user is in the team.
    pub role: TeamRole,
    /// When it holds.
    pub valid: Interval,
}

/// Ends a membership that has not ended yet, now or at an instant to come.
///
/// One that has not begun by then is removed. Fails with [`Code::InvalidInput`] for an instant that is past,
/// with [`Code::WrongState`] when it ends by then anyway, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::authz::{Action, Scope};
/// use placet_core::org::command::EndMembership;
///
/// let project = office.project;
/// let rows = gate.organisation(&office.root, project)?.memberships;
/// for row in rows.iter().filter(|row| row.user_id == office.bo.user()) {
///     gate.manage(&office.root, &EndMembership { project, membership: row.id, at: None })?;
/// }
/// let place = Scope::module(project, office.module, office.environment);
/// assert!(!gate.can(office.bo.user(), &Action::APPROVE, place));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct EndMembership {
    /// The project.
    pub project: ProjectId,
    /// The membership.
    pub membership: MembershipId,
    /// The first instant at which it no longer holds; `None` is now.
    pub at: Option<Timestamp>,
}

fn name_free(desk: &Desk<'_>, name: &Name, own: Option<TeamId>) -> Result<(), Error> {
    if desk.book.teams.values().any(|row| row.name == *name && Some(row.id) != own) {
        return Err(taken("team", name.as_str()));
    }
    Ok(())
}

impl ProjectCommand for CreateTeam {
    type Output = TeamId;
    const EVENT: Event = Event::OrgTeamCreated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<TeamId>, Error> {
        name_free(desk, &self.name, None)?;
        let id = TeamId::from_u128(desk.ids.next());
        let row = Team { id, project_id: self.project, name: self.name.clone() };
        Ok(Decided::put(Row::Team(row), id))
    }
}

impl ProjectCommand for RenameTeam {
    type Output = ();
    const EVENT: Event = Event::OrgTeamRenamed;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let team = desk.book.team(self.team)?;
        name_free(desk, &self.name, Some(self.team))?;
        Ok(Decided::put(Row::Team(Team { name: self.name.clone(), ..team.clone() }), ()))
    }
}

impl ProjectCommand for RemoveTeam {
    type Output = ();
    const EVENT: Event = Event::OrgTeamRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let team = desk.book.team(self.team)?;
        if desk.book.memberships.values().any(|row| row.team_id == team.id) {
            return Err(in_use("team", "memberships"));
        }
        if desk.book.team_modules.iter().any(|(id, _)| *id == team.id) {
            return Err(in_use("team", "modules"));
        }
        if super::rule::names_team(desk.book, team.id) {
            return Err(in_use("team", "quorums"));
        }
        Ok(Decided::remove(Row::Team(team.clone()), ()))
    }
}

impl ProjectCommand for AssignModule {
    type Output = ();
    const EVENT: Event = Event::OrgModuleAssigned;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let team = desk.book.team(self.team)?;
        let module = desk.book.module(self.module)?;
        if desk.book.team_modules.contains(&(team.id, module.id)) {
            return Err(taken("assignment of module", module.code.as_str()));
        }
        // A membership that is still to come counts too: it would reach the module then.
        let joins = desk.book.memberships.values().find(|row| {
            row.team_id == team.id
                && row.user_id == desk.caller
                && row.valid.until().is_none_or(|until| desk.now < until)
        });
        if joins.is_some() {
            desk.refuse_self(desk.caller, "assign their team's modules")?;
        }
        let row = TeamModule { team_id: team.id, module_id: module.id };
        Ok(Decided::put(Row::TeamModule(row), ()))
    }
}

impl ProjectCommand for UnassignModule {
    type Output = ();
    const EVENT: Event = Event::OrgModuleUnassigned;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let pair = (desk.book.team(self.team)?.id, desk.book.module(self.module)?.id);
        if !desk.book.team_modules.contains(&pair) {
            return Err(desk.book.missing("assignment of module", self.module));
        }
        let row = TeamModule { team_id: pair.0, module_id: pair.1 };
        Ok(Decided::remove(Row::TeamModule(row), ()))
    }
}

impl ProjectCommand for AddMember {
    type Output = MembershipId;
    const EVENT: Event = Event::OrgMemberAdded;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn subject(&self) -> Option<UserId> {
        Some(self.user)
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<MembershipId>, Error> {
        let user = desk.subject()?.id;
        desk.refuse_self(user, "give a membership")?;
        let team = desk.book.team(self.team)?.id;
        if self.role == TeamRole::LeaderTemp && self.valid.until().is_none() {
            return Err(Error::new(Code::InvalidInput, "a LEADER_TEMP must have an end")
                .with_help("give the membership an end, or make the user LEADER_PRIMARY"));
        }
        let at_that_time =
            |row: &&Membership| row.team_id == team && row.valid.overlaps(self.valid);
        for row in desk.book.memberships.values().filter(at_that_time) {
            if row.user_id == user && row.role == self.role {
                return Err(overlap("the user has this role in this team", row));
            }
            if self.role == TeamRole::LeaderPrimary && row.role == TeamRole::LeaderPrimary {
                return Err(overlap("this team has a LEADER_PRIMARY", row));
            }
        }
        let id = MembershipId::from_u128(desk.ids.next());
        let (role, valid) = (self.role, self.valid);
        let row = Membership { id, team_id: team, user_id: user, role, valid };
        Ok(Decided::put(Row::Membership(row), id))
    }
}

fn overlap(what: &str, row: &Membership) -> Error {
    Error::new(Code::AlreadyExists, format!("{what} at that time, by `{}`", row.id))
        .with_help("end that membership first, or choose a time after it")
}

impl ProjectCommand for EndMembership {
    type Output = ();
    const EVENT: Event = Event::OrgMembershipEnded;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let missing = || desk.book.missing("membership", self.membership);
        let row = desk.book.memberships.get(&self.membership).ok_or_else(missing)?;
        match ended(row.valid, self.at.unwrap_or(desk.now), desk.now)? {
            Some(valid) => {
                Ok(Decided::put(Row::Membership(Membership { valid, ..row.clone() }), ()))
            }
            None => Ok(Decided::remove(Row::Membership(row.clone()), ())),
        }
    }
}

/// Cuts `valid` at `at`; `None` when nothing of it is left. What is past cannot be changed.
pub(super) fn ended(
    valid: Interval,
    at: Timestamp,
    now: Timestamp,
) -> Result<Option<Interval>, Error> {
    if at < now {
        return Err(Error::new(Code::InvalidInput, format!("`{at}` is past"))
            .with_help("end it now or later; what it allowed until now stays on record"));
    }
    if valid.until().is_some_and(|until| until <= at) {
        return Err(Error::new(Code::WrongState, "it ends before that already")
            .with_help("nothing needs to be done"));
    }
    if at <= valid.from() { Ok(None) } else { Interval::new(valid.from(), Some(at)).map(Some) }
}
