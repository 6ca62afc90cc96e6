//! Artifacts: what is written to be published, under a name of the host's, version by version.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::id::{ProjectId, RequestId};
use crate::org::define_text;
use crate::store::records::Record;

define_text! {
    /// What kind of artifact it is, in a word of the host's, such as `USER_STORY`.
    ///
    /// It has 1 to 63 of `A` to `Z`, `0` to `9` and `_`, a letter first. Parsing anything else fails with
    /// [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::request::ArtifactType;
    ///
    /// assert_eq!("TEST_CASE".parse::<ArtifactType>()?.as_str(), "TEST_CASE");
    /// assert!("test case".parse::<ArtifactType>().is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    ArtifactType, is_artifact_type, "a type of artifact",
        "write 1 to 63 of: A to Z, 0 to 9, `_`; a letter first";
}

fn is_artifact_type(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The largest number of an artifact: beyond it, readers of JSON disagree.
const ARTIFACT_ID_MAX: i64 = 9_007_199_254_740_991;

/// How many requests one request may depend on.
pub(crate) const DEPENDS_ON_MAX: usize = 16;

/// How many requests may depend on one.
const DEPENDANTS_MAX: usize = 1_000;

/// The name of an artifact: what the host calls it, within a project.
///
/// ```
/// use placet_core::request::ArtifactName;
/// # use placet_core::id::ProjectId;
/// # let project = ProjectId::from_u128(1);
///
/// let story = ArtifactName::new(project, "USER_STORY".parse()?, 42)?;
/// assert_eq!(story.to_string(), "USER_STORY/42");
/// assert!(ArtifactName::new(project, "USER_STORY".parse()?, -1).is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ArtifactName {
    /// The project.
    pub project: ProjectId,
    /// What kind of artifact it is.
    pub artifact_type: ArtifactType,
    /// Its number in the host's own tables, from 0 to 2^53 - 1.
    pub artifact_id: i64,
}

impl ArtifactName {
    /// A name, checked.
    ///
    /// Fails with [`Code::InvalidInput`] for a number that is negative or larger than 2^53 - 1.
    pub fn new(
        project: ProjectId,
        artifact_type: ArtifactType,
        artifact_id: i64,
    ) -> Result<Self, Error> {
        if !(0..=ARTIFACT_ID_MAX).contains(&artifact_id) {
            return Err(Error::new(
                Code::InvalidInput,
                format!("`{artifact_id}` is not the number of an artifact"),
            )
            .with_help(format!("write a number from 0 to {ARTIFACT_ID_MAX}")));
        }
        Ok(Self { project, artifact_type, artifact_id })
    }

    /// The segments of its record's key after the kind.
    pub(crate) fn path(&self) -> Vec<String> {
        vec![self.project.to_string(), self.artifact_type.to_string(), self.artifact_id.to_string()]
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.artifact_type, self.artifact_id)
    }
}

/// Which version of which artifact a request is.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let request = office.artifact(&gate, 42)?;
/// let artifact = request.header.artifact.expect("it is one");
/// assert_eq!((artifact.artifact_id, artifact.version, artifact.follows), (42, 1, None));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// What kind of artifact it is.
    pub artifact_type: ArtifactType,
    /// Its number in the host's own tables.
    pub artifact_id: i64,
    /// From 1. No number is used twice, also when a version was deleted.
    pub version: u32,
    /// The request of the version that this one was copied from.
    pub follows: Option<RequestId>,
}

impl Version {
    /// Whether it is this version of that artifact of its own project.
    pub(crate) fn is(&self, name: &ArtifactName, version: u32) -> bool {
        (&self.artifact_type, self.artifact_id, self.version)
            == (&name.artifact_type, name.artifact_id, version)
    }
}

/// The newest version of an artifact: one record for each name, so that two versions are never written at once.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Artifact {
    pub(crate) name: ArtifactName,
    // `None`: the first version was deleted, and there is none.
    pub(crate) request: Option<RequestId>,
    // The last number that was given.
    pub(crate) version: u32,
}

impl Record for Artifact {
    const KIND: &'static str = "artifact";

    fn path(&self) -> Vec<String> {
        self.name.path()
    }
}

/// Who depends on a request. One record for each, so that whoever deletes it races with whoever leans on it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Dependants {
    pub(crate) on: RequestId,
    pub(crate) by: BTreeSet<RequestId>,
}

impl Dependants {
    pub(crate) fn none(on: RequestId) -> Self {
        Self { on, by: BTreeSet::new() }
    }

    /// Adds one. Fails with [`Code::TooLarge`] when there are too many.
    pub(crate) fn with(mut self, request: RequestId) -> Result<Self, Error> {
        self.by.insert(request);
        if self.by.len() <= DEPENDANTS_MAX {
            return Ok(self);
        }
        Err(Error::new(
            Code::TooLarge,
            format!("more than {DEPENDANTS_MAX} requests would depend on `{}`", self.on),
        )
        .with_help("depend on something that depends on it"))
    }
}

impl Record for Dependants {
    const KIND: &'static str = "dependants";

    fn path(&self) -> Vec<String> {
        vec![self.on.to_string()]
    }
}
