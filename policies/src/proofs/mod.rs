//! Proofs: what the policies can never allow, for every question there is. With the feature `proofs`.
//!
//! A test tries some questions; a proof covers all of them. The policies are translated into formulas by the crate
//! cedar-policy-symcc, and the solver cvc5, a program that runs beside, looks for a question that breaks a
//! [`Property`]. [`Prover::prove`] answers that there is none, or one in plain words, or that nobody knows.
//!
//! # What a proof says
//!
//! For every [`Question`](placet_core::authz::Question) and every [`Facts`](placet_core::authz::Facts) with the row
//! of the user who asks: when [`CedarAuthorizer`](crate::CedarAuthorizer) allows it, the property holds of that
//! question and those rows. It covers all actions at all levels; all custom actions of projects are one kind,
//! `operate`, with every name there can be. Nothing is assumed about how rows fit together: that a grant is the
//! user's own is what the policies must check, and what is proven.
//!
//! What is live is live at the instant of the question, by the rows of the question. A proof does not say that these
//! rows are stored, that the instant is now, that the authors are all authors, or that the kernel asks before it
//! acts: that is the kernel's part, and tests of the kernel show it. Nor does it say what happens when the user's
//! row is another user's; then the policies deny, which tests show too. What is trusted: the translation, the
//! solver, and the premises (`policies/src/proofs/premises.cedar`), which a test holds against questions made by
//! chance.
//!
//! A counterexample needs no trust: it is put to the policies again before it is shown. What cannot be put to the
//! solver, runs out of time, or is denied when it is put to the policies again, is [`Proof::Undecided`] and says why.
//!
//! # In a host
//!
//! Put it into a test or a CI step of yours; a service needs neither the feature nor the solver. The feature
//! switches on Cedar's extension functions (`ip`, `decimal`, `datetime`), so load policies without it too.
//!
//! ```sh
//! apt-get install cvc5
//! cargo run -p placet-policies --features proofs --example prove -- house.cedar
//! ```

mod property; // what is proven
mod proof; // what came of it
mod words; // a counterexample in plain words
pub(crate) mod joined; // base, host and premises as one set
mod solver; // questions to the solver
mod model; // its example becomes a question with rows
pub(crate) mod prove; // one property, proven or refuted

pub use proof::{Counterexample, Proof};
pub use property::Property;
pub use solver::Prover;
