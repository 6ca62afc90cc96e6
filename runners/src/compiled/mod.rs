//! Where compiled components come from: a folder of earlier ones, a compiler in a process of its own, or this process.

mod key; // what vouches for a compiled component
mod counts; // what was compiled, loaded and ignored
mod trusted; // bytes that may be loaded
mod folder; // those of earlier processes
mod envelope; // what a compiler answers
mod compiler; // a process of its own

use core::hash::{Hash as _, Hasher};
use std::path::Path;
use std::sync::Arc;

use placet_core::digest::{Digest, to_hex};
use placet_core::error::Error;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

pub use self::compiler::Compiler;
pub use self::counts::Compilations;
pub use self::envelope::compile;
pub use self::key::CompiledKey;

use self::counts::Counts;
use self::folder::Folder;

/// Where compiled components come from.
#[derive(Debug, Default)]
pub(crate) struct Source {
    folder: Option<Folder>,
    compiler: Option<Compiler>,
    counts: Arc<Counts>,
}

/// Why a component cannot be had.
#[derive(Debug)]
pub(crate) enum Unloadable {
    /// It lies with the component.
    Component(String),
    /// It lies with the compiler.
    Compiler(Error),
}

impl Source {
    pub(crate) fn new(compiler: Option<Compiler>) -> Self {
        Self { compiler, ..Self::default() }
    }

    /// Keeps what is compiled in `folder` from now on, and looks there first.
    pub(crate) fn keep_in(&mut self, folder: &Path, key: CompiledKey) -> Result<(), Error> {
        self.folder = Some(Folder::open(folder, key)?);
        Ok(())
    }

    pub(crate) fn compilations(&self) -> Compilations {
        self.counts.read()
    }

    /// The component of `bytes`, loaded where that was compiled before, else compiled.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Component, Unloadable> {
        let settings = settings(engine);
        let name = name(digest, settings);
        if let Some(component) = self.load(engine, &name) {
            return Ok(component);
        }
        let component = match &self.compiler {
            None => Component::from_binary(engine, bytes)
                .map_err(|error| Unloadable::Component(format!("{error:#}")))?,
            Some(compiler) => {
                let made = compiler.compile(bytes, digest, settings);
                let made = made.map_err(Unloadable::Compiler)?;
                made.load(engine)
                    .map_err(|error| Unloadable::Compiler(compiler::rubbish(&error)))?
            }
        };
        self.counts.note_compiled();
        self.keep(&name, &component);
        Ok(component)
    }

    /// What does not check is not loaded, and is told: the run goes on with what is compiled anew.
    fn load(&self, engine: &Engine, name: &str) -> Option<Component> {
        let found = self.folder.as_ref()?.load(name).transpose()?;
        let loaded = found.and_then(|trusted| {
            trusted.load(engine).map_err(|error| format!("it cannot be loaded: {error:#}"))
        });
        match loaded {
            Ok(component) => {
                self.counts.note_loaded();
                Some(component)
            }
            Err(why) => {
                self.counts.note_ignored(format!("`{name}` was compiled anew: {why}"));
                None
            }
        }
    }

    fn keep(&self, name: &str, component: &Component) {
        let Some(folder) = &self.folder else { return };
        let kept = component.serialize().map_err(|error| error.to_string());
        let kept = kept.and_then(|bytes| folder.keep(name, &bytes).map_err(|e| e.to_string()));
        if let Err(why) = kept {
            self.counts.note_unkept(format!("`{name}` was not kept: {why}"));
        }
    }
}

/// What a compiled component depends on besides its bytes: wasmtime's version, the processor, every setting.
pub(crate) fn settings(engine: &Engine) -> Digest {
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest::from_bytes(hasher.0.finalize().into())
}

/// The name of the file of a component compiled by such settings.
fn name(component: Digest, settings: Digest) -> String {
    let parts = [&b"placet compiled 1\0"[..], component.as_bytes(), settings.as_bytes()];
    to_hex(Digest::of_parts(&parts).as_bytes())
}

/// The standard library's hashers tell little: 64 bits, which somebody could aim at. This one keeps all of it.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: the whole digest is taken.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipped;
    use wasmtime::Config;

    fn source(folder: &Path) -> Source {
        let mut source = Source::new(None);
        source.keep_in(folder, CompiledKey::from_bytes([7; 32])).unwrap();
        source
    }

    #[test]
    fn other_settings_have_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, sql) = (crate::engine::engine().unwrap(), shipped::sql().component);
        // No ticks: code that nobody could stop.
        let other = Engine::new(Config::new().epoch_interruption(false)).unwrap();
        let asked = Digest::of(&sql);
        assert_eq!(settings(&ours), settings(&crate::engine::engine().unwrap()));
        for engine in [&other, &ours] {
            let source = source(folder.path());
            source.component(engine, &sql, asked).unwrap();
            assert_eq!(source.compilations().compiled, 1);
        }
        let again = source(folder.path());
        again.component(&ours, &sql, asked).unwrap();
        assert_eq!((again.compilations().compiled, again.compilations().loaded), (0, 1));
        // One in the place of the other is not loaded, though we wrote both.
        let at = |engine| folder.path().join(name(asked, settings(engine)));
        std::fs::rename(at(&other), at(&ours)).unwrap();
        let moved = source(folder.path());
        moved.component(&ours, &sql, asked).unwrap();
        assert_eq!((moved.compilations().compiled, moved.compilations().ignored), (1, 1));
    }

    #[test]
    fn without_the_mark_changed_code_would_be_loaded() {
        let engine = crate::engine::engine().unwrap();
        let component = Component::from_binary(&engine, &shipped::sql().component).unwrap();
        let mut bytes = component.serialize().unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        // wasmtime itself does not see it: it is the mark that keeps it out.
        assert!(trusted::Trusted::checked(bytes.clone()).load(&engine).is_ok());
        let folder = tempfile::tempdir().unwrap();
        let kept = Folder::open(folder.path(), CompiledKey::from_bytes([7; 32])).unwrap();
        std::fs::write(folder.path().join("x"), [&[0; 32], &bytes[..]].concat()).unwrap();
        assert!(kept.load("x").unwrap_err().contains("mark"));
    }
}
