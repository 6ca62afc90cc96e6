//! Rules of a project about approvals, and the checks that some of them wait for.

mod list; // which there are
mod check; // what the host's checks said

use clap::Subcommand;
use placet::error::Error;

pub(crate) use self::check::CheckCommand;
use crate::console::Answer;
use crate::ground::Ground;
use crate::org::{OrgCommand, PutBlockingRule, PutQuorumRule, RemoveRule};

const QUORUM_HELP: &str = r#"A quorum in a file:
  {"stages": [
     {"name": "review", "need": {"all_of": [
        {"n_of": {"n": 1, "of": [{"project_role": "QA"}]}},
        {"n_of": {"n": 1, "of": [{"project_role": "PO"}]}}]}},
     {"name": "release", "need": {"any_of": [
        {"n_of": {"n": 1, "of": [{"person": "ana@example.org"}]}},
        {"n_of": {"n": 2, "of": [{"team": "Checkout"}, {"team_role": {"role": "LEADER_PRIMARY"}}]}}]}}],
   "order": "sequence", "exclude": {"executor": true, "same_team": false}}
`order` is `sequence` or `parallel`; `some_of` takes {"k": 2, "of": [...]}; the group of all who may approve is "anyone".
Each person fills one place over all stages, whatever groups they are in."#;

/// Rules about approvals: which quorum holds where, and what stops them.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// List the rules of a project.
    List(list::List),
    /// Add a rule that says which quorum holds for which requests, or change one.
    #[command(after_long_help = QUORUM_HELP)]
    Quorum(PutQuorumRule),
    /// Add a rule that stops approvals, or change one.
    Block(PutBlockingRule),
    /// Remove a rule, of either kind.
    Remove(RemoveRule),
}

impl RuleCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::List(command) => command.run(ground),
            Self::Quorum(asked) => OrgCommand::PutQuorumRule(asked).run(ground),
            Self::Block(asked) => OrgCommand::PutBlockingRule(asked).run(ground),
            Self::Remove(asked) => OrgCommand::RemoveRule(asked).run(ground),
        }
    }
}
