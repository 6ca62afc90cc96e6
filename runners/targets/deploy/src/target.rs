//! A bundle of endpoints and commands, each under a name.

use std::collections::BTreeMap;

use placet_core::error::{Code, Error};

use crate::{
    CommandFailure, CommandTemplate, CommandTemplateBuilder, Endpoint, EndpointBuilder, Exchange,
    HttpFailure, HttpRequest, HttpResponse, Output,
};

/// The longest name.
const NAME_BYTES_MAX: usize = 63;

/// What a host registers under a target's name: where deployments go, and how.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::{DeployTarget, Endpoint, Exchange, HttpFailureKind, HttpRequest, Rule};
///
/// let ci = Endpoint::builder("https://ci.example.org").read(Rule::below("GET", "/job/"));
/// let target = DeployTarget::builder().endpoint("ci", ci).build()?;
/// let look = Exchange::reading(Duration::from_secs(5), &StopSignal::new());
/// // A name that is not there and one that was not granted look the same.
/// let refused = target.send("jira", &HttpRequest::new("GET", "/job/1"), &look).unwrap_err();
/// assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Denied, "http.endpoint"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeployTarget {
    endpoints: BTreeMap<String, Endpoint>,
    commands: BTreeMap<String, CommandTemplate>,
}

impl DeployTarget {
    /// Begins one.
    pub fn builder() -> DeployTargetBuilder {
        DeployTargetBuilder::default()
    }

    /// The endpoint with this name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(name)
    }

    /// The command with this name.
    pub fn command(&self, name: &str) -> Option<&CommandTemplate> {
        self.commands.get(name)
    }

    /// The names of all endpoints, in order.
    pub fn endpoint_names(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str)
    }

    /// The names of all commands, in order.
    pub fn command_names(&self) -> impl Iterator<Item = &str> {
        self.commands.keys().map(String::as_str)
    }

    /// Sends a request to the endpoint with this name. As [`Endpoint::send`].
    pub fn send(
        &self,
        name: &str,
        request: &HttpRequest,
        call: &Exchange,
    ) -> Result<HttpResponse, HttpFailure> {
        self.endpoint(name).ok_or_else(HttpFailure::no_endpoint)?.send(request, call)
    }

    /// Runs the command with this name. As [`CommandTemplate::run`].
    pub fn run(
        &self,
        name: &str,
        arguments: &[(String, String)],
        stdin: &[u8],
        call: &Exchange,
    ) -> Result<Output, CommandFailure> {
        self.command(name).ok_or_else(CommandFailure::no_command)?.run(arguments, stdin, call)
    }
}

/// Collects endpoints and commands.
///
/// ```
/// use placet_target_deploy::{DeployTarget, Endpoint, Rule};
///
/// let ci = || Endpoint::builder("https://ci.example.org").read(Rule::below("GET", "/"));
/// assert!(DeployTarget::builder().endpoint("ci", ci()).build().is_ok());
/// assert!(DeployTarget::builder().endpoint("The CI", ci()).build().is_err());
/// assert!(DeployTarget::builder().endpoint("ci", ci()).endpoint("ci", ci()).build().is_err());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DeployTargetBuilder {
    endpoints: Vec<(String, EndpointBuilder)>,
    commands: Vec<(String, CommandTemplateBuilder)>,
}

impl DeployTargetBuilder {
    /// Adds an endpoint. Names are of `a` to `z`, `0` to `9` and `-`, and begin with a letter.
    pub fn endpoint(mut self, name: impl Into<String>, endpoint: EndpointBuilder) -> Self {
        self.endpoints.push((name.into(), endpoint));
        self
    }

    /// Adds a command. Names are as those of endpoints.
    pub fn command(mut self, name: impl Into<String>, template: CommandTemplateBuilder) -> Self {
        self.commands.push((name.into(), template));
        self
    }

    /// Checks everything. What is wrong is told with the name of the endpoint or command, and never with a credential.
    pub fn build(self) -> Result<DeployTarget, Error> {
        let endpoints = named(self.endpoints, "endpoint", EndpointBuilder::build)?;
        let commands = named(self.commands, "command", CommandTemplateBuilder::build)?;
        Ok(DeployTarget { endpoints, commands })
    }
}

fn named<B, T>(
    parts: Vec<(String, B)>,
    kind: &str,
    build: impl Fn(B) -> Result<T, Error>,
) -> Result<BTreeMap<String, T>, Error> {
    let mut built = BTreeMap::new();
    for (name, part) in parts {
        if !is_slug(&name) {
            return Err(Error::new(Code::InvalidInput, format!("`{name}` is no name of {kind}s"))
                .with_help(
                    "use up to 63 of `a` to `z`, `0` to `9` and `-`, beginning with a letter",
                ));
        }
        let part = build(part).map_err(|error| error.with_detail(kind, &name))?;
        if built.insert(name.clone(), part).is_some() {
            return Err(Error::new(Code::AlreadyExists, format!("two {kind}s are named `{name}`"))
                .with_help("give each a name of its own"));
        }
    }
    Ok(built)
}

/// Whether a name of an endpoint, a command or a hole is one.
pub(crate) fn is_slug(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(is_inner)
        && !name.ends_with('-')
}
