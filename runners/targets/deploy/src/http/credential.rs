//! What shows a server who asks.

use placet_core::error::{Code, Error};

use crate::secret::{Secret, base64};

/// A header, or a field of a form, that shows a server who asks. It does not print, and a plugin neither sets nor sees
/// it.
///
/// ```
/// use placet_target_deploy::Credential;
///
/// let token = Credential::header("PRIVATE-TOKEN", "glpat-0123456789");
/// assert!(!format!("{token:?}").contains("glpat"));
/// let bearer = Credential::bearer("ghp_0123456789");
/// let login = Credential::basic("placet", "c0rrect-horse");
/// # let _ = (bearer, login);
/// ```
#[derive(Clone, Debug)]
pub struct Credential {
    pub(super) place: Place,
    // Of a header in lower case.
    pub(crate) name: String,
    pub(crate) value: Secret,
    // What of it must never come back.
    pub(super) secrets: Vec<Secret>,
}

/// Where a credential stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Header,
    Form,
}

impl Credential {
    /// `Authorization: Bearer …` (RFC 6750).
    pub fn bearer(token: impl Into<String>) -> Self {
        let token = token.into();
        Self {
            place: Place::Header,
            name: "authorization".to_owned(),
            value: Secret::new(format!("Bearer {token}")),
            secrets: vec![Secret::new(token)],
        }
    }

    /// `Authorization: Basic …` (RFC 7617).
    pub fn basic(user: &str, password: impl Into<String>) -> Self {
        let password = password.into();
        let coded = base64(format!("{user}:{password}").as_bytes());
        Self {
            place: Place::Header,
            name: "authorization".to_owned(),
            value: Secret::new(format!("Basic {coded}")),
            secrets: vec![Secret::new(coded), Secret::new(password)],
        }
    }

    /// A header of a product's own, such as `PRIVATE-TOKEN`. Its whole value is the secret, and of one with a
    /// scheme before it (`Bearer …`) what follows, and each value of several (`Token token="…"`, `a=…; b=…`).
    pub fn header(name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        let inner = value.rsplit(' ').next().unwrap_or_default();
        let parts = value.split([' ', ';', ',']).filter_map(|part| part.split_once('='));
        let parts = parts.map(|(_, part)| Secret::new(part.trim_matches('"')));
        // A short one is no secret on its own.
        let parts = parts.filter(|part| part.check().is_ok());
        Self {
            place: Place::Header,
            name: name.into().to_ascii_lowercase(),
            secrets: parts.chain([Secret::new(inner), Secret::new(value.as_str())]).collect(),
            value: Secret::new(value),
        }
    }

    /// A field of a form, for servers that take a token nowhere else, such as that of GitLab's pipeline triggers. It is
    /// added to the body of each write that is a form (`application/x-www-form-urlencoded`), after what people approved,
    /// and to nothing else. A plugin cannot name the field, neither there nor in a query.
    ///
    /// ```
    /// use placet_target_deploy::{Credential, Endpoint, Rule};
    ///
    /// let gitlab = Endpoint::builder("https://gitlab.example.org")
    ///     // It can begin pipelines and nothing else.
    ///     .credential(Credential::form_field("token", "glptt-0123456789abcdef"))
    ///     // It can look.
    ///     .read_credential(Credential::header("PRIVATE-TOKEN", "glpat-0123456789abcdef"))
    ///     .read(Rule::below("GET", "/api/v4/projects/1/pipelines"))
    ///     .write(Rule::exactly("POST", "/api/v4/projects/1/trigger/pipeline"));
    /// assert!(gitlab.build().is_ok());
    /// ```
    pub fn form_field(name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        let secrets = vec![Secret::new(value.clone())];
        Self { place: Place::Form, name: name.into(), secrets, value: Secret::new(value) }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |sentence: &str, help: &str| {
            Err(Error::new(Code::InvalidInput, sentence).with_help(help))
        };
        if self.place == Place::Form {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if self.name.is_empty() || !self.name.bytes().all(is_plain) {
                return wrong(
                    "a credential's field has no usable name",
                    "name it with letters, digits, `-`, `_` and `.`",
                );
            }
            return self.secrets.iter().try_for_each(Secret::check);
        }
        let header = hyper::header::HeaderName::try_from(self.name.as_str());
        if header.is_err() || ["host", "connection", "content-length"].contains(&&*self.name) {
            return wrong(
                "a credential's header has no usable name",
                "name it as the product does",
            );
        }
        let value = self.value.expose();
        if hyper::header::HeaderValue::try_from(value).is_err() || value.trim() != value {
            return wrong(
                "a credential cannot be sent as a header",
                "it must have no line breaks and no spaces at its ends",
            );
        }
        // The password cannot be told from its coded form: it has to be given on its own.
        let is_login = value.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("basic "));
        if is_login && self.secrets.last().is_some_and(|last| last.expose() == value) {
            return wrong("a credential hides its password", "use `Credential::basic`");
        }
        self.secrets.iter().try_for_each(Secret::check)
    }
}
