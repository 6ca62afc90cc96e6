//! Changes that hand artifacts on to another system: each has to be approved, and handed on as it was approved, whatever the
//! payload says of it.

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::txn::Txn;
use crate::request::{ArtifactName, ArtifactType, Header};
use crate::runner::RunnerInfo;

/// Which artifact an entry of a payload is about; the rest of the entry is what the plugin hands on.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "type")]
    artifact_type: ArtifactType,
    id: i64,
    version: u32,
    digest: Digest,
}

impl Txn<'_> {
    /// Refuses a change whose runner hands artifacts on, unless each of those that `payload` lists is the newest version in
    /// the project of the change, has this digest, may be published now, and says of itself what the list says of it.
    pub(in crate::gate) fn check_handed_on(
        &mut self,
        header: &Header,
        info: &RunnerInfo,
        payload: &str,
    ) -> Result<(), Error> {
        let Some(pointer) = &info.publishes else { return Ok(()) };
        for (named, entry) in listed(payload, pointer)? {
            let name = ArtifactName::new(header.project_id, named.artifact_type.clone(), named.id)?;
            let own = header.artifact.as_ref().is_some_and(|own| own.is(&name, named.version));
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
            if version != Some(named.version) || header.payload_digest != named.digest {
                return Err(refused(&name, "name the version and the digest that were approved"));
            }
            let approved = self.revision(header)?.change.payload;
            if !says_the_same(&approved, pointer, (&named, &entry)) {
                let help = "list it word for word as its own approved payload lists it, but for `digest` and `status`";
                return Err(refused(&name, help));
            }
        }
        Ok(())
    }
}

/// Whether an approved payload lists itself at the same place with the same words. Its own digest it cannot hold, and its
/// state has changed since.
fn says_the_same(approved: &str, pointer: &str, (named, entry): (&Named, &Value)) -> bool {
    let is_it = |own: &Named| {
        (&own.artifact_type, own.id, own.version) == (&named.artifact_type, named.id, named.version)
    };
    let own = listed(approved, pointer).unwrap_or_default();
    let is_same = |said: &Value| handed_on(said) == handed_on(entry) && is_exact(entry);
    own.into_iter().any(|(own, said)| is_it(&own) && is_same(&said))
}

/// Whether every reader takes the same numbers from it, to the precision that RFC 7493 grants (section 2.2): whole numbers
/// outside of 64 bits are one and the same double here, and none where somebody reads them exactly.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let is_whole = number.is_u64() || number.is_i64();
            is_whole || number.as_f64().is_some_and(|number| number.abs() < TWO_TO_53)
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// From here on doubles leave out whole numbers.
const TWO_TO_53: f64 = 9_007_199_254_740_992.0;

fn handed_on(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(members) = entry.as_object_mut() {
        members.remove("digest");
        members.remove("status");
    }
    entry
}

fn listed(payload: &str, pointer: &str) -> Result<Vec<(Named, Value)>, Error> {
    let unread = |why: &str| {
        let sentence = format!("the payload does not list its artifacts at `{pointer}`: {why}");
        Error::new(Code::InvalidPayload, sentence)
            .with_help("list them as objects with `type`, `id`, `version` and `digest`")
    };
    let payload: Value = serde_json::from_str(payload).map_err(|why| unread(&why.to_string()))?;
    let list = payload.pointer(pointer).ok_or_else(|| unread("nothing is there"))?;
    let entries: Vec<Value> = Vec::deserialize(list).map_err(|why| unread(&why.to_string()))?;
    let named = entries.into_iter().map(|entry| {
        let named = Named::deserialize(&entry).map_err(|why| unread(&why.to_string()))?;
        Ok((named, entry))
    });
    let named: Vec<_> = named.collect::<Result<_, Error>>()?;
    if named.is_empty() { Err(unread("the list is empty")) } else { Ok(named) }
}

fn refused(name: &ArtifactName, help: &str) -> Error {
    Error::new(Code::ArtifactNotApproved, "Artifact not approved")
        .with_help(help)
        .with_detail("artifact", name)
}
