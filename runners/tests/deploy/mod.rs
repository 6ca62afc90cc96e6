//! Runs whose steps are calls to other systems, against local servers that speak the calls of known products.

mod ground; // a host, a server and a link that remembers
mod stories; // each product, from plan to outcome
mod lost; // answers that are lost, late or twice
mod refused; // what the drivers refuse, with a code
mod faults; // every call that fails, once in each way
mod unapproved; // plugins that call what nobody approved
mod jira; // artifacts, as issues
mod targets; // what fits which target
