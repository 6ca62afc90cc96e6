#![cfg_attr(docsrs, feature(doc_cfg))]
//! Where deployments go: named HTTP endpoints and named commands, registered by the host under a target's name.
//!
//! A plugin names an endpoint or a command and fills in what differs from one deployment to the next. Address,
//! credential, certificates, program and environment are the host's, and nothing that comes back holds a
//! credential. An answer that was lost is [`HttpFailureKind::Unknown`] or [`CommandFailureKind::Unknown`]; nothing
//! is sent or started twice.
//!
//! ```
//! use placet_target_deploy::{CommandTemplate, Credential, DeployTarget, Endpoint, Hole, Rule};
//!
//! # let folder = std::env::temp_dir();
//! let ci = Endpoint::builder("https://ci.example.org/jenkins")
//!     .credential(Credential::basic("placet", "c0rrect-horse"))
//!     .read(Rule::below("GET", "/job/shop/"))
//!     .write(Rule::exactly("POST", "/job/shop/buildWithParameters"));
//! let smoke = CommandTemplate::builder("/usr/bin/env", &folder)
//!     .argument("true")
//!     .prefixed("--tag=", "tag", Hole::word(64))
//!     .reads_only();
//! let target = DeployTarget::builder().endpoint("ci", ci).command("smoke", smoke).build()?;
//! assert!(target.endpoint("ci").is_some() && target.command("smoke").is_some());
//! assert!(!format!("{target:?}").contains("c0rrect-horse"));
//! # Ok::<(), placet_core::error::Error>(())
//! ```

mod exchange; // one call: how long, until when, and whether it may write
mod spelling; // how a text may be written in another
mod secret; // values that nobody sees, also not in an answer
mod http; // named endpoints
mod command; // named commands
mod target; // a bundle of both
mod points; // labelled points of a call
#[cfg(feature = "testing")]
pub mod testing; // local servers that speak the calls of known products

pub use command::{
    Characters, CommandFailure, CommandFailureKind, CommandTemplate, CommandTemplateBuilder, Hole,
    Output,
};
pub use exchange::Exchange;
pub use http::{
    Credential, Endpoint, EndpointBuilder, HttpFailure, HttpFailureKind, HttpRequest, HttpResponse,
    Resolve, Rule,
};
pub use points::POINTS;
pub use target::{DeployTarget, DeployTargetBuilder};
