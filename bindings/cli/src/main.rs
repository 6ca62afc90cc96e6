//! `placet`, the command-line tool. `README.md` beside this crate says what it does; `placet --help` says it too.

mod args; // the words of a command line
mod exit; // what the exit code says
mod text; // what a person reads
mod console; // where answers go
mod table; // columns
mod files; // what is read from files and from standard input
mod ground; // the folder, the gate, and who is calling
mod names; // codes, names and e-mail addresses become ids
mod progress; // bars for long work
mod audit; // the log: verify, prove, export, show
mod org; // the organisation
mod request; // change requests
mod artifact; // what is written to be published
mod workflow; // workflows as data
mod rule; // rules about approvals, and checks
mod governance; // which commands need approval themselves
mod access; // why, and who can
mod policy; // policies: check, test, prove
mod plugin; // runner plugins: check, run
mod doctor; // what is wrong with a folder
mod completions; // for shells

use std::process::ExitCode;

fn main() -> ExitCode {
    args::read().map_or_else(ExitCode::from, |called| called.run().into())
}
