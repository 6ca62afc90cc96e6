//! Compiling in a process of its own: its memory goes with it, and what it does wrong stays there.

use core::time::Duration;
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};

use super::envelope;
use super::trusted::Trusted;
use crate::convert::clean;

/// How often an ending process is looked at.
const LOOK_MS: u64 = 5;

/// How much of what a compiler says about a failure is shown, in bytes.
const SAID_BYTES_MAX: u64 = 4 << 10;

/// A program that compiles components for this host. It gets the component on its standard input and writes what
/// [`compile`](super::compile) makes of it to its standard output. It inherits no environment, and is killed with all
/// that it started when its time is over. It is trusted as the host itself is: what it writes is run.
///
/// ```no_run
/// use placet_runners::{Compiler, WasmRunner};
/// let compiler = Compiler::program("/usr/bin/placet", ["plugin", "compile"]).with_deadline_ms(30_000);
/// let builder = WasmRunner::builder().compiler(compiler);
/// ```
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    args: Vec<OsString>,
    deadline_ms: u64,
    bytes_max: u64,
}

impl Compiler {
    /// The program at `path`, called with `args`. It may take a minute and answer 512 MiB.
    pub fn program(
        path: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { program: path.into(), args, deadline_ms: 60_000, bytes_max: 512 << 20 }
    }

    /// Sets how long it may take for one component, in milliseconds.
    #[must_use]
    pub const fn with_deadline_ms(mut self, ms: u64) -> Self {
        self.deadline_ms = ms;
        self
    }

    /// Sets the most bytes that it may answer.
    #[must_use]
    pub const fn with_bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// Has `component` compiled.
    pub(super) fn compile(
        &self,
        component: &[u8],
        asked: Digest,
        settings: Digest,
    ) -> Result<Trusted, Error> {
        let ends = now().checked_add(Duration::from_millis(self.deadline_ms));
        let mut running = Running::start(self.command(), component, self.bytes_max)?;
        let answer = running.answer(left(ends)).map_err(|error| self.unanswered(&error))?;
        let status = running.status(|| left(ends)).map_err(|error| rubbish(&error))?;
        let status = status.ok_or_else(|| self.too_slow())?;
        if !status.success() {
            let said = running.said();
            let message = format!("the compiler of plugins failed ({status}): {}", said.trim());
            return Err(Error::new(Code::RunnerFault, message)
                .with_help("check the plugin's component, and the compiler that the host names"));
        }
        envelope::open(&answer, asked, settings).map_err(|why| rubbish(&why))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a component is compiled in a process of its own, so that its memory goes with it"
    )]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear();
        command
    }

    fn unanswered(&self, error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::TimedOut {
            return self.too_slow();
        }
        if error.kind() == io::ErrorKind::FileTooLarge {
            let message =
                format!("the compiler of plugins answers more than {} bytes", self.bytes_max);
            return Error::new(Code::LimitReached, message)
                .with_help("use a smaller build of the plugin, or let the compiler answer more");
        }
        rubbish(error)
    }

    fn too_slow(&self) -> Error {
        let message = format!("the compiler of plugins took longer than {} ms", self.deadline_ms);
        Error::new(Code::LimitReached, message)
            .with_help("use a smaller build of the plugin, or allow the compiler more time")
    }
}

/// The error for an answer that is not one.
pub(super) fn rubbish(why: &dyn core::fmt::Display) -> Error {
    let message = format!("what the compiler of plugins answered is not used: {why}");
    Error::new(Code::RunnerFault, message)
        .with_help("name a compiler of the same build as this host")
}

/// A compiler at work. Killed when it is dropped, with all that it started.
struct Running {
    child: Child,
    answer: Receiver<io::Result<Vec<u8>>>,
    said: Receiver<io::Result<Vec<u8>>>,
    /// Whether it was waited for: then its number may be another's.
    is_over: bool,
}

impl Running {
    fn start(mut command: Command, component: &[u8], bytes_max: u64) -> Result<Self, Error> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let unstartable = |error: io::Error| {
            let message = format!("the compiler of plugins cannot be started: {error}");
            Error::new(Code::RunnerFault, message).with_help(
                "check the path of the program and its rights, and whether threads can be started",
            )
        };
        let mut child = command.spawn().map_err(unstartable)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on it is killed whatever happens.
        let (nothing, ended) = sync_channel(1);
        drop(nothing);
        let (empty, silent) = sync_channel(1);
        drop(empty);
        let mut running = Self { child, answer: ended, said: silent, is_over: false };
        if let Some(mut stdin) = stdin {
            let component = component.to_vec();
            // A compiler that does not read to the end says so by its answer.
            in_background(move || drop(stdin.write_all(&component))).map_err(unstartable)?;
        }
        if let Some(stdout) = stdout {
            running.answer = read_at_most(stdout, bytes_max, false).map_err(unstartable)?;
        }
        if let Some(stderr) = stderr {
            running.said = read_at_most(stderr, SAID_BYTES_MAX, true).map_err(unstartable)?;
        }
        Ok(running)
    }

    /// All that it writes.
    fn answer(&self, left: Duration) -> io::Result<Vec<u8>> {
        match self.answer.recv_timeout(left) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("nobody reads it")),
        }
    }

    /// How it ended; `None` where its time is over first.
    fn status(&mut self, left: impl Fn() -> Duration) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.is_over = true;
                return Ok(Some(status));
            }
            if left().is_zero() {
                return Ok(None);
            }
            thread::park_timeout(Duration::from_millis(LOOK_MS));
        }
    }

    /// What it said on standard error, once it ended.
    fn said(&self) -> String {
        let said = self.said.recv_timeout(Duration::from_millis(100));
        let said = said.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_default();
        clean(&String::from_utf8_lossy(&said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            #[cfg(unix)]
            let _gone = rustix::process::kill_process_group(
                rustix::process::Pid::from_child(&self.child),
                rustix::process::Signal::KILL,
            );
            let _gone = self.child.kill();
            let _ended = self.child.wait();
        }
    }
}

/// Reads `from` to its end on a thread of its own. What is longer is an error, or cut off where `cuts`.
fn read_at_most(
    from: impl Read + Send + 'static,
    bytes_max: u64,
    cuts: bool,
) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(1);
    in_background(move || {
        let mut bytes = Vec::new();
        let mut from = from.take(bytes_max.saturating_add(1));
        let read = from.read_to_end(&mut bytes).and_then(|length| {
            let is_long = u64::try_from(length).unwrap_or(u64::MAX) > bytes_max;
            if is_long && !cuts { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
        });
        // Nobody listens where its time was over.
        let _unheard = sender.send(read.map(|()| bytes));
    })?;
    Ok(receiver)
}

fn in_background(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("placet-compile".to_owned()).spawn(work).map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time of another process is the machine's, and no test's"
)]
fn now() -> Instant {
    Instant::now()
}

/// What is left until `ends`; a time too far to be told never comes.
fn left(ends: Option<Instant>) -> Duration {
    ends.map_or(Duration::MAX, |ends| ends.saturating_duration_since(now()))
}
