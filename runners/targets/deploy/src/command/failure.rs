//! Why there is no output.

use core::fmt;

use placet_target::StopReason;

/// What kind of failure, in the words of the WIT interface `command`.
///
/// ```
/// use placet_target_deploy::{CommandFailure, CommandFailureKind};
///
/// fn says_the_run(failure: &CommandFailure) -> &'static str {
///     match failure.kind() {
///         CommandFailureKind::Unknown => "unknown: verify",
///         _ => "failed: nothing was started, or what was started only reads",
///     }
/// }
/// # let _ = says_the_run;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "each is a case of the WIT interface")]
pub enum CommandFailureKind {
    /// It may not be run so.
    Denied,
    /// The arguments are not those of the command, or it cannot be started at all.
    Invalid,
    /// It was begun, and nobody knows how far it got.
    Unknown,
    /// The time was over before it was begun, or it only reads.
    Timeout,
    /// It was stopped before it was begun, or it only reads.
    Cancelled,
    /// What goes in is over a limit.
    Limit,
}

/// Why there is no output: a kind, a stable code, a sentence and a next step.
///
/// | code | what happened |
/// |---|---|
/// | `command.unknown_name` | there is no command of this name |
/// | `command.read_only` | a command that writes, in a call that only reads |
/// | `command.arguments`, `command.argument` | the arguments do not fit the template |
/// | `command.stdin_too_large` | the input is over the limit |
/// | `command.not_started` | the program could not be started |
/// | `command.killed` | somebody else ended it by a signal, or nobody could read how it ended |
/// | `command.lost` | it was started, and nobody could follow it |
/// | `timeout`, `cancelled`, `lease_lost`, `unavailable` | why it was not begun, or ended |
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::{CommandFailureKind, CommandTemplate, Exchange, Hole};
///
/// # let folder = std::env::temp_dir();
/// let migrate = CommandTemplate::builder("/usr/bin/env", &folder)
///     .argument("true")
///     .hole("tag", Hole::word(64))
///     .build()?;
/// let act = Exchange::writing(Duration::from_secs(5), &StopSignal::new());
/// let arguments = [("tag".to_owned(), "--help".to_owned())];
/// let refused = migrate.run(&arguments, b"", &act).unwrap_err();
/// assert_eq!((refused.kind(), refused.code()), (CommandFailureKind::Invalid, "command.argument"));
/// assert_eq!(refused.message(), "the value of `tag` begins with `-`");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommandFailure {
    kind: CommandFailureKind,
    code: &'static str,
    message: String,
}

impl CommandFailure {
    /// What kind of failure.
    pub fn kind(&self) -> CommandFailureKind {
        self.kind
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.code {
            _ if self.may_have_taken_effect() => "look at what it changes before it is run again",
            "command.unknown_name" => {
                "name a command that the manifest asks for and the host registered"
            }
            "command.read_only" => "run it in `execute` or `rollback`",
            "command.not_started" => "let the host check the program and its folder",
            "command.stdin_too_large" => "give it less, or let the host raise the limit",
            "command.arguments" | "command.argument" => "fill each hole once, with what it takes",
            _ => "nothing was changed; start again",
        }
    }

    /// Whether the command may have changed something.
    pub fn may_have_taken_effect(&self) -> bool {
        self.kind == CommandFailureKind::Unknown
    }

    pub(crate) fn no_command() -> Self {
        Self::denied("command.unknown_name", "there is no command of this name")
    }

    pub(super) fn new(
        kind: CommandFailureKind,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, code, message: message.into() }
    }

    pub(super) fn denied(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(CommandFailureKind::Denied, code, message)
    }

    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(CommandFailureKind::Invalid, code, message)
    }

    /// It was stopped: `may_have_acted` where it was begun and does not only read.
    pub(super) fn stopped(reason: StopReason, may_have_acted: bool) -> Self {
        let kind = match (may_have_acted, reason) {
            (true, _) => CommandFailureKind::Unknown,
            (false, StopReason::Timeout) => CommandFailureKind::Timeout,
            (false, StopReason::Cancelled | StopReason::LeaseLost | StopReason::Unavailable) => {
                CommandFailureKind::Cancelled
            }
        };
        Self::new(kind, reason.code(), reason.message())
    }
}

impl fmt::Display for CommandFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl core::error::Error for CommandFailure {}
