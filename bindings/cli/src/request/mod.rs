//! Change requests.

mod write; // drafting and editing
mod step; // from one state to the next
mod back; // steps back, and those of workflows with more states
mod thread; // questions that want an answer
mod run; // execute, verify, reconcile
mod look; // show, list, history
mod plan; // a plan, as a person reads it
mod diff; // what is different between two texts

use clap::Subcommand;
use placet::error::Error;

pub(crate) use self::back::Commented;
pub(crate) use self::diff::Diff;
pub(crate) use self::look::{History, every, moved, request_json, tell_outcome, who};
pub(crate) use self::plan::{tell_finding, tell_plan};
pub(crate) use self::step::Submit;
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
    Submit(Submit),
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
    /// Take it back from those who would approve it, to write on.
    Withdraw(Commented),
    /// Make a draft of what was sent back.
    Reopen(Commented),
    /// Undo an approval that has not taken effect.
    Revert(Commented),
    /// Make a draft of what was rejected.
    Restore(Commented),
    /// Take a way of its workflow that stays in its phase.
    Advance(back::Advance),
    /// Give it up before it runs.
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
    History(History),
    /// What is different between two texts.
    Diff(Diff),
    /// What the principal may do with it now.
    Actions(back::Actions),
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
            Self::Withdraw(command) => command.withdraw(ground),
            Self::Reopen(command) => command.reopen(ground),
            Self::Revert(command) => command.revert(ground),
            Self::Restore(command) => command.restore(ground),
            Self::Advance(command) => command.run(ground),
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
            Self::Diff(command) => command.run(ground),
            Self::Actions(command) => command.run(ground),
        }
    }
}
