//! What another system carries out, to its end.

use alloc::format;
use alloc::string::{String, ToString as _};

use placet_plugin_sdk::once::{self, Noted};
use serde_json::Value;

use crate::Host;
use crate::holes::Values;
use crate::look::{self, Look};
use crate::template::{Meaning, Poll, Queued, Step};
use crate::{json, render};

/// Where it is, and what it is called there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Queued(String),
    Begun(String),
}

impl Place {
    pub(crate) fn noted(&self) -> Noted {
        Noted::Begun(match self {
            Self::Queued(id) => format!("queued {id}"),
            Self::Begun(id) => format!("begun {id}"),
        })
    }

    pub(crate) fn from_note(text: &str) -> Option<Self> {
        match text.split_once(' ')? {
            ("queued", id) => Some(Self::Queued(id.to_string())),
            ("begun", id) => Some(Self::Begun(id.to_string())),
            _ => None,
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    Succeeded,
    /// It began and failed: what it did until then is there.
    Failed(String),
    /// It never began.
    Dropped(String),
    Unknown {
        code: &'static str,
        message: String,
    },
}

/// Whether to wait for the end, or to look how it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    Wait,
    Look,
}

/// One run of a deployment.
#[derive(Debug)]
pub(crate) struct Followed<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) run: &'a str,
    /// The values for calls that read.
    pub(crate) values: &'a Values,
}

/// What one look said.
enum Said {
    Still,
    Moved(Place),
    Ended(End),
}

impl<H: Host> Followed<'_, H> {
    /// Follows a step from where it is to its end.
    pub(crate) fn to_its_end(
        &self,
        step: &Step,
        poll: &Poll,
        mut place: Place,
        patience: Patience,
    ) -> End {
        let own = step.http.as_ref().map_or("", |http| http.endpoint.as_str());
        let endpoint = poll.endpoint.as_deref().unwrap_or(own);
        // Who only looks goes on when it left the queue in the meantime.
        let times_max = if patience == Patience::Wait { poll.times_max.max(1) } else { 1 };
        let mut why = String::new();
        let mut times = 0_u32;
        while times < times_max {
            if self.host.cancelled() {
                let message = "the run was cancelled; what it began goes on".to_string();
                return End::Unknown { code: "cancelled", message };
            }
            let said = match (&place, &poll.queued) {
                (Place::Queued(id), Some(queued)) => self.queue(endpoint, queued, id),
                (Place::Queued(id) | Place::Begun(id), _) => self.state(endpoint, poll, id),
            };
            match said {
                Ok(Said::Ended(end)) => return end,
                Ok(Said::Moved(to)) => {
                    self.keep(step, &to);
                    place = to;
                    continue;
                }
                Ok(Said::Still) => why = "it is still under way".to_string(),
                Err(later) => why = later,
            }
            times = times.saturating_add(1);
            if times < times_max {
                let total = Some(u64::from(times_max));
                self.host.progress(&step.id, times.into(), total, Some("it is under way"));
                self.host.wait(poll.every_ms);
            }
        }
        End::Unknown { code: "deploy.under_way", message: format!("nobody can tell yet: {why}") }
    }

    /// Notes where it is. It is there also where that cannot be noted.
    pub(crate) fn keep(&self, step: &Step, place: &Place) {
        if let Err(why) = once::note(self.host, self.run, &step.id, &place.noted()) {
            self.host.log("warn", &format!("where it is could not be noted: {why}"));
        }
    }

    fn queue(&self, endpoint: &str, queued: &Queued, id: &str) -> Result<Said, String> {
        let answer = match self.read(endpoint, &queued.path, id)? {
            Ok(answer) => answer,
            Err(end) => return Ok(Said::Ended(end)),
        };
        if let Some(begun) = json::id(answer.pointer(&queued.id)) {
            return Ok(Said::Moved(Place::Begun(begun)));
        }
        let cancelled = queued.cancelled.as_ref().and_then(|pointer| answer.pointer(pointer));
        if cancelled == Some(&Value::Bool(true)) {
            let message = "it was taken out of the queue before it began".to_string();
            return Ok(Said::Ended(End::Dropped(message)));
        }
        Ok(Said::Still)
    }

    fn state(&self, endpoint: &str, poll: &Poll, id: &str) -> Result<Said, String> {
        let answer = match self.read(endpoint, &poll.path, id)? {
            Ok(answer) => answer,
            Err(end) => return Ok(Said::Ended(end)),
        };
        if !json::holds(&answer, &poll.ours, self.values)? {
            return Err("the answer is not about this run".to_string());
        }
        let word = json::words(&answer, &poll.state);
        Ok(match json::meaning(&word, &poll.words) {
            Some(Meaning::Running) => Said::Still,
            Some(Meaning::Succeeded) => Said::Ended(End::Succeeded),
            Some(Meaning::Failed) => Said::Ended(End::Failed(format!("it ended as `{word}`"))),
            None => {
                let message = format!("nobody said what the state `{word}` means");
                Said::Ended(End::Unknown { code: "deploy.word", message })
            }
        })
    }

    /// The outer error: not this time. The inner one: not at any time.
    fn read(&self, endpoint: &str, path: &str, id: &str) -> Result<Result<Value, End>, String> {
        let path = render::path(path, &self.values.with_id(id))?;
        match look::json(self.host, endpoint, &path) {
            Look::Seen(answer) => Ok(Ok(answer)),
            Look::Later(why) => Err(why),
            Look::Never { code, message } => Ok(Err(End::Unknown { code, message })),
        }
    }
}
