//! Requests that are not sent.

use placet_target_deploy::testing::{Product, ProductServer};
use placet_target_deploy::{
    Credential, DeployTarget, Endpoint, EndpointBuilder, Exchange, HttpFailureKind, HttpRequest,
    Rule,
};

use crate::story::{begin, get, post, reading, writing};

/// Asks a server with these rules, and tells kind and code. Nothing may reach the server.
fn refusal(request: &HttpRequest, call: &Exchange) -> (HttpFailureKind, &'static str) {
    let server = ProductServer::start(Product::Rundeck);
    let refused = server.endpoint().request_bytes_max(100).build().unwrap().send(request, call);
    let refused = refused.unwrap_err();
    assert!(!refused.may_have_taken_effect() && refused.answered().is_none());
    assert!(!refused.help().is_empty());
    assert_eq!(server.finish(), [], "{request:?}");
    (refused.kind(), refused.code())
}

#[test]
fn a_path_that_is_not_one_is_refused() {
    for path in [
        "",
        "job",
        "//evil.example/api",
        "http://evil.example/",
        "/api/../admin",
        "/api/%2e%2e/admin",
        "/api/41/job/7/run HTTP/1.1\r\nHost: evil",
        "/a\r\nX: y",
        "/a\nb",
        "/a#b",
        "/a\\b",
        "/é",
        "/a\0",
        "/a?b c",
        "/a?b\r\nc",
        "/a?é",
        "/a?b#c",
    ] {
        assert_eq!(
            refusal(&get(path), &reading()),
            (HttpFailureKind::Invalid, "http.path"),
            "{path:?}"
        );
    }
    let long = format!("/{}", "a".repeat(9_000));
    assert_eq!(refusal(&get(&long), &reading()), (HttpFailureKind::Invalid, "http.path"));
}

#[test]
fn headers_of_the_host_are_not_the_plugins_to_set() {
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "Authorization",
        "Cookie",
        "Idempotency-Key",
        "Proxy-Authorization",
        "proxy-anything",
        "X-Rundeck-Auth-Token",
        "x-rundeck-auth-token",
        "Accept-Encoding",
        "Upgrade",
        "TE",
        "Expect",
        "Forwarded",
        "X-Forwarded-Host",
        "X-HTTP-Method-Override",
        "X-Original-URL",
        "X-Rewrite-Url",
        "Sudo",
        "Impersonate-User",
        "impersonate-extra-scopes",
        "Remote-User",
        "X-Remote-Group",
        "X-WebAuth-User",
        "X-Auth-Request-Email",
        "X-SSL-Client-Cert",
        "True-Client-IP",
    ] {
        let request = get("/api/41/execution/1").with_header(name, "x");
        assert_eq!(
            refusal(&request, &reading()),
            (HttpFailureKind::Denied, "http.header"),
            "{name}"
        );
    }
}

#[test]
fn headers_that_would_be_more_than_one_are_refused() {
    let long = "x".repeat(5_000);
    for (name, value) in [
        ("X-A", "b\r\nHost: evil"),
        ("X-A", "b\nc"),
        ("X-A", "b\rc"),
        ("X-A", "b\0c"),
        ("X-A", " b"),
        ("X-A", "b "),
        ("X-A", "é"),
        ("X-A", &long),
        ("", "b"),
        ("X A", "b"),
        ("X-A:", "b"),
        ("X-A\r\nHost", "b"),
        ("Content_Length", "0"),
        ("é", "b"),
    ] {
        let request = get("/api/41/execution/1").with_header(name, value);
        assert_eq!(
            refusal(&request, &reading()),
            (HttpFailureKind::Invalid, "http.header"),
            "{name:?}: {value:?}"
        );
    }
    let twice = get("/a").with_header("X-A", "b").with_header("x-a", "c");
    assert_eq!(refusal(&twice, &reading()), (HttpFailureKind::Invalid, "http.header"));
    let many = (0..40).fold(get("/a"), |request, at| request.with_header(format!("X-{at}"), "b"));
    assert_eq!(refusal(&many, &reading()), (HttpFailureKind::Limit, "http.headers"));
}

