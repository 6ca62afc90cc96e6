//! What runner plugins may reach: what PLATFORM_ADMIN grants them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::org::Slug;

/// Says what the plugin that is installed as `runner` may reach. It takes the place of whatever was granted before.
///
/// A plugin reaches what its component imports, its manifest names, the host links, and this grants. Nothing that is
/// drafted, planned, submitted, approved or begun for the runner passes where the installed plugin asks for a capability
/// that is not among these, or is another component than `digest`: [`crate::error::Code::PluginNotGranted`].
///
/// The host's own configuration is the first grant: where nobody granted anything, what the plugin asks for is recorded
/// with the first plan, or the first run, as if it had been granted so. A later version that asks for more needs this
/// command. What the host does not link is not made reachable by it.
///
/// Fails with [`crate::error::Code::InvalidInput`] for `placet`, which is no plugin, and with
/// [`crate::error::Code::TooLarge`].
///
/// ```
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office}};
/// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(bench.parts);
/// # let office = Office::found(&gate)?;
/// use placet_core::error::Code;
/// use placet_core::org::command::GrantPlugin;
///
/// office.pending(&gate)?;
/// bench.runner.install_asking(b"version 2", &["http"]);
/// let error = office.pending(&gate).unwrap_err();
/// assert_eq!((error.code(), error.details()["capability"].as_str()), (Code::PluginNotGranted, "http"));
///
/// let (runner, capabilities) = ("sql".parse()?, ["http".parse()?].into());
/// gate.administer(&office.root, &GrantPlugin { runner, digest: None, capabilities, dry_run: true })?;
/// assert!(office.pending(&gate).is_ok());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct GrantPlugin {
    /// The name that the plugin is installed under, now or later.
    pub runner: Slug,
    /// The only component that it is for; nothing: each version that asks for no more.
    pub digest: Option<Digest>,
    /// What it may reach, such as `sql`.
    pub capabilities: BTreeSet<Slug>,
    /// Whether plans may try their statements in a transaction that is rolled back, as far as the host lets them.
    pub dry_run: bool,
}

/// Takes away what the plugin of a runner may reach, also where nobody used it yet. Nothing is drafted, planned, submitted,
/// approved, begun or verified with it from then on, until somebody grants it anew.
///
/// A run that was recorded as started goes on: [`Gate::stop`](crate::gate::Gate::stop) ends it. Of one that is unknown, a
/// person can say what they found ([`Gate::reconcile`](crate::gate::Gate::reconcile)): the plugin is not asked.
///
/// Fails with [`crate::error::Code::InvalidInput`] for `placet`, and with [`crate::error::Code::WrongState`] where it was
/// revoked before.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::RevokePluginGrant;
///
/// let id = office.approved(&gate)?.header.id;
/// gate.administer(&office.root, &RevokePluginGrant { runner: "sql".parse()? })?;
/// assert_eq!(gate.execute(&office.bo, id).unwrap_err().code(), Code::PluginNotGranted);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RevokePluginGrant {
    /// The name that the plugin is installed under.
    pub runner: Slug,
}
