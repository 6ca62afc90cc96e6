//! Codes, names and e-mail addresses become ids, as far as the principal may look them up. An id is taken as it is.

use core::fmt::Display;
use core::str::FromStr;

use placet::authz::Scope;
use placet::error::{Code, Error};
use placet::id::{EnvironmentId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId};
use placet::identity::Caller;
use placet::org::Project;
use placet::{Gate, Organisation};

/// What the principal may look up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    gate: &'a Gate,
    caller: &'a Caller,
}

impl<'a> Names<'a> {
    pub(crate) const fn new(gate: &'a Gate, caller: &'a Caller) -> Self {
        Self { gate, caller }
    }

    /// A user by id or e-mail address.
    pub(crate) fn user(&self, text: &str) -> Result<UserId, Error> {
        if !text.contains('@') {
            return text.parse();
        }
        let mut after = None;
        loop {
            let page = self.gate.users(self.caller, after.as_ref()).map_err(|error| {
                error_with_ids(error, "an e-mail address can be looked up by who may audit", "usr")
            })?;
            let same = |email: &str| email.eq_ignore_ascii_case(text);
            if let Some(user) = page.items.iter().find(|user| same(user.email.as_str())) {
                return Ok(user.id);
            }
            after = page.next;
            if after.is_none() {
                return Err(missing("user", text));
            }
        }
    }

    /// A project by id or code.
    pub(crate) fn project(&self, text: &str) -> Result<ProjectId, Error> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let projects = self.gate.projects(self.caller)?;
        let found = projects.iter().find(|Project { code, .. }| code.as_str() == text);
        found.map(|project| project.id).ok_or_else(|| missing("project", text))
    }

    /// Everything of a project's organisation.
    pub(crate) fn organisation(&self, project: &str) -> Result<Organisation, Error> {
        let id = self.project(project)?;
        self.gate.organisation(self.caller, id).map_err(|error| {
            error_with_ids(error, "codes and names are read from the whole project", "prj")
        })
    }

    /// `platform`, `project`, or `project/module/environment` with `-` for none: by codes or ids.
    pub(crate) fn place(&self, text: &str) -> Result<Scope, Error> {
        if text == "platform" {
            return Ok(Scope::Platform);
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (Some(project), true) = (parts.first(), parts.len() <= 3) else {
            return Err(Error::new(Code::InvalidInput, format!("`{text}` is not a place")).with_help(
                "write `platform`, `shop`, or `shop/pagos/prod` with `-` for no module or environment",
            ));
        };
        let part = |at: usize| parts.get(at).copied().filter(|part| !matches!(*part, "-" | "*"));
        let (module, environment) = (part(1), part(2));
        // Ids alone need nobody who may read the project.
        let module_id = module.map(ModuleId::from_str).transpose();
        let environment_id = environment.map(EnvironmentId::from_str).transpose();
        if let (Ok(module), Ok(environment)) = (module_id, environment_id) {
            return Ok(Scope::Project { project: self.project(project)?, module, environment });
        }
        let shop = self.organisation(project)?;
        Ok(Scope::Project {
            project: shop.project.id,
            module: module.map(|text| shop.module_id(text)).transpose()?,
            environment: environment.map(|text| shop.environment_id(text)).transpose()?,
        })
    }

    /// A module in an environment, where a request can be.
    pub(crate) fn spot(&self, text: &str) -> Result<(ProjectId, ModuleId, EnvironmentId), Error> {
        match self.place(text)? {
            Scope::Project { project, module: Some(module), environment: Some(environment) } => {
                Ok((project, module, environment))
            }
            Scope::Platform | Scope::Project { .. } => {
                let sentence = format!("`{text}` is not a module in an environment");
                Err(Error::new(Code::InvalidInput, sentence)
                    .with_help("write all three parts, for example `shop/pagos/prod`"))
            }
        }
    }
}

/// What an organisation calls its parts.
pub(crate) trait Named {
    fn module_id(&self, text: &str) -> Result<ModuleId, Error>;
    fn environment_id(&self, text: &str) -> Result<EnvironmentId, Error>;
    fn team_id(&self, text: &str) -> Result<TeamId, Error>;
    fn role_id(&self, text: &str) -> Result<RoleId, Error>;
    fn permission_id(&self, text: &str) -> Result<PermissionId, Error>;
}

impl Named for Organisation {
    fn module_id(&self, text: &str) -> Result<ModuleId, Error> {
        pick(text, "module", self.modules.iter().map(|row| (row.id, row.code.as_str().to_owned())))
    }

    fn environment_id(&self, text: &str) -> Result<EnvironmentId, Error> {
        let rows = self.environments.iter().map(|row| (row.id, row.code.as_str().to_owned()));
        pick(text, "environment", rows)
    }

    fn team_id(&self, text: &str) -> Result<TeamId, Error> {
        pick(text, "team", self.teams.iter().map(|row| (row.id, row.name.as_str().to_owned())))
    }

    fn role_id(&self, text: &str) -> Result<RoleId, Error> {
        pick(text, "role", self.roles.iter().map(|row| (row.id, row.name.as_str().to_owned())))
    }

    fn permission_id(&self, text: &str) -> Result<PermissionId, Error> {
        let rows = self.permissions.iter().filter_map(|row| {
            let written = self.permission_string(row).ok()?;
            Some((row.id, written.to_string()))
        });
        pick(text, "permission", rows)
    }
}

/// The id that `text` is, or the id of the row that `text` names.
fn pick<Id: FromStr>(
    text: &str,
    what: &str,
    mut rows: impl Iterator<Item = (Id, String)>,
) -> Result<Id, Error> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = rows.find(|(_, name)| name == text);
    found.map(|(id, _)| id).ok_or_else(|| missing(what, text))
}

fn missing(what: &str, text: impl Display) -> Error {
    let sentence = format!("there is no {what} `{text}`, or you may not see it");
    Error::new(Code::NotFound, sentence).with_help("look at `placet org show`, or use its id")
}

fn error_with_ids(error: Error, why: &str, prefix: &str) -> Error {
    let help = format!("{why}; use ids such as `{prefix}_…` instead");
    Error::new(error.code(), error.to_string()).with_help(help).with_source(error)
}
