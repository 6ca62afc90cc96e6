//! Credentials never come back.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
use placet_target_deploy::{Credential, Endpoint, HttpResponse, Rule};

use crate::story::{begin, find, reading, writing};

/// What a test's own server asks for, and what a user may have as a password. Neither may be anywhere in an answer.
const SECRETS: [&str; 3] =
    ["tkn-0123456789abcdef", "ZGVwbG95ZXJAZXhhbXBsZS5vcmc6dGtu", "b1/tter\\\"pill"];

/// All places where an answer shows a secret, in any case and any form.
fn shown(answer: &HttpResponse) -> Vec<String> {
    let mut texts = vec![format!("{answer:?}"), String::from_utf8_lossy(&answer.body).into_owned()];
    texts.extend(answer.headers.iter().flat_map(|(name, value)| [name.clone(), value.clone()]));
    let texts = texts.iter().map(|text| text.to_lowercase());
    texts
        .filter(|text| SECRETS.iter().any(|secret| text.contains(&secret.to_lowercase())))
        .collect()
}

#[test]
fn a_server_that_repeats_everything_gives_nothing_away() {
    for product in Product::ALL {
        let server = ProductServer::start(product);
        server.fail(Scope::All, Fault::Echo, 2);
        let other = Credential::header("X-Second", SECRETS[2]);
        let mut endpoint = server.endpoint().credential(other.clone());
        if product == Product::GitlabTrigger {
            endpoint = endpoint.read_credential(other);
        }
        let endpoint = endpoint.build().unwrap();
        for answer in [
            endpoint.send(&begin(product), &writing()).unwrap(),
            endpoint.send(&find(product), &reading()).unwrap(),
        ] {
            assert_eq!(shown(&answer), Vec::<String>::new(), "{product:?}");
            let text = String::from_utf8_lossy(&answer.body);
            assert!(text.contains("[redacted]") && text.contains("HTTP/1.1"), "{text}");
            assert!(answer.headers.iter().all(|(name, _)| name != "set-cookie"), "{answer:?}");
            assert!(answer.headers.iter().any(|(_, value)| value.contains("[redacted]")));
        }
        // The server did get it: there was something to hide.
        assert!(server.seen().iter().all(|seen| seen.header("x-second") == Some(SECRETS[2])));
        assert!(!format!("{endpoint:?}").contains(SECRETS[0]));
    }
}

#[test]
fn an_answer_that_nobody_cleaned_is_noticed() {
    let server = ProductServer::start(Product::Gitlab);
    let gitlab = server.endpoint().build().unwrap();
    let mut answer = gitlab.send(&find(Product::Gitlab), &reading()).unwrap();
    assert_eq!(shown(&answer), Vec::<String>::new());
    // As of an endpoint that hands out what came.
    answer.body = server.seen()[0].head.clone();
    assert!(!shown(&answer).is_empty());
    answer.body.clear();
    answer.headers.push(("x-echo".to_owned(), "TKN-0123456789ABCDEF".to_owned()));
    assert!(!shown(&answer).is_empty());
}

/// Answers one request with these bytes.
fn answering(answer: &'static [u8]) -> (String, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        stream.write_all(answer).unwrap();
        head
    });
    (url, server)
}

fn at(url: &str, credential: Credential) -> Endpoint {
    let endpoint = Endpoint::builder(url).allow_plain_http().allow_private_addresses();
    endpoint.credential(credential).read(Rule::below("GET", "/")).build().unwrap()
}

#[test]
fn a_transfer_that_is_coded_is_not_handed_out() {
    let token = || Credential::bearer("tkn-0123456789abcdef");
    for (answer, due) in [
        (&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"[..], "a"),
        (&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"[..], "http.encoding"),
        (&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"[..], "http.encoding"),
        (&b"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\nContent-Length: 1\r\n\r\na"[..], "http.encoding"),
    ] {
        let (url, server) = answering(answer);
        let told = match at(&url, token()).send(&crate::story::get("/"), &reading()) {
            Ok(answer) => String::from_utf8(answer.body).unwrap(),
            Err(refused) => refused.code().to_owned(),
        };
        assert_eq!(told, due);
        server.join().unwrap();
    }
}

#[test]
fn each_value_of_a_credential_is_a_secret() {
    for value in
        ["Token token=\"hunter2-hunter2\"", "a=b; session=hunter2-hunter2; other=0123456789"]
    {
        let body = b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"hunter2-hunter2\"}\n";
        let (url, server) = answering(&body[..]);
        let named = Credential::header("Authorization", value);
        let answer = at(&url, named).send(&crate::story::get("/"), &reading()).unwrap();
        assert_eq!(String::from_utf8(answer.body).unwrap(), "{\"[redacted]\"}", "{value}");
        let head = String::from_utf8(server.join().unwrap()).unwrap();
        assert!(head.contains("hunter2-hunter2"));
    }
}

#[test]
fn a_url_with_a_password_is_not_printed() {
    let builder = Endpoint::builder("https://user:hunter2@ci.example.org");
    let target = placet_target_deploy::DeployTarget::builder().endpoint("ci", builder);
    assert!(!format!("{target:?}").contains("hunter2"));
    assert!(!format!("{:?}", target.build().unwrap_err()).contains("hunter2"));
}
