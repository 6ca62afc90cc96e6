//! Named HTTP endpoints.

mod credential; // what shows a server who asks
mod request; // what a plugin asks for, and what it gets
mod path; // paths that stay where they are allowed
mod headers; // headers that a plugin may set
mod form; // credentials in the body of a form
mod failure; // why there is no answer
mod url; // the address of an endpoint
mod address; // where a name leads, and where nobody goes
mod trust; // whose certificate counts
mod builder; // what an endpoint is made from
mod endpoint; // an endpoint
mod answer; // what of a server's answer a plugin sees
mod wire; // one exchange over one connection
mod sent; // knows whether anything was sent

pub use address::Resolve;
pub use builder::EndpointBuilder;
pub use credential::Credential;
pub use endpoint::Endpoint;
pub use failure::{HttpFailure, HttpFailureKind};
pub use path::Rule;
pub use request::{HttpRequest, HttpResponse};
