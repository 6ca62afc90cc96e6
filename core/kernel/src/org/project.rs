//! Projects, and their environments and modules.

use serde::{Deserialize, Serialize};

use super::text::{Name, Slug};
use crate::id::{EnvironmentId, ModuleId, ProjectId};

/// A row of `projects`: a business unit or product.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let projects = gate.projects(&office.ana)?;
/// let shop = projects.iter().find(|project| project.code.as_str() == "shop");
/// assert!(shop.is_some_and(|project| project.id == office.project));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// use placet_core::org::Criticality;
/// use placet_core::request::Quorum;
///
/// // A host's own rule: where customers could be hurt, two people agree.
/// let quorum = |place: Criticality| Quorum::n_of(if place >= Criticality::High { 2 } else { 1 }, None);
/// assert_eq!(quorum(Criticality::Critical)?.people(), 2);
/// assert_eq!(quorum(Criticality::Low)?.people(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let environments = gate.organisation(&office.root, office.project)?.environments;
/// let codes: Vec<&str> = environments.iter().map(|row| row.code.as_str()).collect();
/// assert_eq!(codes, ["dev"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let modules = gate.organisation(&office.root, office.project)?.modules;
/// let pagos = modules.iter().find(|row| row.code.as_str() == "pagos");
/// assert!(pagos.is_some_and(|row| row.id == office.module));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
