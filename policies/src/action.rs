//! The actions and levels that policies know.

use placet_core::authz::{Action, Scope};

/// A Cedar action. Cedar wants each of them declared, so all custom actions of projects share one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum CedarAction {
    Request,
    Approve,
    Execute,
    Operate,
    Read,
    Manage,
    Administer,
    Audit,
}

impl CedarAction {
    pub(crate) const ALL: [Self; 8] = [
        Self::Request,
        Self::Approve,
        Self::Execute,
        Self::Operate,
        Self::Read,
        Self::Manage,
        Self::Administer,
        Self::Audit,
    ];

    pub(crate) fn of(action: &Action) -> Self {
        match action.as_str() {
            "request" => Self::Request,
            "approve" => Self::Approve,
            "execute" => Self::Execute,
            "read" => Self::Read,
            "manage" => Self::Manage,
            "administer" => Self::Administer,
            "audit" => Self::Audit,
            _ => Self::Operate,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Execute => "execute",
            Self::Operate => "operate",
            Self::Read => "read",
            Self::Manage => "manage",
            Self::Administer => "administer",
            Self::Audit => "audit",
        }
    }
}

/// What kind of resource a question is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Level {
    Platform,
    Project,
}

impl Level {
    pub(crate) const ALL: [Self; 2] = [Self::Platform, Self::Project];

    pub(crate) const fn of(scope: &Scope) -> Self {
        match scope {
            Scope::Platform => Self::Platform,
            Scope::Project { .. } => Self::Project,
        }
    }

    /// The word in `context.level`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Project => "project",
        }
    }

    /// The Cedar entity type.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Platform => "Platform",
            Self::Project => "Project",
        }
    }
}
