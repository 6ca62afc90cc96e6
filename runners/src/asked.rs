//! What a payload asks the host for, besides what the plugin reads in it. Payloads of other plugins ask for nothing.

use placet_sql_review::{Mode, Payload, Script, Suppression};
use placet_target::Attempt;

/// What a payload asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    script: Option<Script>,
    /// What an attempt changed is to be put back.
    pub(crate) revert: Option<Attempt>,
}

impl Asked {
    pub(crate) fn of_payload(payload: &str) -> Self {
        match Payload::from_json(payload) {
            Ok(Payload::Script(script)) => Self { script: Some(script), revert: None },
            Ok(Payload::Revert(of)) => {
                let (revision, attempt) = (of.revision, of.attempt);
                // What names no request asks for nothing, and nothing is put back.
                let revert = of.request.parse().ok();
                let revert = revert.map(|request| Attempt { request, revision, attempt });
                Self { script: None, revert }
            }
            Err(_) => Self::default(),
        }
    }

    /// The text of the script.
    pub(crate) fn script(&self) -> Option<&str> {
        self.script.as_ref().map(|script| script.sql.as_str())
    }

    /// Whether each step is to take effect by itself.
    pub(crate) fn by_steps(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.mode == Some(Mode::Steps))
    }

    /// The most rows that a query may answer.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.script.as_ref().and_then(|script| script.limit)
    }

    /// Findings that are taken as known.
    pub(crate) fn suppressions(&self) -> &[Suppression] {
        self.script.as_ref().map_or(&[], |script| &script.suppress)
    }
}
