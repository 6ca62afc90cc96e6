//! What came of a proof.

use core::fmt;

use placet_core::authz::{Facts, PolicyHit, Question};

use super::property::Property;

/// The answer to one property.
///
/// ```
/// use placet_policies::CedarAuthorizer;
/// use placet_policies::proofs::{Proof, Property, Prover};
///
/// let nobody = Prover::at("/nowhere/cvc5");
/// let proof = nobody.prove(&CedarAuthorizer::new()?, Property::NotTheirOwn)?;
/// assert!(!proof.is_proven());
/// let Proof::Unavailable(why) = proof else { panic!("there is no solver there") };
/// assert!(why.starts_with("there is no solver at `/nowhere/cvc5`; install it"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "only `Proven` says that the property holds"]
#[non_exhaustive]
pub enum Proof {
    /// It holds for every question.
    Proven {
        /// How many kinds of questions there are: an action at a level is one.
        kinds: u32,
        /// For how many of them the solver had to be asked; the others follow from the texts alone.
        solved: u32,
    },
    /// It does not hold. This question is allowed; the policies were asked again, and said yes.
    Refuted(Box<Counterexample>),
    /// Nobody knows: the solver ran out of time, or could not be asked. The sentence says what to do.
    Undecided(String),
    /// The solver is not installed. The sentence says how to get it.
    Unavailable(String),
}

impl Proof {
    /// Whether the property holds for every question. Anything else is not a yes.
    ///
    /// ```
    /// use placet_policies::proofs::Proof;
    /// assert!(!Proof::Undecided("no time".to_owned()).is_proven());
    /// ```
    pub const fn is_proven(&self) -> bool {
        matches!(self, Self::Proven { .. })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven { .. } => f.write_str("proven"),
            Self::Refuted(example) => write!(f, "refuted: {example}"),
            Self::Undecided(why) => write!(f, "undecided: {why}"),
            Self::Unavailable(why) => write!(f, "not tried: {why}"),
        }
    }
}

/// A question that is allowed and, by the property, should not be.
///
/// Its text form says in plain words who, what, where, when and over which rows. The ids in it are made up, except
/// those that a policy names.
///
/// ```
/// use placet_policies::CedarAuthorizer;
/// use placet_policies::proofs::{Proof, Property, Prover};
/// use placet_core::authz::Authorizer;
///
/// # if !Prover::find().is_installed() {
/// #     assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "cvc5 is not installed");
/// #     return Ok(());
/// # }
/// let builder = CedarAuthorizer::builder().allow_host_permits(true).host_policies(
///     "house.cedar",
///     "@id(\"welcome\") permit (principal, action == Action::\"operate\", resource);",
/// );
/// let authorizer = builder.build()?;
/// let Proof::Refuted(example) = Prover::find().prove(&authorizer, Property::LiveRows)? else {
///     panic!("everybody may operate everything");
/// };
/// assert!(authorizer.decide(&example.question, &example.facts)?.is_allowed());
/// assert_eq!(example.permitted_by[0].id, "welcome");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Counterexample {
    /// What does not hold.
    pub property: Property,
    /// What is asked.
    pub question: Question,
    /// Over these rows.
    pub facts: Facts,
    /// The policies that permit it.
    pub permitted_by: Vec<PolicyHit>,
    /// The parts of the property that it breaks; none for [`Property::HostAddsNothing`].
    pub breaks: Vec<PolicyHit>,
}
