//! What a plugin reaches, as traits: in the sandbox it is [`Linked`], in a test whatever the test makes.
//!
//! A plugin that is written against the traits is tested without a sandbox.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{command, context, http};

/// Logs, progress, checkpoints, cancellation and time.
///
/// ```
/// use placet_plugin_sdk::host::Context;
///
/// /// Waits until `is_done`, or until somebody stops the run.
/// fn wait_for(host: &impl Context, mut is_done: impl FnMut() -> bool) -> bool {
///     while !host.cancelled() {
///         if is_done() {
///             return true;
///         }
///         host.wait(1_000);
///     }
///     false
/// }
/// # use placet_plugin_sdk::host::Linked;
/// # let _it_compiles = |host: Linked| wait_for(&host, || true);
/// ```
pub trait Context {
    /// Tells something. The level is `trace`, `debug`, `info`, `warn` or `error`.
    fn log(&self, level: &str, message: &str);
    /// Tells how far it is.
    fn progress(&self, step: &str, done: u64, total: Option<u64>, note: Option<&str>);
    /// Keeps `state` for this request. It is durable before this returns.
    ///
    /// # Errors
    ///
    /// With a sentence, where it was not kept.
    fn checkpoint(&self, step: &str, state: &str) -> Result<(), String>;
    /// What was kept, also by earlier attempts, in its order.
    fn checkpoints(&self) -> Vec<(String, String)>;
    /// Whether the run is to stop.
    fn cancelled(&self) -> bool;
    /// The present instant, RFC 3339 in UTC.
    fn now(&self) -> String;
    /// Returns after so many milliseconds, or earlier when the run is to stop.
    fn wait(&self, ms: u32);
}

/// Named HTTP endpoints.
///
/// ```
/// use placet_plugin_sdk::{host::Http, http::Request};
///
/// fn status(host: &impl Http) -> Option<u16> {
///     let (method, path_and_query) = ("GET".into(), "/health".into());
///     let request = Request { method, path_and_query, headers: vec![], body: vec![] };
///     host.send("shop", &request).ok().map(|answer| answer.status)
/// }
/// # use placet_plugin_sdk::host::Linked;
/// # let _it_compiles = |host: Linked| status(&host);
/// ```
pub trait Http {
    /// Sends one request.
    ///
    /// # Errors
    ///
    /// As `http.error` of the interface says.
    fn send(&self, endpoint: &str, request: &http::Request) -> Result<http::Response, http::Error>;
}

/// Named commands.
///
/// ```
/// use placet_plugin_sdk::host::Commands;
///
/// fn version(host: &impl Commands) -> Option<String> {
///     let output = host.run("version", &[], &[]).ok()?;
///     String::from_utf8(output.stdout).ok()
/// }
/// # use placet_plugin_sdk::host::Linked;
/// # let _it_compiles = |host: Linked| version(&host);
/// ```
pub trait Commands {
    /// Runs one command to its end.
    ///
    /// # Errors
    ///
    /// As `command.error` of the interface says.
    fn run(
        &self,
        name: &str,
        arguments: &[(String, String)],
        stdin: &[u8],
    ) -> Result<command::Output, command::Error>;
}

/// The host around the sandbox. A plugin imports what it calls of it, and nothing else.
///
/// ```
/// use placet_plugin_sdk::host::{Commands, Context, Http, Linked};
///
/// fn everything(_: &(impl Context + Http + Commands)) {}
/// everything(&Linked);
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct Linked;

impl Context for Linked {
    fn log(&self, level: &str, message: &str) {
        context::log(level, message, &[]);
    }

    fn progress(&self, step: &str, done: u64, total: Option<u64>, note: Option<&str>) {
        context::progress(step, done, total, note);
    }

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), String> {
        context::checkpoint(step, state)
    }

    fn checkpoints(&self) -> Vec<(String, String)> {
        context::checkpoints()
    }

    fn cancelled(&self) -> bool {
        context::cancelled()
    }

    fn now(&self) -> String {
        context::now()
    }

    fn wait(&self, ms: u32) {
        context::wait(ms);
    }
}

impl Http for Linked {
    fn send(&self, endpoint: &str, request: &http::Request) -> Result<http::Response, http::Error> {
        http::send(endpoint, request)
    }
}

impl Commands for Linked {
    fn run(
        &self,
        name: &str,
        arguments: &[(String, String)],
        stdin: &[u8],
    ) -> Result<command::Output, command::Error> {
        command::run(name, arguments, stdin)
    }
}
