//! The public names, used as a host uses them.
#![expect(clippy::tests_outside_test_module, reason = "this whole file is a test")]

use std::sync::Arc;

use placet_core::authz::Authorizer;
use placet_core::error::Code;
use placet_policies::{Builder, CedarAuthorizer, HOST_SCHEMA};

#[test]
fn an_authorizer_is_shared_between_threads_behind_the_seam() {
    let authorizer: Arc<dyn Authorizer> = Arc::new(CedarAuthorizer::new().unwrap());
    let digest = authorizer.policy_set_digest();
    let elsewhere = Arc::clone(&authorizer);
    let there = std::thread::spawn(move || elsewhere.policy_set_digest()).join().unwrap();
    assert_eq!(there, digest);
    let shown = format!("{authorizer:?}");
    assert!(shown.starts_with("CedarAuthorizer { base_policies: 12, host_policies: 0"), "{shown}");
}

#[test]
fn a_builder_can_be_passed_around() {
    fn with_house_rules(builder: Builder) -> Builder {
        builder.host_policies("house.cedar", "forbid (principal, action, resource);")
    }
    let builder = with_house_rules(CedarAuthorizer::builder()).allow_host_permits(false);
    assert_eq!(builder.build().unwrap_err().code(), Code::InvalidPolicy);
}

#[test]
fn the_schema_for_hosts_names_no_row() {
    for row in ["team_member", "grant", "permission", "global_roles"] {
        assert!(!HOST_SCHEMA.contains(row), "{row}");
    }
}
