//! One call to another system as exact text: an HTTP request to a named endpoint, or a named command.
//!
//! A plugin writes the text into its plan, people approve it, and the host compares what the plugin sends later with
//! it, byte for byte. So a call has one text and a text is one call: [`Exchange::parse`] refuses any text that
//! [`Exchange::to_text`] would not write.
//!
//! # The text
//!
//! JSON without a space, with the keys in the order of their letters, and strings escaped only where JSON asks for it:
//!
//! ```text
//! {"http":{"body":"…","endpoint":"ci","headers":[["accept","application/json"]],"method":"POST","path":"/run?x=1"}}
//! {"command":{"arguments":[["tag","1.2"]],"name":"migrate","stdin":""}}
//! ```
//!
//! A body, or an input, that is not UTF-8 stands in lower-case hexadecimal under `body_hex`, or `stdin_hex`.
//!
//! # The name of the run
//!
//! A plan is made before there is a run, and may be run again as another attempt. What must differ each time, so that
//! its effect can be found again, is written as [`RUN`]; plugin and host put the run's name there ([`Exchange::filled`]).
//!
//! ```
//! use placet_exchange::{Exchange, HttpCall, RUN};
//!
//! let planned = Exchange::Http(HttpCall {
//!     endpoint: "ci".into(),
//!     method: "POST".into(),
//!     path_and_query: "/jobs/7/run".into(),
//!     headers: vec![("content-type".into(), "application/json".into())],
//!     body: format!(r#"{{"note":"{RUN}"}}"#).into_bytes(),
//! });
//! let text = planned.to_text();
//! let sent = Exchange::parse(&text)?.filled("run_1")?;
//! assert!(sent.to_text().contains(r#"{\"note\":\"run_1\"}"#));
//! # Ok::<(), placet_exchange::Refused>(())
//! ```
#![no_std]

extern crate alloc;

mod call; // what is called
mod read; // from text
mod write; // to text

pub use call::{CommandCall, Exchange, HttpCall, RUN};
pub use read::Refused;
