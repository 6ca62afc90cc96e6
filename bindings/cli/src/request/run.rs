//! Running, and finding out what became of a run.

use clap::{Args, ValueEnum};
use placet::error::Error;
use placet::id::RequestId;
use placet::request::{Request, State};
use placet::runner::Outcome;
use placet::{Finding, RunEvent, RunHandle};
use serde_json::json;

use super::look::{request_json, tell_outcome, tell_state};
use crate::console::{Answer, Console, json_of};
use crate::exit::Exit;
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// Run what was approved. It ends with 1 where the run failed, and with 9 where nobody knows.
///
/// The run goes on as long as this process does. Where it is killed, the run is unknown at the next opening, and
/// waits to be verified.
#[derive(Args, Debug)]
pub(crate) struct Execute {
    /// The request.
    id: RequestId,
    /// How long to wait for a turn at a busy target, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    wait_ms: u64,
}

impl Execute {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let handle = if self.wait_ms == 0 {
            gate.execute(&caller, self.id)?
        } else {
            gate.execute_in_turn(&caller, self.id, self.wait_ms)?
        };
        follow(ground.console(), &handle);
        ended(&handle.wait()?, None)
    }
}

/// Run again what is known to have failed: a new attempt, judged and compared anew. It ends as `execute` does.
#[derive(Args, Debug)]
pub(crate) struct Rerun {
    /// The request.
    id: RequestId,
}

impl Rerun {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let handle = gate.rerun(&caller, self.id)?;
        follow(ground.console(), &handle);
        ended(&handle.wait()?, None)
    }
}

/// Runs what is due, one after the other, until nothing is. It ends with 1 where a run failed, and with 9 where nobody
/// knows.
pub(super) fn run_due(ground: &Ground) -> Result<Answer, Error> {
    let (gate, _caller) = ground.open()?;
    let (mut text, mut runs, mut exit) = (Text::default(), Vec::new(), Exit::Ok);
    while let Some(handle) = gate.run_due()? {
        follow(ground.console(), &handle);
        let request = handle.wait()?;
        tell_state(&mut text, &request);
        runs.push(request_json(&request)?);
        exit = match (exit, exit_of(&request)) {
            (Exit::Target, _) | (_, Exit::Target) => Exit::Target,
            (Exit::Ok, latest) => latest,
            (earlier, _) => earlier,
        };
    }
    if runs.is_empty() {
        text.line("nothing is due");
    }
    Ok(Answer { text, json: json!({"runs": runs}), exit })
}

/// Shows a person what the run says while it lasts.
fn follow(console: Console, handle: &RunHandle) {
    let bar = Bar::new(console, "run", None);
    for event in handle.events() {
        match event {
            RunEvent::Progress(progress) => bar.at(progress.done, progress.total),
            RunEvent::Log(line) => bar.above(|| {
                let mut text = Text::default();
                text.said(Mood::Quiet, &format!("{}:", line.level), &line.message);
                console.note(&text);
            }),
            _ => {}
        }
    }
}

/// Read in the target what became of a run.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The request.
    id: RequestId,
}

impl Verify {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let (request, read) = gate.verify(&caller, self.id)?;
        ended(&request, Some(&read))
    }
}

/// What somebody found who looked at the target.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Found {
    /// All of the change took effect.
    Done,
    /// Some of it took effect; the reason says what. It is not run again.
    Partly,
    /// Nothing of it took effect.
    NothingDone,
}

/// Say what became of a run that nobody else can tell about.
#[derive(Args, Debug)]
pub(crate) struct Reconcile {
    /// The request.
    id: RequestId,
    /// What you found in the target.
    #[arg(long)]
    found: Found,
    /// How you know.
    #[arg(long)]
    reason: String,
}

impl Reconcile {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let finding = match self.found {
            Found::Done => Finding::Done,
            Found::Partly => Finding::Partly,
            Found::NothingDone => Finding::NothingDone,
        };
        let request = gate.reconcile(&caller, self.id, finding, &self.reason)?;
        let mut answer = ended(&request, None)?;
        // What was asked for is done, whatever it was.
        answer.exit = Exit::Ok;
        Ok(answer)
    }
}

/// The request after a run, what was read of it in the target, and the exit code for it.
fn ended(request: &Request, read: Option<&Outcome>) -> Result<Answer, Error> {
    let mut text = Text::default();
    tell_state(&mut text, request);
    let mut json = request_json(request)?;
    if let (Some(read), Some(fields)) = (read, json.as_object_mut()) {
        text.head("read in the target");
        tell_outcome(&mut text, read);
        fields.insert("read".to_owned(), json_of(read)?);
    }
    let exit = exit_of(request);
    Ok(Answer { text, json, exit })
}

fn exit_of(request: &Request) -> Exit {
    match &request.state {
        State::Unknown(_) => Exit::Target,
        State::Failed(_) => Exit::DoesNotHold,
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Approved(_)
        | State::Rejected(_)
        | State::Cancelled(_)
        | State::Executing(_)
        | State::Succeeded(_) => Exit::Ok,
    }
}
