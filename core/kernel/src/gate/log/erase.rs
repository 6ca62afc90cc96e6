//! Erasing texts: what people wrote, and what names them, goes; what was proven of it stays.

use super::retention::Retention;
use crate::audit::{Event, Leaf};
use crate::authz::{Administer, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::subject;
use crate::gate::organisation::administer::email_key;
use crate::gate::request::read::Page;
use crate::gate::run::renew::Checkpoints;
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::org::book::Unique;
use crate::org::{Slug, User};
use crate::request::{Check, HistoryEntry, Request, Revision, Run, State};
use crate::store::Key;
use crate::store::records::{self, Record as _};

/// What is to be erased.
///
/// ```
/// use placet_core::gate::Erasure;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.pending(&gate)?.header.id;
/// gate.cancel(&office.ana, id, Some("Bo's mother is ill"))?;
/// let last = gate.history(&office.ana, id)?.pop().expect("there are steps");
///
/// assert_eq!(gate.erase(&office.root, Erasure::Comment { request: id, number: last.number })?, 1);
/// let last = gate.history(&office.ana, id)?.pop().expect("the step stays");
/// assert_eq!(last.comment.as_deref(), Some("(erased)"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Erasure {
    /// A user's name and address. The user must be inactive. The address is free for another user.
    User(UserId),
    /// All that a request says: title, payloads, plans, comments, and what its runs said. It must be over.
    Request(RequestId),
    /// The comment of one step.
    Comment {
        /// The request.
        request: RequestId,
        /// The step's number, as its history counts them.
        number: u32,
    },
}

/// How many records one leaf tells of: their names and commitments must fit.
const RECORDS_MAX: usize = 6;

/// A record that may have texts.
#[derive(Clone, Debug)]
enum Place {
    User(UserId),
    Request(RequestId),
    Revision(RequestId, u32),
    Step(RequestId, u32),
    Run(RequestId, u32, u32),
    Check(RequestId, Slug),
}

impl Place {
    fn key(&self) -> Key {
        let number = |number: u32| format!("{number:010}");
        let (kind, path) = match *self {
            Self::User(id) => (User::KIND, vec![id.to_string()]),
            Self::Request(id) => (Request::KIND, vec![id.to_string()]),
            Self::Revision(id, at) => (Revision::KIND, vec![id.to_string(), number(at)]),
            Self::Step(id, at) => (HistoryEntry::KIND, vec![id.to_string(), number(at)]),
            Self::Run(id, at, attempt) => {
                (Run::KIND, vec![id.to_string(), number(at), number(attempt)])
            }
            Self::Check(id, ref name) => (Check::KIND, vec![id.to_string(), name.to_string()]),
        };
        let path = path.iter().map(String::as_str);
        Key::from_segments(&core::iter::once(kind).chain(path).collect::<Vec<_>>())
    }
}

