//! The artifact-sync runner against a model of Jira.
mod faults; // every call fails each way once
mod jira; // a model of Jira
mod stories; // what should happen
