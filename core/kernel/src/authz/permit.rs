//! A yes is a value, and it is spent.

use core::fmt;
use core::marker::PhantomData;

use super::action::Action;
use super::question::{Scope, Witness};
use crate::error::{Code, Error};
use crate::id::UserId;

mod sealed {
    /// Only the kinds in this file are kinds of action.
    pub trait Sealed {}
}

/// A kind of action, as a type, so that a permit for one cannot be spent on another.
///
/// ```
/// use placet_core::authz::{ActionKind, Approve, Manage, Scope};
/// use placet_core::gate::Gate;
/// # use placet_core::id::UserId;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
///
/// /// Whether to show the button for `A`.
/// fn shows<A: ActionKind>(gate: &Gate, user: UserId, place: Scope) -> bool {
///     gate.can(user, &A::ACTION, place)
/// }
/// let (bo, shop) = (office.bo.user(), Scope::project(office.project));
/// assert!(shows::<Approve>(&gate, bo, shop));
/// assert!(!shows::<Manage>(&gate, bo, shop));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait ActionKind: sealed::Sealed + fmt::Debug {
    /// The action's name.
    const ACTION: Action;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $action:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        #[non_exhaustive]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl ActionKind for $name {
            const ACTION: Action = Action::$action;
        }
    )*};
}

kinds! {
    /// Draft, edit, submit, withdraw.
    Submit = REQUEST;
    /// Approve, reject, ask for changes.
    Approve = APPROVE;
    /// Execute, verify.
    Execute = EXECUTE;
    /// Undo an approval.
    Revert = REVERT;
    /// Bring back what was rejected.
    Restore = RESTORE;
    /// Report what a check said.
    ReportCheck = CHECK;
    /// See.
    Read = READ;
    /// Manage a project.
    Manage = MANAGE;
    /// Manage the platform.
    Administer = ADMINISTER;
    /// Read the global audit.
    Audit = AUDIT;
}

/// Proof that `A` was allowed to one user in one scope. Only a decided yes makes one.
///
/// ```
/// use placet_core::authz::{Action, Scope};
/// use placet_core::error::Code;
/// use placet_core::org::command::SetUserActive;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
///
/// // A look is no permit: the verb asks for one of its own, at the instant it acts.
/// assert!(gate.can(office.ana.user(), &Action::REQUEST, Scope::project(office.project)));
/// gate.administer(&office.root, &SetUserActive { user: office.ana.user(), active: false })?;
/// let error = office.pending(&gate).expect_err("no permit, no request");
/// assert_eq!(error.code(), Code::NotFound);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[must_use = "a permit that is not spent means: authorized and not done"]
pub struct Permit<A: ActionKind> {
    user: UserId,
    scope: Scope,
    witness: Witness,
    kind: PhantomData<A>,
}

impl<A: ActionKind> Permit<A> {
    /// Called by the gate after both deciders said yes, and by nobody else.
    pub(crate) const fn granted(user: UserId, scope: Scope, witness: Witness) -> Self {
        Self { user, scope, witness, kind: PhantomData }
    }

    /// Spends the permit on something in `scope`. Refuses another scope than the one it was given for.
    pub(crate) fn spend_on(self, scope: &Scope) -> Result<(UserId, Witness), Error> {
        if self.scope == *scope {
            return Ok((self.user, self.witness));
        }
        let (given, asked) = (self.scope, scope);
        Err(Error::new(Code::Internal, format!("a permit for `{given}` was spent on `{asked}`")))
    }
}

impl<A: ActionKind> fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit<{}>({} in {})", A::ACTION, self.user, self.scope)
    }
}
