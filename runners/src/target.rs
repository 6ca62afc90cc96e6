//! What a plugin is let loose on: a database, or a bundle of endpoints and commands.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_target::SqlTarget;
use placet_target_deploy::DeployTarget;

use crate::plugin::Plugin;

/// A target by what it is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Sql(Arc<dyn SqlTarget>),
    Deploy(Arc<DeployTarget>),
}

impl Target {
    /// The database.
    pub(crate) fn sql(&self) -> Result<&Arc<dyn SqlTarget>, Error> {
        match self {
            Self::Sql(target) => Ok(target),
            Self::Deploy(_) => Err(Error::new(
                Code::UnknownTarget,
                "the target has endpoints and commands, and is no database",
            )
            .with_help("name a database as the target")),
        }
    }

    /// The endpoints and commands.
    pub(crate) fn deploy(&self) -> Result<&Arc<DeployTarget>, Error> {
        match self {
            Self::Deploy(target) => Ok(target),
            Self::Sql(_) => Err(Error::new(
                Code::UnknownTarget,
                "the target is a database, and has neither endpoints nor commands",
            )
            .with_help("name a deploy target")),
        }
    }

    /// Whether it is a bundle of endpoints and commands.
    pub(crate) const fn is_deploy(&self) -> bool {
        matches!(self, Self::Deploy(_))
    }

    /// The dialect of the database; what is none has none.
    pub(crate) fn dialect(&self) -> &str {
        match self {
            Self::Sql(target) => target.dialect(),
            Self::Deploy(_) => "",
        }
    }

    /// Whether `plugin` can do anything with it: each of its capabilities is for this kind of target.
    pub(crate) fn check(&self, name: &Slug, plugin: &Plugin) -> Result<(), Error> {
        let (what, capable_of) = match self {
            Self::Sql(_) => ("a database", ["sql"].as_slice()),
            Self::Deploy(_) => {
                ("a bundle of endpoints and commands", ["command", "http"].as_slice())
            }
        };
        let odd = plugin.capabilities.iter().find(|word| !capable_of.contains(&word.as_str()));
        let Some(odd) = odd else { return Ok(()) };
        let runner = &plugin.name;
        let message =
            format!("the target `{name}` is {what}, and the plugin `{runner}` asks for `{odd}`");
        Err(Error::new(Code::UnknownTarget, message)
            .with_help("name a target of the plugin's kind, or another plugin"))
    }
}
