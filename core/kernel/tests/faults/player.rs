//! Plays a story with one failure in it, and judges what came of it.

use std::collections::BTreeSet;

use placet_core::error::{Code, Error};
use placet_core::request::StateName;
use placet_core::testing::Failure;

use super::WELL_ALL_THE_SAME;
use super::stage::{Content, Ground, Stage};
use super::verbs::act;
use crate::world::assert_invariants;

/// What happens, in words: what is given, and then what is played. A step that ends in `!code` is refused so.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) ground: Ground,
    pub(crate) given: &'static str,
    pub(crate) steps: &'static str,
}

/// How a story goes on after the failure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// The same gate is asked again: whatever it kept in memory must still be right.
    SameGate,
    /// The process ends there, and the next one opens the store.
    Restart,
}

/// The story without a failure.
#[derive(Debug)]
pub(crate) struct Plain {
    /// What is given.
    content: Content,
    /// Each call of the store: whether it is a commit.
    pub(crate) calls: Vec<bool>,
    /// The leaves that each step writes, by their events.
    events: Vec<Vec<String>>,
    ends: Vec<(String, StateName)>,
}

/// One step: what is done, and the code with which it is refused, if it is.
fn parse(step: &'static str) -> (&'static str, Option<&'static str>) {
    step.split_once(" !").map_or((step, None), |(step, code)| (step, Some(code)))
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(',').map(str::trim).filter(|step| !step.is_empty())
}

/// Whether a step was answered as the story says.
fn is_as_told(answer: &Result<(), Error>, refused: Option<&str>) -> bool {
    match (answer, refused) {
        (Ok(()), None) => true,
        (Err(error), Some(code)) => error.code().as_str() == code,
        (Ok(()), Some(_)) | (Err(_), None) => false,
    }
}

/// How the requests stand.
fn ends(stage: &Stage) -> Vec<(String, StateName)> {
    let requests = stage.requests().into_iter();
    requests.map(|request| (request.header.title, request.state.name())).collect()
}

impl Story {
    pub(crate) fn plain(&self) -> Plain {
        let stage = Stage::new(&Content::on(self.ground), u64::MAX, Failure::BeforeApplied);
        for step in lines(self.given) {
            act(&stage, step)
                .unwrap_or_else(|error| panic!("{}: given {step}: {error}", self.name));
        }
        let content = Content::of(&stage.bench);
        let stage = Stage::new(&content, u64::MAX, Failure::BeforeApplied);
        let mut events = Vec::new();
        for step in lines(self.steps) {
            let ((words, refused), from) = (parse(step), stage.log_len());
            let answer = act(&stage, words);
            assert!(is_as_told(&answer, refused), "{}: {step}: {answer:?}", self.name);
            events.push(stage.events(from));
        }
        assert_invariants(stage.store());
        Plain { content, calls: stage.memory.calls(), events, ends: ends(&stage) }
    }

    /// Plays it while call number `nth` fails, and then to its end. Answers whether the verb in which it failed
    /// came back well all the same.
    pub(crate) fn disturbed(
        &self,
        plain: &Plain,
        (nth, failure): (u64, Failure),
        manner: Manner,
    ) -> bool {
        let stage = Stage::new(&plain.content, nth, failure);
        let place = format!("{}, call {nth}, {failure:?}, {manner:?}", self.name);
        let play = Play { plain, stage: &stage, place };
        let mut came_well = false;
        for (number, step) in lines(self.steps).enumerate() {
            let (words, refused) = parse(step);
            let (was_over, from) = (stage.failing.failed(), stage.log_len());
            let answer = act(&stage, words);
            if was_over {
                play.goes_on(step, &answer);
            } else if stage.failing.failed() {
                let is_done = play.failed((number, step), &answer, from);
                came_well = answer.is_ok();
                if let Manner::Restart = manner {
                    stage.restart();
                }
                if !is_done {
                    play.goes_on(step, &act(&stage, words));
                }
            } else {
                assert!(is_as_told(&answer, refused), "{}: {step}: {answer:?}", play.place);
            }
        }
        assert!(stage.failing.failed(), "{}: the call was never made", play.place);
        play.ended();
        came_well
    }
}

