//! Stories that a host expects to be true of its organisation and its policies, and the whole of one project as a
//! table.

use core::fmt::{self, Write as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::authz::{Action, Answer, Scope, Story, StoryPlace, at_line, parse_stories};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::organisation::administer::email_key;
use crate::gate::shelf::Shelf;
use crate::gate::txn::{Txn, lost_race};
use crate::id::{EnvironmentId, ModuleId, ProjectId, UserId};
use crate::identity::Caller;
use crate::org::book::Unique;
use crate::org::{Email, Slug, User};

/// How many answers one table holds at most.
const CELLS_MAX: usize = 100_000;

/// How many stories one table holds at most.
const STORIES_MAX: usize = 10_000;

/// What became of one story.
///
/// Its text form is one line for a person.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let text = "bo@example.org | approve | shop/pagos/dev | no";
/// let outcome = gate.check_stories(&office.root, text)?.remove(0);
/// assert!(!outcome.passed());
/// assert_eq!(
///     outcome.to_string(),
///     "line 1: bo@example.org approve shop/pagos/dev: expected no; allowed",
/// );
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoryOutcome {
    /// The line of the table, from 1.
    pub line: usize,
    /// Who.
    pub who: Email,
    /// What they want to do.
    pub action: Action,
    /// Where, as it was written.
    pub place: String,
    /// Whether a yes was expected.
    pub expected: bool,
    /// The answer of the index and the policies, about no request in particular.
    pub answer: Answer,
}

impl StoryOutcome {
    /// Whether the answer is the expected one. A no that only says that nobody could decide, as when a policy
    /// fails, is not the no that a story expects.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// let stories = "ana@example.org | read | shop | yes\nbo@example.org | read | shop | yes";
    /// let outcomes = gate.check_stories(&office.root, stories)?;
    /// let failed: Vec<usize> =
    ///     outcomes.iter().filter(|one| !one.passed()).map(|one| one.line).collect();
    /// assert_eq!(failed, [2]); // Bo may not read
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn passed(&self) -> bool {
        self.answer.is_decided() && self.answer.is_allowed() == self.expected
    }
}

impl fmt::Display for StoryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, who, action, place, expected, answer } = self;
        let expected = if *expected { "yes" } else { "no" };
        write!(f, "line {line}: {who} {action} {place}: ")?;
        if self.passed() {
            return write!(f, "{expected}, as expected");
        }
        write!(f, "expected {expected}; {answer}")
    }
}

