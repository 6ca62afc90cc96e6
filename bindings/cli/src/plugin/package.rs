//! One folder to hand out and to sign.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use placet::digest::Digest;
use placet::error::{Code, Error};
use placet::runner::Runner as _;
use serde_json::json;

use super::Component;
use super::componentize::{World, componentize, is_core_module};
use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Put component, manifest and digest into a folder to hand out. A core module, as a compiler of C makes one, is made a
/// component. What does not load is not packaged. `plugin.note` is the text that is signed: with a signature line below
/// it, as `sigsum` or `note` write them, it is what a host that asks for signatures takes.
#[derive(Args, Debug)]
pub(crate) struct Package {
    #[command(flatten)]
    component: Component,
    /// The folder; it must not be there yet.
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// What a core module was built for.
    #[arg(long, value_enum, default_value_t)]
    world: World,
}

impl Package {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let Self { component, output, world } = self;
        let (bytes, manifest) = component.read()?;
        let is_made = is_core_module(&bytes);
        let bytes = if is_made { componentize(&bytes, world)? } else { bytes };
        let plugin = component.install_bytes(bytes.clone(), manifest.clone(), Vec::new())?;
        plugin.runner.warm_up()?;
        let info = plugin.runner.describe(&plugin.name)?;
        let digest = Digest::of(&bytes);
        let json = serde_json::to_vec_pretty(&manifest).map_err(|source| {
            Error::new(Code::Internal, "the manifest cannot be written").with_source(source)
        })?;
        fs::create_dir(&output).map_err(|source| files::unwritable(&output, source))?;
        let parts = [
            ("plugin.wasm", bytes.clone()),
            ("plugin.json", json),
            ("plugin.sha256", format!("{digest}  plugin.wasm\n").into_bytes()),
            ("plugin.note", manifest.signed_text(&bytes)?.into_bytes()),
        ];
        for (name, bytes) in &parts {
            let path = output.join(name);
            fs::write(&path, bytes).map_err(|source| files::unwritable(&path, source))?;
        }
        let mut text = Text::default();
        text.said(Mood::Good, "packaged", format_args!("{} {}", plugin.name, info.version));
        text.field("folder", output.display());
        text.field("component", format_args!("{} bytes", bytes.len()));
        text.field("digest", digest);
        if is_made {
            text.line("The core module was made a component.");
        }
        let json = json!({
            "plugin": json_of(&info)?,
            "manifest": json_of(&manifest)?,
            "folder": output.display().to_string(),
            "component_bytes": bytes.len(),
            "componentized": is_made,
        });
        Ok(Answer::ok(text, json))
    }
}
