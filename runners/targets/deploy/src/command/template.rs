//! A command with holes.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use placet_core::error::{Code, Error};
use placet_target::StopReason;

use crate::Exchange;
use crate::command::child;
use crate::command::failure::{CommandFailure, CommandFailureKind};
use crate::command::hole::Hole;
use crate::secret::{Redactor, Secret};
use crate::target::is_slug;

/// Programs that make a command of a text. With one of these every hole would be a program.
const SHELLS: [&str; 13] = [
    "sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "tcsh", "yash",
    "zsh",
];

/// What a command said.
///
/// ```no_run
/// use placet_target_deploy::{CommandFailure, CommandTemplate, Exchange};
///
/// fn version(tool: &CommandTemplate, look: &Exchange) -> Result<Option<String>, CommandFailure> {
///     let output = tool.run(&[], b"", look)?;
///     Ok((output.exit_code == 0).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// What it ended with.
    pub exit_code: i32,
    /// What it wrote to its standard output, up to the limit and without secrets.
    pub stdout: Vec<u8>,
    /// The same of its standard error.
    pub stderr: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

/// A program with its arguments, some of which are holes. There is no shell: each hole is one argument, whatever is in it.
///
/// The program begins in its folder, in a process group of its own, with the variables of the template and no
/// others. When the program ends, is stopped or has no time left, whatever is left of its group is killed.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::{CommandTemplate, Exchange, Hole};
///
/// # let folder = std::env::temp_dir();
/// let say = CommandTemplate::builder("/usr/bin/env", &folder)
///     .argument("printf")
///     .argument("%s/%s")
///     .prefixed("--tag=", "tag", Hole::word(64))
///     .hole("stage", Hole::choice(["dev", "prod"]))
///     .variable("PATH", "/usr/bin:/bin")
///     .reads_only()
///     .build()?;
/// let arguments = [("tag", "1.2"), ("stage", "dev")].map(|(name, value)| (name.into(), value.into()));
/// let look = Exchange::reading(Duration::from_secs(60), &StopSignal::new());
/// let output = say.run(&arguments, b"", &look)?;
/// assert_eq!((output.exit_code, output.stdout.as_slice()), (0, &b"--tag=1.2/dev"[..]));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CommandTemplate {
    pub(super) program: PathBuf,
    pub(super) name: PathBuf,
    pub(super) folder: PathBuf,
    arguments: Vec<Argument>,
    pub(super) variables: BTreeMap<String, Secret>,
    pub(super) redactor: Redactor,
    pub(super) is_reading: bool,
    pub(super) limits: Limits,
}

/// One argument.
#[derive(Clone, Debug)]
enum Argument {
    Literal(String),
    Hole { name: String, before: Option<String>, hole: Hole },
}

/// How much and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    stdin_bytes: usize,
    pub(super) output_bytes: usize,
    pub(super) grace: Duration,
}

impl CommandTemplate {
    /// Begins one: an absolute path of a program, and of the folder that it begins in.
    pub fn builder(
        program: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
    ) -> CommandTemplateBuilder {
        CommandTemplateBuilder {
            program: program.into(),
            folder: folder.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            is_reading: false,
            limits: Limits {
                stdin_bytes: 1 << 20,
                output_bytes: 1 << 20,
                grace: Duration::from_secs(2),
            },
        }
    }

    /// Whether it changes nothing, and so may be run while planning and verifying.
    pub fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// Fills the holes, runs the program and waits until it ended. It is started once, whatever happens.
    ///
    /// A program that was begun and did not end by itself is [`CommandFailureKind::Unknown`], unless it only reads.
    pub fn run(
        &self,
        arguments: &[(String, String)],
        stdin: &[u8],
        call: &Exchange,
    ) -> Result<Output, CommandFailure> {
        if call.is_read_only && !self.is_reading {
            let message = "this call only reads, and the command writes";
            return Err(CommandFailure::denied("command.read_only", message));
        }
        let arguments = self.checked(arguments, stdin)?;
        if let Some(reason) = call.stop.raised() {
            return Err(CommandFailure::stopped(reason, false));
        }
        if call.time_left.is_zero() {
            return Err(CommandFailure::stopped(StopReason::Timeout, false));
        }
        child::run(self, &arguments, stdin, call)
    }

