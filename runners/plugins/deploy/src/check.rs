//! Templates that nobody could follow are refused before anything is planned with them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};

use serde_json::Value;

use crate::json::ANYWHERE;
use crate::template::{
    Contains, Deployment, Expected, Found, Health, HttpWrite, Lookup, Poll, Settings, Step,
};

impl Settings {
    /// Reads settings. What is not known is refused: a word that was spelled wrong would be a check that is not made.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, deployment) in &read.deployments {
            deployment.check().map_err(|why| format!("deployment `{name}`: {why}"))?;
        }
        Ok(read)
    }
}

impl Deployment {
    fn check(&self) -> Result<(), String> {
        if self.steps.is_empty() {
            return Err("it has no step".to_string());
        }
        if let Some(name) = self.holes.keys().find(|name| self.set.contains_key(*name)) {
            return Err(format!("`{name}` is both set and a hole"));
        }
        for name in self.set.keys().chain(self.holes.keys()) {
            let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if name.is_empty() || !is_word || ["marker", "id"].contains(&name.as_str()) {
                return Err(format!("`{name}` is no name for a value"));
            }
        }
        self.health.iter().try_for_each(Health::check)?;
        for steps in [&self.steps, &self.rollback] {
            for (number, step) in steps.iter().enumerate() {
                step.check().map_err(|why| format!("step `{}`: {why}", step.id))?;
                if steps.iter().take(number).any(|earlier| earlier.id == step.id) {
                    return Err(format!("there are two steps `{}`", step.id));
                }
            }
        }
        Ok(())
    }
}

/// Neither forever nor without a breath.
fn check_pace(times: u32, every_ms: u32) -> Result<(), String> {
    if (1..=10_000).contains(&times) && (100..=600_000).contains(&every_ms) {
        return Ok(());
    }
    Err("it looks 1 to 10000 times, every 100 to 600000 ms".to_string())
}

impl Step {
    fn check(&self) -> Result<(), String> {
        // Steps of a rollback are shown with two letters before their ids.
        let is_named = (1..=60).contains(&self.id.len())
            && self.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_named {
            return Err("an id is 1 to 60 letters, digits, `-` and `_`".to_string());
        }
        self.poll.as_ref().map_or(Ok(()), Poll::check)?;
        self.verify.as_ref().map_or(Ok(()), Lookup::check)?;
        match (&self.http, &self.command) {
            (Some(http), None) => self.check_http(http),
            (None, Some(_)) => {
                let is_http = self.found.is_some() || self.poll.is_some() || self.verify.is_some();
                if is_http { Err("a command has `check` only".to_string()) } else { Ok(()) }
            }
            _ => Err("it is either `http` or `command`".to_string()),
        }
    }

    fn check_http(&self, http: &HttpWrite) -> Result<(), String> {
        if http.json.is_some() && http.form.is_some() {
            return Err("it has two bodies".to_string());
        }
        if self.check.is_some() {
            return Err("`check` is for commands, and `verify` for requests".to_string());
        }
        if self.poll.is_some() != self.found.is_some() {
            return Err("`found` and `poll` go together".to_string());
        }
        let by_marker = matches!(self.found, Some(Found::Marker));
        let has_id = self.verify.as_ref().is_some_and(|verify| verify.id.is_some());
        if self.verify.is_some() && self.poll.is_some() && !has_id || by_marker && !has_id {
            return Err("`verify` must say where the id is that is polled".to_string());
        }
        if self.verify.as_ref().is_some_and(|verify| verify.conditions.is_empty()) {
            return Err("`verify` would take anything for ours".to_string());
        }
        if let Some(Found::Body(pointer)) = &self.found {
            check_pointer(pointer)?;
        }
        Ok(())
    }
}

impl Poll {
    fn check(&self) -> Result<(), String> {
        check_pace(self.times_max, self.every_ms)?;
        self.state.iter().try_for_each(|pointer| check_pointer(pointer))?;
        if let Some(queued) = &self.queued {
            check_pointer(&queued.id)?;
            queued.cancelled.as_deref().map_or(Ok(()), check_pointer)?;
        }
        check_where(&self.ours)
    }
}

impl Lookup {
    fn check(&self) -> Result<(), String> {
        check_pace(self.times_max, self.every_ms)?;
        check_pointer(&self.items)?;
        self.id.as_deref().map_or(Ok(()), check_pointer)?;
        check_where(&self.conditions)
    }
}

impl Health {
    fn check(&self) -> Result<(), String> {
        check_pace(self.times_max, self.every_ms)?;
        check_where(&self.conditions)
    }
}

/// Without its `/` a pointer finds nothing, and what finds nothing would be told as never begun.
fn check_pointer(pointer: &str) -> Result<(), String> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    Err(format!("`{pointer}` is no JSON pointer: it begins with `/`"))
}

/// What no answer can hold would never be found, and so be told as never begun.
fn check_where(conditions: &BTreeMap<String, Expected>) -> Result<(), String> {
    for (pointer, expected) in conditions {
        let is_anywhere = pointer == ANYWHERE;
        if !is_anywhere {
            check_pointer(pointer)?;
        }
        let why = match expected {
            // Most likely `contains`, spelled wrong.
            Expected::Other(Value::Object(_)) => "is an object; of these only `contains` is known",
            Expected::Other(_) if is_anywhere => "is no text, and only texts are found anywhere",
            Expected::Contains(Contains { contains }) if contains.is_empty() => "is an empty text",
            Expected::Text(_) | Expected::Contains(_) | Expected::Other(_) => continue,
        };
        return Err(format!("what is expected at `{pointer}` {why}"));
    }
    Ok(())
}
