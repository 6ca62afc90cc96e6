//! Why an answer is what it is: as data, without a text, a policy or the store.

use super::Index;
use super::check::{Asked, takes_person};
use super::project::{ProjectIndex, Spot};
use super::reverse::by_role;
use super::rows::Span;
use super::shard::Person;
use crate::authz::action::{Action, Rule};
use crate::authz::question::Scope;
use crate::clock::Timestamp;
use crate::id::{GrantId, MembershipId, UserId};
use crate::org::{GlobalRole, Interval};

/// One of the two things that an answer stands on.
///
/// ```
/// use placet_core::authz::{Action, Leg, Scope};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// let why = gate.index()?.explain(office.ana.user(), &Action::APPROVE, place, gate.now());
/// assert!(matches!(why.membership, Leg::Holds(_)));
/// assert_eq!(why.grant, Leg::Missing); // this is what Ana would have to be given
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever explains must say something about each")]
pub enum Leg<Id> {
    /// The action does not ask for it.
    NotAsked,
    /// This row fits and holds at that instant.
    Holds(Id),
    /// No row that fits holds at that instant; of those that do at another, this one holds longest.
    NotLive(Id, Interval),
    /// No row fits.
    Missing,
}

impl<Id> Leg<Id> {
    /// Whether it is no obstacle.
    ///
    /// ```
    /// use placet_core::authz::Leg;
    /// use placet_core::id::GrantId;
    /// assert!(Leg::Holds(GrantId::from_u128(1)).stands());
    /// assert!(!Leg::<GrantId>::Missing.stands());
    /// ```
    pub const fn stands(&self) -> bool {
        matches!(self, Self::NotAsked | Self::Holds(_))
    }
}

/// An answer of the index with what makes it so.
///
/// It is about rows alone: a policy of the host may still forbid what is allowed here.
///
/// ```
/// use placet_core::authz::{Action, Leg, Scope};
/// # use placet_core::testing::Office;
/// # let (gate, office) = Office::in_memory()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// let why = gate.index()?.explain(office.bo.user(), &Action::APPROVE, place, gate.now());
/// assert!(why.is_allowed && why.membership.stands() && why.grant.stands());
/// assert_eq!(why.until, None); // nothing that is known today ends it
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct IndexExplanation {
    /// What [`Index::can`] says.
    pub is_allowed: bool,
    /// Whether the project, the module and the environment are there.
    pub is_place: bool,
    /// Whether the user is active.
    pub is_active: bool,
    /// Whether the user is an agent and this takes a person.
    pub is_kept_from_agents: bool,
    /// The global role that is enough by itself.
    pub global_role: Option<GlobalRole>,
    /// Leg 1.
    pub membership: Leg<MembershipId>,
    /// Leg 2.
    pub grant: Leg<GrantId>,
    /// The first instant at which the answer becomes another one, as far as rows tell today.
    pub until: Option<Timestamp>,
}

