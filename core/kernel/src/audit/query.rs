//! Which entries of the log somebody wants to see, and where their list goes on.

use core::fmt;
use core::str::FromStr;

use serde::Serialize;

use super::leaf::Leaf;
use crate::authz::Scope;
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{ProjectId, RequestId, UserId};

/// The longest text of an event that is looked for, in bytes.
const EVENT_BYTES_MAX: usize = 64;

/// Which entries of the log: all conditions must hold. Without any it is the whole log, oldest first.
///
/// ```
/// use placet_core::audit::AuditQuery;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.approved(&gate)?.header.id;
/// let query = AuditQuery::default().about(id).by(office.bo.user()).event("request.")?;
/// let page = gate.query_audit(&office.root, &query, None, 10)?;
/// assert_eq!(page.entries[0].1.event, "request.approved");
///
/// // What the last minute brought, the newest first.
/// let (from, until) = (gate.now(), gate.now().plus_ms(60_000));
/// let query = AuditQuery::default().in_project(office.project).from(from).until(until).newest_first();
/// let page = gate.query_audit(&office.root, &query, None, 1)?;
/// assert_eq!(page.entries[0].1.event, "request.approved");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[must_use = "a query does nothing until a gate answers it"]
pub struct AuditQuery {
    pub(crate) request: Option<RequestId>,
    pub(crate) actor: Option<UserId>,
    pub(crate) scope: Option<Scope>,
    pub(crate) event: Option<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) newest_first: bool,
}

impl AuditQuery {
    /// Only what is about this request.
    pub fn about(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// Only what this user did. What the system did by itself has no actor.
    pub fn by(mut self, actor: UserId) -> Self {
        self.actor = Some(actor);
        self
    }

    /// Only what is anywhere in this project.
    pub fn in_project(self, project: ProjectId) -> Self {
        self.within(Scope::project(project))
    }

    /// Only what is in this scope or below it: of a project that names a module, in that module. The platform is
    /// what is about the platform itself, not all that is on it.
    pub fn within(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Only events of this code, such as `request.approved`; or of this group, when the text ends in a dot, such as
    /// `request.`. A code that no version writes is none of any entry.
    ///
    /// Fails with [`Code::InvalidInput`] for what cannot be a code.
    pub fn event(mut self, event: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
        let fits = event.len() <= EVENT_BYTES_MAX && event.bytes().all(plain);
        if !fits || event.is_empty() || event.starts_with('.') {
            let shown = crate::letters::shown(event);
            return Err(Error::new(
                Code::InvalidInput,
                format!("`{shown}` is no code of an event"),
            )
            .with_help("write a code such as `request.approved`, or a group such as `request.`"));
        }
        self.event = Some(event.to_owned());
        Ok(self)
    }

    /// Only what happened at this instant or later.
    pub fn from(mut self, instant: Timestamp) -> Self {
        self.from = Some(instant);
        self
    }

    /// Only what happened before this instant.
    pub fn until(mut self, instant: Timestamp) -> Self {
        self.until = Some(instant);
        self
    }

    /// The newest entry first.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Whether `leaf` is one of those asked for.
    pub fn matches(&self, leaf: &Leaf) -> bool {
        let is_event = |wanted: &String| match wanted.strip_suffix('.') {
            Some(_) => leaf.event.starts_with(wanted),
            None => leaf.event == *wanted,
        };
        self.request.is_none_or(|id| leaf.request == Some(id))
            && self.actor.is_none_or(|id| leaf.actor == Some(id))
            && self.scope.is_none_or(|outer| leaf.scope.is_some_and(|inner| holds(outer, inner)))
            && self.event.as_ref().is_none_or(is_event)
            && self.from.is_none_or(|from| leaf.at >= from)
            && self.until.is_none_or(|until| leaf.at < until)
    }

    /// Names this query in its cursors.
    fn name(&self) -> Result<String, Error> {
        Ok(Digest::of_json(self)?.to_string().chars().rev().take(16).collect())
    }
}

/// Whether `inner` is `outer` or below it.
fn holds(outer: Scope, inner: Scope) -> bool {
    match (outer, inner) {
        (Scope::Platform, Scope::Platform) => true,
        (
            Scope::Project { project, module, environment },
            Scope::Project { project: in_project, module: in_module, environment: in_environment },
        ) => {
            project == in_project
                && (module.is_none() || module == in_module)
                && (environment.is_none() || environment == in_environment)
        }
        (Scope::Platform, Scope::Project { .. }) | (Scope::Project { .. }, Scope::Platform) => {
            false
        }
    }
}

/// A part of an answer, and where the next part begins.
///
/// ```
/// use placet_core::audit::AuditQuery;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (query, mut cursor, mut all) = (AuditQuery::default(), None, Vec::new());
/// loop {
///     let page = gate.query_audit(&office.root, &query, cursor.as_ref(), 7)?;
///     all.extend(page.entries);
///     cursor = page.next;
///     if cursor.is_none() {
///         break;
///     }
/// }
/// assert_eq!(all, gate.audit(&office.root, 0)?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditPage {
    /// Entries with their indexes in the log, which count from 0. There may be fewer than there is room for, and none
    /// at all, where looking on would take long.
    pub entries: Vec<(u64, Leaf)>,
    /// Hand this in to get the next page; nothing when this was the last.
    pub next: Option<AuditCursor>,
}

/// A place in the answer to one query. It stays valid while the log grows: the newest first, what came later is not
/// shown; the oldest first, it is.
///
/// Its text form can be handed to a stranger and taken back: another text fails with [`Code::InvalidInput`], and so
/// does the cursor of another query when the gate is asked with it. It gives no right to anything.
///
/// ```
/// use placet_core::audit::{AuditCursor, AuditQuery};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let query = AuditQuery::default().event("org.")?;
/// let first = gate.query_audit(&office.root, &query, None, 1)?;
/// let text = first.next.expect("there is more").to_string();
///
/// let cursor: AuditCursor = text.parse()?;
/// let second = gate.query_audit(&office.root, &query, Some(&cursor), 1)?;
/// assert!(second.entries[0].0 > first.entries[0].0);
/// assert!(gate.query_audit(&office.root, &query.newest_first(), Some(&cursor), 1).is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditCursor {
    query: String,
    // The oldest first: the first index that was not looked at. The newest first: the last one that was.
    at: u64,
}

