//! Collects what a host of plugins needs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use placet_core::clock::Clock;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_target::SqlTarget;
use placet_target_deploy::DeployTarget;

use crate::compiled::{CompiledKey, Compiler, Source};
use crate::engine::Sandbox;
use crate::limits::RunnerLimits;
use crate::manifest::{Grant, Manifest};
use crate::plugin::Plugin;
use crate::results::ResultSink;
use crate::reviewer::{self, Reviewer};
use crate::runner::WasmRunner;
use crate::shipped;
use crate::signed::Trusted;
use crate::target::Target;
use crate::usage::UsageSink;

/// Collects what a [`WasmRunner`] needs.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::error::Code;
/// use placet_runners::{SqliteTarget, WasmRunner};
///
/// let orders = Arc::new(SqliteTarget::new("orders.db"));
/// let builder = WasmRunner::builder().target("shop".parse()?, orders.clone());
/// let twice = builder.target("shop".parse()?, orders).build().unwrap_err();
/// assert_eq!(twice.code(), Code::AlreadyExists);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is installed before `build`"]
pub struct Builder {
    clock: Option<Arc<dyn Clock>>,
    limits: RunnerLimits,
    plugins: Vec<(Slug, Cow<'static, [u8]>, Manifest, Grant)>,
    targets: Vec<(Slug, Target)>,
    results: Option<Arc<dyn ResultSink>>,
    reviewers: Vec<Arc<dyn Reviewer>>,
    compiled: Option<(PathBuf, CompiledKey)>,
    compiler: Option<Compiler>,
    usage: Option<Arc<dyn UsageSink>>,
    signers: Option<Trusted>,
    notes: BTreeMap<Slug, Vec<u8>>,
}

impl Builder {
    /// Sets the clock. Plugins see it while they validate. Without one they see 1970-01-01.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Installs a component under `name`.
    pub fn plugin(
        mut self,
        name: Slug,
        component: impl Into<Cow<'static, [u8]>>,
        manifest: Manifest,
        grant: Grant,
    ) -> Self {
        self.plugins.push((name, component.into(), manifest, grant));
        self
    }

    /// Adds a target under `name`.
    pub fn target(mut self, name: Slug, target: Arc<dyn SqlTarget>) -> Self {
        self.targets.push((name, Target::Sql(target)));
        self
    }

    /// Adds named endpoints and commands under `name`, for plugins with the capabilities `http` and `command`.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::runner::Runner;
    /// use placet_runners::deploy::{DeployTarget, Endpoint, Rule};
    /// use placet_runners::{Grant, WasmRunner, shipped};
    ///
    /// let ci = Endpoint::builder("https://ci.example.org").read(Rule::below("GET", "/job/"));
    /// let (deploy, sql) = (shipped::deploy(), shipped::sql());
    /// let granted = Grant::none().with("http").with("command");
    /// let runner = WasmRunner::builder()
    ///     .plugin("deploy".parse()?, deploy.component, deploy.manifest, granted)
    ///     .plugin("sql".parse()?, sql.component, sql.manifest, Grant::none().with("sql"))
    ///     .deploy_target("ci".parse()?, DeployTarget::builder().endpoint("ci", ci).build()?)
    ///     .build()?;
    /// assert!(runner.check_target(&"deploy".parse()?, &"ci".parse()?).is_ok());
    /// let odd = runner.check_target(&"sql".parse()?, &"ci".parse()?).unwrap_err();
    /// assert_eq!(odd.code(), Code::UnknownTarget);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn deploy_target(mut self, name: Slug, target: DeployTarget) -> Self {
        self.targets.push((name, Target::Deploy(Arc::new(target))));
        self
    }

    /// Keeps what approved queries answer in `sink`. Without one, no query can be planned.
    pub fn results(mut self, sink: Arc<dyn ResultSink>) -> Self {
        self.results = Some(sink);
        self
    }

