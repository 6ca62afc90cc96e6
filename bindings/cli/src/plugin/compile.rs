//! Compiling in a process of its own: this program, called by itself.

use std::env;
use std::io::{self, Read as _, Write as _};

use clap::Args;
use placet::error::{Code, Error};
use placet::runners;
use serde_json::Value;

use crate::console::Answer;
use crate::text::Text;

/// No larger component is read, in bytes: a host takes none that is larger.
const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The most memory of the process that compiles, in bytes.
#[cfg(unix)]
const MEMORY_BYTES_MAX: u64 = 4 << 30;

/// How long compiling may take, in milliseconds. An engine of JavaScript or Python takes seconds on a machine that has
/// nothing else to do, and minutes on a busy one; whoever sits at a terminal can end it.
const DEADLINE_MS: u64 = 10 * 60 * 1_000;

/// This program, as the compiler of the hosts that it opens. Where it cannot find itself, they compile on their own.
pub(crate) fn compiler() -> Option<runners::Compiler> {
    let this = env::current_exe().ok()?;
    let compiler = runners::Compiler::program(this, ["plugin", "compile"]);
    Some(compiler.with_deadline_ms(DEADLINE_MS))
}

/// Compile the component on standard input to standard output.
#[derive(Args, Debug)]
pub(crate) struct Compile;

impl Compile {
    /// Writes what it made as it is, whatever else is asked for.
    pub(crate) fn run(self) -> Result<Answer, Error> {
        limit_memory();
        let cannot = |what: &str, source: io::Error| {
            Error::new(Code::InvalidInput, format!("the component cannot be {what}"))
                .with_help("hand in a component on standard input, and take what comes of it")
                .with_source(source)
        };
        let mut component = Vec::new();
        let read = io::stdin().lock().take(COMPONENT_BYTES_MAX).read_to_end(&mut component);
        read.map_err(|source| cannot("read", source))?;
        let made = runners::compile(&component)?;
        let mut out = io::stdout().lock();
        let written = out.write_all(&made).and_then(|()| out.flush());
        written.map_err(|source| cannot("handed on", source))?;
        Ok(Answer::ok(Text::default(), Value::Null))
    }
}

/// What a component makes the compiler take is taken from nobody else.
#[cfg(unix)]
fn limit_memory() {
    let most = Some(MEMORY_BYTES_MAX);
    let limit = rustix::process::Rlimit { current: most, maximum: most };
    // Where there is a lower limit already, that holds.
    let _lower = rustix::process::setrlimit(rustix::process::Resource::As, limit);
}

#[cfg(not(unix))]
const fn limit_memory() {}