#[test]
fn the_field_of_a_credential_is_not_the_plugins_to_set() {
    let path = "/api/v4/projects/1/trigger/pipeline";
    let form = |path: &str, body: &str| {
        let request = HttpRequest::new("POST", path).with_body(body);
        request.with_header("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8")
    };
    for request in [
        form(path, "ref=main&token=mine-0123456789"),
        form(path, "token[]=mine&ref=main"),
        form(path, "ref=main;t%6Fken=mine"),
        form(&format!("{path}?token=mine"), "ref=main"),
        form(&format!("{path}?TOKEN=mine"), ""),
        get("/api/v4/projects/1/pipelines?a=b&%74oken=mine"),
    ] {
        let server = ProductServer::start(Product::GitlabTrigger);
        let gitlab = server.endpoint().build().unwrap();
        let refused = gitlab.send(&request, &writing()).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Denied, "http.form"));
        assert!(!refused.may_have_taken_effect() && !refused.help().is_empty());
        assert_eq!(server.finish(), [], "{request:?}");
    }
    // Without such a credential a field is a field.
    let server = ProductServer::start(Product::Gitlab);
    let gitlab = server.endpoint().build().unwrap();
    let looked = gitlab.send(&get("/api/v4/projects/1/pipelines?token=mine"), &reading());
    assert_eq!(looked.unwrap().status, 200);
    let endpoint = |name: &str| {
        let token = || Credential::form_field(name, "glptt-0123456789");
        let one = Endpoint::builder("https://ci.example.org").credential(token());
        (
            one.clone().read(Rule::below("GET", "/")),
            one.credential(token()).read(Rule::below("GET", "/")),
        )
    };
    assert!(endpoint("token").0.build().is_ok() && endpoint("token").1.build().is_err());
    for name in ["", "to ken", "token=x&a", "token[]", "t%6fken", "tök"] {
        assert!(endpoint(name).0.build().is_err(), "{name}");
    }
}

#[test]
fn what_no_rule_allows_is_denied() {
    let denied = (HttpFailureKind::Denied, "http.not_allowed");
    assert_eq!(refusal(&HttpRequest::new("DELETE", "/api/41/job/7"), &writing()), denied);
    assert_eq!(refusal(&HttpRequest::new("POST", "/api/41/jobs/import"), &writing()), denied);
    assert_eq!(refusal(&HttpRequest::new("TRACE", "/api/41/job/7"), &writing()), denied);
    assert_eq!(refusal(&HttpRequest::new("CONNECT", "/api/41/job/7"), &writing()), denied);
    let invalid = (HttpFailureKind::Invalid, "http.method");
    for method in ["post", "GET /x HTTP/1.1\r\nHost: y\r\n\r\nGET", "G T", "POST\r\n"] {
        assert_eq!(refusal(&HttpRequest::new(method, "/api/41/job/7"), &writing()), invalid);
    }
}

#[test]
fn a_call_that_reads_writes_nothing() {
    let run = begin(Product::Rundeck);
    assert_eq!(refusal(&run, &reading()), (HttpFailureKind::Denied, "http.read_only"));
    let large = post("/api/41/job/7/run", &"x".repeat(101));
    assert_eq!(refusal(&large, &writing()), (HttpFailureKind::Limit, "http.request_too_large"));
    for key in ["", "a b", "a\r\nHost: evil", "é", &"x".repeat(256)] {
        let call = writing().with_idempotency_key(key);
        assert_eq!(refusal(&run, &call), (HttpFailureKind::Invalid, "http.key"), "{key:?}");
    }
}

