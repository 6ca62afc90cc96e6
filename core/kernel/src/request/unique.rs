//! JSON in which no object has a member twice. RFC 8259 leaves open which of the two counts (section 4), so the gate and a plugin
//! could read different payloads out of one text; I-JSON forbids it (RFC 7493, section 2.3).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::letters::shown;

/// Any JSON value of which nothing is kept.
#[derive(Debug)]
pub(super) struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(Name(name)) = members.next_key()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format!("`{}` stands twice", shown(&name))));
            }
            let _new = seen.insert(name);
            let _value: Self = members.next_value()?;
        }
        Ok(self)
    }
}

/// The name of a member, as it is meant and not as it is spelled: `"\u0061"` is `"a"`.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::Unique;

    #[test]
    fn what_stands_twice_is_found_wherever_it_is() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "b": {}, "a": null}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[1, {"b": [{"c": {"d": 1, "d": []}}]}]"#,
            r#"{"": 1, "": 2}"#,
        ] {
            let error = serde_json::from_str::<Unique>(text).unwrap_err();
            assert!(
                error.is_data() && error.to_string().contains("stands twice"),
                "{text}: {error}"
            );
        }
        for text in [
            r#"{"a": 1, "A": 1, "b": {"a": {"a": [-1, 1.5, 18446744073709551615, true, null]}}}"#,
            r#"[{"a": 1}, {"a": 1}, "a", "\u0061"]"#,
            "17",
        ] {
            assert!(serde_json::from_str::<Unique>(text).is_ok(), "{text}");
        }
        for text in ["", "{", r#"{"a"}"#, "{} {}"] {
            assert!(!serde_json::from_str::<Unique>(text).unwrap_err().is_data(), "{text}");
        }
    }
}
