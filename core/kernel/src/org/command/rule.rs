//! Rules about approvals.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand, taken, unknown_user};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{ProjectId, RoleId, RuleId, TeamId, UserId};
use crate::org::book::Book;
use crate::org::{Block, BlockingRule, Conditions, Name, QuorumRule, RULES_MAX, Row, UserKind};
use crate::request::{Group, Quorum};

/// Adds a rule that says which quorum holds for which requests, or changes one. The first that fits decides.
///
/// Requests that are pending keep the quorum they were submitted under. Fails with [`Code::AlreadyExists`] where
/// another rule has the position, with [`Code::NotFound`] for what the project does not have, with
/// [`Code::InvalidInput`] as [`Quorum::new`] does, and with [`Code::TooLarge`] over [`RULES_MAX`] rules.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::{Conditions, Criticality};
/// use placet_core::org::command::PutQuorumRule;
/// use placet_core::request::Quorum;
///
/// let mut when = Conditions::default();
/// when.criticality = Some(Criticality::Low); // or more: everywhere
/// let (project, position, name) = (office.project, 1, "two people".parse()?);
/// let quorum = Quorum::n_of(2, None)?;
/// gate.manage(&office.root, &PutQuorumRule { project, rule: None, position, name, when, quorum })?;
/// // Only Bo could approve here.
/// assert_eq!(office.pending(&gate).unwrap_err().code(), Code::QuorumUnsatisfiable);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct PutQuorumRule {
    /// The project.
    pub project: ProjectId,
    /// The rule that is changed; nothing for a new one.
    pub rule: Option<RuleId>,
    /// Its place among the rules, ascending; no two have the same.
    pub position: u32,
    /// What people see.
    pub name: Name,
    /// Which requests it is about.
    pub when: Conditions,
    /// Which approvals are enough for them.
    pub quorum: Quorum,
}

/// Adds a rule that stops approvals, or changes one.
///
/// It holds at once, also for requests that are pending. Fails as [`PutQuorumRule`] does.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::{Block, Conditions, FindingIs};
/// use placet_core::org::command::PutBlockingRule;
/// use placet_core::runner::Level;
///
/// let (project, name) = (office.project, "nothing to warn of".parse()?);
/// let (when, block) = (Conditions::default(), Block::Finding(FindingIs::Level(Level::Warning)));
/// gate.manage(&office.root, &PutBlockingRule { project, rule: None, name, when, block })?;
/// assert!(office.approved(&gate).is_ok(), "its plan has no finding");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct PutBlockingRule {
    /// The project.
    pub project: ProjectId,
    /// The rule that is changed; nothing for a new one.
    pub rule: Option<RuleId>,
    /// What people see, also in the refusal.
    pub name: Name,
    /// Which requests it is about.
    pub when: Conditions,
    /// What stops them.
    pub block: Block,
}

/// Removes a rule about approvals, of either kind.
///
/// Fails with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::{Block, Conditions};
/// use placet_core::org::command::{PutBlockingRule, RemoveRule};
///
/// let (project, name) = (office.project, "no open question".parse()?);
/// let (when, block) = (Conditions::default(), Block::OpenThreads);
/// let rule = gate.manage(&office.root, &PutBlockingRule { project, rule: None, name, when, block })?;
/// gate.manage(&office.root, &RemoveRule { project, rule })?;
/// assert!(gate.organisation(&office.root, project)?.blocking_rules.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemoveRule {
    /// The project.
    pub project: ProjectId,
    /// The rule.
    pub rule: RuleId,
}

/// Refuses a quorum that is too large, or that names whom or what there is not.
pub(super) fn check_quorum(desk: &Desk<'_>, quorum: &Quorum) -> Result<(), Error> {
    quorum.check()?;
    quorum.groups().into_iter().try_for_each(|group| match group {
        Group::Anyone | Group::TeamRole { team: None, role: _ } => Ok(()),
        Group::ProjectRole(role) => desk.book.role(*role).map(drop),
        Group::Team(team) | Group::TeamRole { team: Some(team), role: _ } => {
            desk.book.team(*team).map(drop)
        }
        Group::Person(user) => check_person(desk, *user),
    })
}

/// The gate looked for everybody whom a command names. An agent is nobody who could approve.
fn check_person(desk: &Desk<'_>, user: UserId) -> Result<(), Error> {
    match desk.named.iter().find(|found| found.id == user) {
        None => Err(unknown_user(user)),
        Some(found) if found.kind == UserKind::Agent => {
            Err(Error::new(Code::InvalidInput, format!("`{user}` is an agent, and never approves"))
                .with_help("name a person"))
        }
        Some(_) => Ok(()),
    }
}

