//! Where a gate's compiled plugins came from.

use std::sync::Arc;

use placet_runners::{Compilations, WasmRunner};

use crate::gate::Gate;

impl Gate {
    /// Where the gate's compiled plugins came from: compiled now, or loaded from the folder `compiled` in the gate's. Those
    /// that [did not check](Compilations::ignored) were compiled anew, and are a warning: somebody changed a file there, or
    /// a disk did. Empty for a gate that was [wired by hand](Self::over).
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("gate");
    /// let gate = placet::Gate::open(folder)?;
    /// // A plugin is compiled when it is first needed.
    /// assert_eq!(gate.compilations().compiled, 0);
    /// assert!(gate.compilations().notes.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compilations(&self) -> Compilations {
        self.runner.as_ref().map(|runner| runner.compilations()).unwrap_or_default()
    }

    /// The same gate, with the plugins that it was wired with.
    pub(crate) fn with_runner(mut self, runner: Arc<WasmRunner>) -> Self {
        self.runner = Some(runner);
        self
    }
}
