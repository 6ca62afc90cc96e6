//! Texts that can be erased: they stand beside a record's body, and only their commitments in it.
//!
//! The log knows a record by the digest of its bytes without these texts. So a text can go, and every digest and
//! every proof stays what it was.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::{Digest, canonical_json, to_hex};
use crate::error::{Code, Error};

/// Where a record holds a text that can be erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Erasable {
    /// The place in the record's JSON (RFC 6901).
    pub(crate) at: &'static str,
    /// What is read there once it was erased, as JSON.
    pub(crate) instead: &'static str,
}

/// A text at `at`, read as `instead` (JSON) once it was erased.
pub(crate) const fn erasable(at: &'static str, instead: &'static str) -> Erasable {
    Erasable { at, instead }
}

/// The erasable texts of a record, by their commitments.
pub(super) type Texts = BTreeMap<String, Text>;

/// A text, and what keeps its commitment from being guessed. Both go when it is erased.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    salt: String,
    text: Value,
}

impl Text {
    fn new(salt: String, text: Value) -> Self {
        Self { salt, text }
    }

    /// SHA-256 over the salt as it is written, and `t` and the text, or `j` and canonical JSON where it is no text.
    fn commitment(&self) -> Result<String, Error> {
        // Of one length, so that nothing of the text passes for salt.
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if self.salt.len() != 32 || !self.salt.bytes().all(is_hex) {
            return Err(Error::new(Code::StoreDamaged, "the salt of a text is not 32 hex digits")
                .with_help("restore the store from a backup"));
        }
        let committed = |form: u8, bytes: &[u8]| {
            Digest::of_parts(&[self.salt.as_bytes(), &[form], bytes]).to_string()
        };
        if let Some(text) = self.text.as_str() {
            return Ok(committed(b't', text.as_bytes()));
        }
        Ok(committed(b'j', &canonical_json(&self.text)?))
    }
}

/// Randomness for one writing of one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Salts {
    /// Stands in the record.
    pub(crate) record: [u8; 16],
    /// Stands nowhere: the salts of the texts come from it.
    pub(crate) texts: [u8; 32],
}

/// Takes the texts at `places` out of `body` and leaves their commitments. What is not there, null or empty stays.
pub(super) fn take_out(
    body: &mut Value,
    places: &[Erasable],
    salts: &Salts,
) -> Result<Texts, Error> {
    let mut texts = Texts::new();
    for place in places {
        let Some(slot) = body.pointer_mut(place.at) else { continue };
        if slot.is_null() || slot.as_str() == Some("") {
            continue;
        }
        let salt = Digest::of_parts(&[&salts.texts, place.at.as_bytes()]);
        let salt =
            salt.as_bytes().first_chunk::<16>().map_or_else(String::new, |half| to_hex(half));
        let text = Text::new(salt, slot.take());
        let commitment = text.commitment()?;
        *slot = Value::String(commitment.clone());
        texts.insert(commitment, text);
    }
    Ok(texts)
}

/// Puts `texts` back where their commitments stand in `body`, and says `instead` for those that were erased.
///
/// Answers whether every text is the one that was committed to.
pub(super) fn put_back(body: &mut Value, places: &[Erasable], mut texts: Texts) -> bool {
    for place in places {
        let Some(slot) = body.pointer_mut(place.at) else { continue };
        let Some(commitment) = slot.as_str().filter(|text| !text.is_empty()) else { continue };
        *slot = match texts.remove(commitment) {
            Some(text) if text.commitment().is_ok_and(|found| found == commitment) => text.text,
            Some(_) => return false,
            None => match serde_json::from_str(place.instead) {
                Ok(instead) => instead,
                Err(_) => return false,
            },
        };
    }
    texts.is_empty()
}

const MEMBER: &str = ",\"texts\":";

