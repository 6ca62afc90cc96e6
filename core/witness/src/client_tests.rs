use super::*;

#[test]
fn an_address_is_encrypted_or_of_this_machine() {
    for good in [
        "https://witness.example",
        "https://witness.example/w1/",
        "http://127.0.0.1:80",
        "http://[::1]:8",
        "http://localhost/a",
    ] {
        assert!(!prefix(good).unwrap().ends_with('/'), "{good}");
    }
    for bad in [
        "",
        "witness.example",
        "ftp://witness.example",
        "http://witness.example",
        "http://127.0.0.1.example",
        "http://10.0.0.1",
        "https://witness.example?x",
        "https:///x",
        "http://localhost.example",
    ] {
        assert_eq!(prefix(bad).unwrap_err().code(), Code::InvalidInput, "{bad}");
    }
}

#[test]
fn a_size_is_read_in_one_spelling_only() {
    let size = |kind: &str, body: &str| match conflict(kind, body.as_bytes()) {
        WitnessError::Conflict { size } => Some(size),
        WitnessError::Refused(_) | WitnessError::Unreachable(_) => None,
    };
    assert_eq!(size("text/x.tlog.size", "20852014\n"), Some(20_852_014));
    assert_eq!(size("text/x.tlog.size", "0\n"), Some(0));
    for body in
        ["", "\n", "1", "01\n", "+1\n", "-1\n", "1\n\n", "1 \n", "x\n", "99999999999999999999\n"]
    {
        assert_eq!(size("text/x.tlog.size", body), None, "{body:?}");
    }
    assert_eq!(size("text/plain", "1\n"), None);
}

#[test]
fn what_a_stranger_says_is_harmless_and_short() {
    let text = said(format!("\u{1b}[31mred\r\n{}", "x".repeat(500)).as_bytes());
    assert!(!text.contains('\u{1b}') && !text.contains('\n') && text.len() < 250, "{text}");
}

#[test]
fn a_key_of_a_witness_is_one_of_cosignatures() {
    use placet_core::audit::{Ed25519Signer, Signer as _};
    let plain = Ed25519Signer::from_seed("witness.example/w1", &[8; 32]).unwrap();
    for keys in [Vec::new(), vec![plain.verifier_key().clone()]] {
        let error = HttpWitness::at("https://witness.example", keys).unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput);
    }
}
