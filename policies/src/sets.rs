//! Which policies can apply to what, prepared once.

use std::collections::BTreeMap;

use cedar_policy::{
    AuthorizationError, Authorizer as Engine, Entities, PolicyId, PolicySet, Request, Schema,
};
use placet_core::authz::{PolicyHit, Verdict};
use placet_core::error::{Code, Error};

use crate::action::{CedarAction, Level};
use crate::load::Policies;

/// One policy set for each action and level that the schema knows, with only the policies that can
/// apply there. An action at a level that the schema does not know has none, so nothing permits it.
#[derive(Debug)]
pub(crate) struct Sets {
    by_place: BTreeMap<(CedarAction, Level), PolicySet>,
    policies: Policies,
    is_of_host: bool,
}

impl Sets {
    pub(crate) fn new(
        policies: Policies,
        schema: &Schema,
        is_of_host: bool,
    ) -> Result<Self, Error> {
        let mut by_place = BTreeMap::<_, PolicySet>::new();
        for loaded in policies.values() {
            let mut places = Vec::new();
            for env in loaded.policy.get_valid_request_envs(schema) {
                let action = env.action().id().unescaped();
                let level = env.resource().basename();
                let place = CedarAction::ALL
                    .into_iter()
                    .find(|known| known.as_str() == action)
                    .zip(Level::ALL.into_iter().find(|known| known.type_name() == level));
                places.push(place.ok_or_else(|| {
                    let what =
                        format!("the schema knows `{action}` on `{level}`, the code does not");
                    Error::new(Code::Internal, what)
                })?);
            }
            for place in places {
                by_place.entry(place).or_default().add(loaded.policy.clone()).map_err(
                    |source| {
                        Error::new(Code::Internal, "a policy was added twice").with_source(source)
                    },
                )?;
            }
        }
        Ok(Self { by_place, policies, is_of_host })
    }

    /// The policies that can apply.
    pub(crate) fn at(&self, action: CedarAction, level: Level) -> Option<&PolicySet> {
        self.by_place.get(&(action, level))
    }

    pub(crate) const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Evaluates `set`, one of [`Self::at`], and adds what it says to `verdict`.
    pub(crate) fn evaluate(
        &self,
        set: &PolicySet,
        request: &Request,
        entities: &Entities,
        verdict: &mut Verdict,
    ) {
        let response = Engine::new().is_authorized(request, set, entities);
        // Sorted, so that one question has one answer, to the byte.
        let mut reasons: Vec<_> = response.diagnostics().reason().map(|id| self.hit(id)).collect();
        reasons.sort_by(|a, b| a.id.cmp(&b.id));
        match response.decision() {
            cedar_policy::Decision::Allow => verdict.permitted_by.extend(reasons),
            cedar_policy::Decision::Deny => verdict.forbidden_by.extend(reasons),
        }
        let mut errors: Vec<_> = response.diagnostics().errors().map(|e| self.failure(e)).collect();
        errors.sort();
        verdict.errors.extend(errors);
    }

    fn hit(&self, id: &PolicyId) -> PolicyHit {
        let id: &str = id.as_ref();
        let place = self.policies.get(id).map(|loaded| loaded.place.clone()).unwrap_or_default();
        let hit = if self.is_of_host { PolicyHit::of_host } else { PolicyHit::new };
        hit(id.to_owned(), place)
    }

    fn failure(&self, error: &AuthorizationError) -> String {
        match error {
            AuthorizationError::PolicyEvaluationError(error) => {
                let PolicyHit { id, place, .. } = self.hit(error.policy_id());
                format!("the policy `{id}` at `{place}` failed: {}", error.inner())
            }
        }
    }
}
