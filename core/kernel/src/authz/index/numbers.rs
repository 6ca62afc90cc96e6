//! Numbers for projects: found by a hash of the id. A number is never given to another project.

use super::table::{self, spread};
use crate::id::ProjectId;

#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    ids: Box<[ProjectId]>,
    slots: Box<[u32]>,
    place_bits: u32,
}

impl FromIterator<ProjectId> for Numbers {
    /// Numbers them as they come; each comes once.
    fn from_iter<I: IntoIterator<Item = ProjectId>>(ids: I) -> Self {
        let ids: Box<[ProjectId]> = ids.into_iter().collect();
        let place_bits = table::place_bits(ids.len());
        let mut slots = vec![0; table::slots(ids.len())];
        table::fill(&mut slots, place_bits, ids.iter().map(|id| spread(id.as_u128())).zip(0..));
        Self { ids, slots: slots.into(), place_bits }
    }
}

impl Numbers {
    #[inline]
    pub(super) fn get(&self, id: ProjectId) -> Option<usize> {
        let is_it = |at| self.ids.get(at) == Some(&id);
        table::find(&self.slots, self.place_bits, spread(id.as_u128()), is_it)
    }

    /// These, with one more behind the last.
    pub(super) fn with(&self, id: ProjectId) -> Self {
        self.ids.iter().copied().chain([id]).collect()
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ids).saturating_add(size_of_val(&*self.slots))
    }
}
