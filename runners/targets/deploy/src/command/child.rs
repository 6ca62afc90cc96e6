//! One process and its group.

use core::time::Duration;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use placet_target::{StopReason, points};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::Exchange;
use crate::command::failure::{CommandFailure, CommandFailureKind};
use crate::command::pipes::{Kept, Pipes};
use crate::command::template::{CommandTemplate, Output};
use crate::points::{COMMAND_BEGUN, COMMAND_ENDED, COMMAND_STARTED};

/// Between two looks at the stop signal, the clock and the process.
const LOOK: Duration = Duration::from_millis(25);

/// How long what is still in the pipes is waited for, after everything in the group was killed. Only a process that
/// left the group can hold them open.
const DRAIN: Duration = Duration::from_millis(250);

/// How much of a call's time a command may have at most to tidy up: a quarter.
const GRACE_SHARE: u32 = 4;

/// How long a killed process may take to be gone.
const BURIAL: Duration = Duration::from_secs(5);

/// Starts the program and waits for its end.
pub(super) fn run(
    template: &CommandTemplate,
    arguments: &[String],
    stdin: &[u8],
    call: &Exchange,
) -> Result<Output, CommandFailure> {
    let mut running = Running::begin(template, arguments)?;
    let may_have_acted = !template.is_reading;
    let Ok(mut pipes) = Pipes::of(&mut running.child, stdin, template.limits.output_bytes) else {
        running.end(None);
        return Err(running.lost(may_have_acted));
    };
    let share = call.time_left.checked_div(GRACE_SHARE).unwrap_or_default();
    let grace = template.limits.grace.min(share);
    let deadline = Deadline::after(call.time_left);
    let warning = Deadline::after(call.time_left.saturating_sub(grace));
    let reason = loop {
        if running.has_ended() {
            break None;
        }
        if let Some(reason) = call.stop.raised() {
            break Some((reason, template.limits.grace));
        }
        if warning.left().is_zero() {
            break Some((StopReason::Timeout, deadline.left()));
        }
        if pipes.work(LOOK.min(warning.left())).is_err() {
            running.end(None);
            return Err(running.lost(may_have_acted));
        }
    };
    if let Some((reason, grace)) = reason {
        let polite = Deadline::after(grace.min(deadline.left()));
        let lasts: &dyn Fn() -> bool = &|| !is_over(call) && !polite.left().is_zero();
        running.end(Some((&mut pipes, lasts)));
        return Err(CommandFailure::stopped(reason, may_have_acted));
    }
    running.kill(Signal::KILL);
    drain(&mut pipes, &Deadline::after(DRAIN));
    let Some(exit_code) = running.exit_code() else {
        let message = "the command was ended by a signal of somebody else";
        return Err(CommandFailure::new(cut_off(may_have_acted), "command.killed", message));
    };
    points::reached(COMMAND_ENDED);
    // Who still holds a pipe open may have more to say.
    let is_open = !pipes.is_done();
    let (stdout, is_out_cut) = clean(template, &pipes.out, is_open);
    let (stderr, is_err_cut) = clean(template, &pipes.err, is_open);
    Ok(Output { exit_code, stdout, stderr, truncated: is_out_cut || is_err_cut })
}

/// What a command is told as that did not come to its end.
fn cut_off(may_have_acted: bool) -> CommandFailureKind {
    if may_have_acted { CommandFailureKind::Unknown } else { CommandFailureKind::Cancelled }
}

/// Whether the run may not touch anything any more: somebody else may be at work, or look what became of it.
fn is_over(call: &Exchange) -> bool {
    call.stop.raised().is_some_and(|reason| reason != StopReason::Cancelled)
}

/// An output without secrets, and whether it is not all.
fn clean(template: &CommandTemplate, kept: &Kept, is_open: bool) -> (Vec<u8>, bool) {
    let is_cut = kept.is_cut || is_open;
    let mut clean = template.redactor.redact(&kept.bytes, is_cut);
    // What stands for a secret may be longer than it.
    let is_longer = clean.len() > template.limits.output_bytes;
    clean.truncate(template.limits.output_bytes);
    (clean, is_cut || is_longer)
}

