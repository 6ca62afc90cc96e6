//! A permission as one word: `context:module:environment:action`, the form of the permission model.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::action::Action;
use crate::error::{Code, Error};
use crate::org::{GlobalRole, Slug};

/// The longest permission string, in bytes: four codes and what is between them.
const TEXT_BYTES_MAX: usize = 4 * PART_BYTES_MAX + 3;

/// The longest part, in bytes; as long as a code may be.
const PART_BYTES_MAX: usize = 63;

/// How a part that is left open is written.
const ANY: &str = "*";

const PLATFORM: &str = "platform";
const ANY_PROJECT: &str = "project";

/// Where a permission holds: the first part of a [`PermissionString`].
///
/// Its own words, `platform` and `project`, are not to be had as codes of projects.
///
/// ```
/// use placet_core::authz::{PermissionContext, PermissionString};
/// use placet_core::org::command::CreateProject;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
///
/// let deploys: PermissionString = "shop:pagos:dev:deploy".parse()?;
/// assert_eq!(*deploys.context(), PermissionContext::Project("shop".parse()?));
/// let reads: PermissionString = "project:*:*:read".parse()?;
/// assert_eq!(*reads.context(), PermissionContext::AnyProject);
///
/// let command = CreateProject { code: "platform".parse()?, name: "Platform".parse()? };
/// let error = gate.administer(&office.root, &command).unwrap_err();
/// assert_eq!(error.code().as_str(), "invalid_input");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads a permission must know every context")]
pub enum PermissionContext {
    /// `platform`: users, projects, global roles, the audit.
    Platform,
    /// `project`: every project.
    AnyProject,
    /// The code of one project.
    Project(Slug),
}

/// A permission as text, `context:module:environment:action`, such as `shop:pagos:dev:deploy`.
///
/// The context is `platform`, `project` (any of them) or the code of a project. Each of the other parts is a code,
/// or `*` where it is left open. There is one spelling: what is read is printed the same, also in JSON. Only
/// `platform:*`, for all of the platform, is read too, and printed as `platform:*:*:*`.
///
/// Parsing fails with [`Code::InvalidInput`] for another number of parts, an empty part, and letters that no code
/// has; with [`Code::TooLarge`] for a part above 63 bytes.
///
/// ```
/// use placet_core::authz::PermissionString;
/// use placet_core::error::Code;
///
/// let text = "shop:*:dev:deploy";
/// let permission: PermissionString = text.parse()?;
/// assert_eq!(permission.to_string(), text);
/// assert_eq!(permission.module(), None);
/// assert_eq!(permission.environment().map(|code| code.as_str()), Some("dev"));
/// assert!(permission.covers(&"shop:pagos:dev:deploy".parse()?));
///
/// let error = "shop:dev:deploy".parse::<PermissionString>().unwrap_err();
/// assert_eq!(error.code(), Code::InvalidInput);
/// assert_eq!(error.to_string(), "`shop:dev:deploy` has 3 parts; a permission has 4");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermissionString {
    // Invariant: a project's code is never one of the other contexts.
    context: PermissionContext,
    module: Option<Slug>,
    environment: Option<Slug>,
    action: Option<Action>,
}

impl PermissionString {
    /// From its parts. Fails with [`Code::InvalidInput`] for a project whose code is a context.
    pub(crate) fn of(
        project: Slug,
        module: Option<Slug>,
        environment: Option<Slug>,
        action: Action,
    ) -> Result<Self, Error> {
        check_is_no_context(&project)?;
        let context = PermissionContext::Project(project);
        Ok(Self { context, module, environment, action: Some(action) })
    }

    /// Where it holds.
    pub const fn context(&self) -> &PermissionContext {
        &self.context
    }

    /// The module's code; `None` is `*`. On the platform it names a part of that, such as `audit`.
    pub const fn module(&self) -> Option<&Slug> {
        self.module.as_ref()
    }

    /// The environment's code; `None` is `*`.
    pub const fn environment(&self) -> Option<&Slug> {
        self.environment.as_ref()
    }

    /// What may be done; `None` is `*`.
    pub const fn action(&self) -> Option<&Action> {
        self.action.as_ref()
    }

