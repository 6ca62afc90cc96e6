//! Our client and a server that says anything.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use placet_core::audit::{Ed25519Signer, Signer as _, VerifierKey};
use placet_core::error::Code;
use placet_core::testing::Office;
use placet_witness::HttpWitness;

/// A server that gives these answers in turn, one for each line, and then none.
fn server(answers: Vec<Vec<u8>>) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        for answer in answers {
            let (mut line, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4_096];
            // The client closes its side with the answer: read what is there, up to the end of a request of ours.
            while !request.ends_with(b"\n") {
                match line.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend(part.iter().take(read)),
                }
            }
            let _sent = line.write_all(&answer);
        }
    });
    (url, thread)
}

fn key() -> VerifierKey {
    let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    let public = signer.verifier_key().public_key();
    VerifierKey::from_ed25519_cosigner("witness.example/w1", public).unwrap()
}

fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn never_seen() -> Vec<u8> {
    answer("404 Not Found", "text/plain", "")
}

#[test]
fn each_answer_has_its_meaning_and_none_is_believed() {
    let cosignature_of_another = "— witness.example/w1 AAAAAAAAAABlAAAA\n";
    let cases: Vec<(Vec<u8>, Code)> = vec![
        (answer("400 Bad Request", "text/plain", "what?\n"), Code::WitnessRefused),
        (answer("403 Forbidden", "text/plain", "no\n"), Code::WitnessRefused),
        (answer("404 Not Found", "text/plain", "who?\n"), Code::WitnessRefused),
        (answer("422 Unprocessable Entity", "text/plain", "no\n"), Code::WitnessRefused),
        (answer("200 OK", "text/plain", ""), Code::WitnessRefused),
        (answer("200 OK", "text/html", "<html>"), Code::WitnessRefused),
        (answer("200 OK", "text/plain", cosignature_of_another), Code::WitnessRefused),
        (answer("200 OK", "text/plain", &"— a AAAAAAE=\n".repeat(200)), Code::WitnessRefused),
        (answer("409 Conflict", "text/plain", "1\n"), Code::WitnessRefused),
        (answer("409 Conflict", "text/x.tlog.size", "many\n"), Code::WitnessRefused),
        // More than the log ever had, without a head to show.
        (answer("409 Conflict", "text/x.tlog.size", "1000000\n"), Code::RolledBack),
        (answer("500 Oops", "text/plain", "\u{1b}[31m"), Code::WitnessUnavailable),
        (answer("503 Busy", "text/plain", ""), Code::WitnessUnavailable),
        (
            answer("302 Found\r\nLocation: http://127.0.0.1:1/", "text/plain", ""),
            Code::WitnessUnavailable,
        ),
        (answer("418 Teapot", "text/plain", ""), Code::WitnessUnavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut".to_vec(), Code::WitnessUnavailable),
        (b"not http at all".to_vec(), Code::WitnessUnavailable),
        (Vec::new(), Code::WitnessUnavailable),
        (answer("200 OK", "text/plain", &"x".repeat(2 << 20)), Code::WitnessUnavailable),
    ];
    let (gate, _) = Office::in_memory().unwrap();
    for (said, code) in cases {
        let shown = String::from_utf8_lossy(&said).chars().take(80).collect::<String>();
        // After a refusal it is asked once more what it saw.
        let (url, thread) = server(vec![never_seen(), said, never_seen()]);
        let witness = HttpWitness::at(&url, vec![key()]).unwrap().with_timeout_ms(60_000).unwrap();
        let error = gate.anchor(&witness).unwrap_err();
        assert_eq!(error.code(), code, "{shown}\n{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
        // Where it was not asked again, nobody else will come.
        drop(std::net::TcpStream::connect(url.trim_start_matches("http://")));
        thread.join().unwrap();
    }
}

#[test]
fn what_it_serves_as_seen_must_carry_its_cosignature() {
    let (gate, _) = Office::in_memory().unwrap();
    let own = gate.checkpoint().unwrap().to_string();
    for (body, code) in [
        (own.as_str(), Code::WitnessRefused),
        ("nonsense", Code::WitnessRefused),
        ("", Code::WitnessRefused),
    ] {
        let (url, thread) = server(vec![answer("200 OK", "text/plain", body)]);
        let witness = HttpWitness::at(&url, vec![key()]).unwrap();
        assert_eq!(gate.compare_with(&witness).unwrap_err().code(), code, "{body}");
        thread.join().unwrap();
    }
}