impl AuditCursor {
    pub(crate) fn new(query: &AuditQuery, at: u64) -> Result<Self, Error> {
        Ok(Self { query: query.name()?, at })
    }

    /// Where `query` goes on.
    pub(crate) fn place_in(&self, query: &AuditQuery) -> Result<u64, Error> {
        if self.query == query.name()? {
            return Ok(self.at);
        }
        Err(Error::new(Code::InvalidInput, "this cursor is of another query")
            .with_help("ask with the query that gave it, or without a cursor"))
    }
}

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log_{}_{}", self.query, self.at)
    }
}

impl FromStr for AuditCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.strip_prefix("log_").and_then(|rest| rest.split_once('_'));
        let cursor = parts
            .and_then(|(query, at)| Some(Self { query: query.to_owned(), at: at.parse().ok()? }));
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        cursor
            .filter(|found| found.query.len() == 16 && found.query.bytes().all(is_hex))
            // One spelling each: no sign, no zero in front.
            .filter(|found| found.to_string() == text)
            .ok_or_else(|| {
                let shown = crate::letters::shown(text);
                Error::new(Code::InvalidInput, format!("`{shown}` is not a cursor of the log"))
                    .with_help("hand in the text that the page before came with")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        let cursor = AuditCursor::new(&AuditQuery::default(), 17).unwrap();
        let text = cursor.to_string();
        assert_eq!(text.parse::<AuditCursor>().unwrap(), cursor);
        let others = [
            String::new(),
            "log_".to_owned(),
            text.replace("_17", "_017"),
            text.replace("_17", "_+17"),
            text.replace("_17", "_99999999999999999999"),
            text.replace("log_", "LOG_"),
            format!("{text}\n"),
            format!("{text} "),
            text.to_uppercase(),
            "log_0123_17".to_owned(),
        ];
        for other in others {
            assert_eq!(
                other.parse::<AuditCursor>().unwrap_err().code(),
                Code::InvalidInput,
                "{other}"
            );
        }
    }

    #[test]
    fn a_query_names_itself_by_all_that_it_asks() {
        let (user, request) = (UserId::from_u128(1), RequestId::from_u128(1));
        let scope = |number| Scope::project(ProjectId::from_u128(number));
        let all = AuditQuery::default;
        let queries = [
            all(),
            all().newest_first(),
            all().by(user),
            all().about(request),
            all().within(Scope::Platform),
            all().within(scope(1)),
            all().within(scope(2)),
            all().event("request.").unwrap(),
            all().event("request").unwrap(),
            all().from(Timestamp::MIN),
            all().until(Timestamp::MIN),
        ];
        for (at, query) in queries.iter().enumerate() {
            let cursor = AuditCursor::new(query, 3).unwrap();
            for (other_at, other) in queries.iter().enumerate() {
                assert_eq!(cursor.place_in(other).is_ok(), at == other_at, "{query:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_an_event_is_refused() {
        for text in
            ["", ".", ".request", "Request.", "request approved", "a%", &"a".repeat(65), "ö."]
        {
            let refused = AuditQuery::default().event(text).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidInput, "{text}");
        }
    }
}
