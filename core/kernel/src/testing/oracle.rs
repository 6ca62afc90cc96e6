//! The permission model as it is written, asked of every row in turn. Slow, and easy to compare with the text.

use super::RandomOrganisation;
use crate::authz::{Question, Scope};
use crate::clock::Timestamp;
use crate::id::{ProjectId, RoleId, TeamId};
use crate::org::{GlobalRole, Interval, Row, UserKind};

impl RandomOrganisation {
    /// Whether the model permits what is asked.
    pub fn permits(&self, question: &Question) -> bool {
        let Some(user) = self.users.iter().find(|user| user.id == question.user) else {
            return false;
        };
        if !user.is_active {
            return false;
        }
        let is_person = user.kind == UserKind::Person;
        let holds =
            |role| self.global_roles.iter().any(|row| row.user_id == user.id && row.role == role);
        let (admin, auditor) = (holds(GlobalRole::PlatformAdmin), holds(GlobalRole::Auditor));
        // Spelled out, as the model does: which rule an action goes by is a thing to be tested too.
        let action = question.action.as_str();
        let Scope::Project { project, .. } = question.scope else {
            return match action {
                "administer" => admin && is_person,
                "audit" => admin || auditor,
                _ => false,
            };
        };
        if !self.place_exists(question.scope) {
            return false;
        }
        match action {
            "administer" => false,
            "audit" => admin || auditor,
            "manage" => is_person && (admin || self.leg_2(question, Scope::project(project))),
            "read" => auditor || self.leg_2(question, question.scope),
            _ => {
                (is_person || action != "approve")
                    && self.leg_1(question)
                    && self.leg_2(question, question.scope)
            }
        }
    }

    fn rows_of(&self, project: ProjectId) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |(of, _)| *of == project).map(|(_, row)| row)
    }

    fn place_exists(&self, scope: Scope) -> bool {
        let Scope::Project { project, module, environment } = scope else { return true };
        let has = |is: &dyn Fn(&Row) -> bool| self.rows_of(project).any(is);
        self.projects.iter().any(|row| row.id == project)
            && module.is_none_or(|id| {
                has(&|row| matches!(row, Row::Module(row) if row.id == id && row.project_id == project))
            })
            && environment.is_none_or(|id| {
                has(&|row| {
                    matches!(row, Row::Environment(row) if row.id == id && row.project_id == project)
                })
            })
    }

    /// A live member of a team of the project that is assigned to the module.
    fn leg_1(&self, question: &Question) -> bool {
        let Scope::Project { project, module, .. } = question.scope else { return false };
        let is_assigned = |team: TeamId| {
            let is_ours = self.rows_of(project).any(
                |row| matches!(row, Row::Team(row) if row.id == team && row.project_id == project),
            );
            is_ours
                && module.is_none_or(|module| {
                    self.rows_of(project).any(|row| {
                        matches!(row, Row::TeamModule(row) if row.team_id == team && row.module_id == module)
                    })
                })
        };
        self.rows_of(project).any(|row| {
            matches!(row, Row::Membership(row)
                if row.user_id == question.user
                    && is_live(row.valid, question.at)
                    && is_assigned(row.team_id))
        })
    }

    /// A live grant of a role of the project with a permission for the action that fits `place`.
    fn leg_2(&self, question: &Question, place: Scope) -> bool {
        let Scope::Project { project, module, environment } = place else { return false };
        let permits = |permission| {
            self.rows_of(project).any(|row| {
                matches!(row, Row::Permission(row)
                    if row.id == permission
                        && row.project_id == project
                        && row.action == question.action
                        && (row.module_id.is_none() || row.module_id == module)
                        && (row.environment_id.is_none() || row.environment_id == environment))
            })
        };
        let is_allowed = |role: RoleId| {
            let is_ours = self.rows_of(project).any(
                |row| matches!(row, Row::Role(row) if row.id == role && row.project_id == project),
            );
            is_ours
                && self.rows_of(project).any(|row| {
                    matches!(row, Row::RolePermission(row)
                        if row.role_id == role && permits(row.permission_id))
                })
        };
        self.rows_of(project).any(|row| {
            matches!(row, Row::Grant(row)
                if row.user_id == question.user
                    && row.project_id == project
                    && is_live(row.valid, question.at)
                    && is_allowed(row.role_id))
        })
    }
}

fn is_live(valid: Interval, at: Timestamp) -> bool {
    valid.from() <= at && valid.until().is_none_or(|until| at < until)
}