    /// Lets `reviewer` look at every script that is planned, beside those before it. With the feature `postgres`, squawk's
    /// rules look at every script for PostgreSQL anyway.
    pub fn reviewer(mut self, reviewer: Arc<dyn Reviewer>) -> Self {
        self.reviewers.push(reviewer);
        self
    }

    /// Sets the limits of every call.
    pub fn limits(mut self, limits: RunnerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Installs only plugins that enough of `signers` signed, besides those that come with placet.
    pub fn signers(mut self, signers: Trusted) -> Self {
        self.signers = Some(signers);
        self
    }

    /// The signatures of the plugin `name`: the text of the signed note that [`Manifest::sign`] made.
    pub fn note(mut self, name: Slug, note: impl Into<Vec<u8>>) -> Self {
        self.notes.insert(name, note.into());
        self
    }

    /// Tells `sink` of every call how much of its limits it used.
    pub fn usage(mut self, sink: Arc<dyn UsageSink>) -> Self {
        self.usage = Some(sink);
        self
    }

    /// Keeps compiled plugins in `folder`, where later processes find them: loading one takes a thousandth of compiling
    /// it. The folder is made so that only this user may use it. A file in it is loaded only where it bears a MAC of
    /// `key`; any other is ignored, [counted](crate::Compilations), and compiled anew.
    pub fn compiled_in(mut self, folder: impl Into<PathBuf>, key: CompiledKey) -> Self {
        self.compiled = Some((folder.into(), key));
        self
    }

    /// Has `compiler` compile, in a process of its own. Without one, this process does.
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Installs everything. Looks at what each component imports, and compiles none of them yet.
    ///
    /// Fails with [`Code::AlreadyExists`] for a name that is used twice, [`Code::TooLarge`] for a component
    /// that is too large, [`Code::RunnerFault`] for one that imports what it is not granted, [`Code::Refused`] for one
    /// that too few signed, and
    /// [`Code::StoreUnavailable`] for a folder of compiled plugins that is not this user's alone.
    pub fn build(self) -> Result<WasmRunner, Error> {
        let mut plugins = BTreeMap::new();
        for (name, component, manifest, grant) in self.plugins {
            if component.len() > self.limits.component_bytes_max {
                let most = self.limits.component_bytes_max;
                return Err(Error::new(
                    Code::TooLarge,
                    format!("the component of the plugin `{name}` is larger than {most} bytes"),
                )
                .with_help("build it for size, or raise `component_bytes_max`"));
            }
            if let Some(signers) = &self.signers
                && !shipped::is_ours(&component, &manifest)
            {
                let what = (&manifest, Digest::of(&component));
                signers.check(&name, what, self.notes.get(&name).map(Vec::as_slice))?;
            }
            let plugin = Plugin::install(name.clone(), component, manifest, grant)?;
            if plugins.insert(name.clone(), plugin).is_some() {
                return Err(twice("plugin", &name));
            }
        }
        let mut targets = BTreeMap::new();
        for (name, target) in self.targets {
            if targets.insert(name.clone(), target).is_some() {
                return Err(twice("target", &name));
            }
        }
        let mut source = Source::new(self.compiler);
        // Last, so that what is wrong above leaves no folder behind.
        if let Some((folder, key)) = self.compiled {
            source.keep_in(&folder, key)?;
        }
        Ok(WasmRunner {
            sandbox: Sandbox::shared()?,
            source,
            clock: self.clock.unwrap_or_else(|| Arc::new(Epoch)),
            limits: self.limits,
            plugins,
            targets,
            results: self.results,
            reviewers: reviewer::shipped().into_iter().chain(self.reviewers).collect(),
            usage: self.usage,
        })
    }
}

#[derive(Debug)]
struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> placet_core::clock::Timestamp {
        placet_core::clock::Timestamp::MIN
    }

    fn steady_ms(&self) -> u64 {
        0
    }
}

fn twice(what: &str, name: &Slug) -> Error {
    Error::new(Code::AlreadyExists, format!("there are two {what}s named `{name}`"))
        .with_help("give each a name of its own")
}
