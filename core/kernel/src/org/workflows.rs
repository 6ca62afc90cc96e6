//! The workflows of one project, every version of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Name, Slug, WorkflowRow};
use crate::error::{Code, Error};
use crate::workflow::Definition;

/// All versions of all workflows of a project, by name.
#[derive(Clone, Debug)]
pub(crate) struct Workflows {
    by_name: BTreeMap<Slug, BTreeMap<u32, (Arc<Definition>, bool)>>,
}

impl Workflows {
    pub(crate) const fn new() -> Self {
        Self { by_name: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, row: WorkflowRow) {
        let WorkflowRow { definition, is_retired } = row;
        let versions = self.by_name.entry(definition.name.clone()).or_default();
        versions.insert(definition.version, (Arc::new(definition), is_retired));
    }

    /// That version of that workflow, whether it is retired or not.
    pub(crate) fn version(&self, name: &Slug, version: u32) -> Option<&Arc<Definition>> {
        self.by_name.get(name)?.get(&version).map(|(definition, _)| definition)
    }

    /// The latest version of that workflow, and whether it is retired.
    pub(crate) fn latest(&self, name: &Slug) -> Option<&(Arc<Definition>, bool)> {
        self.by_name.get(name)?.last_key_value().map(|(_, latest)| latest)
    }

    /// The latest version of each, by name, and whether it is retired.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(Arc<Definition>, bool)> {
        self.by_name.values().filter_map(|versions| Some(versions.last_key_value()?.1))
    }

    /// Whether a way of any version of any of them takes that role.
    pub(crate) fn names_role(&self, role: &Name) -> bool {
        let versions = self.by_name.values().flat_map(BTreeMap::values);
        versions
            .flat_map(|(definition, _)| &definition.transitions)
            .any(|way| way.roles.contains(role))
    }

    /// How many versions are stored of all.
    pub(crate) fn stored(&self) -> usize {
        self.by_name.values().map(BTreeMap::len).sum()
    }

    /// What a new request of that workflow goes through.
    pub(crate) fn to_begin(&self, name: &Slug) -> Result<Arc<Definition>, Error> {
        if let Some(built_in) = Definition::built_in(name.as_str()) {
            return Ok(Arc::clone(built_in));
        }
        match self.latest(name) {
            Some((definition, false)) => Ok(Arc::clone(definition)),
            Some((_, true)) => {
                Err(Error::new(Code::NotFound, format!("the workflow `{name}` is retired"))
                    .with_help("name another, or store a new version of it"))
            }
            None => Err(Error::new(Code::NotFound, format!("there is no workflow `{name}` here"))
                .with_help("name `change`, `artifact`, or a workflow of this project")),
        }
    }
}