/// The people whom a quorum names.
pub(super) fn people_of(quorum: &Quorum) -> Vec<UserId> {
    let people = quorum.groups().into_iter().filter_map(|group| match group {
        Group::Person(user) => Some(*user),
        Group::Anyone | Group::ProjectRole(_) | Group::TeamRole { .. } | Group::Team(_) => None,
    });
    people.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether a quorum of the project asks for holders of this role.
pub(super) fn names_role(book: &Book, role: RoleId) -> bool {
    is_named(book, |group| *group == Group::ProjectRole(role))
}

/// Whether a quorum of the project asks for somebody of this team.
pub(super) fn names_team(book: &Book, team: TeamId) -> bool {
    is_named(book, |group| match group {
        Group::Team(id) | Group::TeamRole { team: Some(id), role: _ } => *id == team,
        Group::TeamRole { team: None, role: _ }
        | Group::Anyone
        | Group::ProjectRole(_)
        | Group::Person(_) => false,
    })
}

/// Whether a quorum of the project, of an environment or by a rule, names this group.
fn is_named(book: &Book, is_it: impl Fn(&Group) -> bool) -> bool {
    let by_rules = book.quorum_rules.values().map(|rule| &rule.quorum);
    book.quorums.values().chain(by_rules).any(|quorum| quorum.groups().into_iter().any(&is_it))
}

/// Whether a rule of the project has such conditions.
pub(super) fn is_condition(book: &Book, is_it: impl Fn(&Conditions) -> bool) -> bool {
    let quorums = book.quorum_rules.values().map(|rule| &rule.when);
    let blocks = book.blocking_rules.values().map(|rule| &rule.when);
    quorums.chain(blocks).any(is_it)
}

/// The id of a rule that is put: its own, or a new one where there is room.
fn id_for(
    desk: &Desk<'_>,
    rule: Option<RuleId>,
    is_there: impl Fn(&RuleId) -> bool,
    count: usize,
) -> Result<RuleId, Error> {
    match rule {
        Some(id) if is_there(&id) => Ok(id),
        Some(id) => Err(desk.book.missing("rule", id)),
        None if count >= RULES_MAX => Err(Error::new(
            Code::TooLarge,
            format!("a project has at most {RULES_MAX} rules of a kind"),
        )
        .with_help("remove one, or say it in fewer")),
        None => Ok(RuleId::from_u128(desk.ids.next())),
    }
}

impl ProjectCommand for PutQuorumRule {
    type Output = RuleId;
    const EVENT: Event = Event::OrgQuorumRulePut;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn names(&self) -> Vec<UserId> {
        people_of(&self.quorum)
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<RuleId>, Error> {
        self.when.check(desk.book)?;
        check_quorum(desk, &self.quorum)?;
        let rules = &desk.book.quorum_rules;
        let id = id_for(desk, self.rule, |id| rules.contains_key(id), rules.len())?;
        if rules.values().any(|row| row.position == self.position && row.id != id) {
            return Err(taken("rule at position", &self.position.to_string()));
        }
        let rule = QuorumRule {
            id,
            project_id: self.project,
            position: self.position,
            name: self.name.clone(),
            when: self.when.clone(),
            quorum: self.quorum.clone(),
        };
        Ok(Decided::put(Row::QuorumRule(rule), id))
    }
}

impl ProjectCommand for PutBlockingRule {
    type Output = RuleId;
    const EVENT: Event = Event::OrgBlockingRulePut;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<RuleId>, Error> {
        self.when.check(desk.book)?;
        self.block.check()?;
        let rules = &desk.book.blocking_rules;
        let id = id_for(desk, self.rule, |id| rules.contains_key(id), rules.len())?;
        let rule = BlockingRule {
            id,
            project_id: self.project,
            name: self.name.clone(),
            when: self.when.clone(),
            block: self.block.clone(),
        };
        Ok(Decided::put(Row::BlockingRule(rule), id))
    }
}

impl ProjectCommand for RemoveRule {
    type Output = ();
    const EVENT: Event = Event::OrgRuleRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let (quorums, blocks) = (&desk.book.quorum_rules, &desk.book.blocking_rules);
        let quorum = quorums.get(&self.rule).cloned().map(Row::QuorumRule);
        let row = quorum.or_else(|| blocks.get(&self.rule).cloned().map(Row::BlockingRule));
        let row = row.ok_or_else(|| desk.book.missing("rule", self.rule))?;
        Ok(Decided::remove(row, ()))
    }
}
