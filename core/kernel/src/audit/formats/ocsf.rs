//! OCSF 1.4.0.

use serde_json::{Map, Value, json};

use super::told::{self, Ending, Weight};
use crate::audit::leaf::Leaf;
use crate::error::Error;

/// The version of the schema.
const SCHEMA: &str = "1.4.0";

/// The category Identity & Access Management; all classes here are of it.
const IAM: u64 = 3;

/// The activity of a class that has none for it. Its name is said then.
const OTHER: u64 = 99;

pub(super) fn write(index: u64, leaf: &Leaf, origin: &str) -> Result<String, Error> {
    let (class, activity, mut event) = classified(leaf);
    let ms = leaf.at.as_micros().checked_div(1_000).unwrap_or_default();
    let (kind, subject) = told::subject_of(leaf);
    let (status_id, status) = match told::ending_of(leaf) {
        Ending::Success => (1, "Success"),
        Ending::Failure => (2, "Failure"),
        Ending::Unknown => (0, "Unknown"),
    };
    let (severity_id, severity) = match told::weight_of(leaf) {
        Weight::Normal => (1, "Informational"),
        Weight::Low => (2, "Low"),
        Weight::Medium => (3, "Medium"),
    };
    let mut metadata = json!({
        "version": SCHEMA,
        "product": {
            "name": told::PRODUCT, "vendor_name": told::PRODUCT, "version": told::VERSION,
        },
        "uid": format!("{origin}#{index}"),
        "sequence": index,
        "log_name": origin,
        "event_code": leaf.event,
        "original_time": leaf.at,
    });
    let mut add = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    if let (Some(id), Some(fields)) = (leaf.request, metadata.as_object_mut()) {
        fields.insert("correlation_uid".to_owned(), json!(id));
    }
    add("metadata", metadata);
    add("category_uid", json!(IAM));
    add("class_uid", json!(class));
    add("activity_id", json!(activity));
    add("type_uid", json!(class.saturating_mul(100).saturating_add(activity)));
    add("time", json!(ms));
    add("severity_id", json!(severity_id));
    add("severity", json!(severity));
    add("status_id", json!(status_id));
    add("status", json!(status));
    add("message", json!(format!("{}: {kind} {subject}", told::words_of(leaf))));
    if activity == OTHER {
        add("activity_name", json!(leaf.event));
    }
    if let Some(code) = leaf.facts.get("code") {
        add("status_code", json!(code));
    }
    let by = match leaf.actor {
        Some(id) if leaf.by_agent => {
            json!({ "user": { "uid": id, "type_id": OTHER, "type": "Agent" } })
        }
        Some(id) => json!({ "user": { "uid": id } }),
        None => json!({ "app_name": told::PRODUCT }),
    };
    add("actor", by);
    add("unmapped", json!({ "leaf": leaf }));
    told::json(&event)
}

/// The class, the activity, and what only this class has. Where a leaf lacks what its class must have, it is told as a
/// change of an entity.
fn classified(leaf: &Leaf) -> (u64, u64, Map<String, Value>) {
    let found = match leaf.event.as_str() {
        "identity.login" => login(leaf),
        "org.user_created" => account(leaf, 1),
        "org.user_active_set" => {
            let is_active = leaf.facts.get("active").is_some_and(|active| active == "true");
            account(leaf, if is_active { 2 } else { 5 })
        }
        "org.role_assigned" | "org.global_role_granted" => access(leaf, 1),
        "org.grant_ended" | "org.global_role_revoked" => access(leaf, 2),
        "org.module_assigned" => group(leaf, 1),
        "org.module_unassigned" => group(leaf, 2),
        "org.member_added" => group(leaf, 3),
        "org.membership_ended" => group(leaf, 4),
        "org.team_removed" => group(leaf, 5),
        "org.team_created" => group(leaf, 6),
        "org.team_renamed" => group(leaf, OTHER),
        _ => None,
    };
    found.unwrap_or_else(|| entity(leaf))
}

type Classified = Option<(u64, u64, Map<String, Value>)>;

/// Authentication: Logon.
fn login(leaf: &Leaf) -> Classified {
    let service = json!({ "name": told::PRODUCT });
    let mut event = object(json!({ "user": { "uid": leaf.actor? }, "service": service }));
    if let Some(channel) = leaf.channel {
        event.insert("logon_process".to_owned(), json!({ "name": channel }));
    }
    Some((3_002, 1, event))
}

/// Account Change.
fn account(leaf: &Leaf, activity: u64) -> Classified {
    Some((3_001, activity, object(json!({ "user": { "uid": fact(leaf, "user")? } }))))
}

/// User Access Management.
fn access(leaf: &Leaf, activity: u64) -> Classified {
    let (user, role) =
        (fact(leaf, "user")?, fact(leaf, "role").or_else(|| fact(leaf, "global_role"))?);
    Some((3_005, activity, object(json!({ "user": { "uid": user }, "privileges": [role] }))))
}

/// Group Management: a team is a group, and what it looks after are its privileges.
fn group(leaf: &Leaf, activity: u64) -> Classified {
    let mut event = object(json!({ "group": { "uid": fact(leaf, "team")?, "type": "team" } }));
    match activity {
        1 | 2 => drop(event.insert("privileges".to_owned(), json!([fact(leaf, "module")?]))),
        3 | 4 => drop(event.insert("user".to_owned(), json!({ "uid": fact(leaf, "user")? }))),
        _ => {}
    }
    Some((3_006, activity, event))
}

/// Entity Management.
fn entity(leaf: &Leaf) -> (u64, u64, Map<String, Value>) {
    let code = leaf.event.as_str();
    let activity = match code.rsplit(['.', '_']).next() {
        Some("created" | "drafted" | "bootstrapped") => 1,
        Some("updated" | "set" | "edited" | "allowed" | "disallowed" | "adopted" | "recovered") => {
            3
        }
        Some("removed") => 4,
        Some("renamed") => 5,
        _ => OTHER,
    };
    let (kind, uid) = told::subject_of(leaf);
    let uid = if uid.is_empty() { "unknown".to_owned() } else { uid };
    let entity = json!({ "uid": uid, "type": kind, "type_id": OTHER });
    (3_004, activity, object(json!({ "entity": entity })))
}

fn fact<'a>(leaf: &'a Leaf, name: &str) -> Option<&'a String> {
    leaf.facts.get(name).filter(|value| !value.is_empty())
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(fields) = value { fields } else { Map::new() }
}
