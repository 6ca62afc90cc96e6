//! Carries what a plugin says from the sandbox's thread to the kernel's link, which the calling thread holds.
//! The calling thread supervises meanwhile: it is the one that stops a run that touches nothing. A touch of the
//! target looks at the lease by itself, for two threads that wake each other cost more than the look. For the same
//! reason what needs no answer wakes nobody: it waits for the next look.

use core::cell::Cell;
use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{LogLine, Place, Progress, RunLease, RunLink};

use placet_target::{Attempt, StopReason, StopSignal};

/// How often the calling thread looks at deadline, lease and cancellation, in milliseconds.
const LOOK_MS: u64 = 20;

/// How many looks in a row may fail for a reason of the kernel's own before the run is stopped: a second.
const FAILED_LOOKS_MAX: u32 = 50;

/// How much may wait that needs no answer. When there is more, it is dropped.
const TOLD_MAX: usize = 256;

/// When so much waits, the calling thread is woken before its next look.
const TOLD_MANY: usize = 64;

/// What needs no answer.
#[derive(Debug)]
enum Told {
    Progress(Progress),
    Log(LogLine),
}

/// What waits for the calling thread, in the order in which it was said.
type Waiting = Arc<Mutex<Vec<Told>>>;

enum Question {
    /// Much waits that needs no answer.
    Told,
    Checkpoint(String, String),
    Checkpoints,
    RanAt(Attempt),
}

enum Answer {
    Done(Result<(), Error>),
    Checkpoints(Result<Vec<(String, String)>, Error>),
    RanAt(Result<Option<(Place, Slug)>, Error>),
}

/// The sandbox's end.
#[derive(Debug)]
pub(crate) struct Line {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    told: Waiting,
    dropped: Cell<u64>,
}

/// The calling thread's end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    questions: Receiver<Question>,
    answers: Sender<Answer>,
    told: Waiting,
}

/// Both ends.
pub(crate) fn line() -> (Line, Supervisor) {
    // One question at a time, and one call to see what waits.
    let (asking, asked) = sync_channel(2);
    let (answering, answered) = channel();
    let told = Waiting::default();
    (
        Line {
            questions: asking,
            answers: answered,
            told: Arc::clone(&told),
            dropped: Cell::new(0),
        },
        Supervisor { questions: asked, answers: answering, told },
    )
}

impl Line {
    fn ask(&self, question: Question) -> Result<Answer, Error> {
        let hung_up = || Error::new(Code::Cancelled, "nobody waits for this run any more");
        self.questions.send(question).map_err(|_| hung_up())?;
        self.answers.recv().map_err(|_| hung_up())
    }

