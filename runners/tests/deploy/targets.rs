//! Which plugin fits which target, and whose settings are whose.

use std::sync::Arc;

use placet_core::error::Code;
use placet_core::org::Slug;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::deploy::testing::Product;
use placet_runners::{SqliteTarget, WasmRunner};
use serde_json::json;

use super::ground::{Ground, deployment, plugins};
use crate::bench::{Link, failure};

fn slug(name: &str) -> Slug {
    name.parse().unwrap()
}

/// A host with the plugins of all tests, a database that is not there, and a bundle of endpoints.
fn both() -> WasmRunner {
    let builder = crate::bench::plugins(plugins(WasmRunner::builder()));
    let nothing = placet_runners::deploy::DeployTarget::builder().build().unwrap();
    builder
        .target(slug("orders"), Arc::new(SqliteTarget::new("/nowhere/orders.db")))
        .deploy_target(slug("ci"), nothing)
        .build()
        .unwrap()
}

#[test]
fn a_plugin_gets_no_target_of_another_kind() {
    let host = both();
    let asked = |runner: &str, target: &str| host.check_target(&slug(runner), &slug(target));
    assert!(asked("sql", "orders").is_ok() && asked("deploy", "ci").is_ok());
    assert!(asked("artifact-sync", "ci").is_ok());
    for (runner, target, words) in [
        (
            "sql",
            "ci",
            "the target `ci` is a bundle of endpoints and commands, and the plugin `sql` asks for `sql`",
        ),
        (
            "deploy",
            "orders",
            "the target `orders` is a database, and the plugin `deploy` asks for `command`",
        ),
        (
            "artifact-sync",
            "orders",
            "the target `orders` is a database, and the plugin `artifact-sync` asks for `http`",
        ),
    ] {
        let refused = asked(runner, target).unwrap_err();
        assert_eq!((refused.code(), refused.to_string().as_str()), (Code::UnknownTarget, words));
        assert!(refused.help().is_some());
    }
    // Nor where nobody asked before: neither plan nor run.
    let sql = crate::bench::job("sql", &json!({ "sql": "SELECT 1" }).to_string());
    let sql = placet_core::runner::Job { target: slug("ci"), ..sql };
    assert_eq!(host.plan(&sql, &Link::default()).unwrap_err().code(), Code::UnknownTarget);
    let deploy = deployment(Product::Rundeck);
    assert_eq!(host.plan(&deploy, &Link::default()).unwrap_err().code(), Code::UnknownTarget);
    let ground = Ground::of(Product::Rundeck);
    let plan = ground.plan(&deploy);
    let (word, failed) = failure(host.execute(&deploy, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "unknown_target"));
    assert!(matches!(host.verify(&deploy, &plan, &Link::default()), Outcome::Unknown(_)));
}

#[test]
fn only_sql_plugins_have_settings_in_the_words_of_sql() {
    let host = both();
    let deployments = deployment(Product::Rundeck).settings;
    assert!(host.check_settings(&slug("deploy"), &deployments).is_ok());
    assert!(host.check_settings(&slug("artifact-sync"), r#"{"project": "SHOP"}"#).is_ok());
    let refused = host.check_settings(&slug("sql"), &deployments).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidInput);
    assert!(host.check_settings(&slug("sql"), r#"{"limit": 5}"#).is_ok());
}
