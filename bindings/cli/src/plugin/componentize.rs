//! A core module, and the component that comes of it.

use clap::ValueEnum;
use placet::error::{Code, Error};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::templates::WIT;

/// Both begin with four letters and a version: 1 for a core module.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// What a plugin was built for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum World {
    /// SQL databases.
    #[default]
    Sql,
    /// Endpoints and commands.
    Deploy,
}

impl World {
    const fn name(self) -> &'static str {
        match self {
            Self::Sql => "sql-runner",
            Self::Deploy => "deploy-runner",
        }
    }
}

/// Whether these bytes are a core module: no component yet.
pub(super) fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(CORE_MODULE)
}

/// Makes a component of a core module that was built with the bindings of `world`. It imports what the module calls,
/// and nothing else.
pub(super) fn componentize(module: &[u8], world: World) -> Result<Vec<u8>, Error> {
    encode(module, world).map_err(|why| {
        Error::new(Code::InvalidInput, format!("the module cannot be made a component: {why}"))
            .with_help("build it with the bindings of `wit/runner.wit`, and without WASI")
    })
}

fn encode(module: &[u8], world: World) -> Result<Vec<u8>, String> {
    // Theirs is a chain; its last link says what is wrong.
    macro_rules! said {
        ($tried:expr) => {
            $tried.map_err(|error| format!("{error:#}"))
        };
    }
    let mut resolve = Resolve::default();
    let package = said!(resolve.push_source("runner.wit", WIT))?;
    let world = said!(resolve.select_world(&[package], Some(world.name())))?;
    let mut module = module.to_vec();
    said!(embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8))?;
    let mut encoder = said!(ComponentEncoder::default().validate(true).module(&module))?;
    said!(encoder.encode())
}