    fn ask_done(&self, question: Question) -> Result<(), Error> {
        match self.ask(question)? {
            Answer::Done(done) => done,
            Answer::Checkpoints(_) | Answer::RanAt(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::checkpoint`].
    pub(crate) fn checkpoint(&self, step: String, state: String) -> Result<(), Error> {
        self.ask_done(Question::Checkpoint(step, state))
    }

    /// See [`RunLink::checkpoints`].
    pub(crate) fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        match self.ask(Question::Checkpoints)? {
            Answer::Checkpoints(found) => found,
            Answer::Done(_) | Answer::RanAt(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::ran_at`].
    pub(crate) fn ran_at(&self, of: Attempt) -> Result<Option<(Place, Slug)>, Error> {
        match self.ask(Question::RanAt(of))? {
            Answer::RanAt(found) => found,
            Answer::Done(_) | Answer::Checkpoints(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::progress`]. Does not wait: drops it when too much waits already.
    pub(crate) fn progress(&self, progress: Progress) {
        self.tell(Told::Progress(progress));
    }

    /// See [`RunLink::log`]. Does not wait: drops it when too much waits already.
    pub(crate) fn log(&self, line: LogLine) {
        self.tell(Told::Log(line));
    }

    fn tell(&self, said: Told) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD_MAX {
            self.dropped.set(self.dropped.get().saturating_add(1));
            return;
        }
        told.push(said);
        let is_much = told.len() == TOLD_MANY;
        drop(told);
        if is_much {
            // Where a question waits, what was told before it is heard first.
            drop(self.questions.try_send(Question::Told));
        }
    }

    /// How much was dropped because too much waited.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// A line of the host's own. It is never dropped.
    pub(crate) fn say(&self, line: LogLine) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(Told::Log(line));
    }
}

fn mixed_up() -> Error {
    Error::new(Code::Internal, "an answer of the run's link came out of turn")
}

impl Supervisor {
    /// Answers until the sandbox's end is dropped. Raises `stop` when the deadline passes, the lease is lost,
    /// somebody cancels, or the kernel cannot say for a while whether all is well. Looks whenever a look is
    /// due, however much the plugin talks.
    pub(crate) fn serve(self, link: &dyn RunLink, deadline: Timestamp, stop: &StopSignal) {
        let _watch = Watch(stop);
        let every = Duration::from_millis(LOOK_MS);
        let lease = link.lease();
        let mut last_look = instant();
        let mut failed_looks = 0_u32;
        loop {
            let left = every.saturating_sub(last_look.elapsed());
            let asked = self.questions.recv_timeout(left);
            for said in self.heard() {
                match said {
                    Told::Progress(progress) => link.progress(progress),
                    Told::Log(line) => link.log(line),
                }
                if last_look.elapsed() >= every {
                    last_look = instant();
                    look(&*lease, deadline, stop, &mut failed_looks);
                }
            }
            match asked {
                Ok(question) => {
                    if let Some(answer) = answer(question, link) {
                        let _ended = self.answers.send(answer);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if last_look.elapsed() >= every {
                last_look = instant();
                look(&*lease, deadline, stop, &mut failed_looks);
            }
        }
    }

    /// What was told so far.
    fn heard(&self) -> Vec<Told> {
        core::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Held while somebody supervises. Where that thread falls over, by what the host's own code does with a log line, the
/// run ends: nobody else could stop it, and the caller's thread waits for it.
struct Watch<'a>(&'a StopSignal);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.raise(StopReason::Unavailable);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "paces looks and waits and decides nothing: deadlines are the link's clock's"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

fn look(lease: &dyn RunLease, deadline: Timestamp, stop: &StopSignal, failed_looks: &mut u32) {
    match check_lease(lease, deadline, stop) {
        Ok(()) => *failed_looks = 0,
        Err(error) if reason(error.code()).is_some() => {}
        Err(_) => {
            *failed_looks = failed_looks.saturating_add(1);
            if *failed_looks > FAILED_LOOKS_MAX {
                stop.raise(StopReason::Unavailable);
            }
        }
    }
}

/// Looks at lease, cancellation and deadline, and raises `stop` when the run is over. From either thread.
pub(crate) fn check_lease(
    lease: &dyn RunLease,
    deadline: Timestamp,
    stop: &StopSignal,
) -> Result<(), Error> {
    let asked = lease.may_touch_target();
    if let Err(error) = &asked
        && let Some(reason) = reason(error.code())
    {
        stop.raise(reason);
    }
    if lease.now() >= deadline {
        stop.raise(StopReason::Timeout);
    }
    asked
}

fn answer(question: Question, link: &dyn RunLink) -> Option<Answer> {
    match question {
        Question::Checkpoint(step, state) => Some(Answer::Done(link.checkpoint(&step, &state))),
        Question::Checkpoints => Some(Answer::Checkpoints(link.checkpoints())),
        Question::RanAt(of) => {
            Some(Answer::RanAt(link.ran_at(of.request, of.revision, of.attempt)))
        }
        Question::Told => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other code says that nobody can tell at the moment, new ones included"
)]
/// Why the run ends, if the code says that it does.
const fn reason(code: Code) -> Option<StopReason> {
    match code {
        Code::LeaseLost => Some(StopReason::LeaseLost),
        Code::Cancelled => Some(StopReason::Cancelled),
        _ => None,
    }
}
