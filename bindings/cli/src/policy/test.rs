//! Do they do what the stories say?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use placet::audit::Ed25519Signer;
use placet::error::Error;
use placet::forms::JsonSchemaForms;
use placet::identity::Caller;
use placet::limits::Limits;
use placet::org::command::CreateUser;
use placet::org::{Email, UserKind};
use placet::runners::WasmRunner;
use placet::store::MemoryStore;
use placet::{Gate, Parts, SystemClock, SystemEntropy, SystemIds};
use serde_json::{Value, json};

use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::org::apply;
use crate::text::{Mood, Text};

/// Ask what a table of stories expects, a story in a line: `who | action | where | expected`, such as
/// `ana@example.org | approve | shop/pagos/prod | no`. It ends with 1 where one is not so.
///
/// They are asked of the gate in --folder, or of an organisation in memory that a file of commands for
/// `org apply` describes: nothing is written then, and no folder is needed. Give policies with --policies.
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// The table; `-` is standard input.
    table: PathBuf,
    /// A file of commands for `org apply` that makes the organisation, in memory.
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// The e-mail address of that organisation's first PLATFORM_ADMIN.
    #[arg(long, value_name = "EMAIL", default_value = "founder@placet.invalid")]
    founder: Email,
}

impl Test {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let table = files::text(&self.table)?;
        let (gate, caller) = match &self.org {
            Some(org) => in_memory(ground, org, self.founder)?,
            None => ground.open()?,
        };
        let outcomes = gate.check_stories(&caller, &table)?;
        let mut text = Text::default();
        let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
        for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
            text.said(Mood::Bad, "failed", outcome);
        }
        let passed = outcomes.len().saturating_sub(failed);
        let mood = if failed == 0 { Mood::Good } else { Mood::Head };
        text.said(mood, "stories:", format_args!("{passed} as expected, {failed} not"));
        let rows: Vec<Value> = outcomes
            .iter()
            .map(|outcome| {
                json!({
                    "line": outcome.line,
                    "who": outcome.who.as_str(),
                    "action": outcome.action.as_str(),
                    "place": outcome.place,
                    "expected": outcome.expected,
                    "allowed": outcome.answer.is_allowed(),
                    "passed": outcome.passed(),
                    "answer": outcome.answer.to_string(),
                })
            })
            .collect();
        let json = json!({"passed": passed, "failed": failed, "stories": rows});
        Ok(Answer::that(failed == 0, text, json))
    }
}

/// A gate that is gone with this process, with the organisation that the file describes.
fn in_memory(ground: &Ground, org: &Path, founder: Email) -> Result<(Gate, Caller), Error> {
    let commands = apply::read(org)?;
    let gate = Gate::over(placet_core::gate::Gate::new(Parts {
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(SystemIds::default()),
        entropy: Arc::new(SystemEntropy::default()),
        authorizer: Arc::new(ground.authorizer(&[], false)?),
        runner: Arc::new(WasmRunner::builder().build()?),
        // Nobody verifies what nobody keeps.
        signer: Arc::new(Ed25519Signer::from_seed("memory", &[0; 32])?),
        forms: Arc::new(JsonSchemaForms),
        limits: Limits::default(),
    }));
    let first =
        CreateUser { kind: UserKind::Person, email: founder, display_name: "Founder".parse()? };
    let caller = Caller::authenticated(gate.bootstrap(&first)?);
    apply::all(&gate, &caller, commands, (0, false), |_| ())?;
    Ok((gate, caller))
}
