//! Change requests.

mod write; // drafting and editing
mod step; // from one state to the next
mod thread; // questions that want an answer
mod run; // execute, verify, reconcile
mod look; // show, list, history

use clap::Subcommand;
use placet::error::Error;

pub(crate) use self::look::{tell_finding, tell_outcome, tell_plan, who};
use crate::console::Answer;
use crate::ground::Ground;

/// Change requests: write, approve, run, look.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Write a new request.
    Draft(write::Draft),
    /// Write it anew. Its approvals are void then.
    Edit(write::Edit),
    /// Ask its runner what it would do.
    Plan(step::Plan),
    /// Ask for approval of what is written now.
    Submit(step::Submit),
    /// Approve exactly what a digest names.
    Approve(step::Approve),
    /// Reject it for good.
    Reject(step::Reject),
    /// Send it back to its author.
    RequestChanges(step::RequestChanges),
    /// Say something about it.
    Comment(step::Comment),
    /// Questions about it that want an answer.
    #[command(subcommand)]
    Thread(thread::ThreadCommand),
    /// Withdraw it before it runs.
    Cancel(step::Cancel),
    /// Run what was approved, and wait for its end.
    Execute(run::Execute),
    /// Run again what is known to have failed, and wait for its end.
    Rerun(run::Rerun),
    /// Run what is due: what was approved where the gate starts runs by itself.
    RunDue,
    /// Write the same change for the next environment.
    Promote(write::Promote),
    /// Ask a run that another process drives to stop.
    Stop(step::Stop),
    /// Read in the target what became of a run.
    Verify(run::Verify),
    /// Say what became of a run that nobody else can tell about.
    Reconcile(run::Reconcile),
    /// Show it as a reviewer sees it.
    Show(look::Show),
    /// List the requests of a project.
    List(look::List),
    /// What happened to it.
    History(look::History),
}

impl RequestCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Draft(command) => command.run(ground),
            Self::Edit(command) => command.run(ground),
            Self::Plan(command) => command.run(ground),
            Self::Submit(command) => command.run(ground),
            Self::Approve(command) => command.run(ground),
            Self::Reject(command) => command.run(ground),
            Self::RequestChanges(command) => command.run(ground),
            Self::Comment(command) => command.run(ground),
            Self::Thread(command) => command.run(ground),
            Self::Cancel(command) => command.run(ground),
            Self::Execute(command) => command.run(ground),
            Self::Rerun(command) => command.run(ground),
            Self::RunDue => run::run_due(ground),
            Self::Promote(command) => command.run(ground),
            Self::Stop(command) => command.run(ground),
            Self::Verify(command) => command.run(ground),
            Self::Reconcile(command) => command.run(ground),
            Self::Show(command) => command.run(ground),
            Self::List(command) => command.run(ground),
            Self::History(command) => command.run(ground),
        }
    }
}
