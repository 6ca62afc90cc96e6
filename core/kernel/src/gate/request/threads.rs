//! Questions about a request that want an answer, and their answers.

use super::read::{Cursor, Page};
use crate::audit::{Event, Leaf};
use crate::authz::Action;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::org::UserKind;
use crate::request::{Header, HistoryEntry, Request, Resolution, Thread, ThreadPlace, action};
use crate::store::records;

/// How many threads one request has at most.
const THREADS_MAX: u32 = 1_000;
/// How many texts one thread has at most.
const POSTS_MAX: usize = 200;

/// A thread as a reader sees it.
///
/// ```
/// use placet_core::request::ThreadPlace;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.pending(&gate)?.header.id;
/// gate.open_thread(&office.ana, id, ThreadPlace::Revision(1), "why all prices?")?;
/// gate.edit(&office.ana, id, "raise one price", &office.change("\"raise one\"")?)?;
/// let view = gate.threads(&office.ana, id, None)?.items.remove(0);
/// assert!(view.thread.is_open() && view.is_outdated);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ThreadView {
    /// The thread.
    pub thread: Thread,
    /// Whether it is about a revision or a plan that is not the request's present one.
    pub is_outdated: bool,
}

impl Gate {
    /// Asks something about a request, a revision or a step of its plan that wants an answer. Whoever may comment
    /// may, also once the request is over. It is open until somebody resolves it; a rule may keep a request from
    /// being approved while it has open ones.
    ///
    /// Fails as [`Self::comment`] does, with [`Code::NotFound`] for a revision or step that is not there, and with
    /// [`Code::TooLarge`] for a request that has 1,000 threads.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Step(1), "is there an index?")?;
    /// assert_eq!(gate.view(&office.ana, id)?.header.threads.open, 1);
    /// assert_eq!(gate.posts(&office.ana, id, thread.number)?[0].comment.as_deref(), Some("is there an index?"));
    /// let nowhere = gate.open_thread(&office.ana, id, ThreadPlace::Step(9), "and this?");
    /// assert_eq!(nowhere.unwrap_err().code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn open_thread(
        &self,
        caller: &Caller,
        id: RequestId,
        place: ThreadPlace,
        text: &str,
    ) -> Result<Thread, Error> {
        self.check_comment(text, true)?;
        self.transact(|txn| {
            let mut request = txn.commentable(caller, id)?;
            let (revision, plan_at) = txn.place_of(&request.header, place)?;
            let number = request.header.threads.all;
            if number >= THREADS_MAX {
                return Err(Error::new(
                    Code::TooLarge,
                    format!("`{id}` has {THREADS_MAX} threads, and that is the limit"),
                )
                .with_help("go on in one of them, or comment on the request"));
            }
            let (opened_by, opened_at) = (caller.user(), txn.now);
            let thread = Thread {
                request: id,
                number,
                place,
                revision,
                plan_at,
                opened_by,
                opened_at,
                resolution: None,
                posts: vec![request.header.history_len],
            };
            txn.add(&thread)?;
            let threads = &mut request.header.threads;
            threads.all = threads.all.saturating_add(1);
            threads.open = threads.open.saturating_add(1);
            let step = Step { caller, verb: action::OPEN_THREAD, text: Some(text), number };
            let leaf = step.save(txn, request, Event::RequestThreadOpened)?;
            Ok((thread, leaf))
        })
    }

    /// Answers in a thread. Whoever may comment may; a thread that is resolved stays so.
    ///
    /// Fails as [`Self::comment`] does, with [`Code::NotFound`] for a thread that is not there, and with
    /// [`Code::TooLarge`] for one that has 200 texts.
    ///
    /// ```
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?.number;
    /// gate.reply(&office.ana, id, thread, "the shop does")?;
    /// assert_eq!(gate.posts(&office.ana, id, thread)?.len(), 2);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn reply(
        &self,
        caller: &Caller,
        id: RequestId,
        thread: u32,
        text: &str,
    ) -> Result<Thread, Error> {
        self.check_comment(text, true)?;
        self.transact(|txn| {
            let request = txn.commentable(caller, id)?;
            let mut found = txn.thread(id, thread)?;
            if found.posts.len() >= POSTS_MAX {
                return Err(Error::new(
                    Code::TooLarge,
                    format!(
                        "thread {thread} of `{id}` has {POSTS_MAX} texts, and that is the limit"
                    ),
                )
                .with_help("open another thread"));
            }
            found.posts.push(request.header.history_len);
            txn.put(&found)?;
            let step = Step { caller, verb: action::REPLY, text: Some(text), number: thread };
            let leaf = step.save(txn, request, Event::RequestThreadReplied)?;
            Ok((found, leaf))
        })
    }

    /// Says that a thread needs no more answers. Whoever opened it may, and whoever may approve the request and did not
    /// write it; an agent only what it opened itself.
    ///
    /// Fails as [`Self::comment`] does, with [`Code::NotFound`] for a thread that is not there, with
    /// [`Code::Refused`] for everybody else, and with [`Code::WrongState`] for one that is resolved.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?.number;
    /// assert!(!gate.resolve_thread(&office.ana, id, thread)?.is_open());
    /// let again = gate.resolve_thread(&office.ana, id, thread);
    /// assert_eq!(again.unwrap_err().code(), Code::WrongState);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn resolve_thread(
        &self,
        caller: &Caller,
        id: RequestId,
        thread: u32,
    ) -> Result<Thread, Error> {
        self.transact(|txn| {
            let mut request = txn.commentable(caller, id)?;
            let mut found = txn.thread(id, thread)?;
            txn.check_may_resolve(caller, &request.header, &found)?;
            if !found.is_open() {
                return Err(wrong_state(&found, "resolved"));
            }
            found.resolution = Some(Resolution::new(caller.user(), txn.now));
            txn.put(&found)?;
            let threads = &mut request.header.threads;
            threads.open = threads.open.saturating_sub(1);
            let step = Step { caller, verb: action::RESOLVE_THREAD, text: None, number: thread };
            let leaf = step.save(txn, request, Event::RequestThreadResolved)?;
            Ok((found, leaf))
        })
    }

    /// Says that a thread wants an answer again. Whoever may open one may.
    ///
    /// Fails as [`Self::comment`] does, with [`Code::NotFound`] for a thread that is not there, and with
    /// [`Code::WrongState`] for one that is open.
    ///
    /// ```
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?.number;
    /// gate.resolve_thread(&office.ana, id, thread)?;
    /// assert!(gate.reopen_thread(&office.ana, id, thread)?.is_open());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn reopen_thread(
        &self,
        caller: &Caller,
        id: RequestId,
        thread: u32,
    ) -> Result<Thread, Error> {
        self.transact(|txn| {
            let mut request = txn.commentable(caller, id)?;
            let mut found = txn.thread(id, thread)?;
            if found.is_open() {
                return Err(wrong_state(&found, "opened"));
            }
            found.resolution = None;
            txn.put(&found)?;
            let threads = &mut request.header.threads;
            threads.open = threads.open.saturating_add(1);
            let step = Step { caller, verb: action::REOPEN_THREAD, text: None, number: thread };
            let leaf = step.save(txn, request, Event::RequestThreadReopened)?;
            Ok((found, leaf))
        })
    }

    /// The threads of a request, in the order in which they were opened. Those about earlier revisions stay, and
    /// say so. Whoever may read the request may; at most [`crate::limits::Limits::page_rows_max`] at a time.
    ///
    /// Fails with [`Code::NotFound`] as [`Self::view`] does.
    ///
    /// ```
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?;
    /// gate.open_thread(&office.ana, id, ThreadPlace::Step(1), "is there an index?")?;
    /// let page = gate.threads(&office.ana, id, None)?;
    /// assert!(page.items.iter().map(|view| view.thread.number).eq([0, 1]));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn threads(
        &self,
        caller: &Caller,
        id: RequestId,
        after: Option<&Cursor>,
    ) -> Result<Page<ThreadView>, Error> {
        self.consult(|txn| {
            let request = txn.readable(caller, id)?;
            let prefix = records::key_of::<Thread>(&[&id.to_string()]);
            let Page { items, next } = self.page::<Thread>(&prefix, after)?;
            let view = |thread: Thread| {
                let is_outdated = thread.is_outdated(&request.header);
                ThreadView { thread, is_outdated }
            };
            Ok(Page { items: items.into_iter().map(view).collect(), next })
        })
    }

    /// The texts of a thread, oldest first. Whoever may read the request may.
    ///
    /// Fails with [`Code::NotFound`] as [`Self::view`] does, and for a thread that is not there.
    ///
    /// ```
    /// use placet_core::request::ThreadPlace;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let thread = gate.open_thread(&office.ana, id, ThreadPlace::Request, "who pays?")?.number;
    /// let posts = gate.posts(&office.ana, id, thread)?;
    /// assert_eq!((posts.len(), posts[0].actor), (1, Some(office.ana.user())));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn posts(
        &self,
        caller: &Caller,
        id: RequestId,
        thread: u32,
    ) -> Result<Vec<HistoryEntry>, Error> {
        self.consult(|txn| {
            txn.readable(caller, id)?;
            let (found, id) = (txn.thread(id, thread)?, id.to_string());
            let paths = || found.posts.iter().map(|number| format!("{number:010}"));
            txn.fetch(paths().map(|at| records::key_of::<HistoryEntry>(&[&id, &at])).collect())?;
            let posts = paths().map(|at| txn.get::<HistoryEntry>(&[&id, &at]));
            posts.filter_map(Result::transpose).collect()
        })
    }
}