/// A process that leads a group of its own.
#[derive(Debug)]
struct Running {
    child: Child,
    group: Pid,
    // Its number may be somebody else's afterwards.
    is_buried: bool,
}

impl Running {
    #[expect(
        clippy::disallowed_methods,
        reason = "a command of the host's is what a plugin asked for by its name; it names neither program nor shell"
    )]
    fn begin(template: &CommandTemplate, arguments: &[String]) -> Result<Self, CommandFailure> {
        let mut command = Command::new(&template.program);
        // Some programs are many in one, and look at the name that they were called by.
        command.arg0(&template.name).args(arguments).env_clear().current_dir(&template.folder);
        for (name, value) in &template.variables {
            command.env(name, value.expose());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        points::reached(COMMAND_BEGUN);
        let child = command.process_group(0).spawn().map_err(|_cause| {
            CommandFailure::invalid("command.not_started", "the command could not be started")
        })?;
        points::reached(COMMAND_STARTED);
        let group = Pid::from_child(&child);
        Ok(Self { child, group, is_buried: false })
    }

    /// Whether it ended. It is not buried yet, so that its number, and that of its group, stays its own.
    fn has_ended(&mut self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.group), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => false,
            Ok(Some(_)) => true,
            Err(_taken) => {
                // Whoever ignores the signal that tells of ended children has them buried by the system, and how it
                // ended is lost.
                self.is_buried = true;
                true
            }
        }
    }

    /// Waits a while for its end.
    fn wait(&mut self, most: Duration) {
        if !self.has_ended() {
            thread::park_timeout(most);
        }
    }

    fn kill(&self, signal: Signal) {
        if !self.is_buried {
            // Fails where nobody is left, which is what it is for.
            let _nobody = kill_process_group(self.group, signal);
        }
    }

    /// Ends the whole group: politely while that lasts, and then not.
    fn end(&mut self, polite: Option<(&mut Pipes<'_>, &dyn Fn() -> bool)>) {
        if let Some((pipes, lasts)) = polite.filter(|(_, lasts)| lasts()) {
            self.kill(Signal::TERM);
            pipes.close_input();
            while !self.has_ended() && lasts() {
                // Who still writes would wait for a reader.
                if pipes.work(LOOK).is_err() {
                    self.wait(LOOK);
                }
            }
        }
        self.kill(Signal::KILL);
        let burial = Deadline::after(BURIAL);
        while !self.has_ended() && !burial.left().is_zero() {
            self.wait(LOOK);
        }
        let _code = self.exit_code();
    }

    /// Buries it. `None` where a signal ended it, or nobody can tell.
    fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().ok().flatten();
        self.is_buried = status.is_some();
        status.and_then(|status| status.code())
    }

    fn lost(&self, may_have_acted: bool) -> CommandFailure {
        let message = "the command was started, and nobody could follow it";
        CommandFailure::new(cut_off(may_have_acted), "command.lost", message)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_buried {
            self.kill(Signal::KILL);
            let _code = self.exit_code();
        }
    }
}

/// Takes what is left in the pipes.
fn drain(pipes: &mut Pipes<'_>, deadline: &Deadline) {
    while !pipes.is_done() && !deadline.left().is_zero() {
        if pipes.work(LOOK.min(deadline.left())).is_err() {
            return;
        }
    }
}

/// An instant that passes.
#[derive(Debug)]
struct Deadline(Option<Instant>);

#[expect(
    clippy::disallowed_methods,
    reason = "how long a process runs is a matter of the machine's clock; nothing is decided by it that a record holds"
)]
impl Deadline {
    fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// How long until then. One that is further away than any clock goes never comes.
    fn left(&self) -> Duration {
        self.0.map_or(LOOK, |instant| instant.saturating_duration_since(Instant::now()))
    }
}
