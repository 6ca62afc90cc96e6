//! Why, why not, what would change it, and until when: as data, and as a sentence in two languages.

use core::fmt::{self, Write as _};

use super::action::Action;
use super::index::WhoCan;
use super::question::{Question, Witness};
use super::why::{Denial, Reason};
use crate::clock::Timestamp;
use crate::id::{RoleId, TeamId};
use crate::org::{GlobalRole, Interval, Name};

/// The answer to a question, with the rows that make it a yes or the reasons of a no.
///
/// Its text form is one sentence for a person.
///
/// ```
/// use placet_core::authz::{Action, Answer, Scope};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let place = Scope::module(office.project, office.module, office.environment);
/// match gate.authorize(office.ana.user(), &Action::APPROVE, place) {
///     Answer::Allowed(_) => panic!("Ana asks and reads"),
///     Answer::Denied(denial) => assert_eq!(denial.reasons[0].code(), "no_grant"),
/// }
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an answer is a yes or a no")]
pub enum Answer {
    /// Yes, by these rows.
    Allowed(Witness),
    /// No, for these reasons.
    Denied(Denial),
}

impl Answer {
    /// Whether it is a yes.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (ana, place) = (office.ana.user(), Scope::project(office.project));
    /// assert!(gate.authorize(ana, &Action::READ, place).is_allowed());
    /// assert!(!gate.authorize(ana, &Action::MANAGE, place).is_allowed());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Whether somebody decided: a no because nobody could is no answer to rely on.
    pub(crate) fn is_decided(&self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::Denied(denial) => denial.reasons.iter().all(Reason::is_decision),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(_) => f.write_str("allowed"),
            Self::Denied(denial) => write!(f, "denied: {denial}"),
        }
    }
}

/// A language for people.
///
/// ```
/// use placet_core::authz::Language;
/// assert_ne!(Language::English, Language::Spanish);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

/// One thing that is missing for a yes. With all of them the answer is a yes, unless a policy of the host forbids
/// it.
///
/// ```
/// use placet_core::authz::{Action, Missing, Question, Scope};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let scope = Scope::module(office.project, office.module, office.environment);
/// let (user, action, at) = (office.ana.user(), Action::APPROVE, gate.now());
/// let why = gate.explain(&office.root, &Question { user, action, scope, at })?;
/// let [Missing::Grant { roles, .. }] = why.missing.as_slice() else { panic!("Ana is in the team") };
/// assert_eq!(roles.len(), 1); // the roles that would do
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Missing {
    /// The user is not active.
    Activation,
    /// A live membership in one of these teams.
    Membership {
        /// What the team looks after: `shop/pagos`, or the project as a whole.
        of: String,
        /// The teams that would do. None of them: assign a team to the module first.
        teams: Vec<(TeamId, Name)>,
    },
    /// A live grant of one of these roles.
    Grant {
        /// What the role permits.
        action: Action,
        /// Where: `shop/pagos/prod`.
        place: String,
        /// The roles that would do. None of them: allow a role to do it first.
        roles: Vec<(RoleId, Name)>,
    },
    /// One of these global roles.
    GlobalRole {
        /// Any of them would do.
        any_of: Vec<GlobalRole>,
    },
}

