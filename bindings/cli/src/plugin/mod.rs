//! Runner plugins, before a host installs them.

mod new; // a folder to start from
mod templates; // what is in it
mod check; // does it load, what does it ask for, and does it keep the contract?
mod run; // what would it do?
mod bench; // how long does it take?
mod package; // one folder to hand out
mod sign; // who vouches for it
mod verify; // did enough people sign it?
mod componentize; // a core module as a component
mod link; // what it is told while it runs
mod compile; // for this program itself

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use placet::SystemClock;
use placet::error::Error;
use placet::org::Slug;
use placet::runners::conformance::Candidate;
use placet::runners::{Grant, Manifest, WasmRunner};

pub(crate) use self::compile::compiler;

use crate::console::Answer;
use crate::files;
use crate::ground::Ground;

/// Runner plugins: new, check, run, bench, package, key, sign, verify.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Write a new plugin into a folder of its own.
    New(new::New),
    /// Say whether a plugin loads, what it is, what it asks for, and whether it keeps the contract.
    Check(check::Check),
    /// Ask a plugin what it would do, or let it do it, outside of any gate: for its author.
    Run(run::Run),
    /// Measure how long a plugin takes.
    Bench(bench::Bench),
    /// Put component, manifest and digest into a folder to hand out.
    Package(package::Package),
    /// Make a key to sign plugins with, or say its public half.
    Key(sign::Key),
    /// Sign a plugin's manifest and component.
    Sign(sign::Sign),
    /// Say who signed a plugin, and whether that is enough.
    Verify(verify::Verify),
    /// Compile the component on standard input to standard output. This program calls itself so.
    #[command(hide = true)]
    Compile(compile::Compile),
}

impl Plugin {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::New(command) => command.run(ground),
            Self::Check(command) => command.run(ground),
            Self::Run(command) => command.run(ground),
            Self::Bench(command) => command.run(ground),
            Self::Package(command) => command.run(ground),
            Self::Key(command) => command.run(),
            Self::Sign(command) => command.run(),
            Self::Verify(command) => command.run(),
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
    /// The bytes and the manifest.
    fn read(&self) -> Result<(Vec<u8>, Manifest), Error> {
        let path = self.manifest.clone().unwrap_or_else(|| self.file.with_extension("json"));
        let manifest = Manifest::from_json(&files::text(&path)?)?;
        Ok((files::bytes(&self.file)?, manifest))
    }

    /// What is granted: all that the manifest asks for, or what was named.
    fn granted(&self, manifest: &Manifest) -> BTreeSet<String> {
        let named = self.grant.as_ref().unwrap_or(&manifest.capabilities);
        named.iter().cloned().collect()
    }

    fn install(self, targets: Vec<(String, PathBuf)>) -> Result<Installed, Error> {
        let (bytes, manifest) = self.read()?;
        self.install_bytes(bytes, manifest, targets)
    }

    fn install_bytes(
        &self,
        bytes: Vec<u8>,
        manifest: Manifest,
        targets: Vec<(String, PathBuf)>,
    ) -> Result<Installed, Error> {
        let granted = self.granted(&manifest);
        let name: Slug = manifest.name.parse()?;
        let mut builder = WasmRunner::builder().clock(Arc::new(SystemClock::default())).plugin(
            name.clone(),
            bytes,
            manifest.clone(),
            grant(&granted),
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

    /// The same for an exam.
    fn candidate(&self) -> Result<Candidate, Error> {
        let (bytes, manifest) = self.read()?;
        let granted = grant(&self.granted(&manifest));
        let candidate = Candidate::new(bytes, manifest)?.grant(granted);
        Ok(match compiler() {
            Some(compiler) => candidate.compiler(compiler),
            None => candidate,
        })
    }
}

fn grant(capabilities: &BTreeSet<String>) -> Grant {
    capabilities.iter().fold(Grant::none().with_dry_run(), Grant::with)
}
