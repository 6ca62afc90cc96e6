//! What a runner plugin may reach, as it is recorded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Slug;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::runner::RunnerInfo;
use crate::store::records::Record;

/// How many capabilities one grant can have. A leaf of the log names all of them.
pub(crate) const CAPABILITIES_MAX: usize = 64;

/// Who said what a plugin may reach.
///
/// ```
/// use placet_core::org::GrantStanding;
/// use placet_core::org::command::RevokePluginGrant;
///
/// let (gate, office) = placet_core::testing::Office::in_memory()?;
/// office.pending(&gate)?;
/// assert_eq!(gate.plugin_grants(&office.root)?[0].standing, GrantStanding::Host);
/// gate.administer(&office.root, &RevokePluginGrant { runner: "sql".parse()? })?;
/// assert_eq!(gate.plugin_grants(&office.root)?[0].standing, GrantStanding::Revoked);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever reads a grant must see that it was revoked")]
pub enum GrantStanding {
    /// The host, by how it was configured when the plugin was first used.
    Host,
    /// A PLATFORM_ADMIN.
    Granted,
    /// A PLATFORM_ADMIN, who took it away: it may reach nothing, and is not asked.
    Revoked,
}

/// What a runner plugin may reach. There is one for each runner that was used, and one for each that an administrator
/// said something about.
///
/// ```
/// let (gate, office) = placet_core::testing::Office::in_memory()?;
/// assert!(gate.plugin_grants(&office.root)?.is_empty());
/// office.pending(&gate)?; // its plan was the first thing that the runner was asked
/// let grants = gate.plugin_grants(&office.root)?;
/// assert_eq!(grants[0].runner.as_str(), "sql");
/// assert!(grants[0].capabilities.is_empty()); // the scripted one asks for nothing
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct PluginGrant {
    /// The name that the plugin is installed under.
    pub runner: Slug,
    /// The only component that it is for; nothing: whichever is installed under that name.
    pub digest: Option<Digest>,
    /// What it may reach.
    pub capabilities: BTreeSet<Slug>,
    /// Whether plans may try their statements in a transaction that is rolled back, as far as the host lets them.
    pub dry_run: bool,
    /// Who said so, and whether it holds.
    pub standing: GrantStanding,
}

impl Record for PluginGrant {
    const KIND: &'static str = "plugin_grant";

    fn path(&self) -> Vec<String> {
        vec![self.runner.to_string()]
    }
}

impl PluginGrant {
    /// What the host lets the plugin reach that it installed as `runner`: all that is linked for it.
    ///
    /// Fails with [`Code::PluginNotGranted`] for one that asks for what has no name in a log, or for too much.
    pub(crate) fn of_host(runner: &Slug, info: &RunnerInfo) -> Result<Self, Error> {
        let nameless = |word: &String| {
            let shown = crate::letters::shown(word);
            refused(
                runner,
                "capability",
                format!("the plugin of runner `{runner}` asks for `{shown}`, which is no code"),
            )
            .with_help("use a build whose capabilities are codes, such as `sql`")
        };
        let named = info.capabilities.iter().map(|word| {
            // What is wrong with it as a code says less than who asks for it.
            word.parse::<Slug>().map_err(|source| nameless(word).with_source(source))
        });
        let capabilities = named.collect::<Result<BTreeSet<Slug>, Error>>()?;
        if capabilities.len() > CAPABILITIES_MAX {
            let count = capabilities.len();
            let sentence = format!("the plugin of runner `{runner}` asks for {count} capabilities");
            return Err(refused(runner, "capability", sentence)
                .with_help(format!("use one that asks for {CAPABILITIES_MAX} at most")));
        }
        let (runner, standing) = (runner.clone(), GrantStanding::Host);
        Ok(Self { runner, digest: None, capabilities, dry_run: info.dry_run, standing })
    }

    /// Refuses where it was taken away.
    pub(crate) fn check_stands(&self) -> Result<(), Error> {
        match self.standing {
            GrantStanding::Host | GrantStanding::Granted => Ok(()),
            GrantStanding::Revoked => {
                let runner = &self.runner;
                let sentence = format!("the grant of runner `{runner}` was revoked");
                Err(refused(runner, "revoked", sentence)
                    .with_help("ask a PLATFORM_ADMIN whether it can be granted again"))
            }
        }
    }

    /// Refuses a plugin that this is not for, or that asks for more.
    pub(crate) fn check(&self, info: &RunnerInfo) -> Result<(), Error> {
        self.check_stands()?;
        let runner = &self.runner;
        if let Some(granted) = self.digest.filter(|granted| *granted != info.digest) {
            let sentence =
                format!("the plugin of runner `{runner}` is not the one that was granted");
            return Err(refused(runner, "digest", sentence)
                .with_help("install the granted one, or have a PLATFORM_ADMIN grant this one")
                .with_detail("granted", granted)
                .with_detail("installed", info.digest));
        }
        let is_granted = |word: &String| self.capabilities.iter().any(|one| one.as_str() == word);
        match info.capabilities.iter().find(|word| !is_granted(word)) {
            None => Ok(()),
            Some(word) => {
                let shown = crate::letters::shown(word);
                let sentence = format!(
                    "the plugin of runner `{runner}` asks for `{shown}`, which nobody granted"
                );
                Err(refused(runner, "capability", sentence)
                    .with_help(
                        "install the version before, or have a PLATFORM_ADMIN look at this one and grant it",
                    )
                    .with_detail("capability", shown)
                    .with_detail("installed", info.digest))
            }
        }
    }

    /// Its capabilities as one text of the log.
    pub(crate) fn words(&self) -> String {
        let words: Vec<&str> = self.capabilities.iter().map(Slug::as_str).collect();
        if words.is_empty() { "none".to_owned() } else { words.join(" ") }
    }

    /// Everything it grants as one text of the log.
    pub(crate) fn whole_words(&self) -> String {
        let dry_runs = if self.dry_run { ", and dry runs" } else { "" };
        format!("{}{dry_runs}", self.words())
    }
}

fn refused(runner: &Slug, reason: &str, sentence: String) -> Error {
    Error::new(Code::PluginNotGranted, sentence)
        .with_detail("runner", runner)
        .with_detail("reason", reason)
}
