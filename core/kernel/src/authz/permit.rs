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