/// Why somebody may or may not do something, what would change it, and until when the answer holds.
///
/// ```
/// use placet_core::authz::{Action, Language, Question, Scope};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let scope = Scope::module(office.project, office.module, office.environment);
/// let (user, action, at) = (office.ana.user(), Action::APPROVE, gate.now());
/// let why = gate.explain(&office.root, &Question { user, action, scope, at })?;
/// assert_eq!(
///     why.sentence(Language::English),
///     "ana may not `approve` in shop/pagos/dev: no role of theirs permits it there. \
///      It takes the role bo. Others can: 1.",
/// );
/// assert_eq!(
///     why.sentence(Language::Spanish),
///     "ana no puede hacer `approve` en shop/pagos/dev: ningún rol suyo lo permite ahí. \
///      Hace falta el rol bo. Otras personas pueden: 1.",
/// );
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What was asked.
    pub question: Question,
    /// The answer of the index and the policies.
    pub answer: Answer,
    /// What is missing for a yes; nothing where it is one, or where nothing could make it one.
    pub missing: Vec<Missing>,
    /// The first instant at which the rows of today give another answer; `None` where they never do, and where a
    /// policy decided: when that changes its mind, no row tells.
    pub until: Option<Timestamp>,
    /// Who can: the first users of them, and the global roles that suffice.
    pub who_can: WhoCan,
    /// The user's name, for the sentence; the id for a caller who may not know the name.
    pub user_name: String,
    /// The place by its codes, for the sentence.
    pub place: String,
    /// Whether the policies were told what the plan of a request says. Where they were not, one about plans may say
    /// otherwise once somebody goes on with a request, and the sentence tells.
    pub is_told_plan: bool,
}

impl Explanation {
    /// One or two sentences for a person.
    pub fn sentence(&self, language: Language) -> String {
        let mut text = String::new();
        let words = Words(language);
        // Writing into a string does not fail.
        let _written = self.write(&mut text, words);
        text
    }

    fn write(&self, text: &mut String, words: Words) -> fmt::Result {
        let Self { question, user_name, place, .. } = self;
        let action = &question.action;
        match &self.answer {
            Answer::Allowed(witness) => {
                write!(text, "{user_name} {} `{action}` {} {place}", words.may(), words.inside())?;
                if let Some(role) = witness.global_role {
                    write!(text, ", {} {}", words.by(), role.as_str())?;
                }
                if let Some(until) = self.until {
                    write!(text, ", {} {until}", words.until())?;
                }
                text.push('.');
            }
            Answer::Denied(denial) => {
                write!(
                    text,
                    "{user_name} {} `{action}` {} {place}: ",
                    words.may_not(),
                    words.inside()
                )?;
                for (at, reason) in denial.reasons.iter().enumerate() {
                    if at > 0 {
                        text.push_str("; ");
                    }
                    words.reason(text, reason)?;
                }
                text.push('.');
                self.write_missing(text, words)?;
                if let Some(until) = self.until {
                    write!(text, " {} {until}.", words.changes())?;
                }
            }
        }
        let others = self.who_can.users.iter().filter(|user| **user != question.user).count();
        // What a policy forbids here, it may forbid the others too.
        let by_rows = match &self.answer {
            Answer::Allowed(_) => false,
            Answer::Denied(denial) => denial.reasons.iter().all(Reason::is_about_rows),
        };
        if by_rows && others > 0 {
            let more = if self.who_can.next.is_some() { "+" } else { "" };
            write!(text, " {}: {others}{more}.", words.others())?;
        }
        if !by_rows && !self.is_told_plan && action.goes_on() {
            write!(text, " {}.", words.no_plan())?;
        }
        Ok(())
    }

    fn write_missing(&self, text: &mut String, words: Words) -> fmt::Result {
        for missing in &self.missing {
            match missing {
                Missing::Activation => write!(text, " {}.", words.activate())?,
                Missing::Membership { of, teams } if teams.is_empty() => {
                    write!(text, " {} {of}.", words.no_team())?;
                }
                Missing::Membership { teams, .. } => {
                    write!(text, " {} {}.", words.takes_team(), list(teams, words))?;
                }
                Missing::Grant { roles, .. } if roles.is_empty() => {
                    write!(text, " {}.", words.no_role())?;
                }
                Missing::Grant { roles, .. } => {
                    write!(text, " {} {}.", words.takes_role(), list(roles, words))?;
                }
                Missing::GlobalRole { any_of } => {
                    let names: Vec<&str> = any_of.iter().map(|role| role.as_str()).collect();
                    write!(text, " {} {}.", words.takes_role(), names.join(words.or()))?;
                }
            }
        }
        Ok(())
    }
}

