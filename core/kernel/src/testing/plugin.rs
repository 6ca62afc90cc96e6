//! The plugin of the scripted runner: which component it is, and what it asks for.

use super::doubles::{ScriptedRunner, locked};
use crate::digest::Digest;
use crate::org::Slug;
use crate::runner::RunnerInfo;

/// What is installed.
pub(super) struct ScriptedPlugin {
    digest: Digest,
    capabilities: Vec<String>,
    publishes: Option<String>,
}

impl Default for ScriptedPlugin {
    fn default() -> Self {
        let digest = Digest::of(b"scripted plugin, version 1");
        Self { digest, capabilities: Vec::new(), publishes: None }
    }
}

impl ScriptedPlugin {
    pub(super) fn describe(&self, runner: &Slug) -> RunnerInfo {
        let mut info = RunnerInfo::new(runner.clone(), "1".to_owned(), self.digest);
        info.capabilities.clone_from(&self.capabilities);
        info.publishes.clone_from(&self.publishes);
        info.dry_run = true;
        info
    }
}

impl ScriptedRunner {
    /// Installs another version of the plugin. It asks for what the one before asks for.
    pub fn install(&self, bytes: &[u8]) {
        locked(&self.plugin).digest = Digest::of(bytes);
    }

    /// Installs another version of the plugin, which asks for these capabilities. The first one asks for none.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use placet_core::{runner::Runner, store::MemoryStore, testing::Bench};
    /// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// bench.runner.install_asking(b"version 2", &["sql", "http"]);
    /// assert_eq!(bench.runner.describe(&"sql".parse()?)?.capabilities, ["sql", "http"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn install_asking(&self, bytes: &[u8], capabilities: &[&str]) {
        let capabilities = capabilities.iter().map(|word| (*word).to_owned()).collect();
        let digest = Digest::of(bytes);
        *locked(&self.plugin) = ScriptedPlugin { digest, capabilities, publishes: None };
    }

    /// From now on the plugin hands on the artifacts that the payload lists at this JSON pointer.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use placet_core::{runner::Runner, store::MemoryStore, testing::Bench};
    /// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// bench.runner.publishes("/artifacts");
    /// let info = bench.runner.describe(&"sql".parse()?)?;
    /// assert_eq!(info.publishes.as_deref(), Some("/artifacts"));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn publishes(&self, pointer: &str) {
        locked(&self.plugin).publishes = Some(pointer.to_owned());
    }
}
