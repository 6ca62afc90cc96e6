//! Texts that try to break the loader, and requests that must fit the schema.

use cedar_policy::{Request, Schema};
use placet_core::authz::{Action, Scope};
use placet_core::org::GlobalRole;

use super::world::{action, fitting};
use crate::{BASE_SCHEMA, CedarAuthorizer, HOST_SCHEMA};

/// Loads a policy whose condition is `part` repeated as often as the limits allow, and more.
fn survives(head: &str, part: &str, tail: &str) {
    for count in [30, 100, 1_000, 8_000 / part.len(), 9_000 / part.len()] {
        let text = format!(
            "@id(\"a\") forbid (principal, action, resource) when {{ {head}{}{tail} }};",
            part.repeat(count)
        );
        // A host's thread may have no more stack than this. Whether the text is refused is not the
        // question here, only that the process goes on.
        let loader = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
            let builder = CedarAuthorizer::builder().host_policies("house.cedar", text);
            if let Ok(authorizer) = builder.build() {
                core::hint::black_box(fitting(&Action::READ).is_allowed(&authorizer));
            }
        });
        loader.unwrap().join().unwrap();
    }
}

#[test]
fn long_and_deep_texts_do_not_end_the_process() {
    survives("", "(", "");
    survives("", "context.at<0||", "false");
    survives("", "true&&", "false");
    survives("", "!", "true");
    survives("", "-", "1");
    survives("", "1+", "1 == 0");
    survives("", "2*", "1 == 0");
    survives("context", ".a", "");
    survives("context has a", ".a", "");
    survives("", "if true then false else ", "true");
    survives("", "if ", "");
    survives("[", "1,", "1].contains(2)");
    survives("principal in A", "::A", "::\"a\"");
    survives("\"", "*\\u{1}", "\" like \"*\"");
    survives("context.action like \"", "*a", "\"");
    survives("", "\"", "");
    survives("", "\u{0}", "");
}

#[test]
fn requests_fit_the_schemas() {
    let authorizer = CedarAuthorizer::new().unwrap();
    let schemas =
        [BASE_SCHEMA, HOST_SCHEMA].map(|text| Schema::from_cedarschema_str(text).unwrap().0);
    for name in ["request", "approve", "execute", "deploy", "read", "manage", "audit", "administer"]
    {
        let mut case = fitting(&action(name));
        case.with_global_role(GlobalRole::Auditor);
        let mut bare = case.clone();
        bare.facts.membership = None;
        bare.facts.grant = None;
        if name == "administer" {
            case.question.scope = Scope::Platform;
            bare.question.scope = Scope::Platform;
        }
        for case in [case, bare] {
            let names = &authorizer.names;
            let requests = [
                names.base_request(&case.question, &case.facts).unwrap(),
                names.host_request(&case.question, &case.facts).unwrap(),
            ];
            for (request, schema) in requests.iter().zip(&schemas) {
                Request::new(
                    request.principal().unwrap().clone(),
                    request.action().unwrap().clone(),
                    request.resource().unwrap().clone(),
                    request.context().unwrap().clone(),
                    Some(schema),
                )
                .unwrap();
            }
            let entities = names.entities(&case.facts.user).unwrap();
            cedar_policy::Entities::from_entities(entities.iter().cloned(), Some(&schemas[0]))
                .unwrap();
        }
    }
}
