//! What can go wrong, said once for every language: a stable code, a sentence, a next step, a source.

use core::fmt;
use std::collections::BTreeMap;
use std::error::Error as StdError;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The stable name of an error. Programs match on it; it is the same in Rust, Python and Node.
        ///
        /// ```
        /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
        /// # let id = placet_core::id::RequestId::from_u128(1);
        /// use placet_core::error::Code;
        ///
        /// let answer = match gate.view(&office.ana, id) {
        ///     Ok(view) => view.header.title,
        ///     Err(error) if error.code() == Code::NotFound => "no such request".to_owned(),
        ///     Err(error) => return Err(error),
        /// };
        /// assert_eq!(answer, "no such request");
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code's text form, lower-case words joined by underscores.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// Something that came in does not have the form it must have.
    InvalidInput = "invalid_input",
    /// Something that came in is larger than the limit for it.
    TooLarge = "too_large",
    /// The thing does not exist, or the caller may not know that it does.
    NotFound = "not_found",
    /// The caller may not do this.
    Denied = "denied",
    /// A rule of the organisation forbids this whoever asks (self-approval, self-grant, last admin).
    Refused = "refused",
    /// Another change came first; read again and repeat.
    Conflict = "conflict",
    /// A thing with this name or in this interval is already there.
    AlreadyExists = "already_exists",
    /// Other things still refer to it.
    InUse = "in_use",
    /// An artifact that nobody approved is not published.
    ArtifactNotApproved = "artifact_not_approved",
    /// The command needs approval itself: it is proposed, and not carried out alone.
    ApprovalRequired = "approval_required",
    /// The runner plugin may not reach what it asks for, is not the one that was granted, or its grant was revoked.
    PluginNotGranted = "plugin_not_granted",
    /// The request is not in a state that allows this.
    WrongState = "wrong_state",
    /// This node does not have the set of policies that decides.
    PolicySetMissing = "policy_set_missing",
    /// The clock went so far ahead that nothing lasting is written by it.
    ClockLeapt = "clock_leapt",
    /// What would run is not what was approved.
    DigestMismatch = "digest_mismatch",
    /// A workflow that somebody wants to store could go wrong.
    UnsoundWorkflow = "unsound_workflow",
    /// Nobody, or too few people, could give the approvals that the rule asks for.
    QuorumUnsatisfiable = "quorum_unsatisfiable",
    /// A rule of the project stops the approval of this, until what it names is done.
    Blocked = "blocked",
    /// The store already holds an organisation.
    AlreadyBootstrapped = "already_bootstrapped",
    /// No runner plugin has this name.
    UnknownRunner = "unknown_runner",
    /// No target has this name.
    UnknownTarget = "unknown_target",
    /// The runner refuses the payload.
    InvalidPayload = "invalid_payload",
    /// The target could not be reached or opened.
    TargetUnavailable = "target_unavailable",
    /// The runner plugin broke its contract: it trapped, lied or could not be loaded.
    RunnerFault = "runner_fault",
    /// A limit of the sandbox was reached.
    LimitReached = "limit_reached",
    /// The operation was cancelled.
    Cancelled = "cancelled",
    /// Another run has the turn at the target, or others wait for it in front.
    TargetBusy = "target_busy",
    /// This run's lease passed to somebody else.
    LeaseLost = "lease_lost",
    /// The store cannot be reached or written.
    StoreUnavailable = "store_unavailable",
    /// A sync of the store failed before; nothing more is accepted until it is opened again.
    StorePoisoned = "store_poisoned",
    /// Another process has the store open.
    StoreLocked = "store_locked",
    /// Stored bytes are not what was written.
    StoreDamaged = "store_damaged",
    /// The data was written by a newer version.
    NewerFormat = "newer_format",
    /// A policy does not parse, does not validate or is not allowed here.
    InvalidPolicy = "invalid_policy",
    /// The log or a proof does not verify.
    LogTampered = "log_tampered",
    /// A witness has seen a head that this log does not continue: the store is an old copy, or another log.
    RolledBack = "rolled_back",
    /// A witness cannot be reached, or cannot remember anything.
    WitnessUnavailable = "witness_unavailable",
    /// A witness does not take this head.
    WitnessRefused = "witness_refused",
    /// The signing key cannot be used.
    SignerUnavailable = "signer_unavailable",
    /// A fault of this library.
    Internal = "internal",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error: a [`Code`] for programs, a sentence for people, a next step, details and a source.
///
/// ```
/// use placet_core::error::{Code, Error};
/// let error = Error::new(Code::UnknownTarget, "there is no target named `shop`")
///     .with_help("name one of the targets that the host configured: `orders`");
/// assert_eq!(error.code().as_str(), "unknown_target");
/// assert_eq!(error.to_string(), "there is no target named `shop`");
/// ```
pub struct Error {
    // Boxed, so that a `Result` stays small on the path where nothing goes wrong.
    inner: Box<Inner>,
}

struct Inner {
    code: Code,
    message: String,
    help: Option<String>,
    details: BTreeMap<String, String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with a sentence: lower case, no full stop, what the user typed in backticks.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                help: None,
                details: BTreeMap::new(),
                source: None,
            }),
        }
    }

    /// Adds the next step to take.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.inner.help = Some(help.into());
        self
    }

    /// Adds a named detail for programs, such as a position or a limit.
    #[must_use]
    pub fn with_detail(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.inner.details.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// The next step to take, where one is known.
    pub fn help(&self) -> Option<&str> {
        self.inner.help.as_deref()
    }

    /// Named details for programs.
    pub fn details(&self) -> &BTreeMap<String, String> {
        &self.inner.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("code", &self.inner.code).field("message", &self.inner.message);
        if let Some(help) = &self.inner.help {
            shown.field("help", help);
        }
        if !self.inner.details.is_empty() {
            shown.field("details", &self.inner.details);
        }
        if let Some(source) = &self.inner.source {
            shown.field("source", source);
        }
        shown.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| {
            let source: &(dyn StdError + 'static) = source;
            source
        })
    }
}
