//! Looking at the workflows of a project.

use crate::authz::{Action, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::id::ProjectId;
use crate::identity::Caller;
use crate::org::Slug;
use crate::workflow::Definition;

/// One line of a list of workflows.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let built_in = gate.workflows(&office.ana, office.project)?;
/// let names: Vec<_> = built_in.iter().map(|line| line.name.as_str()).collect();
/// assert_eq!(names, ["artifact", "change"]);
/// assert!(built_in.iter().all(|line| line.is_built_in && !line.is_retired));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WorkflowSummary {
    /// Its name.
    pub name: Slug,
    /// Its latest version.
    pub version: u32,
    /// Whether every project has it.
    pub is_built_in: bool,
    /// Whether nothing new begins with it.
    pub is_retired: bool,
}

impl Gate {
    /// The workflows of a project in their latest versions, the built-in ones among them, by name. Whoever sees the
    /// project may look.
    ///
    /// Fails with [`Code::NotFound`] for everybody else.
    ///
    /// ```
    /// use placet_core::org::command::SetWorkflow;
    /// use placet_core::testing::Office;
    /// use placet_core::workflow::Definition;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let definition = Definition { name: "purchase".parse()?, version: 0, ..Definition::change() };
    /// gate.manage(&office.root, &SetWorkflow { project: office.project, definition })?;
    /// let own = gate.workflows(&office.ana, office.project)?.into_iter().find(|line| !line.is_built_in);
    /// assert_eq!(own.map(|line| line.version), Some(1));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn workflows(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<Vec<WorkflowSummary>, Error> {
        self.consult(|txn| {
            txn.sees_project(caller, project)?;
            let what = format!("project `{project}`");
            let shelf = txn.shelf(project)?.ok_or_else(|| not_found(&what))?;
            let line = |definition: &Definition, is_built_in, is_retired| WorkflowSummary {
                name: definition.name.clone(),
                version: definition.version,
                is_built_in,
                is_retired,
            };
            let own = shelf.book.workflows.all();
            let mut lines: Vec<WorkflowSummary> =
                own.map(|(definition, is_retired)| line(definition, false, *is_retired)).collect();
            lines.push(line(&Definition::artifact(), true, false));
            lines.push(line(&Definition::change(), true, false));
            lines.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(lines)
        })
    }

    /// A workflow of a project: its latest version, or that one. Older and retired ones stay readable: requests may
    /// still go through them. Whoever sees the project may look.
    ///
    /// Fails with [`Code::NotFound`] where there is none, and for everybody else.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let artifact = gate.workflow(&office.ana, office.project, &"artifact".parse()?, None)?;
    /// assert_eq!(artifact.transitions.len(), 12);
    /// assert!(gate.workflow(&office.ana, office.project, &"artifact".parse()?, Some(2)).is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn workflow(
        &self,
        caller: &Caller,
        project: ProjectId,
        name: &Slug,
        version: Option<u32>,
    ) -> Result<Definition, Error> {
        self.consult(|txn| {
            txn.sees_project(caller, project)?;
            let what = format!("project `{project}`");
            let shelf = txn.shelf(project)?.ok_or_else(|| not_found(&what))?;
            let found = match Definition::built_in(name.as_str()) {
                Some(built_in) => {
                    Some(built_in).filter(|found| version.is_none_or(|it| it == found.version))
                }
                None => match version {
                    Some(version) => shelf.book.workflows.version(name, version),
                    None => shelf.book.workflows.latest(name).map(|(latest, _)| latest),
                },
            };
            found.map(|found| Definition::clone(found)).ok_or_else(|| {
                let which = version.map_or_else(String::new, |it| format!("version {it} of the "));
                Error::new(Code::NotFound, format!("there is no {which}workflow `{name}` here"))
                    .with_help("name one of those that `workflows` lists")
            })
        })
    }
}

impl Txn<'_> {
    /// Refuses whoever may neither read anything of the project nor manage it: to them it does not exist.
    fn sees_project(&mut self, caller: &Caller, project: ProjectId) -> Result<(), Error> {
        let (user, whole) = (caller.user(), Scope::project(project));
        let place = self.read_scope(user, project)?;
        if self.quietly(user, &Action::READ, place)?.is_allowed()
            || self.quietly(user, &Action::MANAGE, whole)?.is_allowed()
        {
            return Ok(());
        }
        Err(not_found(&format!("project `{project}`")))
    }
}
