//! Requests by chance stay where they belong.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use placet_target::testing::Chance;
use placet_target_deploy::testing::{Product, ProductServer, Seen};
use placet_target_deploy::{Endpoint, Exchange, HttpRequest, Rule};

use crate::story::{reading, writing};

const PIECES: [&str; 44] = [
    "/",
    "/",
    "/",
    "//",
    "a",
    "job",
    "api",
    "41",
    "..",
    ".",
    "...",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "%25",
    "%00",
    "%0d%0a",
    "%",
    "\\",
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    "?",
    "#",
    "@",
    ":",
    ";",
    "&x=1",
    "é",
    "evil.example",
    "http://evil.example",
    " HTTP/1.1\r\nHost: evil\r\n\r\nGET /base/app/x HTTP/1.1\r\nX: ",
    "*",
    "~",
    "[",
    "%zz",
    "1.2",
    "group%2Fshop",
    "-",
    "_",
];

const NAMES: [&str; 14] = [
    "X-A",
    "Accept",
    "Content-Type",
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "X-A\r\nHost",
    "Connection",
    "content_length",
    "Authorization",
    "If-Match",
    "",
    "X A",
    "Cookie",
];

/// What no server could take for anything else.
const PLAIN: [&str; 8] = ["/", "/", "a", "job", "1.2", "-", "%20", "group%2Fshop"];

fn text(chance: &mut Chance, most: u64) -> String {
    let count = chance.below(most);
    let mut piece = || {
        chance.is(65).then(|| chance.one_of(&PLAIN)).flatten().or_else(|| chance.one_of(&PIECES))
    };
    (0..count).filter_map(|_| piece()).copied().collect()
}

fn request(chance: &mut Chance) -> HttpRequest {
    let methods = ["GET", "GET", "GET", "POST", "POST", "POST", "DELETE", "get", "GET /x"];
    let method = chance.one_of(&methods).unwrap();
    let start = if chance.is(90) { "/a" } else { "" };
    let path = format!("{start}{}", text(chance, 7));
    let mut request = HttpRequest::new(*method, path);
    for _ in 0..chance.below(3) {
        let name = if chance.is(60) { "X-B" } else { *chance.one_of(&NAMES).unwrap() };
        let value = if chance.is(75) { "plain".to_owned() } else { text(chance, 4) };
        request = request.with_header(name, value);
    }
    if chance.is(30) {
        request = request.with_body(text(chance, 6));
    }
    request
}

/// What a careless server may make of a path: decoded again and again.
fn decoded(path: &str) -> Vec<String> {
    let mut forms = vec![path.to_owned()];
    for _ in 0..3 {
        let last = forms.last().unwrap();
        let (mut bytes, mut rest) = (Vec::new(), last.as_bytes());
        while let Some((byte, after)) = rest.split_first() {
            let code = (*byte == b'%').then(|| after.get(..2)).flatten();
            let code = code.and_then(|code| core::str::from_utf8(code).ok());
            if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                bytes.push(code);
                rest = &after[2..];
            } else {
                bytes.push(*byte);
                rest = after;
            }
        }
        forms.push(String::from_utf8_lossy(&bytes).replace('\\', "/"));
    }
    forms
}

/// What is wrong with a request that came; nothing where the list is empty.
fn wrong(seen: &Seen, host: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !seen.left_over.is_empty() {
        wrong.push("there is a second request".to_owned());
    }
    let line = String::from_utf8_lossy(&seen.head);
    let line = line.split("\r\n").next().unwrap_or_default();
    if line.split(' ').count() != 3 || !line.ends_with(" HTTP/1.1") || !line.is_ascii() {
        wrong.push(format!("the request line is {line:?}"));
    }
    if !["GET", "POST"].contains(&&*seen.method) {
        wrong.push(format!("the method is {:?}", seen.method));
    }
    for form in decoded(&seen.path) {
        let path = form.split(['?', '#', ';']).next().unwrap_or_default();
        if !path.starts_with("/base/app/") || path.split('/').any(|part| part == "..") {
            wrong.push(format!("the path {form:?} is elsewhere"));
        }
        if form.chars().any(char::is_control) {
            wrong.push(format!("the path {form:?} has lines"));
        }
    }
    for (name, due) in [("host", 1), ("authorization", 1), ("transfer-encoding", 0), ("cookie", 0)]
    {
        let count = seen.headers.iter().filter(|(found, _)| found == name).count();
        if count != due {
            wrong.push(format!("`{name}` is there {count} times"));
        }
    }
    if seen.headers.iter().filter(|(found, _)| found.replace('_', "-") == "content-length").count()
        > 1
    {
        wrong.push("there are two lengths".to_owned());
    }
    if seen.header("host") != Some(host) {
        wrong.push(format!("the host is {:?}", seen.header("host")));
    }
    wrong
}

