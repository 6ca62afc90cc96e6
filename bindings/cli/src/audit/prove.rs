//! The proof that one entry is in the log.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use placet::audit::LogProof;
use placet::error::Error;
use serde_json::json;

use super::verify::key_of;
use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Write the proof that an entry is in the log: with the entry and the log's key, anybody can check it.
#[derive(Args, Debug)]
pub(crate) struct Prove {
    /// The entry, counted from 0.
    index: u64,
    /// Where the proof goes. The default is standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the entry goes, byte for byte as it is in the log.
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
}

impl Prove {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        // The gate proves an entry to whoever knows its index; which entries there are is for auditors.
        let proof = gate.prove(self.index)?.to_string();
        let mut text = Text::default();
        if let Some(path) = &self.leaf {
            let entry = gate.audit(&caller, self.index)?.into_iter().next();
            let bytes = entry.map(|(_, leaf)| leaf.to_bytes()).transpose()?.unwrap_or_default();
            fs::write(path, bytes).map_err(|source| files::unwritable(path, source))?;
        }
        match &self.output {
            Some(path) => {
                fs::write(path, &proof).map_err(|source| files::unwritable(path, source))?;
                text.said(
                    Mood::Good,
                    "proven",
                    format_args!("entry {}, in {}", self.index, path.display()),
                );
            }
            None => {
                text.line(proof.trim_end_matches('\n'));
            }
        }
        let key = gate.verifier_key().to_string();
        Ok(Answer::ok(text, json!({"index": self.index, "proof": proof, "key": key})))
    }
}

/// Check a proof.
#[derive(Args, Debug)]
pub(crate) struct CheckProof {
    /// The proof, a `.tlog-proof`.
    proof: PathBuf,
    /// The entry, byte for byte.
    #[arg(long, value_name = "FILE")]
    leaf: PathBuf,
    /// The log's verifier key, as text or as a file with it.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The log's name. The default is the name of the key.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

impl CheckProof {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let key = key_of(&self.key)?;
        let origin = self.origin.as_deref().unwrap_or(key.name());
        let proof = LogProof::parse(&files::bytes(&self.proof)?)?;
        let head = proof.verify(&files::bytes(&self.leaf)?, origin, &key)?;
        let (index, size) = (proof.index(), head.size());
        let mut text = Text::default();
        text.said(Mood::Good, "proven", format_args!("entry {index} of the {size} of {origin}"));
        Ok(Answer::ok(text, json!({"index": index, "size": size, "origin": origin})))
    }
}

pub(super) mod key {
    //! The verifier key of a folder.

    use std::path::Path;

    use placet::audit::{Signer as _, VerifierKey};
    use placet::error::Error;
    use placet::{SigningKeyFile, SystemEntropy};

    /// The public half of the key that signs the log in `folder`; nothing where there is none.
    pub(crate) fn of_folder(folder: &Path) -> Result<Option<VerifierKey>, Error> {
        let path = folder.join("log.key");
        if !path.exists() {
            return Ok(None);
        }
        // It is there: none is made.
        let signer =
            SigningKeyFile::at(path).open_or_create("absent", &SystemEntropy::default())?;
        Ok(Some(signer.verifier_key().clone()))
    }
}
