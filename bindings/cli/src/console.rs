//! Where answers go: one document to standard output, for a person or for a program.

use std::error::Error as _;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use placet::error::{Code, Error};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::text::{Mood, Text};

/// What a command answers: the same for a person and for a program, and whether what was asked about holds.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: Text,
    pub(crate) json: Value,
    pub(crate) exit: Exit,
}

impl Answer {
    /// What was asked about holds, or was done.
    pub(crate) const fn ok(text: Text, json: Value) -> Self {
        Self { text, json, exit: Exit::Ok }
    }

    /// What was asked about holds or does not.
    pub(crate) const fn that(holds: bool, text: Text, json: Value) -> Self {
        let exit = if holds { Exit::Ok } else { Exit::DoesNotHold };
        Self { text, json, exit }
    }
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, and not where `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Nowhere.
    Never,
}

/// Standard output and standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    pub(crate) is_json: bool,
    pub(crate) colour: Colour,
}

impl Console {
    /// Writes what came of a command, and says how the program ends.
    pub(crate) fn end(self, ended: Result<Answer, Error>) -> Exit {
        let (written, exit) = match ended {
            Ok(answer) if self.is_json => (self.document(&answer.json), answer.exit),
            Ok(answer) => (self.write(io::stdout(), answer.text.as_str()), answer.exit),
            Err(error) if self.is_json => (self.document(&error_json(&error)), error.code().into()),
            Err(error) => {
                let text = error_text(&error);
                (self.write(io::stderr(), text.as_str()), error.code().into())
            }
        };
        match written {
            Ok(()) => exit,
            // A reader that went away (`| head`) saw what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => exit,
            Err(error) => {
                let _nowhere_left = writeln!(io::stderr(), "error: cannot write: {error}");
                Exit::Output
            }
        }
    }

    /// Tells a person who waits what happens, on standard error. A program is told at the end.
    pub(crate) fn note(self, text: &Text) {
        if !self.is_json {
            let _unread = self.write(io::stderr(), text.as_str());
        }
    }

    /// Whether somebody watches: bars are drawn for them only.
    pub(crate) fn is_watched(self) -> bool {
        !self.is_json && io::stderr().is_terminal()
    }

    fn document(self, value: &Value) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        text.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn write(self, stream: impl RawStream + AsLockedWrite, text: &str) -> io::Result<()> {
        let choice = match self.colour {
            Colour::Auto => AutoStream::choice(&stream),
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        let mut stream = AutoStream::new(stream, choice);
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

/// Code, sentence, next step.
pub(crate) fn error_text(error: &Error) -> Text {
    let mut text = Text::default();
    text.said(Mood::Bad, &format!("error[{}]:", error.code()), error);
    let mut source = error.source();
    while let Some(cause) = source {
        text.said(Mood::Quiet, "  because:", cause);
        source = cause.source();
    }
    for (name, value) in error.details() {
        text.said(Mood::Quiet, &format!("  {name}:"), value);
    }
    if let Some(help) = error.help() {
        text.said(Mood::Good, "  next:", help);
    }
    text
}

/// `{"error": {"code", "message", "help", "details", "causes"}}`.
pub(crate) fn error_json(error: &Error) -> Value {
    json!({"error": error_fields(error)})
}

/// `{"code", "message", "help", "details", "causes"}`.
pub(crate) fn error_fields(error: &Error) -> Value {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let details: Map<String, Value> =
        error.details().iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "code": error.code().as_str(),
        "message": error.to_string(),
        "help": error.help(),
        "details": details,
        "causes": causes,
    })
}

/// A value of ours as JSON.
pub(crate) fn json_of(value: &impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|source| {
        Error::new(Code::Internal, "an answer cannot be written as JSON").with_source(source)
    })
}