impl Gate {
    /// Erases texts for good and answers how many there were. It takes PLATFORM_ADMIN.
    ///
    /// Each leaf that tells of it names the commitments (salted SHA-256 digests) that stay in the records. Digests,
    /// proofs and checkpoints made before are as good as ever. Erasing what is erased already erases nothing. When it
    /// fails half-way, what was erased is in the log, and another call goes on.
    ///
    /// When it returns, this gate remembers none of them. Another gate on the same store may hold one in its memory until it
    /// next hears of the log, at [`Self::refresh`] or when its index is asked: then it lets go of all that it remembers.
    /// A gate of the crate `placet` on a store of several nodes, with its housekeeping on, does so as soon as the store
    /// tells of the erasure, or it looks, five times a second; while its hourly upkeep works, after that. Nobody is told a text from memory meanwhile: what is told is read from the store.
    ///
    /// The store may hold older bytes on its disk for a while: its documentation says how to get rid of them. A closed
    /// folder is compacted with `Gate::compact` of the crate `placet`.
    ///
    /// Fails with [`Code::Denied`] for everybody else, [`Code::NotFound`] where there is no such thing, and with
    /// [`Code::WrongState`] for an active user, or a request that is not over.
    ///
    /// ```
    /// use placet_core::gate::Erasure;
    /// use placet_core::org::command::SetUserActive;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let bo = office.bo.user();
    /// gate.administer(&office.root, &SetUserActive { user: bo, active: false })?;
    /// assert_eq!(gate.erase(&office.root, Erasure::User(bo))?, 2); // name and address
    /// assert_eq!(gate.erase(&office.root, Erasure::User(bo))?, 0);
    ///
    /// let (_, leaf) = gate.audit(&office.root, 0)?.pop().expect("it is in the log");
    /// assert_eq!((leaf.event.as_str(), leaf.erased.len()), ("text.erased", 2));
    /// assert_eq!(leaf.records[0].before, leaf.records[0].after);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn erase(&self, caller: &Caller, what: Erasure) -> Result<u64, Error> {
        let ask = |txn: &mut Txn<'_>| {
            let permit = txn.ask::<Administer>(caller.user(), Scope::Platform, "platform")?;
            permit.spend_on(&Scope::Platform).map(drop)
        };
        self.erase_at(Some(caller), |txn| {
            ask(txn)?;
            txn.places_of(what)
        })
    }

    /// Erases what the platform's retention says is kept no longer, and answers how many texts it were. Call it
    /// daily or so; it needs no caller, because it does what PLATFORM_ADMIN ordered with
    /// [`SetRetention`](crate::org::command::SetRetention).
    ///
    /// `progress` gets the number of requests that were looked at; an error from it ends the work, and the next call
    /// begins again.
    ///
    /// ```
    /// use placet_core::org::command::{RetentionClass, SetRetention};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// gate.cancel(&office.ana, id, None)?;
    ///
    /// let order = SetRetention { class: RetentionClass::Content, keep_days: Some(0) };
    /// gate.administer(&office.root, &order)?;
    /// assert!(gate.erase_expired(|_looked_at| Ok(()))? > 0);
    /// assert_eq!(gate.view(&office.ana, id)?.header.title, "(erased)");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn erase_expired(
        &self,
        mut progress: impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let (mut erased, mut looked_at, mut after) = (0_u64, 0_u64, None);
        // What goes does not come back: a clock that leapt erases nothing.
        self.check_clock()?;
        let prefix = records::key_of::<Request>(&[]);
        while !self.retention()?.is_empty() {
            let Page { items, next } = self.page::<Request>(&prefix, after.as_ref())?;
            for request in items {
                let id = request.header.id;
                // Asked again in each try: it may be ordered otherwise meanwhile.
                let due = |txn: &mut Txn<'_>| {
                    let (ordered, request) = (txn.retention()?, txn.request(id)?);
                    txn.due_places(&request, ordered)
                };
                if is_over(&request) {
                    erased = erased.saturating_add(self.erase_at(None, due)?);
                }
                looked_at = looked_at.saturating_add(1);
                progress(looked_at)?;
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(erased)
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "its lifetime is not general enough"
    )]
    fn retention(&self) -> Result<Retention, Error> {
        self.consult(|txn| txn.retention())
    }

    /// Erases the texts at what `places` answers at that moment, some records at a time, with a leaf each time.
    fn erase_at(
        &self,
        caller: Option<&Caller>,
        places: impl Fn(&mut Txn<'_>) -> Result<Vec<Place>, Error>,
    ) -> Result<u64, Error> {
        let mut erased = 0_u64;
        // Looked at before: what is erased already takes no commit.
        while self.consult(|txn| {
            let places = places(txn)?;
            txn.have_texts(&places)
        })? {
            let count = self.attempt(|txn| {
                let (mut texts, mut records) = (Vec::new(), 0_usize);
                for place in places(txn)? {
                    let found = txn.erase(&place)?;
                    records = records.saturating_add(usize::from(!found.is_empty()));
                    texts.extend(found);
                    if records == RECORDS_MAX {
                        break;
                    }
                }
                let count = texts.len();
                let leaf = (count > 0).then(|| erased_leaf(txn, caller, texts));
                Ok((count, leaf))
            })?;
            erased = erased.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        // Also where another gate was first: what was read before that may be on its way still.
        self.memory().empty();
        Ok(erased)
    }
}

fn erased_leaf(txn: &Txn<'_>, caller: Option<&Caller>, texts: Vec<Digest>) -> Leaf {
    let mut leaf = Gate::leaf(txn, Event::TextErased, caller);
    leaf.scope = Some(Scope::Platform);
    leaf.request = txn.about;
    leaf.erased = texts;
    leaf
}

fn is_over(request: &Request) -> bool {
    match request.state {
        State::Rejected(_) | State::Cancelled(_) | State::Succeeded(_) | State::Failed(_) => true,
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Approved(_)
        | State::Executing(_)
        | State::Unknown(_) => false,
    }
}

fn steps(request: &Request) -> impl Iterator<Item = Place> {
    let id = request.header.id;
    (0..request.header.history_len).map(move |number| Place::Step(id, number))
}

impl Txn<'_> {
    /// What of a request is kept no longer.
    fn due_places(&mut self, request: &Request, retention: Retention) -> Result<Vec<Place>, Error> {
        let (since, now) = (request.header.updated_at, self.now);
        let is_due = |days| is_over(request) && retention.is_past(days, since, now);
        let mut places = Vec::new();
        if is_due(retention.content_days) {
            places.extend(self.content(request)?);
        }
        if is_due(retention.comment_days) {
            places.extend(steps(request));
        }
        Ok(places)
    }

    /// All that a request says, but for comments. Runs and checks are looked for: each revision had runs of its own, and
    /// the header counts those of the present one. None is added once a request is over.
    fn content(&self, request: &Request) -> Result<Vec<Place>, Error> {
        let id = request.header.id;
        let revisions = (1..=request.header.revision).map(|number| Place::Revision(id, number));
        let runs: Vec<Run> = self.gate.scan_all(&records::key_of::<Run>(&[&id.to_string()]))?;
        let runs = runs.into_iter().map(|run| Place::Run(id, run.revision, run.attempt));
        let checks = self.gate.checks(id)?.into_iter();
        let checks = checks.map(|check| Place::Check(id, check.name));
        Ok(core::iter::once(Place::Request(id))
            .chain(revisions)
            .chain(runs)
            .chain(checks)
            .collect())
    }

    fn check_erasable(&mut self, what: Erasure) -> Result<(), Error> {
        let wrong = |sentence: String, help: &str| {
            Err(Error::new(Code::WrongState, sentence).with_help(help))
        };
        match what {
            Erasure::User(id) => {
                let missing = || crate::gate::decide::not_found(&format!("user `{id}`"));
                let user = self.get::<User>(&[&id.to_string()])?.ok_or_else(missing)?;
                if user.is_active {
                    return wrong(format!("`{id}` is active"), "make the user inactive first");
                }
            }
            Erasure::Request(id) => {
                let request = self.request(id)?;
                if !is_over(&request) {
                    let help = "withdraw or reject it first, or wait for its end";
                    return wrong(format!("{} is not over", subject(id)), help);
                }
            }
            Erasure::Comment { request, number: _ } => {
                self.request(request)?;
            }
        }
        Ok(())
    }

    fn places_of(&mut self, what: Erasure) -> Result<Vec<Place>, Error> {
        self.check_erasable(what)?;
        Ok(match what {
            Erasure::User(id) => vec![Place::User(id)],
            Erasure::Request(id) => {
                let request = self.request(id)?;
                let mut places = self.content(&request)?;
                places.extend(steps(&request));
                places
            }
            Erasure::Comment { request, number } => vec![Place::Step(request, number)],
        })
    }

    /// Whether anything at `places` can still be erased. One trip for all rows, where reads travel.
    fn have_texts(&mut self, places: &[Place]) -> Result<bool, Error> {
        self.fetch(places.iter().map(Place::key).collect())?;
        for place in places {
            if !self.erase(place)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Erases the texts of one record, and answers their commitments.
    fn erase(&mut self, place: &Place) -> Result<Vec<Digest>, Error> {
        match *place {
            Place::User(id) => {
                let path = id.to_string();
                // The address keeps another user from having it, by a digest that could be guessed.
                if let Some(user) = self.get::<User>(&[&path])? {
                    let claim = email_key(&user.email, id);
                    let held = self.get::<Unique>(&[&claim.what, &claim.value])?;
                    if held.is_some_and(|held| held.holder == path) {
                        self.remove(&claim)?;
                    }
                }
                self.erase_texts::<User>(&[&path])
            }
            Place::Request(id) => self.erase_texts::<Request>(&[&id.to_string()]),
            Place::Revision(id, number) => {
                self.erase_texts::<Revision>(&[&id.to_string(), &format!("{number:010}")])
            }
            Place::Check(id, ref name) => {
                self.erase_texts::<Check>(&[&id.to_string(), name.as_str()])
            }
            Place::Step(id, number) => {
                self.erase_texts::<HistoryEntry>(&[&id.to_string(), &format!("{number:010}")])
            }
            Place::Run(id, revision, attempt) => {
                let path = [id.to_string(), format!("{revision:010}"), format!("{attempt:010}")];
                let path = path.each_ref().map(String::as_str);
                let Some(run) = self.get::<Run>(&path)? else { return Ok(Vec::new()) };
                let mut erased = self.erase_texts::<Run>(&path)?;
                erased.extend(self.erase_texts::<Checkpoints>(&[&run.id.to_string()])?);
                Ok(erased)
            }
        }
    }
}