impl Index {
    /// Why `user` may or may not do `action` in `scope` at that instant. It takes no memory.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Scope};
    /// # use placet_core::id::ProjectId;
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let nowhere = Scope::project(ProjectId::from_u128(7));
    /// let why = gate.index()?.explain(office.bo.user(), &Action::READ, nowhere, gate.now());
    /// assert!(!why.is_allowed && !why.is_place);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn explain(
        &self,
        user: UserId,
        action: &Action,
        scope: Scope,
        at: Timestamp,
    ) -> IndexExplanation {
        let person = self.people.find(user);
        let (rule, found) = (action.rule(), self.spot_of(scope));
        let flags = person.map(|person| person.flags).unwrap_or_default();
        let mut why = IndexExplanation {
            is_allowed: false,
            is_place: scope == Scope::Platform || found.is_some(),
            is_active: flags.is_active(),
            is_kept_from_agents: takes_person(action) && flags.is_agent(),
            global_role: None,
            membership: Leg::NotAsked,
            grant: Leg::NotAsked,
            until: None,
        };
        if why.is_place && !why.is_kept_from_agents {
            let mut roles = by_role(rule, scope).iter();
            why.global_role = roles.find(|role| flags.holds(**role)).copied();
        }
        why.is_allowed = why.global_role.is_some();
        if !matches!(rule, Rule::TwoLegs | Rule::Read | Rule::Manage) {
            return why;
        }
        let Some((number, project, spot)) = found else {
            // No row fits the platform, nor a place that is not there.
            why.grant = Leg::Missing;
            if rule == Rule::TwoLegs {
                why.membership = Leg::Missing;
            }
            return why;
        };
        let spot = if rule == Rule::Manage { Spot::WHOLE } else { spot };
        let asked = self.asked(action, number, spot, at);
        (why.membership, why.grant) = project.legs(person.as_ref(), &asked);
        if rule != Rule::TwoLegs {
            why.membership = Leg::NotAsked;
        }
        let by_rows = why.membership.stands() && why.grant.stands();
        why.is_allowed |= by_rows && why.is_active && !why.is_kept_from_agents;
        why.until = person.and_then(|person| project.turn(&person, asked));
        why
    }

    /// The first instant after `at` at which the answer becomes another one, as far as rows tell today;
    /// `None` where it never does.
    ///
    /// ```
    /// # use placet_core::authz::{Action, Scope};
    /// # use placet_core::testing::Office;
    /// # let (gate, office) = Office::in_memory()?;
    /// let place = Scope::module(office.project, office.module, office.environment);
    /// assert_eq!(gate.index()?.until(office.bo.user(), &Action::APPROVE, place, gate.now()), None);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn until(
        &self,
        user: UserId,
        action: &Action,
        scope: Scope,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let (number, project, spot) = self.spot_of(scope)?;
        project.turn(&self.people.find(user)?, self.asked(action, number, spot, at))
    }
}

impl ProjectIndex {
    /// When the answer becomes another one.
    fn turn(&self, person: &Person<'_>, asked: Asked) -> Option<Timestamp> {
        let now = self.permits(person, &asked);
        let mut at = asked.at;
        loop {
            let turns = person.spans(asked.project).flat_map(Span::ends);
            at = turns.filter(|turn| *turn > at).min()?;
            if self.permits(person, &Asked { at, ..asked }) != now {
                return Some(at);
            }
        }
    }

    /// Both legs.
    fn legs(
        &self,
        person: Option<&Person<'_>>,
        asked: &Asked,
    ) -> (Leg<MembershipId>, Leg<GrantId>) {
        let rules = self.rules();
        let (mut membership, mut grant) = (Leg::Missing, Leg::Missing);
        let action = asked.action.and_then(|number| rules.local_action(number));
        let bit = rules.bit(asked.spot);
        for (id, span) in person.into_iter().flat_map(|person| person.rows(asked.project)) {
            if !span.is_grant() {
                if rules.looks_after(span.what(), asked.spot.module()) {
                    membership = membership.or(MembershipId::from_u128(id), &span, asked.at);
                }
            } else if action.is_some_and(|action| rules.allows(span.what(), action, bit)) {
                grant = grant.or(GrantId::from_u128(id), &span, asked.at);
            }
        }
        (membership, grant)
    }
}

impl<Id> Leg<Id> {
    /// This, or a row that fits, where that is the better one.
    fn or(self, id: Id, span: &Span, at: Timestamp) -> Self {
        let ends = |valid: Interval| valid.until().unwrap_or(Timestamp::MAX);
        match self {
            Self::Holds(_) => self,
            _ if span.contains(at) => Self::Holds(id),
            Self::NotLive(_, kept) if ends(kept) >= ends(span.interval()) => self,
            Self::NotAsked | Self::NotLive(..) | Self::Missing => {
                Self::NotLive(id, span.interval())
            }
        }
    }
}
