//! Plugins that come with placet, as they were built by `runners/pack`.

use std::borrow::Cow;

use crate::manifest::Manifest;

/// A plugin that comes with placet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shipped {
    /// The component.
    pub component: Cow<'static, [u8]>,
    /// What it asks for.
    pub manifest: Manifest,
}

/// The SQL runner: reviews a script, tries it, executes it in one transaction. Its payload is
/// `{"sql": "…"}`.
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
