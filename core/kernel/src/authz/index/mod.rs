//! The compiled index: the rule of the permission model over everything, ready to be asked.
//!
//! Built from rows alone, without a policy engine. It never says yes by itself where something changes: the
//! authorizer judges the rows that it names.

mod words;
mod spine;
mod table;
mod actions;
mod numbers;
mod flags;
mod rows;
mod shard;
mod people;
mod members;
mod outline;
mod rules;
mod block;
mod size;
mod project;
mod compile;
mod single;
mod check;
mod paging;
mod bits;
mod reverse;
mod places;
mod explain;
mod change;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod reverse_tests;
#[cfg(test)]
mod wide_tests;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use actions::Actions;
use block::Block;
pub use check::{ActionHandle, PlaceHandle};
pub use explain::{IndexExplanation, Leg};
use flags::Flags;
use numbers::Numbers;
use outline::Outline;
pub use paging::Paging;
use people::People;
pub(crate) use places::Listing;
pub use places::Places;
use project::ProjectIndex;
pub(crate) use project::{NotLive, PlaceIds, Spot};
pub use reverse::WhoCan;
pub(crate) use reverse::by_role;
pub(crate) use single::SingleIndex;
pub(crate) use size::rights_bytes;
use spine::Spine;

use crate::id::{ProjectId, UserId};
use crate::org::{GlobalRoleGrant, Project, Row, User};

/// Who may do what where, over the whole organisation, at one moment of it: the answer to `can`.
///
/// It never changes; a change makes a new one that shares what is the same. Asking takes no lock and no
/// memory. Both ends of every interval are compared at each question, so an index does not age by time.
///
/// ```
/// use placet_core::authz::{Action, Scope};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let index = gate.index()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// assert!(index.can(office.bo.user(), &Action::APPROVE, place, gate.now()));
/// assert!(!index.can(office.ana.user(), &Action::APPROVE, place, gate.now()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Index {
    actions: Arc<Actions>,
    people: People,
    numbers: Arc<Numbers>,
    projects: Spine<ProjectIndex>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("projects", &self.projects.len()).finish_non_exhaustive()
    }
}

/// Gathers rows, in any order, and compiles them.
///
/// ```
/// use placet_core::authz::IndexBuilder;
/// use placet_core::authz::{Action, Scope};
/// use placet_core::id::UserId;
/// use placet_core::org::{GlobalRole, GlobalRoleGrant, User, UserKind};
///
/// let id = UserId::from_u128(1);
/// let (kind, is_active) = (UserKind::Person, true);
/// let user = User { id, kind, email: "root@example.org".parse()?, display_name: "Root".parse()?, is_active };
/// let mut builder = IndexBuilder::default();
/// builder.user(&user);
/// builder.global_role(&GlobalRoleGrant { user_id: id, role: GlobalRole::PlatformAdmin });
/// let index = builder.build();
/// let now = placet_core::clock::Timestamp::from_micros(0);
/// assert!(index.can(id, &Action::ADMINISTER, Scope::Platform, now));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct IndexBuilder {
    people: Vec<(UserId, Flags)>,
    roles: Vec<GlobalRoleGrant>,
    outlines: Vec<Outline>,
    numbers: BTreeMap<ProjectId, usize>,
    // Rows of one project mostly come one after the other.
    last: usize,
}

impl IndexBuilder {
    /// A user.
    pub fn user(&mut self, row: &User) {
        self.people.push((row.id, Flags::of(row, &[])));
    }

    /// A global role of a user.
    pub fn global_role(&mut self, row: &GlobalRoleGrant) {
        self.roles.push(*row);
    }

    /// A project; its rows follow.
    pub fn project(&mut self, row: &Project) {
        let next = self.outlines.len();
        if *self.numbers.entry(row.id).or_insert(next) == next {
            self.outlines.push(Outline::new(row.id));
        }
    }

    /// A row of a project that was named before; any other helps nobody.
    #[expect(clippy::needless_pass_by_value, reason = "whoever reads rows has no more use for one")]
    pub fn row(&mut self, project: ProjectId, row: Row) {
        if self.outlines.get(self.last).is_none_or(|outline| outline.id != project) {
            let Some(number) = self.numbers.get(&project) else { return };
            self.last = *number;
        }
        if let Some(outline) = self.outlines.get_mut(self.last) {
            outline.insert(&row);
        }
    }

    /// The index of all that was gathered.
    pub fn build(self) -> Index {
        let mut people = self.people;
        // Of two rows of one user the later counts; a global role of nobody helps nobody.
        outline::keep_last(&mut people, |(id, _)| *id);
        for row in &self.roles {
            let found = people.binary_search_by_key(&row.user_id, |(id, _)| *id).ok();
            if let Some((_, flags)) = found.and_then(|at| people.get_mut(at)) {
                *flags = flags.with(row.role);
            }
        }
        let mut actions = Actions::default();
        let (mut projects, mut lines) = (Vec::with_capacity(self.outlines.len()), Vec::new());
        for (number, outline) in (0..).zip(self.outlines) {
            let (project, its_lines) = ProjectIndex::compile(outline, number, &mut actions);
            lines.push(its_lines);
            projects.push(project);
        }
        let blocks = projects.iter_mut().map(|project: &mut ProjectIndex| &mut project.block);
        Block::gather(blocks.collect());
        let count = people.len();
        Index {
            actions: Arc::new(actions),
            people: People::build(people, lines.into_iter().flatten(), count),
            numbers: Arc::new(projects.iter().map(ProjectIndex::id).collect()),
            projects: projects.into_iter().collect(),
        }
    }
}
