//! The same scripts for somebody who takes them another way, such as through a gate.

use core::fmt;

use super::SCRIPTS_PER_WORLD;
use super::world::{Dumps, World};
use crate::testing::exam::Exam;
use crate::testing::{Chance, Examined};

/// Random scripts of INSERT, UPDATE and DELETE over random tables, as [`random_dml`](super::random_dml) makes them, for
/// somebody who takes them to the database another way. The tables stand there from the first script on; others take
/// their place after every eighth.
///
/// ```no_run
/// # use placet_target::testing::Examined;
/// # fn driver() -> Box<dyn Examined> { unreachable!() }
/// # fn change_and_put_back(script: &str) {}
/// use placet_target::testing::DmlScripts;
///
/// let driver = driver();
/// let mut scripts = DmlScripts::new(&*driver, 20_261_123);
/// for _ in 0..1_000 {
///     let script = scripts.next_script();
///     let before = scripts.rows();
///     change_and_put_back(&script.join(";\n"));
///     scripts.compare(&scripts.rows(), &before)?;
/// }
/// # Ok::<(), String>(())
/// ```
pub struct DmlScripts<'a> {
    exam: Exam<'a>,
    chance: Chance,
    world: World,
    number: u64,
}

/// The rows of every table, for [`DmlScripts::compare`].
///
/// ```no_run
/// # use placet_target::testing::Examined;
/// # fn driver() -> Box<dyn Examined> { unreachable!() }
/// let driver = driver();
/// let mut scripts = placet_target::testing::DmlScripts::new(&*driver, 1);
/// scripts.next_script();
/// // Nobody ran it.
/// assert_eq!(scripts.rows(), scripts.rows());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DmlRows(Dumps);

impl fmt::Debug for DmlScripts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DmlScripts").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<'a> DmlScripts<'a> {
    /// The scripts that `seed` makes.
    pub fn new(of: &'a dyn Examined, seed: u64) -> Self {
        let exam = Exam { of };
        let mut chance = Chance::new(seed);
        let world = World::new(&exam, &mut chance);
        Self { exam, chance, world, number: 0 }
    }

    /// The statements of the next script, with its tables in place.
    pub fn next_script(&mut self) -> Vec<String> {
        if self.number.checked_rem(SCRIPTS_PER_WORLD) == Some(0) {
            self.world.drop_all(&self.exam);
            self.world = World::new(&self.exam, &mut self.chance);
            self.world.make(&self.exam);
        }
        self.number = self.number.saturating_add(1);
        let script = self.world.script(&self.exam, &mut self.chance);
        script.into_iter().map(|statement| statement.sql).collect()
    }

    /// The rows that are there now.
    pub fn rows(&self) -> DmlRows {
        DmlRows(self.world.dump(&self.exam))
    }

    /// Compares rows that were found with those that should be there.
    ///
    /// # Errors
    ///
    /// Says which rows of which table differ.
    pub fn compare(&self, found: &DmlRows, wanted: &DmlRows) -> Result<(), String> {
        self.world.compare(&found.0, &wanted.0)
    }
}
