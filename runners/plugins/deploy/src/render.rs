//! Templates, filled: the exact calls.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::exchange::{CommandCall, Exchange, HttpCall, RUN};

use crate::holes::{Into, Values};
use crate::template::{CommandCheck, CommandRun, HttpWrite, Step};

/// The call of a step.
pub(crate) fn write(step: &Step, values: &Values) -> Result<Exchange, String> {
    let call = match (&step.http, &step.command) {
        (Some(http), _) => Exchange::Http(http_call(http, values)?),
        (None, Some(command)) => Exchange::Command(command_call(command, values)?),
        (None, None) => return Err("it calls nothing".to_string()),
    };
    Ok(call)
}

/// Whether the name of the run is in a call, so that its effect can be found again.
pub(crate) fn is_marked(call: &Exchange) -> bool {
    call.to_text().contains(RUN)
}

fn http_call(template: &HttpWrite, values: &Values) -> Result<HttpCall, String> {
    let pairs = |pairs: &[(String, String)], into| -> Result<Vec<(String, String)>, String> {
        pairs.iter().map(|(name, value)| Ok((name.clone(), values.fill(value, into)?))).collect()
    };
    let mut headers = pairs(&template.headers, Into::Plain)?;
    if headers.iter().any(|(_, value)| value.chars().any(char::is_control)) {
        return Err("a header would have more than one line".to_string());
    }
    let mut body = Vec::new();
    if let Some(json) = &template.json {
        headers.push(("content-type".to_string(), "application/json".to_string()));
        let filled = values.fill_json(json)?;
        body = serde_json::to_vec(&filled).map_err(|error| error.to_string())?;
    } else if let Some(form) = &template.form {
        let kind = "application/x-www-form-urlencoded".to_string();
        headers.push(("content-type".to_string(), kind));
        let pairs = pairs(form, Into::Url)?;
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        body = pairs.join("&").into_bytes();
    }
    Ok(HttpCall {
        endpoint: template.endpoint.clone(),
        method: template.method.clone(),
        path_and_query: path(&template.path, values)?,
        headers,
        body,
    })
}

/// A path with its query. No value can leave the place that the template has for it.
pub(crate) fn path(template: &str, values: &Values) -> Result<String, String> {
    let filled = values.fill(template, Into::Url)?;
    let path = filled.split('?').next().unwrap_or_default();
    let strays = path.split('/').any(|segment| segment == "." || segment == "..");
    let is_odd = |letter: char| letter.is_control() || letter == ' ' || "#\\".contains(letter);
    if !path.starts_with('/') || path.starts_with("//") || strays || filled.chars().any(is_odd) {
        return Err(format!("`{filled}` is not a path below an endpoint"));
    }
    Ok(filled)
}

fn command_call(template: &CommandRun, values: &Values) -> Result<CommandCall, String> {
    Ok(CommandCall {
        name: template.name.clone(),
        arguments: arguments(&template.arguments, values)?,
        stdin: values.fill(&template.stdin, Into::Plain)?.into_bytes(),
    })
}

/// The call of a command that looks what became of another.
pub(crate) fn check(template: &CommandCheck, values: &Values) -> Result<CommandCall, String> {
    let arguments = arguments(&template.arguments, values)?;
    Ok(CommandCall { name: template.name.clone(), arguments, stdin: Vec::new() })
}

fn arguments(pairs: &[(String, String)], values: &Values) -> Result<Vec<(String, String)>, String> {
    let fill =
        |(name, value): &(String, String)| Ok((name.clone(), values.fill(value, Into::Plain)?));
    pairs.iter().map(fill).collect()
}