    /// Whether it would be refused with these arguments and this input: what a plan can tell before anybody agrees to it.
    pub fn check(
        &self,
        arguments: &[(String, String)],
        stdin: &[u8],
    ) -> Result<(), CommandFailure> {
        self.checked(arguments, stdin).map(drop)
    }

    fn checked(
        &self,
        arguments: &[(String, String)],
        stdin: &[u8],
    ) -> Result<Vec<String>, CommandFailure> {
        let arguments = self.filled(arguments)?;
        if stdin.len() > self.limits.stdin_bytes {
            let message = "the input of the command is too large";
            let code = "command.stdin_too_large";
            return Err(CommandFailure::new(CommandFailureKind::Limit, code, message));
        }
        Ok(arguments)
    }

    fn filled(&self, given: &[(String, String)]) -> Result<Vec<String>, CommandFailure> {
        let wrong = |message| Err(CommandFailure::invalid("command.arguments", message));
        let mut values = BTreeMap::new();
        for (name, value) in given {
            if values.insert(name.as_str(), value.as_str()).is_some() {
                return wrong("a hole of the command is filled twice");
            }
        }
        let mut filled = Vec::new();
        for argument in &self.arguments {
            let (name, before, hole) = match argument {
                Argument::Literal(text) => {
                    filled.push(text.clone());
                    continue;
                }
                Argument::Hole { name, before, hole } => (name, before, hole),
            };
            let Some(value) = values.remove(name.as_str()) else {
                let message = format!("the hole `{name}` of the command is not filled");
                return Err(CommandFailure::invalid("command.arguments", message));
            };
            filled.push(hole.fill(value, before.as_deref()).map_err(|why| {
                let message = format!("the value of `{name}` {why}");
                CommandFailure::invalid("command.argument", message)
            })?);
        }
        if values.is_empty() { Ok(filled) } else { wrong("the command has no such hole") }
    }
}

/// Collects what a command is.
///
/// ```
/// use placet_target_deploy::{CommandTemplate, Hole};
///
/// # let folder = std::env::temp_dir();
/// let tool = || CommandTemplate::builder("/usr/bin/env", &folder);
/// assert!(tool().hole("tag", Hole::word(64)).secret("TOKEN", "0123456789abcdef").build().is_ok());
/// assert!(tool().hole("tag", Hole::word(64)).hole("tag", Hole::word(64)).build().is_err());
/// // There is no shell, and no program by its bare name.
/// assert!(CommandTemplate::builder("/bin/sh", &folder).build().is_err());
/// assert!(CommandTemplate::builder("env", &folder).build().is_err());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CommandTemplateBuilder {
    program: PathBuf,
    folder: PathBuf,
    arguments: Vec<Argument>,
    variables: Vec<(String, Secret, bool)>,
    is_reading: bool,
    limits: Limits,
}

impl CommandTemplateBuilder {
    /// Adds an argument that is always the same.
    pub fn argument(mut self, text: impl Into<String>) -> Self {
        self.arguments.push(Argument::Literal(text.into()));
        self
    }

    /// Adds an argument that the plugin fills. A value that begins with `-` is refused.
    pub fn hole(mut self, name: impl Into<String>, hole: Hole) -> Self {
        self.arguments.push(Argument::Hole { name: name.into(), before: None, hole });
        self
    }

    /// Adds an argument that begins with `before`, such as `--tag=`, and ends with what the plugin fills in.
    pub fn prefixed(
        mut self,
        before: impl Into<String>,
        name: impl Into<String>,
        hole: Hole,
    ) -> Self {
        let before = Some(before.into());
        self.arguments.push(Argument::Hole { name: name.into(), before, hole });
        self
    }

