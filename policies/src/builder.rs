//! Base and host policies become an authorizer.

use cedar_policy::Schema;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use serde::Serialize;

use crate::authorizer::CedarAuthorizer;
use crate::load::{Origin, load};
use crate::sets::Sets;
use crate::slice::Names;
use crate::source::Source;
use crate::{BASE_SCHEMA, HOST_SCHEMA};

macro_rules! base_files {
    ($($file:literal,)*) => {
        &[$((
            concat!("policies/src/base/", $file),
            include_str!(concat!("base/", $file)),
        ),)*]
    };
}

const BASE: &[(&str, &str)] = base_files! {
    "two_legs.cedar",
    "read.cedar",
    "manage.cedar",
    "platform.cedar",
    "never.cedar",
};

/// Collects the policies of a host; made by [`CedarAuthorizer::builder`].
///
/// ```
/// use placet_core::error::Code;
/// use placet_policies::CedarAuthorizer;
///
/// let error = CedarAuthorizer::builder()
///     .host_policies("house.cedar", "\nforbid (principal, action, resource);")
///     .build()
///     .unwrap_err();
/// assert_eq!(error.code(), Code::InvalidPolicy);
/// assert_eq!(error.to_string(), "the policy at `house.cedar:2` has no id");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    host: Vec<Source>,
    permits: bool,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self { host: Vec::new(), permits: false }
    }

    /// Adds a text of policies. `file` is the name that errors, verdicts and audit records show.
    ///
    /// Each policy needs an `@id`, unlike all others of the host: 1 to 100 ASCII letters, digits, `-`,
    /// `_`, `.`. A text may have 1 MiB, one policy in it 8 KiB. The order of calls does not matter.
    ///
    /// ```
    /// let builder = placet_policies::CedarAuthorizer::builder().host_policies(
    ///     "agents.cedar",
    ///     r#"@id("agents-never-execute")
    ///        forbid (principal, action == Action::"execute", resource)
    ///        when { principal.kind == "agent" };"#,
    /// );
    /// assert!(builder.build().is_ok());
    /// ```
    pub fn host_policies(mut self, file: impl Into<String>, text: impl Into<String>) -> Self {
        self.host.push(Source { file: file.into(), text: text.into() });
        self
    }

    /// Whether policies of the host may permit. They may not unless this is called with `true`.
    ///
    /// Through a gate a permit lets nobody in. There the rows come first: where the index says no, no policy is
    /// asked; where it says yes, a base policy must confirm it over the rows, and a permit of the host does not
    /// stand in for that. It is named in [`permitted_by`] beside the base policies, and that is all: it has its
    /// effect on whoever asks an authorizer directly and goes by [`is_allowed`], and in proofs.
    ///
    /// [`permitted_by`]: placet_core::authz::Verdict::permitted_by
    /// [`is_allowed`]: placet_core::authz::Verdict::is_allowed
    ///
    /// ```
    /// let permit = "@id(\"open-house\") permit (principal, action == Action::\"read\", resource);";
    /// let builder = placet_policies::CedarAuthorizer::builder().host_policies("house.cedar", permit);
    /// assert!(builder.clone().build().is_err());
    /// assert!(builder.allow_host_permits(true).build().is_ok());
    /// ```
    pub const fn allow_host_permits(mut self, allow: bool) -> Self {
        self.permits = allow;
        self
    }

    /// Parses and validates all policies.
    ///
    /// Fails with [`Code::InvalidPolicy`] for the first policy that does not parse, has no `@id` of its
    /// own, does not fit [`HOST_SCHEMA`] strictly, can never apply, or permits without the host's
    /// opt-in. The sentence names file and line; both are also in [`Error::details`] as `file` and
    /// `line`. Fails with [`Code::TooLarge`] for a text or policy over its limit, and with
    /// [`Code::InvalidInput`] for a file name that cannot be shown or is there twice.
    ///
    /// ```
    /// let error = placet_policies::CedarAuthorizer::builder()
    ///     .host_policies("house.cedar", "@id(\"a\")\nforbid (principal, action, resource)\nwhen { 1 };")
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.details().get("line").map(String::as_str), Some("3"));
    /// ```
    pub fn build(self) -> Result<CedarAuthorizer, Error> {
        let base = BASE
            .iter()
            .map(|(file, text)| Source { file: (*file).to_owned(), text: (*text).to_owned() });
        self.build_over(base.collect())
    }

    /// Like [`Self::build`], over other base policies. Tests break them on purpose.
    pub(crate) fn build_over(mut self, mut base: Vec<Source>) -> Result<CedarAuthorizer, Error> {
        base.sort_by(|a, b| a.file.cmp(&b.file));
        self.host.sort_by(|a, b| a.file.cmp(&b.file));
        check_file_names(&self.host)?;
        let base_schema = schema(BASE_SCHEMA)?;
        let host_schema = schema(HOST_SCHEMA)?;
        let digest = digest(&base, &self.host)?;
        let base = load(&base, &base_schema, Origin::Base)?;
        let host = load(&self.host, &host_schema, Origin::Host { permits: self.permits })?;
        Ok(CedarAuthorizer {
            names: Names::new()?,
            base: Sets::new(base, &base_schema, false)?,
            host: Sets::new(host, &host_schema, true)?,
            digest,
        })
    }
}

/// The base policies, for tests that break them.
#[cfg(test)]
pub(crate) const fn base_texts() -> &'static [(&'static str, &'static str)] {
    BASE
}

pub(crate) fn schema(text: &str) -> Result<Schema, Error> {
    let (schema, _warnings) = Schema::from_cedarschema_str(text).map_err(|source| {
        Error::new(Code::Internal, "the schema of the policies does not parse").with_source(source)
    })?;
    Ok(schema)
}

fn check_file_names(sources: &[Source]) -> Result<(), Error> {
    for Source { file, .. } in sources {
        let shown: String = file.chars().filter(|c| !c.is_control()).take(80).collect();
        if !(1..=200).contains(&file.len()) || file.chars().any(char::is_control) {
            return Err(Error::new(
                Code::InvalidInput,
                format!("`{shown}` is not a name for a file of policies"),
            )
            .with_help("write 1 to 200 bytes without control characters"));
        }
    }
    let mut pairs = sources.iter().zip(sources.iter().skip(1));
    match pairs.find(|(first, second)| first.file == second.file) {
        Some((Source { file, .. }, _)) => Err(Error::new(
            Code::InvalidInput,
            format!("two texts of policies have the file name `{file}`"),
        )
        .with_help("give each text a file name of its own")),
        None => Ok(()),
    }
}

/// What is digested: everything that a decision depends on beside question and facts. A name belongs to
/// each text, so that moving a policy from one file to another shows too.
#[derive(Serialize)]
struct PolicySetText<'a> {
    schema: &'a str,
    host_schema: &'a str,
    base: Vec<(&'a str, &'a str)>,
    host: Vec<(&'a str, &'a str)>,
}

fn digest(base: &[Source], host: &[Source]) -> Result<Digest, Error> {
    Digest::of_json(&PolicySetText {
        schema: BASE_SCHEMA,
        host_schema: HOST_SCHEMA,
        base: base.iter().map(Source::as_pair).collect(),
        host: host.iter().map(Source::as_pair).collect(),
    })
}