impl Gate {
    /// Asks what a host expects of its organisation and policies, and says for each line whether it is so. For
    /// tests of a host: nothing is written.
    ///
    /// `text` is a table of at most 1 MiB and 10,000 stories, a story in a line: `who | action | where | expected`. Who is an e-mail
    /// address; where is `platform`, or `project/module/environment` by codes with `-` or `*` for none; expected is
    /// `yes` or `no`. What follows a `#` is a comment. All are asked at one instant, of one state of the rows,
    /// by the index and by the policies.
    ///
    /// Whoever may `audit` there asks about anybody. Whoever may `manage` the project asks about those who ever
    /// had a membership or a role in it, and everybody about themselves: on the platform, and in a project of which
    /// they read anything.
    ///
    /// Fails with [`Code::InvalidInput`] for a line that cannot be read, with [`Code::TooLarge`] for too many, and
    /// with [`Code::NotFound`] for a person or place that is not there or that the caller may not ask about; all
    /// but the second name the line. Only whoever audits is told that an address is nobody's.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let outcomes = gate.check_stories(&office.root, "
    ///     who              | action  | where          | expected
    ///     ana@example.org  | request | shop/pagos/dev | yes
    ///     ana@example.org  | approve | shop/pagos/dev | no   # she asks
    ///     bo@example.org   | approve | shop/pagos/dev | yes
    ///     root@example.org | audit   | platform       | yes
    /// ")?;
    /// assert!(outcomes.iter().all(|outcome| outcome.passed()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn check_stories(&self, caller: &Caller, text: &str) -> Result<Vec<StoryOutcome>, Error> {
        let stories = parse_stories(text)?;
        if stories.len() > STORIES_MAX {
            let sentence =
                format!("there are {} stories; the limit is {STORIES_MAX}", stories.len());
            return Err(Error::new(Code::TooLarge, sentence).with_help("ask in several tables"));
        }
        self.consult(|txn| {
            let mut may_ask = BTreeMap::new();
            // All places first: reading one may move the instant, and they are asked at one.
            let found = stories.iter().map(|story| txn.find_story(caller, story, &mut may_ask));
            let found = found.collect::<Result<Vec<_>, _>>()?;
            let mut outcomes = Vec::with_capacity(stories.len());
            for (story, (user, scope)) in stories.iter().zip(found) {
                let answer = txn.quietly(user, &story.action, scope)?;
                outcomes.push(StoryOutcome {
                    line: story.line,
                    who: story.who.clone(),
                    action: story.action.clone(),
                    place: story.place_text.clone(),
                    expected: story.expected,
                    answer,
                });
            }
            if txn.is_current()? { Ok(outcomes) } else { Err(lost_race()) }
        })
    }

    /// Who may do what where in a project now, by the index and by the policies, as a table of text: ✔ may, ✘ may
    /// not, and ? where no decision came about. Its order depends on nothing but e-mail addresses and
    /// codes, so that a host can keep it in a file and see in a review which marks a policy moved.
    ///
    /// The people are those who ever had a membership or a role in the project. The places are the project as a
    /// whole and each environment of each module. The actions are those of the kernel and of the project's catalogue.
    ///
    /// It takes `manage` or `audit` in the project, and [`Code::NotFound`] is what anybody else gets. A project of
    /// more than 100,000 marks is [`Code::TooLarge`].
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// assert_eq!(gate.matrix_text(&office.root, office.project)?, "\
    /// shop               approve  execute  manage  read  request
    ///   ana@example.org  ✘        ✘        ✘       ✔     ✔
    ///   bo@example.org   ✔        ✔        ✘       ✘     ✘
    /// shop/pagos/dev     approve  execute  manage  read  request
    ///   ana@example.org  ✘        ✘        ✘       ✔     ✔
    ///   bo@example.org   ✔        ✔        ✘       ✘     ✘
    /// ");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn matrix_text(&self, caller: &Caller, project: ProjectId) -> Result<String, Error> {
        self.consult(|txn| {
            let missing = || not_found(&format!("project `{project}`"));
            let shelf = txn.shelf(project)?.ok_or_else(missing)?;
            if !txn.may_explain_anybody(caller, Scope::project(project))? {
                return Err(missing());
            }
            let people = txn.people_of(&shelf)?;
            let (actions, places) = (actions_of(&shelf), places_of(&shelf));
            let cells = people.len().saturating_mul(actions.len()).saturating_mul(places.len());
            if cells > CELLS_MAX {
                let sentence =
                    format!("the table would have {cells} marks; the limit is {CELLS_MAX}");
                return Err(Error::new(Code::TooLarge, sentence)
                    .with_help("write stories about the people and places that matter"));
            }
            let places_wide = places.iter().map(|(place, _)| place.chars().count());
            let people_wide =
                people.iter().map(|(email, _)| email.chars().count().saturating_add(2));
            let width = places_wide.chain(people_wide).max().unwrap_or_default();
            let heads = actions.iter().map(|action| (action.as_str(), action.as_str().len()));
            let heads: Vec<_> = heads.collect();
            let mut text = String::new();
            for (place, scope) in &places {
                push_line(&mut text, place, width, &heads);
                for (email, user) in &people {
                    let mut marks = Vec::with_capacity(actions.len());
                    for action in &actions {
                        let answer = txn.quietly(*user, action, *scope)?;
                        marks.push((mark_of(&answer), action.as_str().len()));
                    }
                    push_line(&mut text, &format!("  {email}"), width, &marks);
                }
            }
            if txn.is_current()? { Ok(text) } else { Err(lost_race()) }
        })
    }
}

fn mark_of(answer: &Answer) -> &'static str {
    if !answer.is_decided() {
        return "?";
    }
    if answer.is_allowed() { "✔" } else { "✘" }
}