    /// Sets a variable of the environment. There are no others than those that are set here.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), Secret::new(value), false));
        self
    }

    /// Sets one whose value is a secret: what the command says is handed out without it.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), Secret::new(value), true));
        self
    }

    /// Says that the command changes nothing.
    pub fn reads_only(mut self) -> Self {
        self.is_reading = true;
        self
    }

    /// Limits the input, in bytes. 1 MiB where nothing is said.
    pub fn stdin_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.stdin_bytes = bytes;
        self
    }

    /// Limits each of the two outputs, in bytes. 1 MiB where nothing is said. What is over is read and dropped.
    pub fn output_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.output_bytes = bytes;
        self
    }

    /// How long a command that is stopped may tidy up, after `SIGTERM` and before `SIGKILL`. Two seconds where
    /// nothing is said.
    ///
    /// It ends with the time of the call: near that, `SIGTERM` comes so much earlier, at most by a quarter of the time. Once
    /// the lease of a run is lost there is none, for somebody else may be at work.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// Checks everything, and finds program and folder.
    pub fn build(mut self) -> Result<CommandTemplate, Error> {
        let program = program(&self.program)?;
        let folder = self.folder.canonicalize().ok().filter(|folder| folder.is_dir());
        let Some(folder) = folder.filter(|_| self.folder.is_absolute()) else {
            return Err(wrong("the folder of a command is not there", "give its absolute path"));
        };
        let mut names = std::collections::BTreeSet::new();
        for argument in &mut self.arguments {
            let (text, hole) = match argument {
                Argument::Literal(text) => (Some(&*text), None),
                Argument::Hole { name, before, hole } => (before.as_ref(), Some((name, hole))),
            };
            if text.is_some_and(|text| text.contains('\0')) {
                return Err(wrong("an argument of a command has a zero byte", "leave it out"));
            }
            if let Some((name, hole)) = hole {
                if !is_slug(name) || !names.insert(name.clone()) {
                    let help = "use `a` to `z`, `0` to `9` and `-`, and each name once";
                    return Err(wrong("the name of a hole is none, or there twice", help));
                }
                hole.check()?;
            }
        }
        let mut redactor = Redactor::default();
        let mut variables = BTreeMap::new();
        for (name, value, is_secret) in self.variables {
            let is_fine = !name.is_empty() && !name.contains(['=', '\0']);
            if !is_fine || value.expose().contains('\0') {
                let help = "leave `=` out of its name, and zero bytes out of both";
                return Err(wrong("a variable of a command cannot be set", help));
            }
            if is_secret {
                value.check()?;
                redactor.learn(value.expose());
            }
            if variables.insert(name, value).is_some() {
                return Err(wrong("a variable of a command is there twice", "set it once"));
            }
        }
        Ok(CommandTemplate {
            program,
            name: self.program,
            folder,
            arguments: self.arguments,
            variables,
            redactor,
            is_reading: self.is_reading,
            limits: self.limits,
        })
    }
}

fn wrong(sentence: &str, help: &str) -> Error {
    Error::new(Code::InvalidInput, sentence).with_help(help)
}

/// The real file of a program, without links.
fn program(path: &Path) -> Result<PathBuf, Error> {
    let real = path.canonicalize().ok().filter(|_| path.is_absolute());
    let real = real.filter(|real| rustix::fs::access(real, rustix::fs::Access::EXEC_OK).is_ok());
    let Some(real) = real.filter(|real| real.is_file()) else {
        let help = "give the absolute path of a file that this process may execute";
        return Err(wrong("the program of a command is not there", help));
    };
    let is_shell = |path: &Path| {
        path.file_name().is_some_and(|name| SHELLS.iter().any(|shell| name == *shell))
    };
    if is_shell(&real) || is_shell(path) {
        let help = "name the program itself, or a script that is executable";
        return Err(wrong("the program of a command is a shell", help));
    }
    Ok(real)
}
