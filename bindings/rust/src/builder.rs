//! Opening a gate in a folder.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::clock::Clock;
use placet_core::digest::to_hex;
use placet_core::entropy::Entropy as _;
use placet_core::error::{Code, Error};
use placet_core::gate::Parts;
use placet_core::limits::Limits;
use placet_core::store::Store as _;
use placet_policies::CedarAuthorizer;
use placet_runners::{Grant, Manifest, RunnerLimits, SqlTarget, SqliteTarget, WasmRunner, shipped};
use placet_store_sled::{Options, SledStore};

use crate::gate::Gate;
use crate::signing_key::SigningKeyFile;
use crate::system::{SystemClock, SystemEntropy, SystemIds};

/// What a gate is opened with. The defaults are what most hosts want.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let gate = placet::Gate::builder(folder)
///     .sqlite_target("shop", "shop.db")
///     .host_policies("freeze.cedar", r#"
///         @id("freeze.prod")
///         forbid (principal, action == Action::"execute", resource)
///         when { context.at > 4102444800000000 };
///     "#)
///     .open()?;
/// # drop(gate);
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct GateBuilder {
    folder: PathBuf,
    origin: Option<String>,
    store: Options,
    limits: Limits,
    runner_limits: RunnerLimits,
    targets: Vec<(String, Arc<dyn SqlTarget>)>,
    plugins: Vec<(String, Cow<'static, [u8]>, Manifest, Grant)>,
    policies: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
}

impl GateBuilder {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            origin: None,
            store: Options::default(),
            limits: Limits::default(),
            runner_limits: RunnerLimits::default(),
            targets: Vec::new(),
            plugins: Vec::new(),
            policies: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds the SQLite database file at `path` as a target. It must be there when a change needs it.
    pub fn sqlite_target(self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.target(name, Arc::new(SqliteTarget::new(path)))
    }

    /// Adds a target of the host's own. Its credentials stay with the host.
    pub fn target(mut self, name: impl Into<String>, target: Arc<dyn SqlTarget>) -> Self {
        self.targets.push((name.into(), target));
        self
    }

    /// Installs a runner plugin under `name`: a component, what its manifest asks for, and what it is
    /// granted of that.
    pub fn plugin(
        mut self,
        name: impl Into<String>,
        component: impl Into<Cow<'static, [u8]>>,
        manifest: Manifest,
        grant: Grant,
    ) -> Self {
        self.plugins.push((name.into(), component.into(), manifest, grant));
        self
    }

    /// Adds policies of the host, as Cedar text; `file` is what errors and explanations call it.
    pub fn host_policies(mut self, file: impl Into<String>, text: impl Into<String>) -> Self {
        self.policies.push((file.into(), text.into()));
        self
    }

    /// Sets the log's name, the first line of its checkpoints: `example.org/changes`. It is used when
    /// the signing key is made, and kept with it. The default is a random name.
    pub fn origin(mut self, name: impl Into<String>) -> Self {
        self.origin = Some(name.into());
        self
    }

    /// Sets how the store is opened.
    pub fn store_options(mut self, options: Options) -> Self {
        self.store = options;
        self
    }

    /// Sets how much of anything the gate accepts.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the limits of the sandbox.
    pub fn runner_limits(mut self, limits: RunnerLimits) -> Self {
        self.runner_limits = limits;
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the gate; makes the folder, an empty store and a signing key where there are none.
    ///
    /// One process has the folder to itself. Runs of an earlier process that did not end become unknown
    /// here, and wait to be verified.
    ///
    /// Fails with [`Code::StoreLocked`], [`Code::StoreUnavailable`], [`Code::StoreDamaged`],
    /// [`Code::SignerUnavailable`], [`Code::InvalidPolicy`] and [`Code::InvalidInput`].
    pub fn open(self) -> Result<Gate, Error> {
        fs::create_dir_all(&self.folder).map_err(|source| {
            let folder = self.folder.display();
            Error::new(Code::StoreUnavailable, format!("the folder `{folder}` cannot be made"))
                .with_help("choose a folder that this process may write to")
                .with_source(source)
        })?;
        let store = SledStore::open_with(self.folder.join("store"), &self.store)?;
        let key = SigningKeyFile::at(self.folder.join("log.key"));
        let origin = self.origin.map_or_else(random_origin, Ok)?;
        if !self.folder.join("log.key").exists() && store.log_len()? > 0 {
            return Err(Error::new(
                Code::SignerUnavailable,
                "the log has entries and no signing key",
            )
            .with_help("restore `log.key` from a backup: a new key would be another log"));
        }
        let signer = key.open_or_create(&origin, &SystemEntropy)?;
        let mut authorizer = CedarAuthorizer::builder();
        for (file, text) in self.policies {
            authorizer = authorizer.host_policies(file, text);
        }
        let sql = shipped::sql();
        let mut runner = WasmRunner::builder()
            .clock(Arc::clone(&self.clock))
            .limits(self.runner_limits)
            .plugin("sql".parse()?, sql.component, sql.manifest, sql_grant());
        for (name, component, manifest, grant) in self.plugins {
            runner = runner.plugin(name.parse()?, component, manifest, grant);
        }
        for (name, target) in self.targets {
            runner = runner.target(name.parse()?, target);
        }
        let gate = placet_core::gate::Gate::new(Parts {
            store: Arc::new(store),
            clock: self.clock,
            ids: Arc::new(SystemIds),
            entropy: Arc::new(SystemEntropy),
            authorizer: Arc::new(authorizer.build()?),
            runner: Arc::new(runner.build()?),
            signer: Arc::new(signer),
            limits: self.limits,
        });
        gate.recover()?;
        Ok(Gate::over(gate))
    }
}

fn random_origin() -> Result<String, Error> {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes)?;
    Ok(format!("placet.local/{}", to_hex(&bytes)))
}

/// What the shipped SQL runner may reach: its target, and dry runs, which the gate leaves out where
/// criticality is highest.
fn sql_grant() -> Grant {
    Grant::none().with("sql").with_dry_run()
}
