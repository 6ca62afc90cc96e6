//! Projects, and their environments and modules.

use serde::{Deserialize, Serialize};

use super::text::{Name, Slug};
use crate::id::{EnvironmentId, ModuleId, ProjectId};

/// A row of `projects`: a business unit or product.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Project {
    /// Primary key.
    pub id: ProjectId,
    /// Unique over all projects.
    pub code: Slug,
    /// What people see.
    pub name: Name,
}

/// How much harm a change in an environment can do, from least to most.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "rules by criticality must cover each of them")]
pub enum Criticality {
    /// For trying things out.
    Low,
    /// Others rely on it now and then.
    Medium,
    /// Others rely on it every day.
    High,
    /// Customers rely on it.
    Critical,
}

/// A row of `project_environments`: a stage such as dev, staging or prod.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Environment {
    /// Primary key.
    pub id: EnvironmentId,
    /// The project that it is a stage of.
    pub project_id: ProjectId,
    /// Unique within the project: `dev`, `prod`, `staging`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
    /// Where it stands in a list, ascending.
    pub priority: u32,
    /// How much harm a change here can do.
    pub criticality: Criticality,
}

/// A row of `project_modules`: a functional part of a project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Module {
    /// Primary key.
    pub id: ModuleId,
    /// The project that it is a part of.
    pub project_id: ProjectId,
    /// Unique within the project: `sales`, `catalog`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
}
