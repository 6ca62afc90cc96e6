//! What is there of the organisation.

use std::collections::BTreeMap;

use clap::Args;
use placet::error::Error;
use placet::id::{EnvironmentId, UserId};
use placet::org::{Interval, Slug};
use placet::{Gate, Organisation};
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::text::Text;

/// The projects that the principal sees, or everything of one.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// A project, by code or id.
    project: Option<String>,
}

/// The users.
#[derive(Args, Debug)]
pub(crate) struct Users;

/// Who may do what where.
#[derive(Args, Debug)]
pub(crate) struct Matrix {
    /// The project, by code or id.
    project: String,
}

impl Show {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let mut text = Text::default();
        let Some(project) = self.project else {
            let projects = gate.projects(&caller)?;
            let rows: Vec<Vec<String>> = projects
                .iter()
                .map(|row| vec![row.code.to_string(), row.name.to_string(), row.id.to_string()])
                .collect();
            text.table(&["code", "name", "id"], &rows);
            if rows.is_empty() {
                text.line("no project");
            }
            return Ok(Answer::ok(text, json!({"projects": json_of(&projects)?})));
        };
        let shop = Names::new(&gate, &caller).organisation(&project)?;
        tell(&mut text, &shop);
        Ok(Answer::ok(text, organisation_json(&shop)?))
    }
}

impl Users {
    #[expect(clippy::unused_self, reason = "each command has this shape")]
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let (mut users, mut after) = (Vec::new(), None);
        loop {
            let page = gate.users(&caller, after.as_ref())?;
            users.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut roles: BTreeMap<UserId, Vec<&str>> = BTreeMap::new();
        for held in gate.global_roles(&caller)? {
            roles.entry(held.user_id).or_default().push(held.role.as_str());
        }
        let mut rows = Vec::new();
        let mut list = Vec::new();
        for user in &users {
            let held = roles.get(&user.id).cloned().unwrap_or_default();
            let active = if user.is_active { "" } else { "not active" };
            let kind = json_of(&user.kind)?;
            rows.push(vec![
                user.id.to_string(),
                user.email.to_string(),
                user.display_name.to_string(),
                kind.as_str().unwrap_or_default().to_owned(),
                held.join(" "),
                active.to_owned(),
            ]);
            let mut row = json_of(user)?;
            if let Some(row) = row.as_object_mut() {
                row.insert("global_roles".to_owned(), json!(held));
            }
            list.push(row);
        }
        let mut text = Text::default();
        text.table(&["id", "e-mail", "name", "kind", "global roles", ""], &rows);
        Ok(Answer::ok(text, json!({"users": list})))
    }
}

impl Matrix {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller): (Gate, _) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let matrix = gate.matrix_text(&caller, project)?;
        let mut text = Text::default();
        text.line(matrix.trim_end());
        Ok(Answer::ok(text, json!({"matrix": matrix})))
    }
}

fn tell(text: &mut Text, shop: &Organisation) {
    let project = &shop.project;
    text.head(format_args!("{} ({}), {}", project.name, project.code, project.id));
    text.head("environments");
    let rows = shop.environments.iter().map(|row| {
        let quorum = shop.quorums.iter().find(|(id, _)| *id == row.id);
        let people = quorum.map_or(1, |(_, quorum)| quorum.people());
        let priority = row.priority.to_string();
        let criticality = format!("{:?}", row.criticality).to_lowercase();
        let approvals = format!("{people} to approve");
        vec![
            row.code.to_string(),
            row.name.to_string(),
            priority,
            criticality,
            approvals,
            row.id.to_string(),
        ]
    });
    text.table(&["code", "name", "priority", "criticality", "quorum", "id"], &all(rows));
    tell_narrowing(text, shop);
    text.head("modules");
    let rows = shop.modules.iter();
    let rows = rows.map(|row| vec![row.code.to_string(), row.name.to_string(), row.id.to_string()]);
    text.table(&["code", "name", "id"], &all(rows));
    text.head("teams");
    let rows = shop.teams.iter().map(|team| {
        let links = shop.team_modules.iter().filter(|link| link.team_id == team.id);
        let codes =
            links.filter_map(|link| shop.modules.iter().find(|row| row.id == link.module_id));
        let codes: Vec<&str> = codes.map(|row| row.code.as_str()).collect();
        vec![team.name.to_string(), codes.join(" "), team.id.to_string()]
    });
    text.table(&["name", "modules", "id"], &all(rows));
    text.head("members");
    let rows = shop.memberships.iter().map(|row| {
        let team = shop.teams.iter().find(|team| team.id == row.team_id);
        let team = team.map(|team| team.name.to_string()).unwrap_or_default();
        let user = row.user_id.to_string();
        vec![user, team, row.role.as_str().to_owned(), span(row.valid), row.id.to_string()]
    });
    text.table(&["user", "team", "role", "valid", "id"], &all(rows));
    text.head("roles");
    let rows = shop.roles.iter().map(|role| {
        let links = shop.role_permissions.iter().filter(|link| link.role_id == role.id);
        let found = links
            .filter_map(|link| shop.permissions.iter().find(|row| row.id == link.permission_id));
        let texts: Vec<String> = found
            .filter_map(|row| shop.permission_string(row).ok())
            .map(|text| text.to_string())
            .collect();
        vec![role.name.to_string(), texts.join(" "), role.id.to_string()]
    });
    text.table(&["name", "permissions", "id"], &all(rows));
    text.head("grants");
    let rows = shop.grants.iter().map(|row| {
        let role = shop.roles.iter().find(|role| role.id == row.role_id);
        let role = role.map(|role| role.name.to_string()).unwrap_or_default();
        vec![row.user_id.to_string(), role, span(row.valid), row.id.to_string()]
    });
    text.table(&["user", "role", "valid", "id"], &all(rows));
}

