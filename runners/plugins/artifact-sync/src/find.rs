//! What is there.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::http::{Error, Request, Response};
use serde_json::{Value, json};

use crate::Host;
use crate::issue::{Property, label};
use crate::payload::is_key;
use crate::settings::{Search, Settings};

/// How many issues may be one artifact. More than one is somebody's mistake already.
const ISSUES_MAX: usize = 50;

/// What was found of an artifact.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    One { key: String, property: Property },
    Several(usize),
}

/// Why nothing can be said.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Unread {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Finds the issue of an artifact. The search says where to look; the property says what it is. An issue whose property
/// cannot be read may be it: then nothing is said, for what is taken for absent is created.
pub(crate) fn find(host: &impl Host, settings: &Settings, id: &str) -> Result<Found, Unread> {
    let mut found = Vec::new();
    for key in search(host, settings, id)? {
        let property = property(host, settings, &key)?;
        // A search that is late shows what is another by now.
        if property.id == id {
            found.push((key, property));
        }
    }
    let several = found.len();
    Ok(match found.pop() {
        None => Found::Nothing,
        Some((key, property)) if several == 1 => Found::One { key, property },
        Some(_) => Found::Several(several),
    })
}

/// The keys of the issues that may be it.
fn search(host: &impl Host, settings: &Settings, id: &str) -> Result<BTreeSet<String>, Unread> {
    let Settings { project, property, .. } = settings;
    // Names of artifacts, projects and properties are made of letters that mean nothing in a quoted word.
    let condition = match settings.search {
        Search::Property => format!("issue.property[{property}].id = \"{id}\""),
        Search::Label => format!("labels = \"{}\"", label(id)),
    };
    let jql = format!("project = \"{project}\" AND {condition}");
    let body = json!({"jql": jql, "fields": ["summary"], "maxResults": ISSUES_MAX}).to_string();
    let answer = ask(
        host,
        settings,
        &Request {
            method: "POST".to_string(),
            path_and_query: "/rest/api/3/search/jql".to_string(),
            headers: vec![("content-type".to_string(), "application/json".to_string())],
            body: body.into_bytes(),
        },
    )?;
    let answer = read(&answer)?;
    let odd = || Unread::new("jira.answer", "Jira's answer to a search is not one");
    let issues = answer.get("issues").and_then(Value::as_array).ok_or_else(odd)?;
    let is_last = answer.get("isLast").and_then(Value::as_bool);
    let has_more = answer.get("nextPageToken").is_some_and(Value::is_string);
    if has_more || !is_last.unwrap_or(issues.len() < ISSUES_MAX) {
        // Ours may be among the others, and what is taken for absent is created.
        let message = format!("more than {ISSUES_MAX} issues may be `{id}`; leave one of them");
        return Err(Unread::new("jira.pages", message));
    }
    let keys = issues.iter().map(|issue| {
        let key = issue.get("key").and_then(Value::as_str).filter(|key| is_key(key));
        key.map(String::from).ok_or_else(odd)
    });
    keys.collect()
}

/// What an issue is.
pub(crate) fn property(
    host: &impl Host,
    settings: &Settings,
    key: &str,
) -> Result<Property, Unread> {
    let answer = ask(
        host,
        settings,
        &Request {
            method: "GET".to_string(),
            path_and_query: format!("/rest/api/3/issue/{key}/properties/{}", settings.property),
            headers: Vec::new(),
            body: Vec::new(),
        },
    )?;
    let value = read(&answer)?.get("value").cloned().unwrap_or_default();
    let odd = |_| Unread::new("jira.answer", format!("{key} does not say which artifact it is"));
    serde_json::from_value(value).map_err(odd)
}

fn read(answer: &Response) -> Result<Value, Unread> {
    if !(200..=299).contains(&answer.status) {
        return Err(Unread::new("jira.status", format!("Jira answered {}", answer.status)));
    }
    let value = serde_json::from_slice(&answer.body);
    value.map_err(|_| Unread::new("jira.answer", "Jira's answer is not JSON"))
}

fn ask(host: &impl Host, settings: &Settings, request: &Request) -> Result<Response, Unread> {
    host.send(&settings.endpoint, request).map_err(|error| match error {
        Error::Denied(why) => Unread::new("denied", why),
        Error::Invalid(why) => Unread::new("invalid", why),
        Error::Connection(why) | Error::Unknown(why) => Unread::new("target_unavailable", why),
        Error::Timeout => Unread::new("timeout", "the deadline passed"),
        Error::Cancelled => Unread::new("cancelled", "the run was cancelled"),
        Error::Limit(why) => Unread::new("limit", why),
    })
}
