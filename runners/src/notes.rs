//! What the host itself notes of the calls of a run, among the run's checkpoints: durable before a call is sent, and
//! once more when it was answered. Verifications rest on it, so that no plugin can write it.

use std::collections::BTreeMap;

use placet_core::clock::Timestamp;
use placet_core::id::RunId;

/// What the keys of the host's notes begin with. No plugin notes anything under such a key.
pub(crate) const RESERVED: &str = "placet!";

/// How far a step came, as the host noted it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Noted {
    /// It was about to be sent, or its answer was lost. From the deadline of its run on nothing of it is sent any more,
    /// but by a machine that was suspended in between; where nobody can read when that is, it may be at any time.
    Intent(Option<Timestamp>),
    /// It is known to have had no effect; why.
    Refused(String),
    /// A command ran to an end of its own that is none of success; its exit code.
    Ended(String),
    /// It was accepted; the status, or the exit code.
    Accepted(String),
}

impl Noted {
    pub(crate) fn to_state(&self) -> String {
        match self {
            Self::Intent(None) => "intent".to_owned(),
            Self::Intent(Some(until)) => format!("intent {until}"),
            Self::Refused(code) => format!("refused {code}"),
            Self::Ended(code) => format!("ended {code}"),
            Self::Accepted(status) => format!("done {status}"),
        }
    }

    /// What cannot be read was at least begun.
    fn from_state(state: &str) -> Self {
        match state.split_once(' ') {
            Some(("refused", code)) => Self::Refused(code.to_owned()),
            Some(("ended", code)) => Self::Ended(code.to_owned()),
            Some(("done", status)) => Self::Accepted(status.to_owned()),
            Some(("intent", until)) => Self::Intent(until.parse().ok()),
            _ => Self::Intent(None),
        }
    }

    /// Whether it may still be sent at this moment, for all that the host knows.
    pub(crate) fn may_be_sent_at(&self, now: Timestamp) -> bool {
        matches!(self, Self::Intent(until) if until.is_none_or(|until| now <= until))
    }
}

/// The key of the notes of a step in a run.
pub(crate) fn key(run: RunId, step: &str) -> String {
    format!("{RESERVED}{run}!{step}")
}

/// How far each step of this run came, by the checkpoints.
pub(crate) fn of_run(all: &[(String, String)], run: RunId) -> BTreeMap<String, Noted> {
    let of_run = key(run, "");
    let mut furthest: BTreeMap<String, Noted> = BTreeMap::new();
    for (key, state) in all {
        let Some(step) = key.strip_prefix(&of_run) else { continue };
        let noted = Noted::from_state(state);
        let known = furthest.entry(step.to_owned()).or_insert(Noted::Intent(None));
        if *known < noted {
            *known = noted;
        }
    }
    furthest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_back_by_run_and_by_step() {
        let (ours, other) = (RunId::from_u128(1), RunId::from_u128(2));
        let all: Vec<_> = [
            (ours, "a", "intent"),
            (other, "b", "done 200"),
            (ours, "a", "done 201"),
            (ours, "c", "intent 2026-01-01T00:10:00.000000Z"),
            (ours, "d", "refused http.404"),
            (ours, "e", "what nobody knows"),
        ]
        .into_iter()
        .map(|(run, step, state)| (key(run, step), state.to_owned()))
        .chain([("a".to_owned(), "done 200".to_owned())])
        .collect();
        let found = of_run(&all, ours);
        let shown: Vec<_> = found.iter().map(|(step, noted)| (step.as_str(), noted)).collect();
        assert_eq!(
            shown,
            [
                ("a", &Noted::Accepted("201".to_owned())),
                ("c", &Noted::Intent("2026-01-01T00:10:00Z".parse().ok())),
                ("d", &Noted::Refused("http.404".to_owned())),
                ("e", &Noted::Intent(None)),
            ]
        );
        for noted in found.values() {
            assert_eq!(Noted::from_state(&noted.to_state()), *noted);
        }
    }
}
