//! Roles from a template: what a workflow asks for by name, made in one step.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::authz::Action;
use crate::error::{Code, Error};
use crate::id::{PermissionId, ProjectId, RoleId};
use crate::org::Row;
use crate::org::{Name, Permission, Role, RolePermission};

/// Which roles to make.
///
/// ```
/// use placet_core::org::command::RoleTemplate;
/// assert_eq!(RoleTemplate::Artifact.as_str(), "artifact");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RoleTemplate {
    /// The roles of the workflow `artifact`, each for the whole project:
    ///
    /// | role | may |
    /// |---|---|
    /// | `ADMIN` | read, request, approve, execute, revert, restore, manage |
    /// | `EDITOR` | read, request, execute |
    /// | `REVIEWER` | read, approve |
    /// | `VIEWER` | read |
    ///
    /// `ADMIN` is a role of this project, and not PLATFORM_ADMIN.
    Artifact,
}

impl RoleTemplate {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
        }
    }

    /// The roles by name, and what each may do.
    const fn roles(self) -> &'static [(&'static str, &'static [Action])] {
        match self {
            Self::Artifact => &[
                (
                    "ADMIN",
                    &[
                        Action::READ,
                        Action::REQUEST,
                        Action::APPROVE,
                        Action::EXECUTE,
                        Action::REVERT,
                        Action::RESTORE,
                        Action::MANAGE,
                    ],
                ),
                ("EDITOR", &[Action::READ, Action::REQUEST, Action::EXECUTE]),
                ("REVIEWER", &[Action::READ, Action::APPROVE]),
                ("VIEWER", &[Action::READ]),
            ],
        }
    }
}

/// Makes the roles of a template, with their permissions, and gives back all of them in the template's order. Those
/// that are there stay as they are, so that it can be said again.
///
/// Fails with [`Code::AlreadyExists`] where a role of one of these names may do something else.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::{ApplyRoleTemplate, RoleTemplate};
///
/// let command = ApplyRoleTemplate { project: office.project, template: RoleTemplate::Artifact };
/// let roles = gate.manage(&office.root, &command)?;
/// let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
/// assert_eq!(names, ["ADMIN", "EDITOR", "REVIEWER", "VIEWER"]);
/// assert_eq!(gate.manage(&office.root, &command)?, roles);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct ApplyRoleTemplate {
    /// The project.
    pub project: ProjectId,
    /// Which roles.
    pub template: RoleTemplate,
}

impl ProjectCommand for ApplyRoleTemplate {
    type Output = Vec<Role>;
    const EVENT: Event = Event::OrgRoleTemplateApplied;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn facts(&self) -> BTreeMap<String, String> {
        // What was made stands in the leaf's records, by id.
        BTreeMap::from([("template".to_owned(), self.template.as_str().to_owned())])
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<Vec<Role>>, Error> {
        let mut put = Vec::new();
        let mut whole: BTreeMap<Action, PermissionId> = BTreeMap::new();
        for row in desk.book.permissions.values() {
            if row.module_id.is_none() && row.environment_id.is_none() {
                whole.insert(row.action.clone(), row.id);
            }
        }
        let mut roles = Vec::new();
        for (name, actions) in self.template.roles() {
            let name: Name = name.parse()?;
            if let Some(role) = desk.book.roles.values().find(|row| row.name == name) {
                check_may(desk, role, actions)?;
                roles.push(role.clone());
                continue;
            }
            let id = RoleId::from_u128(desk.ids.next());
            let role = Role { id, project_id: self.project, name };
            put.push(Row::Role(role.clone()));
            for action in *actions {
                let permission_id = whole.get(action).copied().unwrap_or_else(|| {
                    let id = PermissionId::from_u128(desk.ids.next());
                    let (project_id, action) = (self.project, action.clone());
                    let (module_id, environment_id) = (None, None);
                    let row = Permission { id, project_id, module_id, environment_id, action };
                    put.push(Row::Permission(row));
                    id
                });
                whole.insert(action.clone(), permission_id);
                put.push(Row::RolePermission(RolePermission { role_id: id, permission_id }));
            }
            roles.push(role);
        }
        Ok(Decided { put, remove: Vec::new(), output: roles })
    }
}

/// Refuses a role of that name which may do anything else: whoever holds it would get or lose rights unseen.
fn check_may(desk: &Desk<'_>, role: &Role, actions: &[Action]) -> Result<(), Error> {
    let held = desk.book.role_permissions.iter().filter(|(of, _)| *of == role.id);
    let held = held.filter_map(|(_, permission)| desk.book.permissions.get(permission));
    let may: BTreeSet<(Option<String>, &Action)> = held
        .map(|row| {
            let place = (row.module_id, row.environment_id);
            let narrow = (place != (None, None)).then(|| row.id.to_string());
            (narrow, &row.action)
        })
        .collect();
    if may == actions.iter().map(|action| (None, action)).collect() {
        return Ok(());
    }
    let wanted: Vec<&str> = actions.iter().map(Action::as_str).collect();
    Err(Error::new(
        Code::AlreadyExists,
        format!("there is a role `{}` that may do something else", role.name),
    )
    .with_help(format!(
        "rename or remove it, or give it exactly these for the whole project: {}",
        wanted.join(", ")
    ))
    .with_detail("role", role.id))
}
