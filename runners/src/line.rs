//! Carries questions from the sandbox's thread to the kernel's link, which the calling thread holds. The
//! calling thread supervises meanwhile: it is the one that stops a run.

use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::runner::{LogLine, Progress, RunLink};

use crate::target::{StopReason, StopSignal};

/// How often the calling thread looks at deadline, lease and cancellation, in milliseconds.
const LOOK_MS: u64 = 20;

enum Question {
    MayTouchTarget,
    Progress(Progress),
    Log(LogLine),
    Checkpoint(String, String),
    Checkpoints,
    Now,
}

enum Answer {
    Done(Result<(), Error>),
    Checkpoints(Result<Vec<(String, String)>, Error>),
    Now(Timestamp),
}

/// The sandbox's end.
#[derive(Debug)]
pub(crate) struct Line {
    questions: Sender<Question>,
    answers: Receiver<Answer>,
}

/// The calling thread's end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    questions: Receiver<Question>,
    answers: Sender<Answer>,
}

/// Both ends.
pub(crate) fn line() -> (Line, Supervisor) {
    let (asking, asked) = channel();
    let (answering, answered) = channel();
    (
        Line { questions: asking, answers: answered },
        Supervisor { questions: asked, answers: answering },
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
            Answer::Checkpoints(_) | Answer::Now(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::may_touch_target`].
    pub(crate) fn may_touch_target(&self) -> Result<(), Error> {
        self.ask_done(Question::MayTouchTarget)
    }

    /// See [`RunLink::checkpoint`].
    pub(crate) fn checkpoint(&self, step: String, state: String) -> Result<(), Error> {
        self.ask_done(Question::Checkpoint(step, state))
    }

    /// See [`RunLink::checkpoints`].
    pub(crate) fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        match self.ask(Question::Checkpoints)? {
            Answer::Checkpoints(found) => found,
            Answer::Done(_) | Answer::Now(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::now`].
    pub(crate) fn now(&self) -> Result<Timestamp, Error> {
        match self.ask(Question::Now)? {
            Answer::Now(now) => Ok(now),
            Answer::Done(_) | Answer::Checkpoints(_) => Err(mixed_up()),
        }
    }

    /// See [`RunLink::progress`]. Does not wait.
    pub(crate) fn progress(&self, progress: Progress) {
        let _nobody_listens = self.questions.send(Question::Progress(progress));
    }

    /// See [`RunLink::log`]. Does not wait.
    pub(crate) fn log(&self, line: LogLine) {
        let _nobody_listens = self.questions.send(Question::Log(line));
    }
}

fn mixed_up() -> Error {
    Error::new(Code::Internal, "an answer of the run's link came out of turn")
}

impl Supervisor {
    /// Answers until the sandbox's end is dropped. Raises `stop` when the deadline passes, the lease is lost
    /// or somebody cancels.
    pub(crate) fn serve(self, link: &dyn RunLink, deadline: Timestamp, stop: &StopSignal) {
        loop {
            match self.questions.recv_timeout(Duration::from_millis(LOOK_MS)) {
                Ok(question) => {
                    let asks_target = matches!(question, Question::MayTouchTarget);
                    let answer = answer(question, link);
                    if let Some(Answer::Done(Err(error))) = &answer
                        && asks_target
                    {
                        stop.raise(reason(error.code()));
                    }
                    // Before the answer goes out, so that no step begins after its deadline.
                    if asks_target && link.now() >= deadline {
                        stop.raise(StopReason::Timeout);
                    }
                    if let Some(answer) = answer {
                        let _ended = self.answers.send(answer);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = link.may_touch_target() {
                        stop.raise(reason(error.code()));
                    } else if link.now() >= deadline {
                        stop.raise(StopReason::Timeout);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn answer(question: Question, link: &dyn RunLink) -> Option<Answer> {
    match question {
        Question::MayTouchTarget => Some(Answer::Done(link.may_touch_target())),
        Question::Checkpoint(step, state) => Some(Answer::Done(link.checkpoint(&step, &state))),
        Question::Checkpoints => Some(Answer::Checkpoints(link.checkpoints())),
        Question::Now => Some(Answer::Now(link.now())),
        Question::Progress(progress) => {
            link.progress(progress);
            None
        }
        Question::Log(logged) => {
            link.log(logged);
            None
        }
    }
}

fn reason(code: Code) -> StopReason {
    if code == Code::LeaseLost { StopReason::LeaseLost } else { StopReason::Cancelled }
}
