//! What questions about a project read beside the rows of whoever is asked about, in one run of memory.

use std::sync::Arc;

use super::rules::{Grid, Rules};
use super::words::{IdWords, id_bits, id_words, narrow, wide};
use crate::id::{EnvironmentId, ModuleId, ProjectId};

/// The id of the project; its modules and its environments, each in ascending order; its rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    // Of several projects, where an index was made in one go.
    shared: Arc<[u32]>,
    start: u32,
    end: u32,
    // Where each part begins.
    environments: u32,
    rules: u32,
    grid: Grid,
}

const ID: usize = size_of::<IdWords>() / size_of::<u32>();

impl Block {
    /// What is in `modules` and `environments` is in ascending order.
    pub(super) fn new(
        id: ProjectId,
        modules: &[ModuleId],
        environments: &[EnvironmentId],
        (rules, grid): (Vec<u32>, Grid),
    ) -> Self {
        let mut words = id_words(id.as_u128()).to_vec();
        words.extend(modules.iter().flat_map(|id| id_words(id.as_u128())));
        let environments_at = narrow(words.len());
        words.extend(environments.iter().flat_map(|id| id_words(id.as_u128())));
        let rules_at = narrow(words.len());
        words.extend(rules);
        let (environments, rules, end) = (environments_at, rules_at, narrow(words.len()));
        Self { shared: words.into(), start: 0, end, environments, rules, grid }
    }

    /// Puts what they read side by side: apart, each would be on a page of memory of its own.
    pub(super) fn gather(mut blocks: Vec<&mut Self>) {
        let mut shared: Vec<u32> = Vec::new();
        for block in &mut blocks {
            // What would stand where no number reaches stays apart.
            if shared.len().saturating_add(block.words().len()) < wide(u32::MAX) {
                let start = narrow(shared.len());
                shared.extend_from_slice(block.words());
                (block.start, block.end) = (start, narrow(shared.len()));
                block.shared = Arc::default();
            }
        }
        let shared: Arc<[u32]> = shared.into();
        for block in blocks.into_iter().filter(|block| block.shared.is_empty()) {
            block.shared = Arc::clone(&shared);
        }
    }

    #[inline]
    fn words(&self) -> &[u32] {
        self.shared.get(wide(self.start)..wide(self.end)).unwrap_or_default()
    }

    pub(super) fn id(&self) -> ProjectId {
        let id = self.words().first_chunk().map(id_bits);
        ProjectId::from_u128(id.unwrap_or_default())
    }

    #[inline]
    fn part(&self, from: usize, to: u32) -> &[u32] {
        self.words().get(from..wide(to)).unwrap_or_default()
    }

    #[inline]
    fn modules(&self) -> &[IdWords] {
        self.part(ID, self.environments).as_chunks().0
    }

    #[inline]
    fn environments(&self) -> &[IdWords] {
        self.part(wide(self.environments), self.rules).as_chunks().0
    }

    /// How many modules and environments there are.
    pub(super) fn counts(&self) -> (u32, u32) {
        (narrow(self.modules().len()), narrow(self.environments().len()))
    }

    /// The number of a module.
    pub(super) fn module(&self, id: ModuleId) -> Option<u32> {
        number(self.modules(), id.as_u128())
    }

    /// The number of an environment.
    pub(super) fn environment(&self, id: EnvironmentId) -> Option<u32> {
        number(self.environments(), id.as_u128())
    }

    /// The module of that number.
    pub(super) fn module_id(&self, number: u32) -> Option<ModuleId> {
        self.modules().get(wide(number)).map(|id| ModuleId::from_u128(id_bits(id)))
    }

    /// The environment of that number.
    pub(super) fn environment_id(&self, number: u32) -> Option<EnvironmentId> {
        self.environments().get(wide(number)).map(|id| EnvironmentId::from_u128(id_bits(id)))
    }

    #[inline]
    pub(super) fn rules(&self) -> Rules<'_> {
        let rules = self.words().get(wide(self.rules)..).unwrap_or_default();
        Rules::new(rules, self.grid)
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(self.words())
    }
}

impl PartialEq for Block {
    /// Whether both hold the same, wherever it stands.
    fn eq(&self, other: &Self) -> bool {
        let Self { shared: _, start: _, end: _, environments, rules, grid } = self;
        (environments, rules, grid) == (&other.environments, &other.rules, &other.grid)
            && self.words() == other.words()
    }
}

/// Up to so many ids are compared one after the other: the processor does several at once, and guesses right.
const FEW: usize = 32;

/// Where an id stands in an ascending list.
#[inline]
fn number(ids: &[IdWords], id: u128) -> Option<u32> {
    let id = id_words(id);
    let at = if ids.len() <= FEW {
        ids.iter().position(|other| *other == id)
    } else {
        ids.binary_search(&id).ok()
    };
    at.map(narrow)
}
