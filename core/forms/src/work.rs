//! How much judging a payload would take: what a schema says of each place of it, counted before anybody judges.

use serde_json::Value;

/// The most that is looked at: each word of the schema counts once for each place of the payload that it is about.
/// Every fault is one of them at most, so this bounds the memory too.
const LOOKS_MAX: usize = 200_000;

/// Whether judging `payload` by `schema` takes more than it may. It is asked before that, and stops counting there.
pub(crate) fn is_too_much(schema: &Value, payload: &Value) -> bool {
    Count { schema, looks: 0 }.at(schema, payload).is_none()
}

struct Count<'a> {
    schema: &'a Value,
    looks: usize,
}

impl<'a> Count<'a> {
    /// Counts what `part` says of `place`; nothing once it is too much.
    fn at(&mut self, part: &'a Value, place: &Value) -> Option<()> {
        self.look(1)?;
        let Value::Object(words) = part else { return Some(()) };
        for (word, says) in words {
            self.word(word, says, place)?;
        }
        Some(())
    }

    fn word(&mut self, word: &str, says: &'a Value, place: &Value) -> Option<()> {
        match word {
            // Nobody is judged by a name alone.
            "$defs" | "definitions" => Some(()),
            "$ref" => {
                let to = says.as_str().and_then(|text| text.strip_prefix('#'));
                let found = to.and_then(|to| self.schema.pointer(to));
                self.look(1)?;
                found.map_or(Some(()), |part| self.at(part, place))
            }
            "not" | "if" | "then" | "else" => self.at(says, place),
            "allOf" | "anyOf" | "oneOf" => {
                says.as_array().into_iter().flatten().try_for_each(|part| self.at(part, place))
            }
            "dependentSchemas" | "dependencies" => {
                says.as_object().into_iter().flatten().try_for_each(|(_, part)| {
                    self.all_of(part)?;
                    self.at(part, place)
                })
            }
            "properties" => says.as_object().into_iter().flatten().try_for_each(|(name, part)| {
                self.look(1)?;
                place.get(name).map_or(Some(()), |inner| self.at(part, inner))
            }),
            "patternProperties" => says
                .as_object()
                .into_iter()
                .flatten()
                .try_for_each(|(_, part)| self.each_inside(part, place)),
            "propertyNames" => place.as_object().into_iter().flatten().try_for_each(|(name, _)| {
                let name = Value::String(name.clone());
                self.at(says, &name)
            }),
            "items"
            | "contains"
            | "additionalItems"
            | "unevaluatedItems"
            | "additionalProperties"
            | "unevaluatedProperties" => self.each_inside(says, place),
            "prefixItems" => {
                let (parts, items) = (says.as_array(), place.as_array());
                let pairs = parts.into_iter().flatten().zip(items.into_iter().flatten());
                pairs.into_iter().try_for_each(|(part, item)| self.at(part, item))
            }
            // `enum`, `required` and the like: each of what they list may become a fault.
            _ => self.all_of(says),
        }
    }

    /// Counts what `part` says of each member or item of `place`.
    fn each_inside(&mut self, part: &'a Value, place: &Value) -> Option<()> {
        match place {
            Value::Array(items) => items.iter().try_for_each(|item| self.at(part, item)),
            Value::Object(members) => members.values().try_for_each(|inner| self.at(part, inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(()),
        }
    }

    /// Counts each value within `says`. A schema is at most as deep as a form may be.
    fn all_of(&mut self, says: &Value) -> Option<()> {
        self.look(1)?;
        match says {
            Value::Array(items) => items.iter().try_for_each(|item| self.all_of(item)),
            Value::Object(members) => members.values().try_for_each(|inner| self.all_of(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(()),
        }
    }

    fn look(&mut self, count: usize) -> Option<()> {
        self.looks = self.looks.saturating_add(count);
        (self.looks <= LOOKS_MAX).then_some(())
    }
}
