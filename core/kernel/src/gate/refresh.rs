//! Keeping up with other nodes on the same store.

use super::Gate;
use crate::error::Error;
use crate::id::ProjectId;

impl Gate {
    /// Waits until the log has more than `longer_than` entries, at most `wait_ms` milliseconds, and returns
    /// how many it has then. A store that one process has to itself returns at once.
    ///
    /// Fails as the store does.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let seen = gate.wait_for_log(0, 1_000)?;
    /// office.pending(&gate)?;
    /// assert!(gate.wait_for_log(seen, 1_000)? > seen);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn wait_for_log(&self, longer_than: u64, wait_ms: u64) -> Result<u64, Error> {
        Ok(self.parts.store.wait_for_log(longer_than, wait_ms)?)
    }

    /// Reads the projects again that another node changed since this gate read them, and returns how many
    /// those were. What this gate remembers goes where another one erased a text. A decision never needs it, for it reads the epoch itself; it takes the reading off the
    /// next decision's path.
    ///
    /// Fails as the store does; what was read before stays.
    ///
    /// ```
    /// use placet_core::gate::Gate;
    /// use placet_core::org::command::CreateTeam;
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office};
    ///
    /// let parts = Bench::on(std::sync::Arc::new(MemoryStore::default()))?.parts;
    /// let (here, there) = (Gate::new(parts.clone()), Gate::new(parts));
    /// let office = Office::found(&here)?;
    /// there.projects(&office.ana)?;
    /// assert_eq!(there.refresh()?, 0);
    /// let (project, name) = (office.project, "Storage".parse()?);
    /// here.manage(&office.root, &CreateTeam { project, name })?;
    /// assert_eq!(there.refresh()?, 1);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn refresh(&self) -> Result<usize, Error> {
        let known: Vec<_> = self.shelves().iter().map(|(id, (at, _))| (*id, *at)).collect();
        // What cannot be read keeps nothing else from being read.
        let mut first_failure = self.catch_up().err();
        for (project, _) in &known {
            let read = self.consult(|txn| txn.shelf(*project).map(|_read| ()));
            first_failure = first_failure.or(read.err());
        }
        if let Some(failure) = first_failure {
            return Err(failure);
        }
        let shelves = self.shelves();
        let at = |project: &ProjectId| shelves.get(project).map(|(at, _)| *at);
        Ok(known.iter().filter(|(project, before)| at(project) != Some(*before)).count())
    }
}
