//! One project, read at one epoch, with its index.

use std::collections::BTreeSet;

use crate::authz::index::{Actions, PlaceIds, SingleIndex};
use crate::authz::{Action, Known, Missing, Question, Rule, Scope};
use crate::clock::Timestamp;
use crate::id::{GrantId, ModuleId, RoleId, TeamId, UserId};
use crate::org::book::Book;
use crate::org::{Membership, Permission, Role, Team, TeamRole};
use crate::request::{Fit, Group, Quorum};

#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) book: Book,
    index: SingleIndex,
    actions: Actions,
}

impl Shelf {
    pub(super) fn of(book: Book) -> Self {
        let mut actions = Actions::default();

        let index = SingleIndex::build(&book, &mut actions);
        Self { book, index, actions }
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known { book: &self.book, index: &self.index, actions: &self.actions }
    }

    /// The places that the user's rows let them read, each once, the widest first.
    pub(super) fn read_places(&self, user: UserId, at: Timestamp) -> Vec<PlaceIds> {
        self.index.read_places(user, self.actions.number(&Action::READ), at)
    }

    /// Whether `user` holds `role` at that instant, by which grant.
    pub(super) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        self.index.holds_role(user, role, at)
    }

    /// The teams in which a membership would be the first leg, where it is missing.
    pub(super) fn missing_membership(&self, question: &Question) -> Option<Missing> {
        let Scope::Project { project, module, environment } = question.scope else { return None };
        let spot = self.index.spot((module, environment))?;
        if self.index.leg_1(question.user, spot.module(), question.at).is_ok() {
            return None;
        }
        let looks_after = |team: &&Team| {
            module.is_none_or(|module| self.book.team_modules.contains(&(team.id, module)))
        };
        let teams = self.book.teams.values().filter(looks_after);
        let teams = teams.map(|team| (team.id, team.name.clone())).collect();
        let of = self.known().place_text(Scope::Project { project, module, environment: None });
        Some(Missing::Membership { of, teams })
    }

    /// The roles of which a grant would be the second leg, where it is missing.
    pub(super) fn missing_grant(&self, question: &Question) -> Option<Missing> {
        let Question { user, action, scope, at } = question;
        let Scope::Project { project, mut module, mut environment } = *scope else { return None };
        if action.rule() == Rule::Manage {
            // Managing takes the whole project, wherever in it one asks.
            (module, environment) = (None, None);
        }
        let spot = self.index.spot((module, environment))?;
        if self.index.leg_2(*user, self.actions.number(action), spot, *at).is_ok() {
            return None;
        }
        let fits = |permission: &Permission| {
            permission.action == *action
                && (permission.module_id.is_none() || permission.module_id == module)
                && (permission.environment_id.is_none() || permission.environment_id == environment)
        };
        let permits = |role: &&Role| {
            self.book.role_permissions.iter().any(|(of, permission)| {
                *of == role.id && self.book.permissions.get(permission).is_some_and(fits)
            })
        };
        let roles = self.book.roles.values().filter(permits);
        let roles = roles.map(|role| (role.id, role.name.clone())).collect();
        let place = self.known().place_text(Scope::Project { project, module, environment });
        Some(Missing::Grant { action: action.clone(), place, roles })
    }

    /// The roles that the user of `question` has at its instant in teams that look after its module.
    pub(super) fn team_roles(&self, question: &Question) -> BTreeSet<TeamRole> {
        let Scope::Project { module, .. } = question.scope else { return BTreeSet::new() };
        let looks_after = |team: TeamId| {
            module.is_none_or(|module| self.book.team_modules.contains(&(team, module)))
        };
        // The index finds the user's own rows; every yes asks, and a project may have many thousand others.
        let rows = self.index.memberships(question.user, question.at);
        let rows = rows.filter_map(|id| self.book.memberships.get(&id));
        rows.filter(|row| looks_after(row.team_id)).map(|row| row.role).collect()
    }

    /// The groups of `quorum` that the user is in at that instant, for a request about `module`, and by which rows.
    pub(super) fn fits(
        &self,
        user: UserId,
        quorum: &Quorum,
        module: ModuleId,
        at: Timestamp,
    ) -> Vec<Fit> {
        let groups: BTreeSet<&Group> = quorum.groups().into_iter().collect();
        groups.into_iter().filter_map(|group| self.fit(user, *group, module, at)).collect()
    }

    fn fit(&self, user: UserId, group: Group, module: ModuleId, at: Timestamp) -> Option<Fit> {
        let member = |fits: &dyn Fn(&Membership) -> bool| {
            let rows = self.index.memberships(user, at);
            let mut rows = rows.filter_map(|id| self.book.memberships.get(&id));
            rows.find(|row| fits(row)).map(|row| Fit::new(group, None, Some(row.id)))
        };
        match group {
            Group::Anyone => Some(Fit::new(group, None, None)),
            Group::Person(person) => (person == user).then(|| Fit::new(group, None, None)),
            Group::ProjectRole(role) => {
                self.holds_role(user, role, at).map(|grant| Fit::new(group, Some(grant), None))
            }
            Group::Team(team) => member(&|row| row.team_id == team),
            Group::TeamRole { team: Some(team), role } => {
                member(&|row| row.team_id == team && row.role == role)
            }
            Group::TeamRole { team: None, role } => member(&|row| {
                row.role == role && self.book.team_modules.contains(&(row.team_id, module))
            }),
        }
    }

    /// Whether the user is at that instant in a team in which one of `others` is.
    pub(super) fn shares_team(
        &self,
        user: UserId,
        others: &BTreeSet<UserId>,
        at: Timestamp,
    ) -> bool {
        let teams = |user: UserId| {
            let rows = self.index.memberships(user, at);
            rows.filter_map(|id| self.book.memberships.get(&id)).map(|row| row.team_id)
        };
        let theirs: BTreeSet<TeamId> = others.iter().flat_map(|other| teams(*other)).collect();
        teams(user).any(|team| theirs.contains(&team))
    }

    /// Whether the user ever had a membership or a role in the project.
    pub(super) fn has_row_of(&self, user: UserId) -> bool {
        self.index.has_row_of(user)
    }

    /// Everybody with a grant in the project.
    pub(super) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.index.granted_users()
    }
}
