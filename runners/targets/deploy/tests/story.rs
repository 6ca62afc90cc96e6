//! What the tests have in common.

use core::time::Duration;

use placet_target::StopSignal;
pub(crate) use placet_target::testing::until;
use placet_target_deploy::testing::{Product, ProductServer};
use placet_target_deploy::{Exchange, HttpRequest};

/// More than any machine needs. Nothing waits so long that is right.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// For what is meant to end by time, however far it came.
pub(crate) const SHORT: Duration = Duration::from_millis(400);

/// For what is meant to end by time, and must come as far as the server before: long enough for most machines. On a busy
/// one, [`reached`] plays it again.
pub(crate) const HURRIED: Duration = Duration::from_secs(2);

/// Plays a case until its calls came as far as the server in their time, and tells what then came of it.
pub(crate) fn reached<T>(mut case: impl FnMut() -> Option<T>) -> T {
    (0..20).find_map(|_| case()).unwrap()
}

pub(crate) fn reading() -> Exchange {
    Exchange::reading(LONG, &StopSignal::new())
}

pub(crate) fn writing() -> Exchange {
    Exchange::writing(LONG, &StopSignal::new()).with_idempotency_key("req-1.1.1")
}

pub(crate) fn get(path: &str) -> HttpRequest {
    HttpRequest::new("GET", path)
}

pub(crate) fn post(path: &str, body: &str) -> HttpRequest {
    HttpRequest::new("POST", path).with_header("Content-Type", "application/json").with_body(body)
}

/// What begins a deployment, or creates an issue. The key `k-7` is in it.
pub(crate) fn begin(product: Product) -> HttpRequest {
    let json = |path, body| post(path, body);
    match product {
        Product::Rundeck => json("/api/41/job/7/run", r#"{"options":{"key":"k-7"}}"#),
        Product::GithubActions => json(
            "/repos/acme/shop/actions/workflows/deploy.yml/dispatches",
            r#"{"ref":"main","inputs":{"key":"k-7"}}"#,
        ),
        Product::Gitlab => json(
            "/api/v4/projects/acme%2Fshop/pipeline",
            r#"{"ref":"main","variables":[{"key":"KEY","value":"k-7"}]}"#,
        ),
        Product::GitlabTrigger => {
            HttpRequest::new("POST", "/api/v4/projects/acme%2Fshop/trigger/pipeline")
                .with_header("Content-Type", "application/x-www-form-urlencoded")
                .with_body("ref=main&variables%5BKEY%5D=k-7")
        }
        Product::Jenkins => HttpRequest::new("POST", "/job/shop/buildWithParameters?key=k-7"),
        Product::ArgoCd => json(
            "/api/v1/applications/shop/sync",
            r#"{"revision":"main","infos":[{"name":"key","value":"k-7"}]}"#,
        ),
        Product::Jira => json(
            "/rest/api/3/issue",
            r#"{"fields":{"project":{"key":"SHOP"},"summary":"s"},"properties":[{"key":"placet","value":{"key":"k-7"}}]}"#,
        ),
        other => panic!("{other:?} is not known here"),
    }
}

/// What finds it again by its key.
pub(crate) fn find(product: Product) -> HttpRequest {
    match product {
        Product::Rundeck => get("/api/41/job/7/executions"),
        Product::GithubActions => {
            get("/repos/acme/shop/actions/workflows/deploy.yml/runs?event=workflow_dispatch")
        }
        Product::Gitlab | Product::GitlabTrigger => {
            get("/api/v4/projects/acme%2Fshop/pipelines/1/variables")
        }
        Product::Jenkins => {
            get("/job/shop/api/json?tree=builds[number,result,actions[parameters[name,value]]]")
        }
        Product::ArgoCd => get("/api/v1/applications/shop"),
        Product::Jira => {
            post("/rest/api/3/search/jql", r#"{"jql":"issue.property[placet].key = \"k-7\""}"#)
        }
        other => panic!("{other:?} is not known here"),
    }
}

/// Whether the key `k-7` is found by whoever looks. How often it was begun says [`ProductServer::begun`].
pub(crate) fn is_found(server: &ProductServer, product: Product) -> bool {
    let answer = server.endpoint().build().unwrap().send(&find(product), &reading()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = String::from_utf8(answer.body).unwrap();
    text.contains("k-7")
}
