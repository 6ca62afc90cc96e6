//! An installed plugin: what it may reach, and its component, compiled once when first needed.

mod imports;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::RunnerInfo;

use crate::bindings::exports::placet::runner::runner::Info;
use crate::compiled::{Source, Unloadable};
use crate::convert::clean;
use crate::engine::Sandbox;
use crate::manifest::{Grant, Manifest};
use crate::version::{Compiled, Version};

/// The capabilities that this host provides. `context` and `types` reach nothing.
const PROVIDED: [&str; 3] = ["command", "http", "sql"];

/// The longest payload schema of a plugin, in bytes: people and forms read it.
const SCHEMA_BYTES_MAX: usize = 256 << 10;

/// One installed plugin.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) name: Slug,
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
    pub(crate) grant: Grant,
    /// What is linked for it: imports, manifest and grant all name it.
    pub(crate) capabilities: Vec<String>,
    pub(crate) info: OnceLock<RunnerInfo>,
    /// What it was built for.
    version: Version,
    component: Cow<'static, [u8]>,
    compiled: OnceLock<Arc<Compiled>>,
}

impl Plugin {
    /// Looks at a component's imports and installs it, or says what is missing. Runs nothing of it.
    pub(crate) fn install(
        name: Slug,
        component: Cow<'static, [u8]>,
        manifest: Manifest,
        grant: Grant,
    ) -> Result<Self, Error> {
        let mut capabilities = Vec::new();
        let found = imports::of_component(&component).map_err(|error| refuse(&name, &error))?;
        let version = Version::of(&found.all()).map_err(|error| refuse(&name, &error))?;
        for import in found.imports {
            let word = version.word(&import);
            if let Some(capability) = capability_of(&name, (&import, word), &manifest, &grant)? {
                capabilities.push(capability);
            }
        }
        Ok(Self {
            digest: Digest::of(&component),
            name,
            manifest,
            grant,
            capabilities,
            info: OnceLock::new(),
            version,
            component,
            compiled: OnceLock::new(),
        })
    }

    /// What people are told of it: what it says of itself, beside what the host knows.
    pub(crate) fn described(&self, said: Info) -> Result<RunnerInfo, Error> {
        let name = &self.name;
        if said.payload_schema.len() > SCHEMA_BYTES_MAX {
            let message = format!(
                "the plugin `{name}` has a payload schema of more than {SCHEMA_BYTES_MAX} bytes"
            );
            return Err(Error::new(Code::RunnerFault, message)
                .with_help("use another build of the plugin, and tell its author"));
        }
        let mut info = RunnerInfo::new(name.clone(), clean(&self.manifest.version), self.digest);
        info.title = clean(&said.title);
        info.payload_schema = said.payload_schema;
        info.capabilities.clone_from(&self.capabilities);
        info.publishes.clone_from(&self.manifest.publishes);
        info.dry_run = self.grant.allows_dry_run();
        Ok(info)
    }

    /// Whether it speaks SQL: then payload and settings are in the words of the SQL review, which the host reads too.
    pub(crate) fn reads_sql(&self) -> bool {
        self.capabilities.iter().any(|capability| capability == "sql")
    }

    /// The compiled component; loads or compiles it when nobody did before.
    pub(crate) fn compiled(
        &self,
        sandbox: &Sandbox,
        source: &Source,
    ) -> Result<Arc<Compiled>, Error> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(Arc::clone(compiled));
        }
        let compiled = sandbox.compile((&self.component, self.digest), self.version, source);
        let compiled = compiled.map_err(|why| {
            let error = match why {
                Unloadable::Component(why) => refuse(&self.name, &why),
                Unloadable::Compiler(error) => error.with_detail("plugin", &self.name),
            };
            error.with_detail("digest", self.digest)
        })?;
        Ok(Arc::clone(self.compiled.get_or_init(|| compiled)))
    }
}

fn refuse(name: &Slug, why: &str) -> Error {
    Error::new(Code::RunnerFault, format!("the plugin `{name}` cannot be loaded: {why}")).with_help(
        "install a component built for the package `placet:runner@0.1.0`, for example with the plugin SDK",
    )
}

// What the import asks for: a capability, nothing of weight, or something that refuses the plugin.
fn capability_of(
    name: &Slug,
    (import, word): (&str, Option<&str>),
    manifest: &Manifest,
    grant: &Grant,
) -> Result<Option<String>, Error> {
    let refuse = |why: String, help: String| {
        Err(Error::new(Code::RunnerFault, format!("the plugin `{name}` {why}"))
            .with_help(help)
            .with_detail("import", import))
    };
    match word {
        Some("context" | "types") => Ok(None),
        Some(word) if PROVIDED.contains(&word) => {
            if !manifest.capabilities.iter().any(|asked| asked == word) {
                return refuse(
                    format!("imports `{word}`, which its manifest does not ask for"),
                    format!(
                        "add `{word}` to `capabilities` in its manifest, or use another build of it"
                    ),
                );
            }
            if !grant.allows(word) {
                return refuse(
                    format!("asks for `{word}`, which is not granted"),
                    format!("grant `{word}` to it, or do not install it"),
                );
            }
            Ok(Some(word.to_owned()))
        }
        Some(_) | None => refuse(
            format!("imports `{import}`, which this host does not provide"),
            "build it without this import; the plugin SDK needs no WASI".to_owned(),
        ),
    }
}