/// What environments ask of requests, where they ask for anything.
fn tell_narrowing(text: &mut Text, shop: &Organisation) {
    let code = |id: &EnvironmentId| {
        let found = shop.environments.iter().find(|row| row.id == *id);
        found.map_or_else(|| id.to_string(), |row| row.code.to_string())
    };
    if !shop.allowed_workflows.is_empty() {
        text.head("allowed workflows");
        let rows = shop.allowed_workflows.iter().map(|row| {
            let names: Vec<&str> = row.workflows.iter().map(Slug::as_str).collect();
            vec![code(&row.environment_id), names.join(" ")]
        });
        text.table(&["environment", "workflows"], &all(rows));
    }
    if !shop.artifact_forms.is_empty() {
        text.head("forms of artifacts");
        let rows = shop.artifact_forms.iter();
        let rows =
            rows.map(|row| vec![row.artifact_type.to_string(), row.form.as_str().to_owned()]);
        text.table(&["type", "form"], &all(rows));
    }
    if !shop.runner_settings.is_empty() {
        text.head("settings of runners");
        let rows = shop.runner_settings.iter().map(|row| {
            vec![code(&row.environment_id), row.runner.to_string(), row.settings.clone()]
        });
        text.table(&["environment", "runner", "settings"], &all(rows));
    }
}

fn all(rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    rows.collect()
}

fn span(valid: Interval) -> String {
    match valid.until() {
        Some(until) => format!("{} until {until}", valid.from()),
        None => format!("from {}", valid.from()),
    }
}

fn organisation_json(shop: &Organisation) -> Result<Value, Error> {
    let quorums: Vec<Value> = shop
        .quorums
        .iter()
        .map(|(environment, quorum)| {
            let role = quorum.role().map(|role| role.to_string());
            json!({"environment": environment.to_string(), "people": quorum.people(), "role": role})
        })
        .collect();
    Ok(json!({
        "project": json_of(&shop.project)?,
        "environments": json_of(&shop.environments)?,
        "modules": json_of(&shop.modules)?,
        "teams": json_of(&shop.teams)?,
        "team_modules": json_of(&shop.team_modules)?,
        "memberships": json_of(&shop.memberships)?,
        "roles": json_of(&shop.roles)?,
        "permissions": json_of(&shop.permissions)?,
        "role_permissions": json_of(&shop.role_permissions)?,
        "grants": json_of(&shop.grants)?,
        "quorums": quorums,
        "promotions": json_of(&shop.promotions)?,
        "executions": json_of(&shop.executions)?,
        "runner_settings": json_of(&shop.runner_settings)?,
        "allowed_workflows": json_of(&shop.allowed_workflows)?,
        "artifact_forms": json_of(&shop.artifact_forms)?,
        "quorum_rules": json_of(&shop.quorum_rules)?,
        "blocking_rules": json_of(&shop.blocking_rules)?,
        "auto_approvals": json_of(&shop.auto_approvals)?,
        "governance": json_of(&shop.governance)?,
    }))
}