/// One step in a thread.
struct Step<'a> {
    caller: &'a Caller,
    verb: &'static str,
    text: Option<&'a str>,
    number: u32,
}

impl Step<'_> {
    fn save(&self, txn: &mut Txn<'_>, request: Request, event: Event) -> Result<Leaf, Error> {
        let from = Some(request.state.name());
        let caller = Some(self.caller);
        let note = Note { caller, verb: self.verb, from, comment: self.text };
        let request = txn.save_in(request, &note, Some(self.number))?;
        let mut leaf = Gate::request_leaf(txn, event, caller, &request);
        leaf.facts.insert("thread".to_owned(), self.number.to_string());
        Ok(leaf)
    }
}

fn wrong_state(thread: &Thread, step: &str) -> Error {
    let (number, id) = (thread.number, thread.request);
    Error::new(Code::WrongState, format!("thread {number} of `{id}` is {step} already"))
        .with_help("read its threads again")
}

impl Txn<'_> {
    fn thread(&mut self, id: RequestId, number: u32) -> Result<Thread, Error> {
        let found = self.get::<Thread>(&[&id.to_string(), &format!("{number:010}")])?;
        found.ok_or_else(|| not_found(&format!("thread {number} of {}", subject(id))))
    }

    /// The revision that a thread is about, and when the plan was made where it is about a step of one.
    fn place_of(
        &mut self,
        header: &Header,
        place: ThreadPlace,
    ) -> Result<(u32, Option<Timestamp>), Error> {
        let missing = |what: String| not_found(&format!("{what} of {}", subject(header.id)));
        match place {
            ThreadPlace::Request => Ok((header.revision, None)),
            ThreadPlace::Revision(number) if (1..=header.revision).contains(&number) => {
                Ok((number, None))
            }
            ThreadPlace::Revision(number) => Err(missing(format!("revision {number}"))),
            ThreadPlace::Step(number) => {
                let plan = self.revision(header)?.plan;
                let steps = plan.map_or(0, |plan| plan.steps.len());
                let is_there = usize::try_from(number).is_ok_and(|at| (1..=steps).contains(&at));
                match &header.plan {
                    Some(plan) if is_there => Ok((header.revision, Some(plan.at))),
                    Some(_) | None => Err(missing(format!("step {number} in the plan"))),
                }
            }
        }
    }

    fn check_may_resolve(
        &mut self,
        caller: &Caller,
        header: &Header,
        thread: &Thread,
    ) -> Result<(), Error> {
        let user = caller.user();
        if user == thread.opened_by {
            return Ok(());
        }
        if self.kind_of(user)? == UserKind::Agent {
            return Err(Error::new(Code::Refused, "an agent resolves only what it opened itself")
                .with_help("answer in the thread, and let a person resolve it"));
        }
        // A rule may stop what has open threads: its author does not wave that away.
        let is_author = header.authors().contains(&user);
        if !is_author && self.judge(user, &Action::APPROVE, header.scope())?.is_ok() {
            return Ok(());
        }
        let sentence = if is_author {
            format!("`{user}` wrote the request, and did not open this thread")
        } else {
            format!("`{user}` neither opened this thread, nor may approve the request")
        };
        Err(Error::new(Code::Refused, sentence)
            .with_help("answer in the thread, and let whoever opened it or an approver resolve it"))
    }
}
