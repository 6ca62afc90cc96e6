//! A folder to start from.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use placet::error::{Code, Error};
use placet::org::Slug;
use serde_json::json;

use super::templates::{Language, SDK};
use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Write a new plugin into a folder of its own: sources, manifest, a payload to try, and a README with every command.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// Its name: small letters, digits and hyphens.
    name: Slug,
    /// What it is written in.
    #[arg(long, value_enum)]
    language: Language,
    /// The folder. The default is the name; it must not be there yet.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where placet's plugin SDK lies, for Rust: the folder `runners/plugins/sdk` of a copy of placet.
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

impl New {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let folder = self.directory.unwrap_or_else(|| self.name.as_str().into());
        let sdk = match &self.sdk {
            _ if !self.language.needs_sdk() => None,
            Some(sdk) => Some(whole(sdk)?),
            None => {
                return Err(Error::new(Code::InvalidInput, "a plugin in Rust needs the SDK")
                    .with_help("name `runners/plugins/sdk` of a copy of placet with --sdk"));
            }
        };
        fs::create_dir(&folder).map_err(|source| files::unwritable(&folder, source))?;
        let mut written = Vec::new();
        for (name, text) in self.language.files() {
            let mut text = text.replace(self.language.name(), self.name.as_str());
            if let Some(sdk) = &sdk {
                text = text.replace(SDK, sdk);
            }
            let path = folder.join(name);
            write(&path, &text).map_err(|source| files::unwritable(&path, source))?;
            written.push(name);
        }
        let mut text = Text::default();
        text.said(Mood::Good, "written", folder.display());
        for name in &written {
            text.line(format_args!("  {name}"));
        }
        text.line("README.md has every command, from here to a package.");
        let json =
            json!({"name": self.name, "folder": folder.display().to_string(), "files": written});
        Ok(Answer::ok(text, json))
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// The path from the root, as text that can stand in a TOML string.
fn whole(sdk: &Path) -> Result<String, Error> {
    let path = fs::canonicalize(sdk).map_err(|source| files::unreadable(sdk, source))?;
    let is_sdk = path.join("Cargo.toml").is_file();
    let text = path.to_str().filter(|text| is_sdk && !text.contains(['"', '\\', '\n']));
    text.map(ToOwned::to_owned).ok_or_else(|| {
        let sentence = format!("`{}` is not the folder of the SDK", sdk.display());
        Error::new(Code::InvalidInput, sentence)
            .with_help("name `runners/plugins/sdk` of a copy of placet")
    })
}
