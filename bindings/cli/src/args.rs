//! The words of a command line.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use placet::id::UserId;

use crate::console::{Answer, Colour, Console};
use crate::exit::{Exit, TABLE};
use crate::ground::Ground;
use crate::{
    access, artifact, audit, completions, doctor, governance, org, plugin, policy, request, rule,
    workflow,
};

const LONG_ABOUT: &str = "\
Looks at and works with the gate of placet in a folder: its audit log, organisation, requests and policies.

With sled, one process has a folder to itself: while a host holds it, this program says `store_locked`. Whoever
can read and write the folder is trusted to name a principal with --as, as a host is; the gate decides what that
principal may do, and its log says what they did.";

/// Change control: the audit log, the organisation, requests, policies, plugins.
#[derive(Debug, Parser)]
#[command(name = "placet", version, long_about = LONG_ABOUT, after_help = TABLE)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Called {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    what: What,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The folder of the gate.
    #[arg(long, global = true, value_name = "DIR", env = "PLACET_FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The principal who asks, as `usr_…`.
    #[arg(long = "as", global = true, value_name = "USER", env = "PLACET_AS")]
    pub(crate) principal: Option<UserId>,
    /// Answer with one JSON document on standard output, errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Whether to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// A file of Cedar policies of the host. Give the ones that the host gives.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// A SQLite file that changes may have as their target, by name.
    #[arg(long, global = true, value_name = "NAME=FILE")]
    pub(crate) sqlite: Vec<String>,
    /// The PostgreSQL database that holds the gate's state.
    #[cfg(feature = "postgres")]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "PLACET_POSTGRES",
        hide_env_values = true
    )]
    pub(crate) postgres: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The audit log: verify, prove, export, show.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The organisation: who is there, and every command that changes it.
    #[command(subcommand)]
    Org(Box<org::Org>),
    /// Change requests: write, approve, run, look.
    #[command(subcommand)]
    Request(request::RequestCommand),
    /// Artifacts: what is written to be published, version by version.
    #[command(subcommand)]
    Artifact(Box<artifact::ArtifactCommand>),
    /// Ask for a command of `org` that needs approval itself.
    Propose(Box<org::Propose>),
    /// Workflows: look, check, draw, store.
    #[command(subcommand)]
    Workflow(workflow::WorkflowCommand),
    /// Rules about approvals: which quorum holds where, and what stops them.
    #[command(subcommand)]
    Rule(Box<rule::RuleCommand>),
    /// Checks of the host's, such as its tests.
    #[command(subcommand)]
    Check(rule::CheckCommand),
    /// Which commands need approval themselves.
    #[command(subcommand)]
    Governance(governance::GovernanceCommand),
    /// Why somebody may or may not do something.
    Why(access::Why),
    /// Who can do something somewhere.
    WhoCan(access::WhoCanDo),
    /// Policies: check, test, prove.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Runner plugins: begin one, check, try, measure, package and sign it.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Look at a folder and say what is wrong with it.
    Doctor(doctor::Doctor),
    /// Print a script that completes commands in a shell.
    Completions(completions::Completions),
}

/// Reads the command line; help and mistakes are written here.
pub(crate) fn read() -> Result<Called, Exit> {
    Called::try_parse().map_err(|error| {
        let is_mistake = error.use_stderr();
        // Whether a program asks must be seen also where the rest cannot be read.
        let is_json = std::env::args_os().any(|word| word == OsStr::new("--json"));
        if is_mistake && is_json {
            let wrong = serde_json::json!({"error": {
                "code": "usage",
                "message": error.kind().to_string(),
                "help": error.render().to_string(),
                "details": {},
                "causes": [],
            }});
            let _unread = writeln!(io::stdout(), "{wrong:#}");
        } else {
            let _unread = error.print();
        }
        let is_bare = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if is_mistake || is_bare { Exit::Usage } else { Exit::Ok }
    })
}

impl Called {
    /// Does what was asked for, writes the answer, and says how the program ends.
    pub(crate) fn run(self) -> Exit {
        let Self { options, what } = self;
        let console = Console { is_json: options.json, colour: options.color };
        let ground = Ground::new(options, console);
        let ended: Result<Answer, _> = match what {
            What::Audit(command) => command.run(&ground),
            What::Org(command) => command.run(&ground),
            What::Request(command) => command.run(&ground),
            What::Artifact(command) => command.run(&ground),
            What::Propose(command) => command.run(&ground),
            What::Workflow(command) => command.run(&ground),
            What::Rule(command) => command.run(&ground),
            What::Check(command) => command.run(&ground),
            What::Governance(command) => command.run(&ground),
            What::Why(command) => command.run(&ground),
            What::WhoCan(command) => command.run(&ground),
            What::Policy(command) => command.run(&ground),
            What::Plugin(command) => command.run(&ground),
            What::Doctor(command) => command.run(&ground),
            What::Completions(command) => return command.run(),
        };
        console.end(ended)
    }
}
