//! The texts of a payload: what a dry run may try, and where in them something went wrong.

use crate::mode::Approved;

/// The texts of a payload, read once from front to back.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    all: Vec<String>,
    current: usize,
    at: usize,
}

impl Texts {
    /// Every string in the JSON `payload`.
    pub(crate) fn of_payload(payload: &str) -> Self {
        let mut texts = Vec::new();
        let mut left: Vec<serde_json::Value> = serde_json::from_str(payload).into_iter().collect();
        while let Some(value) = left.pop() {
            match value {
                serde_json::Value::String(text) => texts.push(text),
                // Taken from the end: the first comes last.
                serde_json::Value::Array(values) => left.extend(values.into_iter().rev()),
                serde_json::Value::Object(members) => {
                    left.extend(members.into_iter().rev().map(|(_, value)| value));
                }
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Number(_) => {}
            }
        }
        Self { all: texts, current: 0, at: 0 }
    }

    /// These texts, one after the other.
    pub(crate) fn of_list(all: Vec<String>) -> Self {
        Self { all, current: 0, at: 0 }
    }

    /// Whether `part` stands in the texts after what was taken before. Then it is taken too.
    pub(crate) fn take(&mut self, part: &str) -> bool {
        while let Some(text) = self.all.get(self.current) {
            if let Some(found) = text.get(self.at..).and_then(|rest| rest.find(part)) {
                self.at = self.at.saturating_add(found).saturating_add(part.len());
                return true;
            }
            if self.at == 0 && self.current.saturating_add(1) == self.all.len() {
                break;
            }
            self.current = self.current.saturating_add(1);
            self.at = 0;
        }
        // Nothing was taken: begin again, so that one refusal does not refuse all that follows.
        self.current = 0;
        self.at = 0;
        false
    }

    /// The characters before each of `parts` in the text that holds them all in order.
    pub(crate) fn characters_before(&self, parts: &[Approved], index: usize) -> Option<usize> {
        self.all.iter().find_map(|text| {
            let mut at = 0_usize;
            let mut start = 0_usize;
            for part in parts.iter().take(index.saturating_add(1)) {
                start = at.saturating_add(text.get(at..)?.find(part.body.as_str())?);
                at = start.saturating_add(part.body.len());
            }
            Some(text.get(..start)?.chars().count())
        })
    }
}
