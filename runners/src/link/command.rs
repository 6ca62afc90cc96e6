//! Named commands.

use placet_exchange::{CommandCall, Exchange};
use placet_target_deploy::{CommandFailure, CommandFailureKind, DeployTarget, Output as Said};

use super::calling::{Became, Made, Unmade, length};
use crate::bindings::command::{Error, Host, Output};
use crate::bindings::sql;
use crate::state::State;

impl Host for State {
    fn run(
        &mut self,
        name: String,
        arguments: Vec<(String, String)>,
        stdin: Vec<u8>,
    ) -> wasmtime::Result<Result<Output, Error>> {
        self.count_call()?;
        let texts = arguments.iter().flat_map(|(name, value)| [name, value]).chain([&name]);
        self.count_bytes(length(texts.map(String::as_bytes).chain([stdin.as_slice()])))?;
        let target = match self.deploy_target() {
            Ok(target) => target,
            Err(unmade) => return Ok(Err(error_of(unmade))),
        };
        let is_write = writes(&target, &name);
        let call = CommandCall { name, arguments, stdin };
        let is_same = |step: &Exchange| matches!(step, Exchange::Command(step) if *step == call);
        let made = self.may_call(is_same, is_write)?;
        let CommandCall { name, arguments, stdin } = &call;
        match made {
            Ok(Made::Read) => {
                let ended = target.run(name, arguments, stdin, &self.reading()?);
                if ended.is_ok() {
                    self.note_read();
                }
                self.output(ended)
            }
            Ok(Made::Step(step)) => {
                let bounds = match self.intend(&step)? {
                    Ok(bounds) => bounds,
                    Err(unmade) => return Ok(Err(error_of(unmade))),
                };
                let ended = target.run(name, arguments, stdin, &bounds);
                self.settle(&step, became(&ended));
                self.output(ended)
            }
            Err(unmade) => Ok(Err(error_of(unmade))),
        }
    }
}

impl State {
    /// Hands what a command said to the plugin, within the limits.
    fn output(
        &mut self,
        ended: Result<Said, CommandFailure>,
    ) -> wasmtime::Result<Result<Output, Error>> {
        let said = match ended {
            Ok(said) => said,
            Err(failure) => return Ok(Err(told(&failure))),
        };
        self.count_bytes(length([said.stdout.as_slice(), said.stderr.as_slice()]))?;
        let Said { exit_code, stdout, stderr, truncated, .. } = said;
        Ok(Ok(Output { exit_code, stdout, stderr, truncated }))
    }
}

/// Whether a command may change something. One that is not there changes nothing, and is refused.
fn writes(target: &DeployTarget, name: &str) -> bool {
    target.command(name).is_some_and(|command| !command.is_reading())
}

/// What its end says of a step. A command that ended by itself did what it did, however it ended.
fn became(ended: &Result<Said, CommandFailure>) -> Became {
    match ended {
        Ok(said) if said.exit_code == 0 => Became::Accepted("exit 0".to_owned()),
        Ok(said) => Became::Ended(said.exit_code),
        Err(failure) => {
            let (code, message) = (failure.code().to_owned(), failure.message().to_owned());
            if failure.may_have_taken_effect() {
                Became::Unknown { code, message }
            } else {
                Became::Refused { code, message }
            }
        }
    }
}

fn told(failure: &CommandFailure) -> Error {
    let why = failure.to_string();
    match failure.kind() {
        CommandFailureKind::Denied => Error::Denied(why),
        CommandFailureKind::Invalid => Error::Invalid(why),
        CommandFailureKind::Unknown => Error::Unknown(why),
        CommandFailureKind::Timeout => Error::Timeout,
        CommandFailureKind::Cancelled => Error::Cancelled,
        CommandFailureKind::Limit => Error::Limit(why),
    }
}

/// Nothing was started: what cannot be said in the words of commands is a refusal.
fn error_of(unmade: Unmade) -> Error {
    match unmade {
        Unmade::Refused(why) => Error::Denied(why),
        Unmade::Stopped(error) => match error {
            sql::Error::Denied(why)
            | sql::Error::Connection(why)
            | sql::Error::Unknown(why)
            | sql::Error::Invalid(why) => Error::Denied(why),
            sql::Error::Db(error) => Error::Denied(error.message),
            sql::Error::Timeout => Error::Timeout,
            sql::Error::Cancelled => Error::Cancelled,
            sql::Error::Limit(why) => Error::Limit(why),
        },
    }
}
