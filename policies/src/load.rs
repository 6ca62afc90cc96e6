//! Policy texts become policies: parsed one by one, named by their `@id`, validated.

use std::collections::BTreeMap;

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, Schema, ValidationError, ValidationMode, Validator,
};
use miette::Diagnostic;
use placet_core::error::{Code, Error};

use crate::source::{Piece, Source, pieces};

/// How many attribute steps away from the principal, action and resource policies may read. The slice
/// holds the principal and nothing behind it.
const DEREFERENCES_MAX: u32 = 1;

/// Where a set of policies comes from, and so what it may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Ours. The ids start with `placet:`, which no host can write.
    Base,
    /// The host's, and whether it opted in to permits.
    Host { permits: bool },
}

/// A policy that may be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    /// `file:line`.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// Policies by their `@id`.
pub(crate) type Policies = BTreeMap<String, Loaded>;

/// Loads all policies of `sources`, or says what is wrong with the first one that is not sound.
pub(crate) fn load(sources: &[Source], schema: &Schema, origin: Origin) -> Result<Policies, Error> {
    let validator = Validator::new(schema.clone());
    let mut policies = Policies::new();
    for source in sources {
        for piece in pieces(source)? {
            let spot = Spot { file: &source.file, piece: &piece };
            let (id, policy) = spot.parse(origin)?;
            spot.validate(&validator, &id, &policy)?;
            let loaded = Loaded { policy, place: spot.place(), text: piece.text.to_owned() };
            if let Some(first) = policies.get(&id) {
                let message =
                    format!("the id `{id}` at `{}` is taken by `{}`", spot.place(), first.place);
                return Err(spot
                    .error(message, 0)
                    .with_help("give each policy an `@id` of its own"));
            }
            policies.insert(id, loaded);
        }
    }
    Ok(policies)
}

/// One policy and where it stands.
struct Spot<'a> {
    file: &'a str,
    piece: &'a Piece<'a>,
}

impl Spot<'_> {
    fn place(&self) -> String {
        self.place_at(0)
    }

    fn place_at(&self, offset: usize) -> String {
        format!("{}:{}", self.file, self.piece.line_at(offset))
    }

    fn error(&self, message: String, offset: usize) -> Error {
        Error::new(Code::InvalidPolicy, message)
            .with_detail("file", self.file)
            .with_detail("line", self.piece.line_at(offset))
    }

    fn parse(&self, origin: Origin) -> Result<(String, Policy), Error> {
        let policy = Policy::parse(None, self.piece.text).map_err(|errors| {
            let first = errors.iter().next();
            let offset = first.and_then(offset_of).unwrap_or_default();
            let what = first.map_or_else(|| errors.to_string(), ToString::to_string);
            let help = first.and_then(Diagnostic::help).map(|help| help.to_string());
            let message =
                format!("the policy at `{}` does not parse: {what}", self.place_at(offset));
            self.error(message, offset)
                .with_help(help.unwrap_or_else(|| "write it as a static Cedar policy".to_owned()))
        })?;
        let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()) else {
            let message = format!("the policy at `{}` has no id", self.place());
            return Err(self
                .error(message, 0)
                .with_help("write `@id(\"its-name\")` in front of it"));
        };
        let name = match origin {
            Origin::Base => id.strip_prefix("placet:").unwrap_or_default(),
            Origin::Host { .. } => id,
        };
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !(1..=100).contains(&name.len()) || !name.bytes().all(legal) {
            let shown: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
            let message = format!("`{shown}` at `{}` is not an id of a policy", self.place());
            return Err(self
                .error(message, 0)
                .with_help("write 1 to 100 of: letters and digits of ASCII, `-`, `_`, `.`"));
        }
        if origin == (Origin::Host { permits: false }) && policy.effect() == Effect::Permit {
            let message = format!(
                "the policy `{id}` at `{}` permits, and policies of a host may only forbid",
                self.place()
            );
            return Err(self.error(message, 0).with_help(
                "turn it into a `forbid`, or opt in to permits with `allow_host_permits(true)`",
            ));
        }
        let id = id.to_owned();
        let policy = policy.new_id(PolicyId::new(&id));
        Ok((id, policy))
    }

    fn validate(&self, validator: &Validator, id: &str, policy: &Policy) -> Result<(), Error> {
        let mut alone = PolicySet::new();
        alone.add(policy.clone()).map_err(|source| {
            Error::new(Code::Internal, "one policy does not make a policy set").with_source(source)
        })?;
        let result =
            validator.validate_with_level(&alone, ValidationMode::Strict, DEREFERENCES_MAX);
        // A warning means that the policy can never apply or that its text misleads the reader.
        // Neither is what somebody meant who wrote a rule. An error comes first: it often is why the
        // policy can never apply.
        let mut errors: Vec<_> = result.validation_errors().map(|e| error_finding(id, e)).collect();
        errors.sort();
        let mut warnings: Vec<_> = result.validation_warnings().map(|w| finding(id, w)).collect();
        warnings.sort();
        let first = errors.into_iter().chain(warnings).next();
        let Some((offset, what, help)) = first else { return Ok(()) };
        let message =
            format!("the policy `{id}` at `{}` is not valid: {what}", self.place_at(offset));
        let help = help.unwrap_or_else(|| {
            "compare it with what policies can read, see `HOST_SCHEMA`".to_owned()
        });
        Err(self.error(message, offset).with_help(help))
    }
}

/// Like [`finding`]. For a name that it does not know, Cedar offers the one that is spelled most alike,
/// and any of several that are equally unlike it: no help to whoever wrote the name of a custom action,
/// and not the same help every time.
fn error_finding(id: &str, error: &ValidationError) -> (usize, String, Option<String>) {
    let (offset, what, help) = finding(id, error);
    let ours = if matches!(error, ValidationError::UnrecognizedActionId(_)) {
        "a custom action is `Action::\"operate\"`, with its name in `context.action`"
    } else if matches!(error, ValidationError::UnrecognizedEntityType(_)) {
        "the types are `User`, `Platform`, `Project`, `Module` and `Environment`"
    } else {
        return (offset, what, help);
    };
    (offset, what, Some(ours.to_owned()))
}

/// Where, what, and what to do about it.
fn finding(id: &str, found: &(impl Diagnostic + ?Sized)) -> (usize, String, Option<String>) {
    let what = found.to_string();
    // Our sentence has named the policy already.
    let rest = what.strip_prefix(&format!("for policy `{id}`")).unwrap_or(&what);
    let rest = rest.trim_start_matches([',', ':', ' ']).to_owned();
    let help = found.help().map(|help| help.to_string());
    (offset_of(found).unwrap_or_default(), rest, help)
}

fn offset_of(found: &(impl Diagnostic + ?Sized)) -> Option<usize> {
    found.labels()?.map(|label| label.offset()).min()
}
