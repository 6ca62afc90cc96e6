//! Whole stories with each product: begin, look until it is over, look once more.

use placet_target_deploy::testing::{Ending, Product, ProductServer};
use placet_target_deploy::{Endpoint, HttpRequest};
use serde_json::Value;

use crate::story::{begin, get, post, reading, writing};

fn json(endpoint: &Endpoint, request: &HttpRequest) -> Value {
    let call = if request.method == "GET" { reading() } else { writing() };
    let answer = endpoint.send(request, &call).unwrap();
    assert!((200..300).contains(&answer.status), "{request:?}: {answer:?}");
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What a product says of a deployment: under way, and then how it ended.
fn story(product: Product, ending: Ending, look: &str, field: &str) -> Vec<String> {
    let server = ProductServer::start(product);
    server.ends(ending, 2);
    let endpoint = server.endpoint().build().unwrap();
    let _started = json(&endpoint, &begin(product));
    assert_eq!(server.begun(), 1);
    let looks = (0..3).map(|_| json(&endpoint, &get(look)).pointer(field).unwrap().to_string());
    looks.collect()
}

#[test]
fn each_product_says_when_it_is_over_and_how() {
    for (product, look, field, running, well, badly) in [
        (Product::Rundeck, "/api/41/execution/1", "/status", "running", "succeeded", "failed"),
        (
            Product::GithubActions,
            "/repos/acme/shop/actions/runs/1",
            "/conclusion",
            "null",
            "success",
            "failure",
        ),
        (
            Product::Gitlab,
            "/api/v4/projects/acme%2Fshop/pipelines/1",
            "/status",
            "running",
            "success",
            "failed",
        ),
        (
            Product::GitlabTrigger,
            "/api/v4/projects/acme%2Fshop/pipelines/1",
            "/status",
            "running",
            "success",
            "failed",
        ),
        (
            Product::ArgoCd,
            "/api/v1/applications/shop",
            "/status/operationState/phase",
            "Running",
            "Succeeded",
            "Failed",
        ),
    ] {
        for (ending, due) in [(Ending::Succeeded, well), (Ending::Failed, badly)] {
            let told = story(product, ending, look, field);
            let told: Vec<&str> = told.iter().map(|word| word.trim_matches('"')).collect();
            assert_eq!(told, [running, running, due], "{product:?}");
        }
    }
}

#[test]
fn gitlab_is_shown_the_token_of_a_trigger_in_the_form_and_nothing_else() {
    let server = ProductServer::start(Product::GitlabTrigger);
    let gitlab = server.endpoint().build().unwrap();
    assert_eq!(gitlab.send(&begin(Product::GitlabTrigger), &writing()).unwrap().status, 201);
    // What is no form has no token in it, and what only looks shows the other one.
    let path = "/api/v4/projects/acme%2Fshop/trigger/pipeline";
    assert_eq!(gitlab.send(&post(path, r#"{"ref":"main"}"#), &writing()).unwrap().status, 401);
    let look = get("/api/v4/projects/acme%2Fshop/pipelines/1");
    assert_eq!(gitlab.send(&look, &reading()).unwrap().status, 200);
    let seen = server.seen();
    let bodies: Vec<_> = seen.iter().map(|seen| String::from_utf8_lossy(&seen.body)).collect();
    let token = "tkn-0123456789abcdef";
    assert_eq!(bodies[0], format!("ref=main&variables%5BKEY%5D=k-7&token={token}"));
    assert!(!bodies[1].contains(token) && bodies[2].is_empty(), "{bodies:?}");
    assert_eq!(seen[0].header("content-length"), Some(&*bodies[0].len().to_string()));
    let shown: Vec<_> = seen.iter().map(|seen| seen.header("private-token")).collect();
    assert_eq!(shown, [None, None, Some(token)]);
    assert_eq!(server.begun(), 1);
}

#[test]
fn jenkins_tells_its_queue_and_the_queue_tells_the_build() {
    let server = ProductServer::start(Product::Jenkins);
    let jenkins = server.endpoint().build().unwrap();
    let queued = jenkins.send(&begin(Product::Jenkins), &writing()).unwrap();
    let place = queued.headers.iter().find(|(name, _)| name == "location").unwrap();
    assert_eq!(
        (queued.status, place.1.as_str()),
        (201, &*format!("{}/queue/item/1/", server.url()))
    );
    let item = json(&jenkins, &get("/queue/item/1/api/json"));
    assert_eq!(item.pointer("/executable/number"), Some(&Value::from(1)));
    assert_eq!(item.pointer("/params"), Some(&Value::from("\nkey=k-7")));
}

#[test]
fn a_build_of_jenkins_has_its_result_before_it_is_over() {
    for (ending, due) in [(Ending::Succeeded, "\"SUCCESS\""), (Ending::Failed, "\"FAILURE\"")] {
        let told = |field| story(Product::Jenkins, ending, "/job/shop/1/api/json", field);
        assert_eq!(told("/building"), ["true", "true", "false"]);
        assert_eq!(told("/result"), ["null", due, due]);
    }
}

#[test]
fn argo_has_one_operation_at_a_time() {
    let server = ProductServer::start(Product::ArgoCd);
    server.ends(Ending::Succeeded, 1);
    let argo = server.endpoint().build().unwrap();
    assert_eq!(argo.send(&begin(Product::ArgoCd), &writing()).unwrap().status, 200);
    assert_eq!(argo.send(&begin(Product::ArgoCd), &writing()).unwrap().status, 400);
    assert_eq!(server.begun(), 1);
}

#[test]
fn jira_keeps_issues_and_their_properties() {
    let server = ProductServer::start(Product::Jira);
    let jira = server.endpoint().build().unwrap();
    let created = json(&jira, &begin(Product::Jira));
    assert_eq!(created.pointer("/key"), Some(&Value::from("SHOP-1")));
    let put = |path: &str, body: &str| {
        let mut request = post(path, body);
        "PUT".clone_into(&mut request.method);
        jira.send(&request, &writing()).unwrap().status
    };
    assert_eq!(
        put("/rest/api/3/issue/SHOP-1", r#"{"fields":{"summary":"new","labels":["a"]}}"#),
        204
    );
    assert_eq!(put("/rest/api/3/issue/SHOP-1/properties/seen", r#"{"at":"1"}"#), 201);
    assert_eq!(put("/rest/api/3/issue/SHOP-1/properties/seen", r#"{"at":"2"}"#), 200);
    assert_eq!(put("/rest/api/3/issue/SHOP-9", "{}"), 404);
    let property = json(&jira, &get("/rest/api/3/issue/SHOP-1/properties/seen"));
    assert_eq!(property.pointer("/value/at"), Some(&Value::from("2")));
    for (jql, due) in [
        (r#"issue.property[placet].key = \"k-7\""#, 1),
        (r#"issue.property[placet].key = \"k-8\""#, 0),
        (r"project = SHOP AND labels = a ORDER BY created", 1),
        (r"project = ELSE", 0),
    ] {
        // The search is a POST, and only reads.
        let search = post("/rest/api/3/search/jql", &format!(r#"{{"jql":"{jql}"}}"#));
        let answer = jira.send(&search, &reading()).unwrap();
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["issues"].as_array().unwrap().len(), due, "{jql}");
    }
    assert_eq!(server.begun(), 1);
}
