//! Base policies, policies of the host and premises as one set over one schema.
//!
//! The two sets are evaluated apart, each over a context of its own. Here the contexts stand side by side, as
//! `context.base` and `context.host`, and each policy reads its own. One set over both decides as the two do apart:
//! a yes takes a permit of either, and no forbid of any. A policy that fails is left out here and denies there, so
//! what is proven here holds there. A test compares the two over questions made by chance.

use cedar_policy::{Policy, PolicySet, Schema};
use placet_core::error::{Code, Error};
use serde_json::{Map, Value, json};

use super::property::Property;
use crate::authorizer::CedarAuthorizer;
use crate::builder::schema;
use crate::load::{Origin, Policies, load};
use crate::source::Source;
use crate::{BASE_SCHEMA, HOST_SCHEMA};

const PREMISES: &str = include_str!("premises.cedar");
const PREMISES_OF_BOTH: &str = include_str!("both.cedar");

/// Which context a policy reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Base,
    Host,
}

/// The policies of one authorizer, ready for questions to the solver.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) schema: Schema,
    base_schema: Schema,
    base: Vec<Policy>,
    /// Base, host and premises: whatever it allows can be asked, and is allowed.
    pub(crate) allowed: PolicySet,
    /// The premises alone, over a permit for everything: whatever can be asked.
    #[cfg(test)]
    pub(crate) asked: PolicySet,
}

impl Joined {
    pub(crate) fn new(authorizer: &CedarAuthorizer) -> Result<Self, Error> {
        let schema = schema(&text())?;
        let base_schema = crate::builder::schema(BASE_SCHEMA)?;
        let base = on_side(authorizer.base.policies(), Side::Base)?;
        let host = on_side(authorizer.host.policies(), Side::Host)?;
        let own = ours("policies/src/proofs/premises.cedar", PREMISES, &base_schema)?;
        let mut premises = on_side(&own, Side::Base)?;
        let of_both = ours("policies/src/proofs/both.cedar", PREMISES_OF_BOTH, &schema)?;
        // The clock is arithmetic over 64 bits, which takes the solver seconds. Nobody looks at it in most sets.
        let reads_clock = host.iter().any(mentions_clock);
        // So are plans sets of texts, which take it as long.
        let reads_plan = host.iter().any(mentions_plan);
        premises.extend(of_both.into_values().map(|loaded| loaded.policy).filter(|policy| {
            match policy.annotation("id") {
                Some("placet:premise-clock") => reads_clock,
                Some("placet:premise-plan") => reads_plan,
                Some(_) | None => true,
            }
        }));
        let allowed = set(base.iter().chain(&host).chain(&premises).cloned())?;
        Ok(Self {
            schema,
            base_schema,
            base,
            allowed,
            #[cfg(test)]
            asked: set(premises.into_iter().chain([anything()?]))?,
        })
    }

    /// The set that allows whatever `property` lets be allowed.
    pub(crate) fn allows(&self, property: Property) -> Result<PolicySet, Error> {
        let Some(never) = self.never(property)? else { return set(self.base.clone()) };
        set(on_side(&never, Side::Base)?.into_iter().chain([anything()?]))
    }

    /// What `property` forbids, over the schema of the base policies.
    pub(crate) fn never(&self, property: Property) -> Result<Option<Policies>, Error> {
        property.source().map(|(file, text)| ours(file, text, &self.base_schema)).transpose()
    }

    pub(crate) const fn base_schema(&self) -> &Schema {
        &self.base_schema
    }
}

/// The schema of both contexts. Both files call theirs `Asked`.
fn text() -> String {
    let shared = include_str!("../schema.cedarschema");
    let rows = BASE_SCHEMA.trim_start_matches(shared).replace("type Asked", "type BaseAsked");
    let host = HOST_SCHEMA.trim_start_matches(shared).replace("type Asked", "type HostAsked");
    format!("{shared}{}{rows}{host}", include_str!("joined.cedarschema"))
}

fn ours(file: &str, text: &str, schema: &Schema) -> Result<Policies, Error> {
    load(&[Source { file: file.to_owned(), text: text.to_owned() }], schema, Origin::Base)
}

fn anything() -> Result<Policy, Error> {
    Policy::parse(None, "@id(\"placet:anything\") permit (principal, action, resource);")
        .map(|policy| policy.new_id(cedar_policy::PolicyId::new("placet:anything")))
        .map_err(internal)
}

fn set(policies: impl IntoIterator<Item = Policy>) -> Result<PolicySet, Error> {
    PolicySet::from_policies(policies).map_err(internal)
}

/// The policies, reading the context of their side.
fn on_side(policies: &Policies, side: Side) -> Result<Vec<Policy>, Error> {
    let moved = policies.values().map(|loaded| {
        let policy = loaded.policy.to_json().map_err(internal)?;
        Policy::from_json(Some(loaded.policy.id().clone()), moved(policy, side)).map_err(internal)
    });
    moved.collect()
}

/// A policy in Cedar's JSON form, with `context.base` or `context.host` for every `context`.
fn moved(value: Value, side: Side) -> Value {
    let is_context = |map: &Map<String, Value>| {
        map.len() == 1 && map.get("Var").and_then(Value::as_str) == Some("context")
    };
    match value {
        Value::Object(map) if is_context(&map) => {
            let attr = match side {
                Side::Base => "base",
                Side::Host => "host",
            };
            json!({ ".": { "left": Value::Object(map), "attr": attr } })
        }
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, inner)| (key, moved(inner, side))).collect())
        }
        Value::Array(list) => list.into_iter().map(|inner| moved(inner, side)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Whether a policy of a host may read the day of the week or the minute of the day. A text that only says the words
/// counts too: then the proof is slower, and no less true.
fn mentions_clock(policy: &Policy) -> bool {
    let text = policy.to_string();
    text.contains("weekday") || text.contains("minute")
}

fn mentions_plan(policy: &Policy) -> bool {
    policy.to_string().contains("plan")
}

pub(super) fn internal(source: impl core::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "the policies could not be prepared for a proof").with_source(source)
}
