//! Numbers for actions.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::authz::Action;

/// Actions by number. A number is never given to another action.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    names: Vec<Action>,
    // Tells the numbers of one table from those of another.
    pub(super) table: u32,
}

static TABLES: AtomicU32 = AtomicU32::new(1);

impl Default for Actions {
    fn default() -> Self {
        Self { names: Vec::new(), table: TABLES.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Actions {
    pub(crate) fn number(&self, action: &Action) -> Option<u16> {
        u16::try_from(self.names.iter().position(|name| name == action)?).ok()
    }

    /// The action's number, a new one where it has none; `None` when there are no more.
    pub(crate) fn add(&mut self, action: &Action) -> Option<u16> {
        if let Some(number) = self.number(action) {
            return Some(number);
        }
        let number = u16::try_from(self.names.len()).ok()?;
        self.names.push(action.clone());
        Some(number)
    }

    pub(super) fn name(&self, number: u16) -> Option<&Action> {
        self.names.get(usize::from(number))
    }
}
