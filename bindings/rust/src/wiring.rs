//! What a gate's host of plugins is told besides plugins and targets: who compiles, who must have signed, who listens,
//! and where deployments go.

use std::sync::Arc;

use placet_core::error::Error;
use placet_runners::deploy::DeployTarget;
use placet_runners::{Builder, Compiler, Trusted, UsageSink};

use crate::builder::GateBuilder;

#[derive(Debug, Default)]
pub(crate) struct Wiring {
    compiler: Option<Compiler>,
    signers: Option<Trusted>,
    notes: Vec<(String, Vec<u8>)>,
    usage: Option<Arc<dyn UsageSink>>,
    deploy_targets: Vec<(String, DeployTarget)>,
}

impl Wiring {
    pub(crate) fn add_to(self, mut builder: Builder) -> Result<Builder, Error> {
        if let Some(compiler) = self.compiler {
            builder = builder.compiler(compiler);
        }
        if let Some(signers) = self.signers {
            builder = builder.signers(signers);
        }
        if let Some(sink) = self.usage {
            builder = builder.usage(sink);
        }
        for (name, note) in self.notes {
            builder = builder.note(name.parse()?, note);
        }
        for (name, target) in self.deploy_targets {
            builder = builder.deploy_target(name.parse()?, target);
        }
        Ok(builder)
    }
}

impl GateBuilder {
    /// Adds named endpoints and commands as a target: where deployments go. Addresses and credentials stay with the host.
    /// The plugin that goes there is installed by [`Self::plugin`]; what it deploys, and how, is written in the settings of an
    /// environment ([`SetRunnerSettings`](placet_core::org::command::SetRunnerSettings)).
    ///
    /// ```
    /// use placet::runners::deploy::{Credential, DeployTarget, Endpoint, Rule};
    /// use placet::runners::{Grant, shipped};
    ///
    /// let rundeck = Endpoint::builder("https://rundeck.example.org")
    ///     .credential(Credential::header("X-Rundeck-Auth-Token", "0123456789abcdef"))
    ///     .read(Rule::below("GET", "/api/41/"))
    ///     .write(Rule::below("POST", "/api/41/job"));
    /// let (deploy, grant) = (shipped::deploy(), Grant::none().with("http").with("command"));
    /// # let folder = tempfile::tempdir()?;
    /// let gate = placet::Gate::builder(folder.path())
    ///     .plugin("deploy", deploy.component, deploy.manifest, grant)
    ///     .deploy_target("shop-deploy", DeployTarget::builder().endpoint("rundeck", rundeck).build()?)
    ///     .open()?;
    /// # drop(gate);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deploy_target(mut self, name: impl Into<String>, target: DeployTarget) -> Self {
        self.wiring.deploy_targets.push((name.into(), target));
        self
    }

    /// Has `compiler` compile plugins, in a process of its own. Without one, this process does. Either way each is compiled
    /// once: what came of it is kept in the folder `compiled` in the gate's, and loaded by every later process, where it bears
    /// the mark of the key in `compiled.key`. [`Gate::compilations`](crate::Gate::compilations) says which it was.
    ///
    /// ```no_run
    /// use placet::runners::Compiler;
    ///
    /// let compiler = Compiler::program("/usr/bin/placet", ["plugin", "compile"]);
    /// let gate = placet::Gate::builder("gate").compiler(compiler.with_deadline_ms(30_000)).open()?;
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.wiring.compiler = Some(compiler);
        self
    }

    /// Installs only plugins that enough of `signers` signed, besides those that come with placet. [`Self::open`] fails with
    /// [`Code::Refused`](crate::error::Code::Refused) for any other.
    ///
    /// ```
    /// use placet::audit::{Ed25519Signer, Signer};
    /// use placet::error::Code;
    /// use placet::runners::{Grant, Trusted, shipped};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let ana = Ed25519Signer::from_seed("ana.example.org", &[1; 32])?;
    /// # let bo = Ed25519Signer::from_seed("bo.example.org", &[2; 32])?;
    /// // As `placet plugin key` prints them: the host knows two keys, and asks for both.
    /// let keys = vec![ana.verifier_key().clone(), bo.verifier_key().clone()];
    /// let mut own = shipped::sql();
    /// own.manifest.version = "7".to_owned();
    /// let open = |signers: &[&dyn Signer]| {
    ///     // As `placet plugin sign` writes it below `plugin.note`.
    ///     let note = own.manifest.sign(&own.component, signers)?.to_string();
    ///     placet::Gate::builder(folder.path())
    ///         .plugin_signers(Trusted::new(keys.clone(), 2)?)
    ///         .plugin("own", own.component.clone(), own.manifest.clone(), Grant::none().with("sql"))
    ///         .plugin_note("own", note)
    ///         .open()
    /// };
    /// assert_eq!(open(&[&ana, &ana]).unwrap_err().code(), Code::Refused);
    /// assert!(open(&[&ana, &bo]).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin_signers(mut self, signers: Trusted) -> Self {
        self.wiring.signers = Some(signers);
        self
    }

    /// The signatures of the plugin `name`: the text of the signed note that
    /// [`Manifest::sign`](placet_runners::Manifest::sign) or `placet plugin sign` made.
    pub fn plugin_note(mut self, name: impl Into<String>, note: impl Into<Vec<u8>>) -> Self {
        self.wiring.notes.push((name.into(), note.into()));
        self
    }

    /// Tells `sink` of every call into a plugin how much of its limits it used.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet::runners::{Usage, UsageSink};
    ///
    /// #[derive(Debug)]
    /// struct Told;
    ///
    /// impl UsageSink for Told {
    ///     fn note(&self, usage: Usage) {
    ///         let (plugin, share) = (usage.plugin, usage.memory_bytes.per_mille());
    ///         println!("{plugin}: {} took {share} thousandths of its memory", usage.call);
    ///     }
    /// }
    /// # let folder = tempfile::tempdir()?;
    /// let gate = placet::Gate::builder(folder.path()).plugin_usage(Arc::new(Told)).open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin_usage(mut self, sink: Arc<dyn UsageSink>) -> Self {
        self.wiring.usage = Some(sink);
        self
    }
}