fn endpoint(server: &ProductServer) -> Endpoint {
    Endpoint::builder(&format!("{}/base/app", server.url()))
        .allow_plain_http()
        .allow_private_addresses()
        .credential(placet_target_deploy::Credential::bearer("0123456789"))
        .read(Rule::below("GET", "/"))
        .write(Rule::below("POST", "/"))
        .build()
        .unwrap()
}

#[test]
fn no_request_leaves_its_prefix_or_is_two() {
    let count: u64 = std::env::var("PLACET_CASES").map_or(600, |count| count.parse().unwrap());
    let seed: u64 = std::env::var("PLACET_SEED").map_or(7, |seed| seed.parse().unwrap());
    println!("PLACET_SEED={seed} PLACET_CASES={count}");
    let mut chance = Chance::new(seed);
    let server = ProductServer::start(Product::Rundeck);
    let (endpoint, host) = (endpoint(&server), server.url().replace("http://", ""));
    let mut sent = 0;
    for case in 0..count {
        let request = request(&mut chance);
        let call: Exchange = if chance.is(50) { reading() } else { writing() };
        match endpoint.send(&request, &call) {
            Ok(_answer) => sent += 1,
            Err(refused) => {
                assert!(!refused.may_have_taken_effect(), "{case}: {request:?}: {refused:?}");
            }
        }
    }
    let seen = server.finish();
    assert_eq!(seen.len(), sent, "what was refused was not sent");
    println!("{sent} of {count} were sent");
    assert!(u64::try_from(sent).unwrap() * 20 > count, "only {sent} of {count} were sent");
    for seen in &seen {
        assert_eq!(wrong(seen, &host), Vec::<String>::new(), "PLACET_SEED={seed}: {seen:?}");
    }
}

/// An endpoint that looks at nothing.
fn careless(server: &ProductServer, request: &HttpRequest) {
    let host = server.url().replace("http://", "");
    let mut text = format!(
        "{} /base/app{} HTTP/1.1\r\nHost: {host}\r\n",
        request.method, request.path_and_query
    );
    for (name, value) in &request.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    let length = request.body.len().to_string();
    text.extend(["Authorization: Bearer x\r\nContent-Length: ", &length, "\r\n\r\n"]);
    let mut stream = TcpStream::connect(&host).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    // What it answers is of no interest; it may close early.
    let _read = stream.read_to_end(&mut Vec::new());
}

#[test]
fn an_endpoint_that_looks_at_nothing_is_found() {
    let due = [
        (HttpRequest::new("GET", "/../admin"), "elsewhere"),
        (HttpRequest::new("GET", "/%2e%2e/admin"), "elsewhere"),
        (HttpRequest::new("GET", "/%252e%252e/admin"), "elsewhere"),
        (HttpRequest::new("GET", "/..%5cadmin"), "elsewhere"),
        (HttpRequest::new("GET", "/x HTTP/1.1\r\nHost: evil\r\n\r\nGET /y"), "second request"),
        (HttpRequest::new("GET", "/x").with_header("X-A", "b\r\nHost: evil"), "`host`"),
        (HttpRequest::new("GET", "/x").with_header("Content-Length", "5"), "two lengths"),
        (
            HttpRequest::new("GET", "/x").with_header("Transfer-Encoding", "chunked"),
            "transfer-encoding",
        ),
        (HttpRequest::new("DELETE", "/x"), "method"),
    ];
    for (request, word) in due {
        let server = ProductServer::start(Product::Rundeck);
        let host = server.url().replace("http://", "");
        careless(&server, &request);
        let seen = server.finish();
        let found = wrong(&seen[0], &host);
        assert!(found.iter().any(|what| what.contains(word)), "{request:?}: {found:?}");
    }
}
