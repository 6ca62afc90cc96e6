//! Numbers for projects: found by a hash of the id. A number is never given to another project.

use super::table::{Table, spread};
use crate::id::ProjectId;

#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    ids: Box<[ProjectId]>,
    table: Table,
}

impl FromIterator<ProjectId> for Numbers {
    /// Numbers them as they come; each comes once.
    fn from_iter<I: IntoIterator<Item = ProjectId>>(ids: I) -> Self {
        let ids: Box<[ProjectId]> = ids.into_iter().collect();
        let pairs: Vec<_> = ids.iter().map(|id| spread(id.as_u128())).zip(0..).collect();
        Self { table: Table::build(&pairs), ids }
    }
}

impl Numbers {
    #[inline]
    pub(super) fn get(&self, id: ProjectId) -> Option<usize> {
        self.table.find(spread(id.as_u128()), |at| self.ids.get(at) == Some(&id))
    }

    /// These, with one more behind the last.
    pub(super) fn with(&self, id: ProjectId) -> Self {
        self.ids.iter().copied().chain([id]).collect()
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ids).saturating_add(self.table.heap_bytes())
    }
}
