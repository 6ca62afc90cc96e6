//! Runs whose steps are calls to other systems, against local servers that speak the calls of known products.
#![expect(
    clippy::indexing_slicing,
    clippy::excessive_nesting,
    clippy::format_collect,
    clippy::wildcard_enum_match_arm,
    reason = "templates are JSON of our own, and a product that deploys nothing ends the test"
)]

pub(crate) mod ground; // a host, a server and a link that remembers
mod stories; // each product, from plan to outcome
mod lost; // answers that are lost, late or twice
mod refused; // what the drivers refuse, with a code
mod faults; // every call that fails, once in each way
mod unapproved; // plugins that call what nobody approved
mod hostile; // every way to misuse a call, by name
mod jira; // artifacts, as issues
mod targets; // what fits which target