struct Play<'a> {
    plain: &'a Plain,
    stage: &'a Stage,
    place: String,
}

impl Play<'_> {
    /// Judges a step in which a call failed. Answers whether it is done all the same.
    fn failed(
        &self,
        (number, step): (usize, &'static str),
        answer: &Result<(), Error>,
        from: u64,
    ) -> bool {
        let (stage, place) = (self.stage, &self.place);
        self.holds();
        let ((words, refused), writes) = (parse(step), &self.plain.events[number]);
        let verb = words.split(' ').next().unwrap();
        // What was written is what the step writes, up to some point, and nothing else.
        let wrote = stage.events(from);
        let is_part = writes.starts_with(&wrote);
        // A denial is one, whatever was said to whoever was denied.
        let is_denial = refused.is_some() && wrote == ["denied"];
        assert!(is_part || is_denial, "{place}: {step} wrote {wrote:?} of {writes:?}");
        match (answer, refused) {
            (Ok(()), Some(_)) => panic!("{place}: {step} was allowed after an error"),
            (Ok(()), None) => {
                let is_known = WELL_ALL_THE_SAME.iter().any(|(known, _)| *known == verb);
                assert!(is_known, "{place}: {step} came back well after an error");
                true
            }
            // A refusal needs no store to be one.
            (Err(error), Some(code)) if error.code().as_str() == code => true,
            (Err(error), _) => {
                // `can` answers yes or no, and any error is a no.
                let is_error = error.code() == Code::StoreUnavailable || verb == "can";
                assert!(is_error, "{place}: {step}: {error}");
                // All of it is written: its answer was lost, and whoever looks sees that it is done.
                refused.is_none() && !writes.is_empty() && wrote.len() == writes.len()
            }
        }
    }

    /// Judges a step after the failure.
    fn goes_on(&self, step: &'static str, answer: &Result<(), Error>) {
        let (words, refused) = parse(step);
        if is_as_told(answer, refused) {
            return;
        }
        // A run that was lost cannot be stopped, and one that is known needs nobody's word.
        let is_moot = ["stop", "reconcile"].iter().any(|verb| words.starts_with(verb))
            && answer.as_ref().is_err_and(|error| error.code() == Code::WrongState);
        assert!(is_moot, "{}: afterwards {step}: {answer:?}", self.place);
    }

    /// What must hold at any time.
    fn holds(&self) {
        assert_invariants(self.stage.store());
        let mut seen = BTreeSet::new();
        for job in self.stage.bench.runner.entered() {
            let is_new = seen.insert((job.request, job.revision, job.attempt));
            assert!(is_new, "{}: {job:?} was entered twice", self.place);
        }
    }

    /// Judges how it all ended: as without the failure, or truthfully as a run that did nothing.
    fn ended(&self) {
        self.holds();
        let ends = ends(self.stage);
        let titles = |ends: &[(String, StateName)]| -> Vec<String> {
            ends.iter().map(|(title, _)| title.clone()).collect()
        };
        assert_eq!(titles(&ends), titles(&self.plain.ends), "{}", self.place);
        let requests = self.stage.requests();
        for (request, (title, told)) in requests.iter().zip(&self.plain.ends) {
            let (state, is_made) = (&request.state.name(), self.stage.is_made(request.header.id));
            let is_true = is_made == (*state == StateName::Succeeded);
            assert!(is_true, "{}: {title} is {state}, made: {is_made}", self.place);
            let did_nothing = *state == StateName::Failed && *told == StateName::Succeeded;
            assert!(state == told || did_nothing, "{}: {title} is {state}", self.place);
        }
    }
}
