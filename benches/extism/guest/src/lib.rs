//! What `runners/plugins/tests-paced` does, as a module for Extism.
#![cfg(target_family = "wasm")]

extern crate alloc;

#[path = "../../../../runners/plugins/tests-paced/src/closing.rs"]
mod closing; // what is planned

use extism_pdk::{FnResult, host_fn, plugin_fn};

#[host_fn]
extern "ExtismHost" {
    fn open(name: String) -> String;
}

/// The steps of a payload, as JSON.
#[plugin_fn]
pub fn plan(payload: String) -> FnResult<String> {
    let steps = closing::plan(&payload).ok_or_else(|| extism_pdk::Error::msg("no payload"))?;
    let told: Vec<_> = steps
        .into_iter()
        .map(|step| serde_json::json!({"id": step.id, "title": step.title, "body": step.body}))
        .collect();
    Ok(serde_json::to_string(&told)?)
}

/// Calls the host as often as it is asked to.
#[plugin_fn]
pub fn call(times: String) -> FnResult<String> {
    for _ in 0..times.parse::<u64>()? {
        // SAFETY: the host provides this function, and takes and gives texts.
        let _opened = unsafe { open("target".to_owned())? };
    }
    Ok(String::new())
}