/// Where the texts begin that stored `bytes` end with: the bytes before them, and the texts.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let whole = core::str::from_utf8(bytes).ok()?.strip_suffix('}')?;
    // Most records have none, and are not read for it. What stands deeper is followed by more than one brace, so it is
    // no JSON up to there.
    let mut found = whole.match_indices(MEMBER).filter_map(|(at, _)| whole.split_at_checked(at));
    let is_whole = |rest: &str| serde_json::from_str::<IgnoredAny>(rest).is_ok();
    found.find_map(|(head, rest)| {
        let texts = rest.strip_prefix(MEMBER).filter(|texts| is_whole(texts))?;
        Some((head.as_bytes(), texts.as_bytes()))
    })
}

/// The digest under which the audit log knows stored `bytes`: that of everything but the erasable texts.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    match split(bytes) {
        Some((head, _)) => Digest::of_parts(&[head, b"}"]),
        None => Digest::of(bytes),
    }
}

/// Stored bytes without their texts.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Erased {
    pub(crate) bytes: Vec<u8>,
    /// What stays of the texts.
    pub(crate) commitments: Vec<Digest>,
}

/// Stored `bytes` with every text erased. Nothing where there is no text.
pub(crate) fn without_texts(bytes: &[u8]) -> Result<Option<Erased>, Error> {
    let Some((head, texts)) = split(bytes) else { return Ok(None) };
    let texts: Texts = serde_json::from_slice(texts).map_err(|source| {
        Error::new(Code::StoreDamaged, "the texts of a record cannot be read")
            .with_help("restore the store from a backup")
            .with_source(source)
    })?;
    if texts.is_empty() {
        return Ok(None);
    }
    let commitments = texts.keys().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let bytes = [head, MEMBER.as_bytes(), b"{}}"].concat();
    Ok(Some(Erased { bytes, commitments }))
}

/// The texts that a record has, and those that it had.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Beside {
    /// How many are there; each is the one that was committed to.
    pub(crate) there: usize,
    /// The commitments of those that are not.
    pub(crate) absent: Vec<Digest>,
}

/// What stands beside the record in stored `bytes`, whose kind has texts at `places`; or what is wrong with it.
pub(crate) fn beside(bytes: &[u8], places: &[Erasable]) -> Result<Beside, &'static str> {
    #[derive(Deserialize)]
    struct Whole {
        body: Value,
    }
    let Some((_, texts)) = split(bytes) else {
        return if places.is_empty() {
            Ok(Beside::default())
        } else {
            Err("its texts cannot be read")
        };
    };
    if places.is_empty() {
        return Err("texts stand beside it, and its kind has none");
    }
    let found: Option<(Texts, Whole)> =
        serde_json::from_slice(texts).ok().zip(serde_json::from_slice(bytes).ok());
    let Some((mut found, Whole { body })) = found else { return Err("its texts cannot be read") };
    // One way to write them, so that nothing stands there twice or between the lines.
    if serde_json::to_vec(&found).ok().as_deref() != Some(texts) {
        return Err("its texts are not as the gate writes them");
    }
    let mut beside = Beside::default();
    for place in places {
        let slot = body.pointer(place.at).and_then(Value::as_str);
        let Some(commitment) = slot.filter(|text| !text.is_empty()) else { continue };
        match found.remove(commitment) {
            Some(text) if text.commitment().is_ok_and(|made| made == commitment) => {
                beside.there = beside.there.saturating_add(1);
            }
            Some(_) => return Err("a text is not the one that was committed to"),
            None => beside
                .absent
                .push(commitment.parse().map_err(|_| "a text stands where its commitment should")?),
        }
    }
    if found.is_empty() {
        Ok(beside)
    } else {
        Err("a text that nothing commits to stands beside it")
    }
}

