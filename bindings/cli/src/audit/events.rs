//! The log handed on to other tools, each entry once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use placet::audit::{EventFormat, Syslog};
use placet::error::{Code, Error};
use placet_core::gate::ExportToken;
use serde_json::json;

use crate::console::Answer;
use crate::files::{unreadable, unwritable};
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// After so many entries, what was written is noted, so that a next try goes on from there.
const NOTED_EVERY: u64 = 1_000;

/// A form that other tools read.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// A JSON object a line, with the leaf as it is.
    Ndjson,
    /// `CloudEvents` 1.0, an event a line.
    Cloudevents,
    /// OCSF 1.4.0, an event a line.
    Ocsf,
    /// `CEF:0`, a line each.
    Cef,
    /// RFC 5424, a message a line.
    Syslog,
}

/// Append what is new in the log to a file in a form of other tools, for PLATFORM_ADMIN and AUDITOR. Each entry is in
/// it once, whatever happens: `FILE.resume` beside it says how far it is whole, and what a broken try left after
/// that is cut off by the next one.
#[derive(Args, Debug)]
pub(crate) struct Events {
    /// The file.
    file: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Form,
    /// The host's name in syslog messages.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Your private enterprise number, for structured data in syslog messages.
    #[arg(long, value_name = "NUMBER")]
    enterprise: Option<u32>,
}

impl Events {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let format = self.format()?;
        let (gate, caller) = ground.open()?;
        let mut target = Target::open(self.file)?;
        let from = target.token.clone();
        let bar = Bar::new(ground.console(), "events", Some(0));
        let mut written = 0_u64;
        let token = gate.export_events(&caller, &format, from.as_ref(), |event| {
            target.append(event.text)?;
            written = event.done;
            bar.at(event.done, Some(event.total));
            if event.done % NOTED_EVERY == 0 { target.note(event.token) } else { Ok(()) }
        })?;
        target.note(&token)?;
        drop(bar);
        let mut text = Text::default();
        let path = target.path.display().to_string();
        text.said(Mood::Good, "exported", format_args!("{written} entries to {path}"));
        Ok(Answer::ok(
            text,
            json!({"written": written, "format": format.name(), "token": token.to_string()}),
        ))
    }

    fn format(&self) -> Result<EventFormat, Error> {
        Ok(match self.format {
            Form::Ndjson => EventFormat::Ndjson,
            Form::Cloudevents => EventFormat::CloudEvents,
            Form::Ocsf => EventFormat::Ocsf,
            Form::Cef => EventFormat::Cef,
            Form::Syslog => {
                let mut form = Syslog::default();
                if let Some(name) = &self.hostname {
                    form = form.with_hostname(name)?;
                }
                if let Some(number) = self.enterprise {
                    form = form.with_enterprise(number)?;
                }
                EventFormat::Syslog(form)
            }
        })
    }
}

/// The file, and the note of how far it is whole.
#[derive(Debug)]
struct Target {
    path: PathBuf,
    file: File,
    bytes: u64,
    token: Option<ExportToken>,
}

impl Target {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let noted = Self::noted(&beside(&path, "resume"))?;
        let mut options = OpenOptions::new();
        // Nothing is cut off before it is known to be ours.
        let file = options.create(true).append(true).open(&path);
        let file = file.map_err(|source| unwritable(&path, source))?;
        let len = file.metadata().map_err(|source| unreadable(&path, source))?.len();
        let (bytes, token) = match noted {
            Some((bytes, _)) if len < bytes => {
                let sentence =
                    format!("`{}` is shorter than its last export left it", path.display());
                return Err(Error::new(Code::Conflict, sentence).with_help(
                    "put it back, or move it and its `.resume` away together and begin anew",
                ));
            }
            Some((bytes, token)) => (bytes, Some(token)),
            None if len > 0 => {
                let sentence = format!("`{}` is there, and no export of ours", path.display());
                return Err(
                    Error::new(Code::AlreadyExists, sentence).with_help("name another file")
                );
            }
            None => (0, None),
        };
        file.set_len(bytes).map_err(|source| unwritable(&path, source))?;
        Ok(Self { path, file, bytes, token })
    }

    /// How many bytes are whole, and where to go on; nothing where there is no note.
    fn noted(path: &Path) -> Result<Option<(u64, ExportToken)>, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unreadable(path, source)),
        };
        let (bytes, token) = text.trim_end().split_once(' ').unwrap_or_default();
        let bytes = bytes.parse().map_err(|_| {
            Error::new(
                Code::InvalidInput,
                format!("`{}` is not the note of an export", path.display()),
            )
            .with_help("move it and its file away together, and begin anew")
        })?;
        Ok(Some((bytes, token.parse()?)))
    }

    fn append(&mut self, text: &str) -> Result<(), Error> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| unwritable(&self.path, source))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(text.len()).unwrap_or_default());
        Ok(())
    }

    /// What is in the file now is whole: first it is on the disk, then the note says so.
    fn note(&self, token: &ExportToken) -> Result<(), Error> {
        let (note, partial) = (beside(&self.path, "resume"), beside(&self.path, "resume.partial"));
        let noted = || -> io::Result<()> {
            self.file.sync_data()?;
            let mut file = File::create(&partial)?;
            writeln!(file, "{} {token}", self.bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &note)
        };
        noted().map_err(|source| unwritable(&note, source))
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}
