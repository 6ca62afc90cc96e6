//! What teams look after and what roles allow in a project, in bits of one list: a question finds all of it in
//! the same few lines of memory.

use super::project::Spot;
use super::words::{narrow, wide};

/// How the bits of a project lie.
///
/// First the numbers of the actions that some role has; then, for each team, a bit for each module, the
/// first of them for the project as a whole; then, for each role and action, a bit for each spot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Grid {
    // How many actions there are, and where the bits of roles begin.
    actions: u32,
    roles: u32,
    // How many words the bits of a team, and of a role and an action, take.
    module_words: u32,
    place_words: u32,
    // How many spots a module has.
    columns: u32,
}

/// The rules of a project, where they stand in its memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    words: &'a [u32],
    grid: Grid,
}

/// How many of each there are in a project.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) modules: usize,
    pub(super) environments: usize,
    pub(super) teams: usize,
    pub(super) roles: usize,
}

impl Shape {
    /// Rows and columns of the spots, with those for none in particular.
    const fn grid(self) -> (usize, usize) {
        (self.modules.saturating_add(1), self.environments.saturating_add(1))
    }

    /// How many words the bits of a team take, and how many those of a role and an action.
    const fn fields(self) -> (usize, usize) {
        let (rows, columns) = self.grid();
        (rows.div_ceil(32), rows.saturating_mul(columns).div_ceil(32))
    }

    /// Where the bits of roles begin with so many actions, and where they end.
    const fn layout(self, actions: usize) -> (usize, usize) {
        let (module_words, place_words) = self.fields();
        let roles = actions.saturating_add(self.teams.saturating_mul(module_words));
        let words = self.roles.saturating_mul(actions).saturating_mul(place_words);
        (roles, roles.saturating_add(words))
    }

    /// How many bytes the rules of such a project take with so many actions.
    pub(super) const fn bytes(self, actions: usize) -> usize {
        self.layout(actions).1.saturating_mul(size_of::<u32>())
    }
}

/// Rules in the making.
#[derive(Debug)]
pub(super) struct Making {
    shape: Shape,
    grid: Grid,
    words: Vec<u32>,
}

impl Making {
    /// Rules that allow nothing. `actions` are in ascending order, each once.
    pub(super) fn new(shape: Shape, actions: &[u16]) -> Self {
        let ((module_words, place_words), (roles, end)) =
            (shape.fields(), shape.layout(actions.len()));
        let mut words: Vec<u32> = actions.iter().map(|number| u32::from(*number)).collect();
        words.resize(end, 0);
        let grid = Grid {
            actions: narrow(actions.len()),
            roles: narrow(roles),
            module_words: narrow(module_words),
            place_words: narrow(place_words),
            columns: narrow(shape.grid().1),
        };
        let mut made = Self { shape, grid, words };
        for team in 0..narrow(shape.teams) {
            made.set(made.grid.team(team), 0);
        }
        made
    }

    fn set(&mut self, start: usize, at: usize) {
        if let Some(word) = self.words.get_mut(start.saturating_add(at / 32)) {
            *word |= 1 << (at % 32);
        }
    }

    /// The team looks after the module.
    pub(super) fn assign(&mut self, team: u32, module: u32) {
        self.set(self.grid.team(team), wide(module));
    }

    /// The role has the action at every spot that fits; 0 is any module, or any environment.
    pub(super) fn allow(&mut self, role: u32, action: u16, (module, environment): (u32, u32)) {
        let actions = self.words.get(..wide(self.grid.actions)).unwrap_or_default();
        let Ok(action) = actions.binary_search(&u32::from(action)) else { return };
        let (rows, columns) = self.shape.grid();
        let start = self.grid.field(role, action);
        for row in (0..rows).filter(|row| module == 0 || wide(module) == *row) {
            for column in 0..columns {
                if environment == 0 || wide(environment) == column {
                    self.set(start, row.saturating_mul(columns).saturating_add(column));
                }
            }
        }
    }

    pub(super) fn finish(self) -> (Vec<u32>, Grid) {
        (self.words, self.grid)
    }
}

impl Grid {
    #[inline]
    fn team(&self, team: u32) -> usize {
        wide(self.actions).wrapping_add(wide(team).wrapping_mul(wide(self.module_words)))
    }

    #[inline]
    fn field(&self, role: u32, action: usize) -> usize {
        let field = wide(role).wrapping_mul(wide(self.actions)).wrapping_add(action);
        wide(self.roles).wrapping_add(field.wrapping_mul(wide(self.place_words)))
    }
}

impl<'a> Rules<'a> {
    #[inline]
    pub(super) const fn new(words: &'a [u32], grid: Grid) -> Self {
        Self { words, grid }
    }

    /// The bit of `at` in a field of bits that begins at `start`.
    #[inline]
    fn is_set(&self, start: usize, at: usize) -> bool {
        let word = self.words.get(start.wrapping_add(at / 32)).copied().unwrap_or_default();
        word >> (at % 32) & 1 == 1
    }

    /// The place of the action with that number among this project's own.
    #[inline]
    pub(super) fn local_action(&self, number: u16) -> Option<usize> {
        let actions = self.words.get(..wide(self.grid.actions))?;
        actions.iter().position(|action| *action == u32::from(number))
    }

    /// The numbers of the actions that some role has.
    pub(super) fn actions(&self) -> impl Iterator<Item = u16> + use<'a> {
        let actions = self.words.get(..wide(self.grid.actions)).unwrap_or_default().iter();
        actions.filter_map(|number| u16::try_from(*number).ok())
    }

    #[inline]
    pub(super) fn bit(&self, spot: Spot) -> usize {
        wide(spot.module).wrapping_mul(wide(self.grid.columns)).wrapping_add(wide(spot.environment))
    }

    /// Whether the team looks after the module.
    #[inline]
    pub(super) fn looks_after(&self, team: u32, module: u32) -> bool {
        self.is_set(self.grid.team(team), wide(module))
    }

    /// Whether the role has a permission for the action there; `action` is the project's own number.
    #[inline]
    pub(super) fn allows(&self, role: u32, action: usize, bit: usize) -> bool {
        self.is_set(self.grid.field(role, action), bit)
    }

    /// The words of bits of a role and one of this project's actions.
    pub(super) fn places_of(&self, role: u32, action: usize) -> &'a [u32] {
        let start = self.grid.field(role, action);
        self.words.get(start..start.saturating_add(self.place_words())).unwrap_or_default()
    }

    /// The words of bits of a team.
    pub(super) fn modules_of(&self, team: u32) -> &'a [u32] {
        let start = self.grid.team(team);
        self.words.get(start..start.saturating_add(self.module_words())).unwrap_or_default()
    }

    pub(super) fn module_words(&self) -> usize {
        wide(self.grid.module_words)
    }

    pub(super) fn place_words(&self) -> usize {
        wide(self.grid.place_words)
    }
}
