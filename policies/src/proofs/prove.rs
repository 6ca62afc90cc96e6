//! One property, proven or refuted.

use cedar_policy::RequestEnv;
use cedar_policy_symcc::Env;
use placet_core::authz::{Authorizer as _, Facts, PolicyHit, Question, Verdict};
use placet_core::error::Error;

use super::joined::Joined;
use super::model;
use super::proof::{Counterexample, Proof};
use super::property::Property;
use super::solver::{self, Answer, Prover};
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
        let joined = Joined::new(authorizer)?;
        let may = joined.allows(property)?;
        let (mut kinds, mut solved) = (0_u32, 0_u32);
        let mut open = None;
        for env in kinds_of_questions(&joined) {
            let (allowed, schema) = (&joined.allowed, &joined.schema);
            let question = solver::Question { allowed, may: &may, env: &env, schema };
            kinds = kinds.saturating_add(1);
            match solver::ask(self, &question) {
                Answer::Always { by_solver } => solved = solved.saturating_add(by_solver.into()),
                Answer::Not(env) => match replay(authorizer, &joined, property, &env)? {
                    Ok(example) => return Ok(Proof::Refuted(Box::new(example))),
                    Err(why) => drop(open.get_or_insert(why)),
                },
                Answer::Unknown(why) => drop(open.get_or_insert(why)),
                Answer::NoSolver => return Ok(Proof::Unavailable(self.missing())),
            }
        }
        Ok(match open {
            None => Proof::Proven { kinds, solved },
            Some(why) => Proof::Undecided(why),
        })
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
            let never = Sets::new(never, joined.base_schema())?;
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
