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

/// Whether it is a plugin that comes with placet, as it came: whoever trusts the host trusts that.
pub(crate) fn is_ours(component: &[u8], manifest: &Manifest) -> bool {
    let sql = sql();
    *sql.component == *component && sql.manifest == *manifest
}
