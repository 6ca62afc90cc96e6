//! Names and codes of the organisation, parsed once at the door.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::letters::misleads;

macro_rules! define_text {
    ($($(#[$doc:meta])* $name:ident, $valid:path, $what:literal, $help:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                if $valid(text) {
                    return Ok(Self(text.to_owned()));
                }
                let shown = crate::letters::shown(text);
                Err(Error::new(Code::InvalidInput, format!(concat!("`{}` is not ", $what), shown))
                    .with_help($help))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )*};
}

pub(crate) use define_text;

define_text! {
    /// A short code of a project, module or environment, such as `shop` or `prod`.
    ///
    /// It has 1 to 63 of `a` to `z`, `0` to `9` and `-`, and no `-` at either end. Parsing anything else
    /// fails with [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::org::Slug;
    ///
    /// assert_eq!("shop-2".parse::<Slug>()?.as_str(), "shop-2");
    /// let error = "My Shop".parse::<Slug>().unwrap_err();
    /// assert_eq!(error.code(), Code::InvalidInput);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Slug, is_slug, "a code", "write 1 to 63 of: a to z, 0 to 9, `-`; not at either end `-`";
    /// A name that people read, 1 to 200 characters, none of which controls a screen or turns its direction.
    ///
    /// It has no blanks at either end. Parsing anything else fails with [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::org::Name;
    ///
    /// let name: Name = "Señora López".parse()?;
    /// assert_eq!(format!("Dear {name}"), "Dear Señora López");
    /// assert!("two\nlines".parse::<Name>().is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Name, is_name, "a name", "write 1 to 200 characters, no line breaks, no blanks at either end";
    /// An e-mail address, at most 254 bytes. Only its rough form is checked; delivery is the host's matter.
    ///
    /// Bytes are counted, as in RFC 5321 §4.5.3.1.3, so letters beyond ASCII count more than once. Parsing anything
    /// else fails with [`Code::InvalidInput`].
    ///
    /// ```
    /// use placet_core::org::Email;
    ///
    /// let email: Email = "ana@example.org".parse()?;
    /// assert_eq!(email.as_str(), "ana@example.org");
    /// assert!("ana at example.org".parse::<Email>().is_err());
    /// // 2 bytes each: 242 letters of them, with `@example.org`, are 254 characters, and too long.
    /// assert!(format!("{}@example.org", "ñ".repeat(121)).parse::<Email>().is_ok());
    /// assert!(format!("{}@example.org", "ñ".repeat(242)).parse::<Email>().is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Email, is_email, "an e-mail address", "write it as `name@domain`, without blanks, in 254 bytes at most";
}

macro_rules! known_text {
    ($($name:ident,)*) => {$(
        impl $name {
            /// One of our own, which a test parses.
            pub(crate) fn known(text: &'static str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

pub(crate) use known_text;

known_text! { Slug, Name, }
impl Name {
    /// What the only stage of a simple quorum is called.
    pub(crate) fn approval() -> Self {
        Self("approval".to_owned())
    }
}

impl Slug {
    /// What the part of the platform is called that AUDITOR reads.
    pub(crate) fn audit() -> Self {
        Self::known("audit")
    }
}

pub(crate) fn is_slug(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(misleads)
}

fn is_email(text: &str) -> bool {
    // 254: the longest address that fits a forward-path, RFC 5321 §4.5.3.1.3.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= 254
        && !local.is_empty()
        && !domain.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || misleads(c))
}
