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
    /// once: what came of it is kept in the folder `compiled` in the gate's.
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.wiring.compiler = Some(compiler);
        self
    }

    /// Installs only plugins that enough of `signers` signed, besides those that come with placet.
    pub fn plugin_signers(mut self, signers: Trusted) -> Self {
        self.wiring.signers = Some(signers);
        self
    }

    /// The signatures of the plugin `name`: the text of the signed note that
    /// [`Manifest::sign`](placet_runners::Manifest::sign) made.
    pub fn plugin_note(mut self, name: impl Into<String>, note: impl Into<Vec<u8>>) -> Self {
        self.wiring.notes.push((name.into(), note.into()));
        self
    }

    /// Tells `sink` of every call into a plugin how much of its limits it used.
    pub fn plugin_usage(mut self, sink: Arc<dyn UsageSink>) -> Self {
        self.wiring.usage = Some(sink);
        self
    }
}