/// The body in stored `bytes` as JSON, with its texts in the place of their commitments.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn body_with_texts(bytes: &[u8]) -> Option<String> {
    fn replace(value: &mut Value, texts: &Texts) {
        match value {
            Value::String(commitment) => {
                if let Some(text) = texts.get(commitment) {
                    *value = text.text.clone();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, texts)),
            Value::Object(members) => members.values_mut().for_each(|item| replace(item, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut whole: Value = serde_json::from_slice(bytes).ok()?;
    let texts = whole.get_mut("texts").map(Value::take).unwrap_or_default();
    let texts: Texts = serde_json::from_value(texts).unwrap_or_default();
    let body = whole.get_mut("body")?;
    replace(body, &texts);
    Some(body.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLACES: &[Erasable] = &[erasable("/a", "\"gone\""), erasable("/in/b", "null")];

    fn sealed() -> (Value, Texts) {
        let mut body = json!({ "a": "ana", "in": { "b": { "deep": [1] } }, "c": "stays" });
        let texts =
            take_out(&mut body, PLACES, &Salts { record: [0; 16], texts: [7; 32] }).unwrap();
        (body, texts)
    }

    fn bytes() -> Vec<u8> {
        let (body, texts) = sealed();
        format!("{{\"format\":1,\"body\":{body},\"texts\":{}}}", json!(texts)).into_bytes()
    }

    #[test]
    fn a_text_is_beside_the_body_and_comes_back() {
        let (mut body, texts) = sealed();
        assert!(!body.to_string().contains("ana") && !body.to_string().contains("deep"), "{body}");
        assert!(put_back(&mut body, PLACES, texts));
        assert_eq!(body, json!({ "a": "ana", "in": { "b": { "deep": [1] } }, "c": "stays" }));
    }

    #[test]
    fn an_erased_text_leaves_the_digest_as_it_was() {
        let before = bytes();
        let Erased { bytes: after, commitments } = without_texts(&before).unwrap().unwrap();
        assert_eq!((digest(&after), commitments.len()), (digest(&before), 2));
        assert!(!String::from_utf8(after.clone()).unwrap().contains("ana"));
        assert_eq!(without_texts(&after).unwrap(), None);
        let (mut body, _) = sealed();
        assert!(put_back(&mut body, PLACES, Texts::new()));
        assert_eq!(body, json!({ "a": "gone", "in": { "b": null }, "c": "stays" }));
    }

    #[test]
    fn a_text_that_was_exchanged_or_added_is_noticed() {
        let (mut body, _) = sealed();
        let changes: [fn(&mut Text); 4] = [
            |text| text.text = json!("bo"),
            |text| text.salt = "00".repeat(16),
            // What is hashed stays the same, and is parted elsewhere, or is of another form.
            |text| {
                let (first, rest) = text.text.as_str().map_or(("", ""), |all| all.split_at(1));
                let (salt, rest) = (format!("{}t{first}", text.salt), json!(rest));
                *text = Text::new(salt, rest);
            },
            |text| {
                let moved = format!("{}{}", text.salt.split_off(31), text.text);
                text.text = json!(moved);
            },
        ];
        for change in changes {
            let (_, mut texts) = sealed();
            change(texts.values_mut().next().unwrap());
            assert!(!put_back(&mut body.clone(), PLACES, texts));
        }
        let (_, mut texts) = sealed();
        texts.insert("one more".to_owned(), Text::new(String::new(), json!("x")));
        assert!(!put_back(&mut body, PLACES, texts));
    }

    #[test]
    fn what_only_looks_like_texts_is_part_of_the_record() {
        for other in [r#"{"body":{"x":1,"texts":{"a":1}}}"#, r#"{"body":"a,\"texts\":{}"}"#, "x"] {
            assert_eq!(digest(other.as_bytes()), Digest::of(other.as_bytes()));
            assert_eq!(without_texts(other.as_bytes()).unwrap(), None);
        }
    }

    #[test]
    fn two_records_of_one_text_have_two_commitments() {
        let seal = |seed: u8| {
            let mut body = json!({ "a": "ana" });
            take_out(&mut body, PLACES, &Salts { record: [0; 16], texts: [seed; 32] }).unwrap();
            body
        };
        assert_ne!(seal(1), seal(2));
    }
}
