//! The audit log.

mod verify; // an export, or the store of a folder
mod store; // the log in a store, and the records
mod prove; // one entry
mod export; // a folder that anybody can verify
mod evidence; // one request, for somebody else
mod events; // forms that other tools read
mod witness; // who remembers heads elsewhere
mod show; // entries
mod years; // each year that is over, a log of its own
mod rotate; // another key

use clap::Subcommand;
use placet::error::Error;

pub(crate) use self::prove::key::of_folder as key_of_folder;
pub(crate) use self::store::read as read_log;
pub(crate) use self::verify::key_of;
pub(crate) use self::witness::witness;
use crate::console::Answer;
use crate::ground::Ground;

/// The audit log: verify, prove, export, show.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Verify an exported log, or the log in a folder, and name the first entry that is wrong.
    Verify(verify::Verify),
    /// Write the proof that an entry is in the log, as a `.tlog-proof`.
    Prove(prove::Prove),
    /// Check a `.tlog-proof` with the entry and the log's key alone.
    CheckProof(prove::CheckProof),
    /// Write the whole log as a static folder (C2SP tlog-tiles) that anybody can verify.
    Export(export::Export),
    /// Write what proves one request, as a folder for an auditor.
    Evidence(evidence::Evidence),
    /// Check such a folder with the log's key alone.
    CheckEvidence(evidence::CheckEvidence),
    /// Append what is new in the log to a file, in a form of other tools.
    Events(events::Events),
    /// Hand the head of the log to witnesses.
    Anchor(witness::Anchor),
    /// Compare the log with what witnesses saw of it.
    Compare(witness::Compare),
    /// Show entries.
    Show(show::Show),
    /// List, seal and export the years of the log.
    #[command(subcommand)]
    Years(years::Years),
    /// Have a new key sign the log from here on, for PLATFORM_ADMIN. The key of the folder vouches for it in the log, so
    /// that whoever has an earlier key follows; then it takes the place of `log.key`. Where this breaks off, look with
    /// `doctor` which key signs before you call it again: any opening finishes a rotation that is in the log. It
    /// revokes nothing: after a theft, hand the new key to all who verify, for the thief can vouch for a key too.
    RotateKey,
}

impl Audit {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Verify(command) => command.run(ground),
            Self::Prove(command) => command.run(ground),
            Self::CheckProof(command) => command.run(ground),
            Self::Export(command) => command.run(ground),
            Self::Evidence(command) => command.run(ground),
            Self::CheckEvidence(command) => command.run(ground),
            Self::Events(command) => command.run(ground),
            Self::Anchor(command) => command.run(ground),
            Self::Compare(command) => command.run(ground),
            Self::Show(command) => command.run(ground),
            Self::Years(command) => command.run(ground),
            Self::RotateKey => rotate::run(ground),
        }
    }
}
