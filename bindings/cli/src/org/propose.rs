//! A command as a request: others agree to it before it is done.

use clap::Args;
use placet::error::Error;

use super::command::OrgCommand;
use super::resolve::resolve;
use crate::console::Answer;
use crate::ground::Ground;
use crate::request::moved;

/// Ask for a command that needs approval itself: it becomes a request where the governance says that it is reviewed.
/// It is approved and run as any other request.
#[derive(Args, Debug)]
pub(crate) struct Propose {
    /// What people see: one line.
    #[arg(long)]
    title: String,
    /// Ask for approval at once.
    #[arg(long)]
    submit: bool,
    /// The command, in the words of `org`.
    #[command(subcommand)]
    command: OrgCommand,
}

impl Propose {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let command = self.command.read()?;
        let (gate, caller) = ground.open()?;
        let command = resolve(&gate, &caller, command)?;
        let request = gate.propose(&caller, &command, &self.title)?;
        moved(&if self.submit { gate.submit(&caller, request.header.id)? } else { request })
    }
}
