//! Names for things. An id knows what it names, so two ids cannot be swapped by mistake.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Code, Error};

/// Where new ids come from. The host's driver uses UUID version 7 (RFC 9562 §5.7) from its clock
/// and its source of randomness; a simulator hands out a counter.
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering};
/// use placet_core::id::{Ids, RequestId};
///
/// /// Counts up: for a simulation that must be repeatable.
/// #[derive(Debug, Default)]
/// struct Counter(AtomicU64);
///
/// impl Ids for Counter {
///     fn next(&self) -> u128 {
///         u128::from(self.0.fetch_add(1, Ordering::Relaxed))
///     }
/// }
///
/// let ids = Counter::default();
/// assert_ne!(RequestId::from_u128(ids.next()), RequestId::from_u128(ids.next()));
/// ```
pub trait Ids: Send + Sync + fmt::Debug {
    /// Returns 128 bits that were never returned before, in the layout of a UUID.
    fn next(&self) -> u128;
}

/// Defines one kind of id. All ids are alike: a UUID, written `prefix_` and 32 lower-case hex digits.
macro_rules! define_id {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $prefix:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Parsing any other text fails with [`Code::InvalidInput`].
        ///
        /// ```
        #[doc = concat!("use placet_core::id::", stringify!($name), ";")]
        #[doc = concat!("let id = ", stringify!($name), "::from_u128(10);")]
        #[doc = concat!("assert_eq!(id.to_string(), \"", $prefix, "_0000000000000000000000000000000a\");")]
        #[doc = concat!("assert_eq!(id.to_string().parse::<", stringify!($name), ">()?, id);")]
        #[doc = concat!("assert!(\"", $prefix, "_a\".parse::<", stringify!($name), ">().is_err());")]
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from 128 bits, as an [`Ids`] hands them out.
            pub const fn from_u128(bits: u128) -> Self {
                Self(Uuid::from_u128(bits))
            }

            /// The 128 bits of this id.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }

            /// The id as a plain UUID in its hyphenated text form (RFC 9562 §4).
            pub fn to_uuid_string(self) -> String {
                self.0.hyphenated().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                parse(text, $prefix).map(Self).ok_or_else(|| malformed(text, $what, $prefix))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

define_id! {
    /// Names one user, a person or an agent. Written `usr_…`.
    UserId, "user id", "usr";
    /// Names one project. Written `prj_…`.
    ProjectId, "project id", "prj";
    /// Names one environment of one project. Written `env_…`.
    EnvironmentId, "environment id", "env";
    /// Names one module of one project. Written `mod_…`.
    ModuleId, "module id", "mod";
    /// Names one team of one project. Written `tea_…`.
    TeamId, "team id", "tea";
    /// Names one membership: a row that puts a user in a team. Written `mem_…`.
    MembershipId, "membership id", "mem";
    /// Names one project role. Written `rol_…`.
    RoleId, "role id", "rol";
    /// Names one permission of one project. Written `prm_…`.
    PermissionId, "permission id", "prm";
    /// Names one grant: a row that gives a user a project role for a time. Written `gra_…`.
    GrantId, "grant id", "gra";
    /// Names one change request for its whole life. Written `req_…`.
    RequestId, "request id", "req";
    /// Names one run, an attempt at executing an approved request. Written `run_…`.
    RunId, "run id", "run";
    /// Names one approval. Written `apr_…`.
    ApprovalId, "approval id", "apr";
    /// Names one rule of a project about approvals. Written `rul_…`.
    RuleId, "rule id", "rul";
    /// Names one opening of a store by a process; leases carry it. Written `nod_…`.
    NodeId, "node id", "nod";
}

fn parse(text: &str, prefix: &str) -> Option<Uuid> {
    let hex = text.strip_prefix(prefix)?.strip_prefix('_')?;
    let lower = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex.len() != 32 || !lower {
        return None;
    }
    Uuid::try_parse(hex).ok()
}

fn malformed(text: &str, what: &str, prefix: &str) -> Error {
    let shown = crate::letters::shown(text);
    Error::new(Code::InvalidInput, format!("`{shown}` is not a {what}"))
        .with_help(format!("write `{prefix}_` followed by 32 lower-case hex digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = RequestId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(id.to_string(), "req_01900000000070008000000000000001");
        assert_eq!(id.to_string().parse::<RequestId>().unwrap(), id);
        assert_eq!(
            serde_json::from_str::<RequestId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn what_is_not_an_id_of_this_kind_is_refused() {
        let cases = [
            "",
            "req_",
            "usr_01900000000070008000000000000001",
            "req_0190000000007000800000000000000",
            "req_0190000000007000800000000000000g",
            "req_01900000-0000-7000-8000-000000000001",
            "REQ_01900000000070008000000000000001",
            "req_0190000000007000800000000000000A",
        ];
        for case in cases {
            let error = case.parse::<RequestId>().unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{case}");
        }
    }
}