fn list<Id>(items: &[(Id, Name)], words: Words) -> String {
    let names: Vec<&str> = items.iter().map(|(_, name)| name.as_str()).collect();
    names.join(words.or())
}

/// The words of a language.
#[derive(Clone, Copy, Debug)]
struct Words(Language);

macro_rules! words {
    ($($name:ident: $english:literal, $spanish:literal;)*) => {
        impl Words {
            $(const fn $name(self) -> &'static str {
                match self.0 {
                    Language::English => $english,
                    Language::Spanish => $spanish,
                }
            })*
        }
    };
}

words! {
    may: "may", "puede hacer";
    may_not: "may not", "no puede hacer";
    inside: "in", "en";
    by: "by", "por";
    until: "until", "hasta";
    or: " or ", " o ";
    changes: "That changes on", "Eso cambia el";
    others: "Others can", "Otras personas pueden";
    activate: "Somebody who administers the platform must activate them",
        "Quien administra la plataforma tiene que activar a la persona";
    no_team: "No team looks after", "Ningún equipo se ocupa de";
    takes_team: "It takes a membership in the team", "Hace falta pertenecer al equipo";
    no_role: "No role of the project permits it there", "Ningún rol del proyecto lo permite ahí";
    takes_role: "It takes the role", "Hace falta el rol";
    inactive: "the user is not active", "la persona no está activa";
    no_place: "there is no such place", "ese lugar no existe";
    agent_approves: "an agent never approves", "un agente nunca aprueba";
    agent_manages: "an agent never manages", "un agente nunca administra";
    no_membership: "not a member of any team that looks after", "no pertenece a ningún equipo que se ocupe de";
    membership_holds: "the membership holds only", "la pertenencia al equipo vale solo";
    no_grant: "no role of theirs permits it there", "ningún rol suyo lo permite ahí";
    grant_holds: "they hold the role", "tiene el rol";
    only: "only", "solo";
    from: "from", "desde el";
    wrong_level: "there is no such action at this level", "esa acción no existe en este nivel";
    forbidden: "forbidden by the policy", "lo prohíbe la política";
    failed: "no decision came about", "no se pudo decidir";
    no_plan: "Policies were told no plan of a request, and may judge one otherwise",
        "A las políticas no se les contó el plan de una solicitud, y pueden juzgarlo de otra manera";
    needs_role: "this takes the global role", "esto requiere el rol global";
}

impl Words {
    fn span(self, text: &mut String, valid: Interval) -> fmt::Result {
        write!(text, "{} {}", self.from(), valid.from())?;
        match valid.until() {
            None => Ok(()),
            Some(until) => write!(text, " {} {until}", self.until()),
        }
    }

    fn reason(self, text: &mut String, reason: &Reason) -> fmt::Result {
        match reason {
            Reason::InactiveUser => text.write_str(self.inactive()),
            Reason::NoSuchPlace => text.write_str(self.no_place()),
            Reason::AgentNeverApproves => text.write_str(self.agent_approves()),
            Reason::AgentNeverManages => text.write_str(self.agent_manages()),
            Reason::NoMembership { of } => write!(text, "{} {of}", self.no_membership()),
            Reason::MembershipNotLive { valid, .. } => {
                write!(text, "{} ", self.membership_holds())?;
                self.span(text, *valid)
            }
            Reason::NoGrant { .. } => text.write_str(self.no_grant()),
            Reason::GrantNotLive { role, valid, .. } => {
                write!(text, "{} {role} {} ", self.grant_holds(), self.only())?;
                self.span(text, *valid)
            }
            Reason::NoGlobalRole { any_of } => write!(text, "{} {any_of}", self.needs_role()),
            Reason::WrongLevel { .. } => text.write_str(self.wrong_level()),
            Reason::Forbidden { policy, place } => {
                write!(text, "{} {policy} ({place})", self.forbidden())
            }
            Reason::PolicySetMissing
            | Reason::Undecided { .. }
            | Reason::PolicyFailed
            | Reason::Disagreement => text.write_str(self.failed()),
        }
    }
}
