//! Policies of a host, before they decide anything.

mod check; // do they load?
mod test; // do they do what the stories say?
mod prove; // what can they never allow?

use clap::Subcommand;
use placet::error::Error;

use crate::console::Answer;
use crate::ground::Ground;

/// Policies: check, test, prove.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Say whether policies load, and where they do not.
    Check(check::Check),
    /// Ask what a table of stories expects.
    Test(test::Test),
    /// Prove what the policies together can never allow, with the solver cvc5.
    Prove(prove::Prove),
}

impl Policy {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Check(command) => command.run(ground),
            Self::Test(command) => command.run(ground),
            Self::Prove(command) => command.run(ground),
        }
    }
}