    /// Whether this one permits at least what `other` does: each part is the same, or open here. `project` covers
    /// the code of every project, and never the platform.
    ///
    /// It compares words. Whether somebody may is for the gate to say: that takes two legs, and rows that hold now.
    ///
    /// ```
    /// use placet_core::authz::PermissionString;
    ///
    /// let covers = |one: &str, other: &str| -> Result<bool, placet_core::error::Error> {
    ///     Ok(one.parse::<PermissionString>()?.covers(&other.parse()?))
    /// };
    /// assert!(covers("project:*:*:read", "shop:pagos:prod:read")?);
    /// assert!(!covers("shop:pagos:*:read", "shop:*:*:read")?); // a module is less than all of them
    /// assert!(!covers("project:*:*:*", "platform:audit:*:read")?);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn covers(&self, other: &Self) -> bool {
        let in_context = match (&self.context, &other.context) {
            (PermissionContext::AnyProject, PermissionContext::Project(_)) => true,
            (here, there) => here == there,
        };
        in_context
            && covers_part(self.module.as_ref(), other.module.as_ref())
            && covers_part(self.environment.as_ref(), other.environment.as_ref())
            && covers_part(self.action.as_ref(), other.action.as_ref())
    }

    /// What a global role permits, as the permission model writes it. PLATFORM_ADMIN has all of the platform, and
    /// of a project that they manage and audit it; AUDITOR reads and audits.
    ///
    /// ```
    /// use placet_core::authz::PermissionString;
    /// use placet_core::org::GlobalRole;
    ///
    /// let texts = |role| PermissionString::of_global_role(role).map(|one| one.to_string());
    /// assert_eq!(
    ///     texts(GlobalRole::Auditor),
    ///     ["platform:audit:*:read", "project:*:*:read", "project:*:*:audit"],
    /// );
    /// assert_eq!(
    ///     texts(GlobalRole::PlatformAdmin),
    ///     ["platform:*:*:*", "project:*:*:manage", "project:*:*:audit"],
    /// );
    /// ```
    pub fn of_global_role(role: GlobalRole) -> [Self; 3] {
        let (module, action, in_projects) = match role {
            GlobalRole::PlatformAdmin => (None, None, Action::MANAGE),
            GlobalRole::Auditor => (Some(Slug::audit()), Some(Action::READ), Action::READ),
        };
        let platform =
            Self { context: PermissionContext::Platform, module, environment: None, action };
        let projects = |action| Self {
            context: PermissionContext::AnyProject,
            module: None,
            environment: None,
            action: Some(action),
        };
        [platform, projects(in_projects), projects(Action::AUDIT)]
    }
}

fn covers_part<T: PartialEq>(here: Option<&T>, there: Option<&T>) -> bool {
    here.is_none() || here == there
}

/// Refuses the words that are contexts: a project of that code could not be told from all of them.
pub(crate) fn check_is_no_context(code: &Slug) -> Result<(), Error> {
    if ![PLATFORM, ANY_PROJECT].contains(&code.as_str()) {
        return Ok(());
    }
    Err(Error::new(Code::InvalidInput, format!("`{code}` cannot be the code of a project"))
        .with_help("choose another; in permissions, `platform` and `project` have a meaning"))
}

impl fmt::Display for PermissionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = match &self.context {
            PermissionContext::Platform => PLATFORM,
            PermissionContext::AnyProject => ANY_PROJECT,
            PermissionContext::Project(code) => code.as_str(),
        };
        let module = self.module.as_ref().map_or(ANY, Slug::as_str);
        let environment = self.environment.as_ref().map_or(ANY, Slug::as_str);
        let action = self.action.as_ref().map_or(ANY, Action::as_str);
        write!(f, "{context}:{module}:{environment}:{action}")
    }
}

impl FromStr for PermissionString {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let shown = crate::letters::shown(text);
        let help = "write `context:module:environment:action`; each of the last three may be `*`";
        if text.len() > TEXT_BYTES_MAX {
            let bytes = text.len();
            let sentence = format!("a permission has {TEXT_BYTES_MAX} bytes at most, not {bytes}");
            return Err(Error::new(Code::TooLarge, sentence).with_help(help));
        }
        let parts: Vec<&str> = match text {
            // The permission model writes all of the platform so.
            "platform:*" => vec![PLATFORM, ANY, ANY, ANY],
            text => text.split(':').collect(),
        };
        let [context, module, environment, action] = parts.as_slice() else {
            let count = parts.len();
            let noun = if count == 1 { "part" } else { "parts" };
            let sentence = format!("`{shown}` has {count} {noun}; a permission has 4");
            return Err(Error::new(Code::InvalidInput, sentence).with_help(help));
        };
        let context = match *context {
            PLATFORM => PermissionContext::Platform,
            ANY_PROJECT => PermissionContext::AnyProject,
            ANY => {
                let sentence = format!("the context of `{shown}` cannot be `*`");
                return Err(Error::new(Code::InvalidInput, sentence)
                    .with_help("write `platform`, `project` for any, or the code of a project"));
            }
            code => PermissionContext::Project(part("context", code)?),
        };
        Ok(Self {
            context,
            module: open_part("module", module)?,
            environment: open_part("environment", environment)?,
            action: open_part("action", action)?,
        })
    }
}

fn open_part<T: FromStr<Err = Error>>(name: &str, text: &str) -> Result<Option<T>, Error> {
    if text == ANY { Ok(None) } else { part(name, text).map(Some) }
}

fn part<T: FromStr<Err = Error>>(name: &str, text: &str) -> Result<T, Error> {
    let help = "write 1 to 63 of: a to z, 0 to 9, `-`; not at either end `-`";
    if text.is_empty() {
        return Err(Error::new(Code::InvalidInput, format!("the {name} of a permission is empty"))
            .with_help("write a code, or `*` for a module, environment or action left open"));
    }
    if text.len() > PART_BYTES_MAX {
        let sentence = format!(
            "the {name} of a permission has {PART_BYTES_MAX} bytes at most, not {}",
            text.len()
        );
        return Err(Error::new(Code::TooLarge, sentence).with_help(help));
    }
    text.parse().map_err(|source: Error| {
        Error::new(Code::InvalidInput, format!("the {name} of a permission cannot be `{text}`"))
            .with_help(help)
            .with_source(source)
    })
}

impl TryFrom<String> for PermissionString {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<PermissionString> for String {
    fn from(permission: PermissionString) -> Self {
        permission.to_string()
    }
}

#[cfg(test)]
mod tests;
