//! The index's answer about one question, with the rows that make it a yes or the reasons of a no.

use super::action::{Action, Rule};
use super::index::{Actions, NotLive, PlaceIds, SingleIndex, Spot};
use super::question::{Question, Scope, Witness};
use super::why::{Denial, Reason};
use crate::id::{GrantId, RoleId};
use crate::org::book::Book;
use crate::org::{GlobalRole, User, UserKind};

/// Who asks: the user and their global roles, as stored.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) user: User,
    pub(crate) global_roles: Vec<GlobalRole>,
}

/// A project: its rows, and its index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) book: &'a Book,
    pub(crate) index: &'a SingleIndex,
    pub(crate) actions: &'a Actions,
}

impl Known<'_> {
    /// A place by its codes.
    pub(crate) fn place_text(&self, scope: Scope) -> String {
        match scope {
            Scope::Platform => scope.to_string(),
            Scope::Project { module, environment, .. } => {
                place_text(self.book, (module, environment))
            }
        }
    }
}

/// Answers `question` from the index. `project` is `None` for the platform.
pub(crate) fn answer(
    question: &Question,
    asker: &Asker,
    project: Option<Known<'_>>,
) -> Result<Witness, Denial> {
    if asker.user.id != question.user {
        return Err(Denial::because(Reason::Disagreement));
    }
    if !asker.user.is_active {
        return Err(Denial::because(Reason::InactiveUser));
    }
    let manages = matches!(question.action.rule(), Rule::Manage | Rule::Administer);
    if asker.user.kind == UserKind::Agent && manages {
        return Err(Denial::because(Reason::AgentNeverManages));
    }
    let wrong_level = || Denial::because(Reason::WrongLevel { action: question.action.clone() });
    let spot = match (&question.scope, project) {
        (Scope::Project { module, environment, .. }, Some(known)) => {
            match known.index.spot((*module, *environment)) {
                Some(spot) => spot,
                None => return Err(Denial::because(Reason::NoSuchPlace)),
            }
        }
        (Scope::Project { .. }, None) => return Err(Denial::because(Reason::NoSuchPlace)),
        (Scope::Platform, _) => Spot::WHOLE,
    };
    match (question.action.rule(), &question.scope) {
        (Rule::Administer, Scope::Platform) => global(asker, &[GlobalRole::PlatformAdmin]),
        (Rule::Audit, _) => global(asker, &[GlobalRole::PlatformAdmin, GlobalRole::Auditor]),
        (Rule::Administer, Scope::Project { .. })
        | (Rule::TwoLegs | Rule::Read | Rule::Manage, Scope::Platform) => Err(wrong_level()),
        (
            rule @ (Rule::TwoLegs | Rule::Read | Rule::Manage),
            Scope::Project { module, environment, .. },
        ) => {
            let Some(known) = project else { return Err(wrong_level()) };
            let place = (*module, *environment);
            match rule {
                Rule::Read => global(asker, &[GlobalRole::Auditor])
                    .or_else(|_| leg_2_only(question, place, spot, known)),
                Rule::Manage => global(asker, &[GlobalRole::PlatformAdmin])
                    .or_else(|_| leg_2_only(question, (None, None), Spot::WHOLE, known)),
                Rule::TwoLegs | Rule::Administer | Rule::Audit => {
                    two_legs(question, asker, place, spot, known)
                }
            }
        }
    }
}

fn global(asker: &Asker, any_of: &[GlobalRole]) -> Result<Witness, Denial> {
    let held = any_of.iter().find(|role| asker.global_roles.contains(role)).copied();
    if held.is_some() {
        return Ok(Witness { global_role: held, ..Witness::default() });
    }
    let any_of = if any_of.len() > 1 { "PLATFORM_ADMIN or AUDITOR" } else { "PLATFORM_ADMIN" };
    Err(Denial::because(Reason::NoGlobalRole { any_of }))
}
fn leg_2_only(
    question: &Question,
    place: PlaceIds,
    spot: Spot,
    known: Known<'_>,
) -> Result<Witness, Denial> {
    let number = known.actions.number(&question.action);
    match known.index.leg_2(question.user, number, spot, question.at) {
        Ok((grant, permission)) => {
            Ok(Witness { grant: Some(grant), permission: Some(permission), ..Witness::default() })
        }
        Err(ended) => Err(Denial::because(no_grant(question, place, known.book, ended))),
    }
}

fn two_legs(
    question: &Question,
    asker: &Asker,
    place: PlaceIds,
    spot: Spot,
    known: Known<'_>,
) -> Result<Witness, Denial> {
    let Known { book, index, actions } = known;
    let mut reasons = Vec::new();
    if asker.user.kind == UserKind::Agent && question.action == Action::APPROVE {
        reasons.push(Reason::AgentNeverApproves);
    }
    let leg_1 = index.leg_1(question.user, spot.module(), question.at);
    let number = actions.number(&question.action);
    let leg_2 = index.leg_2(question.user, number, spot, question.at);
    if let Err(ended) = leg_1 {
        reasons.push(ended.map_or_else(
            || Reason::NoMembership { of: place_text(book, (place.0, None)) },
            |(membership, valid)| Reason::MembershipNotLive { membership, valid },
        ));
    }
    if let Err(ended) = leg_2 {
        reasons.push(no_grant(question, place, book, ended));
    }
    match (leg_1, leg_2) {
        (Ok((membership, team)), Ok((grant, permission))) if reasons.is_empty() => Ok(Witness {
            membership: Some(membership),
            team: Some(team),
            grant: Some(grant),
            permission: Some(permission),
            global_role: None,
        }),
        _ => Err(Denial { reasons }),
    }
}

fn no_grant(
    question: &Question,
    place: PlaceIds,
    book: &Book,
    ended: NotLive<(GrantId, RoleId)>,
) -> Reason {
    ended.map_or_else(
        || Reason::NoGrant { action: question.action.clone(), place: place_text(book, place) },
        |((grant, role), valid)| {
            let role = book.roles.get(&role).map_or("", |row| row.name.as_str()).to_owned();
            Reason::GrantNotLive { grant, role, valid }
        },
    )
}

/// `shop/pagos/prod`; `*` stands for a level that is left open above one that is not.
fn place_text(book: &Book, (module, environment): PlaceIds) -> String {
    let project = book.project.code.as_str();
    let module = module.map(|id| book.modules.get(&id).map_or("?", |row| row.code.as_str()));
    let environment =
        environment.map(|id| book.environments.get(&id).map_or("?", |row| row.code.as_str()));
    match (module, environment) {
        (None, None) => project.to_owned(),
        (Some(module), None) => format!("{project}/{module}"),
        (module, Some(environment)) => {
            format!("{project}/{}/{environment}", module.unwrap_or("*"))
        }
    }
}
