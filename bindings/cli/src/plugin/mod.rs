//! Runner plugins, before a host installs them.

mod check; // does it load, and what does it ask for?
mod run; // what would it do?
mod link; // what it is told while it runs
mod compile; // for this program itself

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use placet::SystemClock;
use placet::error::Error;
use placet::org::Slug;
use placet::runners::{Grant, Manifest, WasmRunner};

pub(crate) use self::compile::compiler;

use crate::console::Answer;
use crate::files;
use crate::ground::Ground;

/// Runner plugins: check, run.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Say whether a plugin loads, what it is and what it asks for.
    Check(check::Check),
    /// Ask a plugin what it would do, or let it do it, outside of any gate: for its author.
    Run(run::Run),
    /// Compile the component on standard input to standard output. This program calls itself so.
    #[command(hide = true)]
    Compile(compile::Compile),
}

impl Plugin {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Check(command) => command.run(ground),
            Self::Run(command) => command.run(ground),
            Self::Compile(command) => command.run(),
        }
    }
}

/// A plugin and what is granted to it.
#[derive(Args, Debug)]
struct Component {
    /// The component.
    file: PathBuf,
    /// Its manifest. The default is the file beside it that ends in `.json`.
    manifest: Option<PathBuf>,
    /// Grant only these capabilities. The default is all that the manifest asks for.
    #[arg(long, value_name = "CAPABILITY")]
    grant: Option<Vec<String>>,
}

/// A plugin in a sandbox, and what it is called there.
#[derive(Debug)]
struct Installed {
    runner: WasmRunner,
    name: Slug,
    manifest: Manifest,
    granted: BTreeSet<String>,
}

impl Component {
    fn install(self, targets: Vec<(String, PathBuf)>) -> Result<Installed, Error> {
        let beside = || self.file.with_extension("json");
        let path = self.manifest.clone().unwrap_or_else(beside);
        let manifest = Manifest::from_json(&files::text(&path)?)?;
        let granted: BTreeSet<String> =
            self.grant.unwrap_or_else(|| manifest.capabilities.clone()).into_iter().collect();
        let grant = granted.iter().fold(Grant::none().with_dry_run(), Grant::with);
        let name: Slug = manifest.name.parse()?;
        let component = files::bytes(&self.file)?;
        let mut builder = WasmRunner::builder().clock(Arc::new(SystemClock::default())).plugin(
            name.clone(),
            component,
            manifest.clone(),
            grant,
        );
        if let Some(compiler) = compiler() {
            builder = builder.compiler(compiler);
        }
        for (target, path) in targets {
            let file = placet::runners::SqliteTarget::new(path);
            builder = builder.target(target.parse()?, Arc::new(file));
        }
        let runner = builder.build()?;
        Ok(Installed { runner, name, manifest, granted })
    }
}
