//! Plugins that come with placet, as they were built by `runners/pack`.

use std::borrow::Cow;

use crate::manifest::Manifest;

/// A plugin that comes with placet.
///
/// ```
/// use placet_core::error::Code;
/// use placet_runners::{Grant, WasmRunner, shipped};
///
/// let sql = shipped::sql();
/// let installed = |grant| {
///     let (component, manifest) = (sql.component.clone(), sql.manifest.clone());
///     WasmRunner::builder().plugin("sql".parse()?, component, manifest, grant).build()
/// };
/// assert!(installed(Grant::none().with("sql")).is_ok());
/// assert_eq!(installed(Grant::none()).unwrap_err().code(), Code::RunnerFault);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shipped {
    /// The component: the bytes of a `.wasm` file.
    pub component: Cow<'static, [u8]>,
    /// What it asks for.
    pub manifest: Manifest,
}

/// The SQL runner: reviews a script, tries it, and executes it in one transaction; step by step where the payload asks
/// for it (`"mode": "steps"`) or a statement refuses transactions; as a query where every statement only reads. Its
/// payload is `{"sql": "…"}`, or `{"revert": {"request": "req_…", "revision": 1, "attempt": 1}}` to put back what an
/// attempt changed.
///
/// ```
/// let sql = placet_runners::shipped::sql();
/// assert_eq!(sql.manifest.capabilities, ["sql"]);
/// ```
pub fn sql() -> Shipped {
    Shipped {
        component: Cow::Borrowed(include_bytes!("../plugins/built/sql.wasm")),
        manifest: Manifest::new("sql", "0.1.0").with_capability("sql").with_connection("target"),
    }
}

/// The deploy runner: starts what another system carries out (a job, a workflow, a pipeline, a sync, a command), each step
/// once, follows it to its end, and asks the deployed system how it is. Its payload is `{"do": "…", "with": {…}}`; what
/// that means stands in the settings of the environment. It needs a [deploy target](crate::Builder::deploy_target).
///
/// ```
/// let deploy = placet_runners::shipped::deploy();
/// assert_eq!(deploy.manifest.capabilities, ["command", "http"]);
/// ```
pub fn deploy() -> Shipped {
    Shipped {
        component: Cow::Borrowed(include_bytes!("../plugins/built/deploy.wasm")),
        manifest: Manifest::new("deploy", "0.1.0")
            .with_capability("command")
            .with_capability("http")
            .with_connection("target"),
    }
}

/// The Jira runner: publishes approved artifacts as issues, each version once. Its payload is `{"artifacts": […]}`. It needs
/// a [deploy target](crate::Builder::deploy_target) with Jira as an endpoint.
///
/// ```
/// let sync = placet_runners::shipped::artifact_sync();
/// assert_eq!(sync.manifest.capabilities, ["http"]);
/// ```
pub fn artifact_sync() -> Shipped {
    Shipped {
        component: Cow::Borrowed(include_bytes!("../plugins/built/artifact-sync.wasm")),
        manifest: Manifest::new("artifact-sync", "0.1.0")
            .with_capability("http")
            .with_connection("target")
            .with_publishes("/artifacts"),
    }
}

/// Whether it is a plugin that comes with placet, as it came: whoever trusts the host trusts that.
pub(crate) fn is_ours(component: &[u8], manifest: &Manifest) -> bool {
    let ours = [sql(), deploy(), artifact_sync()];
    ours.iter().any(|ours| *ours.component == *component && ours.manifest == *manifest)
}
