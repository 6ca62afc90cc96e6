//! What a project asks of requests before anybody approves: which workflow they go through, and what they must say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Slug;
use crate::id::EnvironmentId;
use crate::request::ArtifactType;
use crate::workflow::Form;

/// The workflows that requests may go through in an environment.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::{AllowedWorkflows, Row};
/// let environment_id = EnvironmentId::from_u128(1);
/// let row = AllowedWorkflows { environment_id, workflows: ["purchase".parse()?].into() };
/// assert!(matches!(Row::from(row), Row::AllowedWorkflows(row) if row.workflows.len() == 1));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct AllowedWorkflows {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Their names. Never empty: then any is allowed, and there is no row.
    pub workflows: BTreeSet<Slug>,
}

/// The form that artifacts of one type must fit before they are submitted.
///
/// ```
/// use placet_core::org::ArtifactForm;
/// use placet_core::workflow::Form;
/// let form = Form::parse(r#"{"required": ["so_that"]}"#)?;
/// let row = ArtifactForm { artifact_type: "USER_STORY".parse()?, form };
/// assert_eq!(row.artifact_type.as_str(), "USER_STORY");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct ArtifactForm {
    /// The type.
    pub artifact_type: ArtifactType,
    /// What it asks for.
    pub form: Form,
}
