//! What a command stands on: the folder, the gate in it, and who is calling.

use std::path::{Path, PathBuf};

use placet::error::{Code, Error};
use placet::identity::Caller;
use placet::policies::CedarAuthorizer;
use placet::store::Store;
use placet::store_sled::{Options as StoreOptions, SledStore};
use placet::{Gate, GateBuilder};

use crate::args::Options;
use crate::console::Console;
use crate::files;
use crate::plugin::compiler;

/// The options that every command takes, and what is made of them.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    options: Options,
    console: Console,
}

impl Ground {
    pub(crate) const fn new(options: Options, console: Console) -> Self {
        Self { options, console }
    }

    pub(crate) const fn console(&self) -> Console {
        self.console
    }

    /// The folder, whether it is there or not.
    pub(crate) fn folder(&self) -> Result<&Path, Error> {
        self.options.folder.as_deref().ok_or_else(|| {
            Error::new(Code::InvalidInput, "no folder is named")
                .with_help("name the gate's folder with --folder, or in PLACET_FOLDER")
        })
    }

    /// Who asks, as the log will say.
    pub(crate) fn caller(&self) -> Result<Caller, Error> {
        let user = self.options.principal.ok_or_else(|| {
            Error::new(Code::InvalidInput, "no principal is named")
                .with_help("name who asks with --as usr_…, or in PLACET_AS")
        })?;
        // Who runs this program may not be who they say: the log has both.
        Ok(with_os_user(Caller::authenticated(user).via("cli".parse()?)))
    }

    /// The gate in the folder, and who asks. A folder without a gate is not made into one by looking at it.
    pub(crate) fn open(&self) -> Result<(Gate, Caller), Error> {
        let caller = self.caller()?;
        let folder = self.folder()?;
        if !self.is_elsewhere() && !folder.join("store").is_dir() {
            let sentence = format!("there is no gate in `{}`", folder.display());
            return Err(Error::new(Code::NotFound, sentence)
                .with_help("check the path, or found one with `placet org bootstrap`"));
        }
        Ok((self.builder(folder)?.open()?, caller))
    }

    /// The store alone, without a gate: nothing is decided and nothing becomes due. The folder's is read whole
    /// first where that is asked for.
    pub(crate) fn store(&self, full_check: bool) -> Result<Box<dyn Store>, Error> {
        #[cfg(feature = "postgres")]
        if let Some(url) = &self.options.postgres {
            return Ok(Box::new(placet::store_postgres::PostgresStore::open(url)?));
        }
        let folder = self.folder()?;
        if !folder.join("store").is_dir() {
            let sentence = format!("there is no store in `{}`", folder.display());
            let help = "name the folder of a gate with --folder";
            return Err(Error::new(Code::NotFound, sentence).with_help(help));
        }
        let options = StoreOptions::default().with_full_check(full_check);
        Ok(Box::new(SledStore::open_with(folder.join("store"), &options)?))
    }

    /// What a gate in `folder` is opened with.
    pub(crate) fn builder(&self, folder: &Path) -> Result<GateBuilder, Error> {
        // What is due by time is looked at once, at the opening: this process is gone soon.
        let mut builder = Gate::builder(folder).housekeeping(false);
        for (file, text) in self.policies(&[])? {
            builder = builder.host_policies(file, text);
        }
        for (name, path) in self.sqlite()? {
            builder = builder.sqlite_target(name, path);
        }
        if let Some(compiler) = compiler() {
            builder = builder.compiler(compiler);
        }
        #[cfg(feature = "postgres")]
        if let Some(url) = &self.options.postgres {
            builder = builder.postgres(url);
        }
        Ok(builder)
    }

    /// The SQLite files that changes may have as their target, by name.
    pub(crate) fn sqlite(&self) -> Result<Vec<(String, PathBuf)>, Error> {
        let parsed = self.options.sqlite.iter().map(|text| match text.split_once('=') {
            Some((name, path)) if !path.is_empty() => Ok((name.to_owned(), PathBuf::from(path))),
            Some(_) | None => {
                Err(Error::new(Code::InvalidInput, format!("`{text}` names no SQLite file"))
                    .with_help("write --sqlite NAME=FILE, for example --sqlite shop=shop.db"))
            }
        });
        parsed.collect()
    }

    /// The policies of the host, and `more`, as file name and text.
    pub(crate) fn policies(&self, more: &[PathBuf]) -> Result<Vec<(String, String)>, Error> {
        let paths = self.options.policies.iter().chain(more);
        paths.map(|path| Ok((path.display().to_string(), files::text(path)?))).collect()
    }

    /// The shipped policies with those of the host.
    pub(crate) fn authorizer(
        &self,
        more: &[PathBuf],
        permits: bool,
    ) -> Result<CedarAuthorizer, Error> {
        let mut builder = CedarAuthorizer::builder().allow_host_permits(permits);
        for (file, text) in self.policies(more)? {
            builder = builder.host_policies(file, text);
        }
        builder.build()
    }

    /// Whether the state is not in the folder.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        #[cfg(feature = "postgres")]
        {
            self.options.postgres.is_some()
        }
        #[cfg(not(feature = "postgres"))]
        {
            false
        }
    }
}

/// With the number of the operating system's user who runs this program, where it has numbers.
#[cfg(unix)]
fn with_os_user(caller: Caller) -> Caller {
    caller.as_os_user(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
const fn with_os_user(caller: Caller) -> Caller {
    caller
}
