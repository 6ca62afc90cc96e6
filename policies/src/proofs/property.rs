//! What is proven.

use core::fmt;

/// Something that must hold for every question, whatever rows are stored.
///
/// Each is written as Cedar policies that forbid what must never be allowed
/// (`policies/src/proofs/properties`), except the last, which compares two sets of policies.
///
/// ```
/// use placet_policies::proofs::Property;
/// assert_eq!(Property::NotTheirOwn.to_string(), "nobody approves their own request");
/// assert_eq!(Property::ALL.len(), 6);
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Property {
    /// Nobody approves a request that they wrote or submitted.
    NotTheirOwn,
    /// PLATFORM_ADMIN gives none of `request`, `approve`, `execute`, `read` and the custom actions to somebody
    /// without a grant of their own, nor any of them but `read` to somebody without a membership of their own.
    AdminAlone,
    /// AUDITOR gives nothing but `read` and `audit` to somebody without a grant of their own, and none of
    /// `request`, `approve`, `execute` and the custom actions to somebody without a membership of their own.
    AuditorAlone,
    /// `request`, `approve`, `execute` and the custom actions take a live membership and a live grant of the
    /// user, linked to the place: the membership through its team to the project and the module, the grant
    /// through its role and permission to project, action, module and environment. `read` takes the grant
    /// or AUDITOR; `manage` takes a grant with a permission for the whole project or PLATFORM_ADMIN; `administer`
    /// takes PLATFORM_ADMIN; `audit` takes PLATFORM_ADMIN or AUDITOR. An interval is live from its first
    /// instant until just before its end.
    LiveRows,
    /// Who is not active does nothing; an agent never approves, manages or administers.
    ActivePeople,
    /// With the policies of the host nothing is allowed that the base policies alone deny. A host that opted in
    /// to permits, and asks an authorizer directly, may want this one refuted; a gate asks for a yes of the base
    /// policies whatever the host permits.
    HostAddsNothing,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NotTheirOwn,
        Self::AdminAlone,
        Self::AuditorAlone,
        Self::LiveRows,
        Self::ActivePeople,
        Self::HostAddsNothing,
    ];

    /// The file with its policies; none for the one that compares with the base.
    pub(crate) const fn source(self) -> Option<(&'static str, &'static str)> {
        macro_rules! file {
            ($name:literal) => {
                Some((
                    concat!("policies/src/proofs/properties/", $name),
                    include_str!(concat!("properties/", $name)),
                ))
            };
        }
        match self {
            Self::NotTheirOwn => file!("not_their_own.cedar"),
            Self::AdminAlone => file!("admin_alone.cedar"),
            Self::AuditorAlone => file!("auditor_alone.cedar"),
            Self::LiveRows => file!("live_rows.cedar"),
            Self::ActivePeople => file!("active_people.cedar"),
            Self::HostAddsNothing => None,
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTheirOwn => "nobody approves their own request",
            Self::AdminAlone => "PLATFORM_ADMIN alone gets no operational action",
            Self::AuditorAlone => "AUDITOR alone changes nothing",
            Self::LiveRows => "no path without a live membership and a live grant",
            Self::ActivePeople => "only the active act, and agents set no rules",
            Self::HostAddsNothing => "the policies of the host let nobody in whom the base denies",
        })
    }
}