#[test]
fn a_call_that_reads_writes_nothing_however_it_spells_the_path() {
    let server = ProductServer::start(Product::Rundeck);
    let endpoint = server.endpoint().write(Rule::below("GET", "/api/41/job/7/run"));
    let endpoint = endpoint.build().unwrap();
    for path in [
        "/api/41/job/7/run",
        "/api/41/job/7/%72un",
        "/api/41/job/7%2Frun",
        "/api/41/JOB/7/run",
        "/%61pi/41/job/7/run/now",
        "/api/41/job/7/run?x=1",
    ] {
        let refused = endpoint.send(&get(path), &reading()).unwrap_err();
        let due = (HttpFailureKind::Denied, "http.read_only");
        assert_eq!((refused.kind(), refused.code()), due, "{path}");
    }
    assert_eq!(endpoint.send(&get("/api/41/job/7/runs"), &reading()).unwrap().status, 404);
    let seen = server.finish();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn a_write_has_the_hosts_key_and_a_read_has_none() {
    let server = ProductServer::start(Product::Rundeck);
    let rundeck = server.endpoint().build().unwrap();
    assert_eq!(rundeck.send(&begin(Product::Rundeck), &writing()).unwrap().status, 200);
    assert_eq!(rundeck.send(&get("/api/41/execution/1"), &writing()).unwrap().status, 200);
    let keys: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some("req-1.1.1".to_owned()), None]);
}

#[test]
fn calls_that_read_show_the_credential_for_reading() {
    let server = ProductServer::start(Product::Rundeck);
    let reader = Credential::header("X-Rundeck-Auth-Token", "only-for-reading");
    let rundeck = server.endpoint().read_credential(reader).build().unwrap();
    // The server does not know this one.
    assert_eq!(rundeck.send(&get("/api/41/execution/1"), &reading()).unwrap().status, 401);
    assert_eq!(rundeck.send(&get("/api/41/execution/1"), &writing()).unwrap().status, 404);
    let tokens: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("x-rundeck-auth-token").unwrap().to_owned())
        .collect();
    assert_eq!(tokens[0], "only-for-reading");
    assert_ne!(tokens[1], "only-for-reading");
}

#[test]
fn an_endpoint_that_says_too_little_or_too_much_is_not_built() {
    let plain = |url: &str| Endpoint::builder(url).read(Rule::below("GET", "/"));
    let token = || Credential::bearer("0123456789");
    let wrong: [(&str, EndpointBuilder); 9] = [
        ("not encrypted", plain("http://ci.example.org")),
        ("no request", Endpoint::builder("https://ci.example.org")),
        ("no rule", plain("https://ci.example.org").read(Rule::below("GET", "/../x"))),
        ("shorter than 8", plain("https://ci.example.org").credential(Credential::bearer("short"))),
        ("same header", plain("https://ci.example.org").credential(token()).credential(token())),
        (
            "as a header",
            plain("https://ci.example.org").credential(Credential::bearer("01234567\r\nX: y")),
        ),
        (
            "usable name",
            plain("https://ci.example.org").credential(Credential::header("Host", "0123456789")),
        ),
        ("no SHA-256", plain("https://ci.example.org").pin("sha256:00")),
        ("cannot be used", plain("https://ci.example.org").roots_pem("no certificate")),
    ];
    for (due, builder) in wrong {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains(due), "{error}");
        assert!(error.help().is_some());
    }
    let hidden = Credential::header("Authorization", "Basic ZGVwbG95OnNlY3JldA==");
    assert!(plain("https://ci.example.org").credential(hidden).build().is_err());
}

#[test]
fn names_are_looked_up_and_others_are_denied() {
    let server = ProductServer::start(Product::Rundeck);
    let target = DeployTarget::builder().endpoint("ci", server.endpoint()).build().unwrap();
    assert_eq!(target.endpoint_names().collect::<Vec<_>>(), ["ci"]);
    assert!(target.send("ci", &get("/api/41/execution/1"), &reading()).is_ok());
    for name in ["CI", "jira", "", "ci "] {
        let refused = target.send(name, &get("/"), &reading()).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Denied, "http.endpoint"));
        let refused = target.run(name, &[], b"", &reading()).unwrap_err();
        assert_eq!(refused.code(), "command.unknown_name");
    }
}
