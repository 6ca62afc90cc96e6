//! The versions of the plugin interface that this host speaks. Each has its own bindings and its own adapter; what is
//! inside speaks the words of the newest that is published.

mod v0_1; // the published one
#[cfg(feature = "testing")]
mod v0_2; // one of tomorrow, for tests

use std::collections::BTreeSet;

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use crate::bindings::exports::placet::runner::runner::Info;
use crate::bindings::types::{ChangePlan, Finding, Job, Outcome};
use crate::state::State;

const PACKAGE: &str = "placet:runner/";

/// A version of the plugin interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    V0_1,
    #[cfg(feature = "testing")]
    V0_2,
}

/// Every version that this host speaks.
pub(crate) const SPOKEN: &[Version] = &[
    Version::V0_1,
    #[cfg(feature = "testing")]
    Version::V0_2,
];

/// A plugin in its sandbox, whatever version it was built for.
pub(crate) trait Guest {
    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<Info>;
    fn validate(&self, store: &mut Store<State>, payload: &str) -> wasmtime::Result<Vec<Finding>>;
    fn plan(
        &self,
        store: &mut Store<State>,
        job: &Job,
    ) -> wasmtime::Result<Result<ChangePlan, String>>;
    fn execute(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome>;
    fn verify(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome>;
}

/// A linked component, ready to be instantiated.
pub(crate) trait Ready: Send + Sync {
    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Guest>>;
}

/// A component, linked twice.
pub(crate) struct Compiled {
    /// With nothing linked but `context`; what else it imports traps.
    pub(crate) pure: Box<dyn Ready>,
    /// With its capabilities.
    pub(crate) reaching: Box<dyn Ready>,
}

impl core::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Compiled")
    }
}

impl Version {
    const fn number(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1.0",
            #[cfg(feature = "testing")]
            Self::V0_2 => "0.2.0",
        }
    }

    /// The version that a component was built for, by the names of what it imports and exports; else why there is none.
    pub(crate) fn of(names: &BTreeSet<String>) -> Result<Self, String> {
        let ours = names.iter().filter_map(|name| name.strip_prefix(PACKAGE)?.split_once('@'));
        let asked: BTreeSet<&str> = ours.map(|(_, version)| version).collect();
        let mut asked = asked.into_iter();
        match (asked.next(), asked.next()) {
            // What it lacks is told where it is linked.
            (None, _) => Ok(Self::V0_1),
            (Some(one), Some(other)) => {
                Err(format!("it mixes the versions {one} and {other} of the plugin interface"))
            }
            (Some(asked), None) => {
                let spoken = SPOKEN.iter().copied().find(|version| version.number() == asked);
                spoken.ok_or_else(|| {
                    let known: Vec<&str> = SPOKEN.iter().map(|version| version.number()).collect();
                    let known = known.join(" and ");
                    format!(
                        "it was built for version {asked} of the plugin interface, and this host speaks {known}"
                    )
                })
            }
        }
    }

    /// The word of an interface of this version, such as `sql`; `None` for what is another's.
    pub(crate) fn word(self, import: &str) -> Option<&str> {
        let (word, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
        (version == self.number()).then_some(word)
    }

    /// Links a component with what this version calls what.
    pub(crate) fn link(self, engine: &Engine, component: &Component) -> wasmtime::Result<Compiled> {
        match self {
            Self::V0_1 => v0_1::link(engine, component),
            #[cfg(feature = "testing")]
            Self::V0_2 => v0_2::link(engine, component),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Result<Version, String> {
        Version::of(&names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_component_has_one_version_and_it_is_one_of_ours() {
        let ours = ["placet:runner/sql@0.1.0", "placet:runner/runner@0.1.0"];
        assert_eq!(of(&ours), Ok(Version::V0_1));
        assert!(of(&["placet:runner/runner@0.9.0"]).unwrap_err().contains("speaks 0.1.0"));
        let mixed = of(&["placet:runner/sql@0.1.0", "placet:runner/runner@0.9.0"]);
        assert!(mixed.unwrap_err().contains("mixes"));
        // A version that only looks like ours is another.
        for near in ["0.1.0-rc.1", "0.1", "0.1.1", "00.1.0", ""] {
            assert!(of(&[&format!("placet:runner/runner@{near}")]).is_err(), "{near}");
        }
        assert_eq!(Version::V0_1.word("placet:runner/sql@0.1.0"), Some("sql"));
        for foreign in ["placet:runner/sql@0.1.1", "wasi:cli/sql@0.1.0", "placet:runner/sql"] {
            assert_eq!(Version::V0_1.word(foreign), None, "{foreign}");
        }
    }
}
