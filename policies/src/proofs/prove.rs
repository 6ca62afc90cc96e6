//! One property, proven or refuted.

use cedar_policy::{PolicySet, RequestEnv};
use cedar_policy_symcc::Env;
use placet_core::authz::{Authorizer as _, Facts, PolicyHit, Question, Verdict};
use placet_core::error::{Code, Error};

use super::joined::Joined;
use super::model;
use super::proof::{Counterexample, Proof};
use super::property::Property;
use super::solver::{Answer, Kind, Prover};
use crate::action::{CedarAction, Level};
use crate::authorizer::CedarAuthorizer;
use crate::sets::Sets;

impl Prover {
    /// Proves `property` of the policies of `authorizer`, base and host together, or finds a question that breaks it.
    ///
    /// What stands in the way of an answer is an answer too, and never [`Proof::Proven`]. An `Err` is a fault of
    /// this library, with [`Code::Internal`].
    ///
    /// [`Code::Internal`]: placet_core::error::Code::Internal
    ///
    /// ```
    /// use placet_policies::CedarAuthorizer;
    /// use placet_policies::proofs::{Property, Prover};
    ///
    /// let authorizer = CedarAuthorizer::new()?;
    /// for property in Property::ALL {
    ///     println!("{property}: {}", Prover::find().prove(&authorizer, property)?);
    /// }
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn prove(&self, authorizer: &CedarAuthorizer, property: Property) -> Result<Proof, Error> {
        let proofs = self.run(authorizer, &[property])?;
        let first = proofs.into_iter().next().map(|(_, proof)| proof);
        first.ok_or_else(|| Error::new(Code::Internal, "a proof has no answer"))
    }

    /// Proves all properties, as [`Self::prove`] does for one. The work that they share is done once.
    ///
    /// ```
    /// use placet_policies::CedarAuthorizer;
    /// use placet_policies::proofs::Prover;
    ///
    /// for (property, proof) in Prover::find().prove_all(&CedarAuthorizer::new()?)? {
    ///     println!("{property}: {proof}");
    /// }
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn prove_all(&self, authorizer: &CedarAuthorizer) -> Result<Vec<(Property, Proof)>, Error> {
        self.run(authorizer, &Property::ALL)
    }

    fn run(
        &self,
        authorizer: &CedarAuthorizer,
        properties: &[Property],
    ) -> Result<Vec<(Property, Proof)>, Error> {
        let joined = Joined::new(authorizer)?;
        let mut tries = Vec::new();
        for property in properties {
            let proof = Proof::Proven { kinds: 0, solved: 0 };
            tries.push(Try { property: *property, may: joined.allows(*property)?, proof });
        }
        for env in kinds_of_questions(&joined) {
            let kind = Kind::new(&joined.allowed, &env, &joined.schema);
            for step in tries.iter_mut().filter(|step| step.is_open()) {
                let answer = self.ask(&kind, &step.may);
                let property = step.property;
                step.hear(answer, |env| replay(authorizer, &joined, property, env))?;
            }
        }
        Ok(tries.into_iter().map(|step| (step.property, step.proof)).collect())
    }
}

/// One property on its way through all kinds of questions.
struct Try {
    property: Property,
    may: PolicySet,
    proof: Proof,
}

impl Try {
    /// Whether another kind of question could still change the answer.
    const fn is_open(&self) -> bool {
        matches!(self.proof, Proof::Proven { .. } | Proof::Undecided(_))
    }

    /// Takes the answer for one kind. Only when all of them are `Always`, it stays proven.
    fn hear(
        &mut self,
        answer: Answer,
        replay: impl FnOnce(&Env) -> Result<Result<Counterexample, String>, Error>,
    ) -> Result<(), Error> {
        let why = match answer {
            Answer::Always { by_solver } => {
                if let Proof::Proven { kinds, solved } = &mut self.proof {
                    *kinds = kinds.saturating_add(1);
                    *solved = solved.saturating_add(by_solver.into());
                }
                return Ok(());
            }
            Answer::Not(env) => match replay(&env)? {
                Ok(example) => {
                    self.proof = Proof::Refuted(Box::new(example));
                    return Ok(());
                }
                Err(why) => why,
            },
            Answer::Unknown(why) => why,
            Answer::NoSolver(how) => {
                self.proof = Proof::Unavailable(how);
                return Ok(());
            }
        };
        // The first reason is told; a later kind may still refute it.
        if !matches!(self.proof, Proof::Undecided(_)) {
            self.proof = Proof::Undecided(why);
        }
        Ok(())
    }
}

/// Every action at every level that the schema knows, always in the same order.
pub(crate) fn kinds_of_questions(joined: &Joined) -> Vec<RequestEnv> {
    let mut kinds: Vec<_> = joined.schema.request_envs().collect();
    kinds.sort_by_key(|env| (env.action().to_string(), env.resource().to_string()));
    kinds
}

/// Asks the real policies what the solver found. `Err` says why it is not a counterexample.
fn replay(
    authorizer: &CedarAuthorizer,
    joined: &Joined,
    property: Property,
    env: &Env,
) -> Result<Result<Counterexample, String>, Error> {
    let (question, facts) = model::question(env)?;
    let verdict = authorizer.decide(&question, &facts)?;
    if !verdict.is_allowed() {
        return Ok(Err(
            "the solver found a question that the policies deny when they are asked, as when a \
                       policy fails; take arithmetic that can overflow out of the policies"
                .to_owned(),
        ));
    }
    let breaks = match joined.never(property)? {
        Some(never) => {
            let never = Sets::new(never, joined.base_schema(), false)?;
            let broken = judged(authorizer, &never, &question, &facts)?.forbidden_by;
            if broken.is_empty() {
                return Ok(Err(
                    "the solver found a question that does not break the property".to_owned()
                ));
            }
            broken
        }
        None if judged(authorizer, &authorizer.base, &question, &facts)?.is_allowed() => {
            return Ok(Err("the solver found a question that the base policies allow".to_owned()));
        }
        None => Vec::<PolicyHit>::new(),
    };
    let permitted_by = verdict.permitted_by;
    Ok(Ok(Counterexample { property, question, facts, permitted_by, breaks }))
}

/// What `sets`, over the schema of the base policies, says.
fn judged(
    authorizer: &CedarAuthorizer,
    sets: &Sets,
    question: &Question,
    facts: &Facts,
) -> Result<Verdict, Error> {
    let mut verdict = Verdict::default();
    let (action, level) = (CedarAction::of(&question.action), Level::of(&question.scope));
    let Some(set) = sets.at(action, level) else { return Ok(verdict) };
    let request = authorizer.names.base_request(question, facts)?;
    sets.evaluate(set, &request, &authorizer.names.entities(&facts.user)?, &mut verdict);
    Ok(verdict)
}
