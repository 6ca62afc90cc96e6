//! What tests need, here and in hosts and drivers (feature `testing`).

pub mod conformance; // the exam that every store takes
mod store_wrapper; // a store around another one
mod failing_store; // a store that breaks on purpose
mod trusting; // a store that expects nothing
mod stored; // records below the gate
#[cfg(test)]
mod broken_stores; // stores that must fail the exam

pub use failing_store::{FailingStore, Failure};
pub use store_wrapper::StoreWrapper;
pub use stored::{is_derived, record_body, record_digest};
pub use trusting::TrustingStore;

mod interleaving; // a store in which something else happens meanwhile
mod office; // the smallest organisation
mod doubles; // clock, ids, policies and runner under the test's control
mod plugin; // the plugin that the scripted runner has
mod seen; // somebody who watches a run
mod heads; // a memory of the log's heads, and the exam for all of them
mod forms; // a reader of forms that knows one word
mod bench; // all of them, wired
mod chance; // organisations made by chance
mod oracle; // the permission model, read word by word over their rows

pub use bench::Bench;
pub use chance::{Chance, RandomOrganisation};
pub use doubles::{CountingEntropy, CountingIds, ManualClock, ScriptedAuthorizer, ScriptedRunner};
pub use forms::RequiredFields;
pub use heads::{MemoryHeads, check_heads};
pub use interleaving::InterleavingStore;
pub use office::Office;
pub use seen::Seen;
