//! What is looked at before a plugin is called, and the words for what is wrong.

use std::collections::BTreeMap;

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{Job, Plan};

/// The plan must be whole, and for the job's own target.
pub(crate) fn check_plan(job: &Job, approved: &Plan) -> Result<Digest, Error> {
    if approved.steps.is_empty() {
        return Err(Error::new(Code::InvalidInput, "the approved plan has no step")
            .with_help("plan the change again and have it approved"));
    }
    for step in &approved.steps {
        if Digest::of(step.body.as_bytes()) != step.body_digest {
            let message = format!("step `{}` is not the one that its digest names", step.id);
            return Err(changed(&message));
        }
        if step.target != job.target {
            let message = format!("step `{}` is for another target", step.id);
            return Err(changed(&message));
        }
    }
    approved.digest()
}

pub(crate) fn unset(why: &str) -> Error {
    let message = format!("the settings of the environment cannot be read: {why}");
    Error::new(Code::InvalidInput, message).with_help("correct the settings of this runner")
}

pub(crate) fn changed(message: &str) -> Error {
    Error::new(Code::DigestMismatch, message).with_help(
        "plan the change again and have it approved; what runs must be what was approved",
    )
}

pub(crate) fn installed<T>(what: &str, named: &BTreeMap<Slug, T>) -> String {
    let shown: Vec<String> = named.keys().map(|slug| format!("`{slug}`")).collect();
    if shown.is_empty() {
        format!("the host has no {what}; configure one")
    } else {
        format!("name one of the {what} of this host: {}", shown.join(", "))
    }
}