/// One line: its title, and cells as wide as the heads of their columns, without blanks at its end.
fn push_line(text: &mut String, title: &str, width: usize, cells: &[(&str, usize)]) {
    let mut line = format!("{title:width$}");
    for (cell, wide) in cells {
        // Writing into a string does not fail.
        let _written = write!(line, "  {cell:wide$}");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn actions_of(shelf: &Shelf) -> BTreeSet<Action> {
    let own = [Action::REQUEST, Action::APPROVE, Action::EXECUTE, Action::READ, Action::MANAGE];
    own.into_iter().chain(shelf.book.permissions.values().map(|row| row.action.clone())).collect()
}

/// The project as a whole, then each environment of each module, by their codes.
fn places_of(shelf: &Shelf) -> Vec<(String, Scope)> {
    let (project, book) = (&shelf.book.project, &shelf.book);
    let mut modules: Vec<(&Slug, ModuleId)> =
        book.modules.values().map(|row| (&row.code, row.id)).collect();
    let mut environments: Vec<(&Slug, EnvironmentId)> =
        book.environments.values().map(|row| (&row.code, row.id)).collect();
    modules.sort();
    environments.sort();
    let mut places = vec![(project.code.to_string(), Scope::project(project.id))];
    for (module_code, module) in modules {
        for (environment_code, environment) in &environments {
            let text = format!("{}/{module_code}/{environment_code}", project.code);
            places.push((text, Scope::module(project.id, module, *environment)));
        }
    }
    places
}

/// What a caller may ask about somebody.
#[derive(Clone, Copy, Debug)]
enum MayAsk {
    Nothing,
    /// About them, because they are known in the place.
    OfThose,
    /// About them as about everybody.
    OfAnybody,
}

impl Txn<'_> {
    /// Who ever had a membership or a role in a project, by e-mail address.
    fn people_of(&mut self, shelf: &Arc<Shelf>) -> Result<Vec<(String, UserId)>, Error> {
        let members = shelf.book.memberships.values().map(|row| row.user_id);
        let ids: BTreeSet<UserId> =
            members.chain(shelf.book.grants.values().map(|row| row.user_id)).collect();
        let mut people = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(user) = self.get::<User>(&[&id.to_string()])? {
                people.push((user.email.to_string(), id));
            }
        }
        people.sort();
        Ok(people)
    }

    /// Whom and where a story is about, if the caller may ask about them. Whoever may not is told the same,
    /// whatever of it exists. `may_ask` keeps what was found out about a person and a place.
    fn find_story(
        &mut self,
        caller: &Caller,
        story: &Story,
        may_ask: &mut BTreeMap<(Option<UserId>, Scope), MayAsk>,
    ) -> Result<(UserId, Scope), Error> {
        let unseen = || at_line(story.line, not_found("such person or place"));
        let shelf = match &story.place {
            StoryPlace::Platform => None,
            StoryPlace::Project { project, .. } => {
                Some(self.shelf_by_code(project)?.ok_or_else(unseen)?)
            }
        };
        let whole =
            shelf.as_ref().map_or(Scope::Platform, |shelf| Scope::project(shelf.book.project.id));
        let user = self.user_by_email(&story.who)?;
        let may = match may_ask.get(&(user, whole)) {
            Some(may) => *may,
            None => self.may_ask(caller, user, whole, shelf.as_deref())?,
        };
        may_ask.insert((user, whole), may);
        let user = match (may, user) {
            (MayAsk::Nothing, _) | (MayAsk::OfThose, None) => return Err(unseen()),
            (MayAsk::OfThose | MayAsk::OfAnybody, Some(user)) => user,
            (MayAsk::OfAnybody, None) => {
                let sentence = format!("nobody has the e-mail address `{}`", story.who);
                let error = Error::new(Code::NotFound, sentence);
                return Err(at_line(story.line, error.with_help("add them, or correct it")));
            }
        };
        let Some(shelf) = shelf else { return Ok((user, Scope::Platform)) };
        let StoryPlace::Project { module, environment, .. } = &story.place else {
            return Ok((user, Scope::Platform));
        };
        let book = &shelf.book;
        let module = module.as_ref().map(|code| {
            let found = book.modules.values().find(|row| row.code == *code);
            found.map(|row| row.id).ok_or_else(|| book.missing("module", code))
        });
        let environment = environment.as_ref().map(|code| {
            let found = book.environments.values().find(|row| row.code == *code);
            found.map(|row| row.id).ok_or_else(|| book.missing("environment", code))
        });
        let wrong = |error| at_line(story.line, error);
        let module = module.transpose().map_err(wrong)?;
        let environment = environment.transpose().map_err(wrong)?;
        Ok((user, Scope::Project { project: book.project.id, module, environment }))
    }

    /// What the caller may ask about `user` in `whole`. Whoever may not know everybody must not learn from the
    /// answer which addresses are somebody's: to them, a user without a row in the project is nobody.
    fn may_ask(
        &mut self,
        caller: &Caller,
        user: Option<UserId>,
        whole: Scope,
        shelf: Option<&Shelf>,
    ) -> Result<MayAsk, Error> {
        if self.audits(caller, whole)? {
            return Ok(MayAsk::OfAnybody);
        }
        let Some(user) = user else { return Ok(MayAsk::Nothing) };
        let is_known = user == caller.user() || shelf.is_some_and(|shelf| shelf.has_row_of(user));
        let may = is_known && self.can_explain(caller, user, whole)?;
        Ok(if may { MayAsk::OfThose } else { MayAsk::Nothing })
    }

    fn shelf_by_code(&mut self, code: &Slug) -> Result<Option<Arc<Shelf>>, Error> {
        let Some(unique) = self.get::<Unique>(&["projects.code", code.as_str()])? else {
            return Ok(None);
        };
        self.shelf(unique.holder.parse()?)
    }

    fn user_by_email(&mut self, email: &Email) -> Result<Option<UserId>, Error> {
        // The holder is what is looked for; any will do to name the record.
        let unique = email_key(email, UserId::from_u128(0));
        let found = self.get::<Unique>(&[&unique.what, &unique.value])?;
        found.map(|unique| unique.holder.parse()).transpose()
    }
}
