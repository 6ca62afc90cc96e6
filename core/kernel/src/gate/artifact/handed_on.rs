//! Changes that hand artifacts on to another system: each has to be approved as it stands, whatever the payload says of it.

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::txn::Txn;
use crate::request::{ArtifactName, ArtifactType, Header};
use crate::runner::RunnerInfo;

/// What a payload says of one artifact; the rest of it is the plugin's own.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "type")]
    artifact_type: ArtifactType,
    id: i64,
    version: u32,
    digest: Digest,
}

impl Txn<'_> {
    /// Refuses a change whose runner hands artifacts on, unless each of those that `payload` lists is the newest version in
    /// the project of the change, has this digest, and may be published now.
    pub(in crate::gate) fn check_handed_on(
        &mut self,
        header: &Header,
        info: &RunnerInfo,
        payload: &str,
    ) -> Result<(), Error> {
        let Some(pointer) = &info.publishes else { return Ok(()) };
        for listed in listed(payload, pointer)? {
            let name = ArtifactName::new(header.project_id, listed.artifact_type, listed.id)?;
            let own = header.artifact.as_ref().is_some_and(|own| own.is(&name, listed.version));
            if own {
                // An artifact that publishes itself: its own states say when, and it cannot hold its own digest.
                continue;
            }
            let newest = self.artifact(&name)?.and_then(|found| found.request);
            // One that is not there was approved by nobody either, and whoever asks learns no more than that.
            let newest = newest.ok_or_else(|| refused(&name, "draft it, and have it approved"))?;
            let newest = self.request(newest)?;
            self.check_publishable(&newest)
                .map_err(|error| error.with_detail("artifact", &name))?;
            let header = &newest.header;
            let version = header.artifact.as_ref().map(|artifact| artifact.version);
            if version != Some(listed.version) || header.payload_digest != listed.digest {
                return Err(refused(&name, "name the version and the digest that were approved"));
            }
        }
        Ok(())
    }
}

fn listed(payload: &str, pointer: &str) -> Result<Vec<Listed>, Error> {
    let unread = |why: &str| {
        let sentence = format!("the payload does not list its artifacts at `{pointer}`: {why}");
        Error::new(Code::InvalidPayload, sentence)
            .with_help("list them as objects with `type`, `id`, `version` and `digest`")
    };
    let payload: Value = serde_json::from_str(payload).map_err(|why| unread(&why.to_string()))?;
    let list = payload.pointer(pointer).ok_or_else(|| unread("nothing is there"))?;
    let listed: Vec<Listed> = Vec::deserialize(list).map_err(|why| unread(&why.to_string()))?;
    if listed.is_empty() { Err(unread("the list is empty")) } else { Ok(listed) }
}

fn refused(name: &ArtifactName, help: &str) -> Error {
    Error::new(Code::ArtifactNotApproved, "Artifact not approved")
        .with_help(help)
        .with_detail("artifact", name)
}
