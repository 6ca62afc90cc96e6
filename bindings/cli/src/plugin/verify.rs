//! Did enough people sign it?

use std::path::PathBuf;

use clap::Args;
use placet::audit::VerifierKey;
use placet::error::{Code, Error};
use placet::runners::Trusted;
use serde_json::json;

use super::Component;
use super::sign::{note_path, tell};
use crate::console::{Answer, error_fields};
use crate::files;
use crate::text::{Mood, Text};

/// Say who signed a plugin, as a host that asks for signatures would: only keys that are named count, and each once,
/// under whatever name. It ends with 1 where too few signed, or where the signatures do not hold.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The component, such as `package/plugin.wasm`.
    file: PathBuf,
    /// Its manifest. The default is the file beside it that ends in `.json`.
    manifest: Option<PathBuf>,
    /// A key that counts, as `plugin key` says it; several may be named.
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<VerifierKey>,
    /// How many different keys must have signed.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    needed: usize,
    /// The note. The default is the file beside the component that ends in `.note`.
    #[arg(long, value_name = "FILE")]
    note: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Answer, Error> {
        let note = files::bytes(&note_path(self.note, &self.file))?;
        let component = Component { file: self.file, manifest: self.manifest, grant: None };
        let (bytes, manifest) = component.read()?;
        let trusted = Trusted::new(self.key, self.needed)?;
        let needed = trusted.needed();
        let (signers, unsound) = match trusted.signers_of(&manifest, &bytes, &note) {
            Ok(signers) => (signers, None),
            Err(error) if error.code() == Code::Refused => (Vec::new(), Some(error)),
            Err(error) => return Err(error),
        };
        let holds = unsound.is_none() && signers.len() >= needed;
        let (mood, word) = if holds { (Mood::Good, "signed") } else { (Mood::Bad, "not signed") };
        let mut text = Text::default();
        text.said(mood, word, format_args!("{} {}", manifest.name, manifest.version));
        tell(&mut text, &manifest, &bytes);
        text.field("signers", format_args!("{} of {needed} needed", signers.len()));
        for key in &signers {
            text.field("", key);
        }
        if let Some(error) = &unsound {
            text.append(&crate::console::error_text(error));
        }
        let names: Vec<String> = signers.iter().map(ToString::to_string).collect();
        let json = json!({
            "holds": holds,
            "needed": needed,
            "signers": names,
            "digest": placet::digest::Digest::of(&bytes),
            "unsound": unsound.as_ref().map(error_fields),
        });
        Ok(Answer::that(holds, text, json))
    }
}
