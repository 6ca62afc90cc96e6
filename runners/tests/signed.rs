//! Plugins that enough people signed, and those that too few did.

use placet_core::audit::{Ed25519Signer, Signer, VerifierKey};
use placet_core::error::{Code, Error};
use placet_runners::{Grant, Manifest, Trusted, WasmRunner, shipped};

use crate::bench::UNRULY;

fn signer(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(name, &[seed; 32]).unwrap()
}

fn keys(signers: &[&Ed25519Signer]) -> Vec<VerifierKey> {
    signers.iter().map(|signer| signer.verifier_key().clone()).collect()
}

fn manifest() -> Manifest {
    Manifest::new("unruly", "0.1.0").with_capability("sql").with_connection("target")
}

fn install(
    trusted: Trusted,
    component: &[u8],
    manifest: Manifest,
    note: &str,
) -> Result<(), Error> {
    let name = "unruly".parse().unwrap();
    let grant = Grant::none().with("sql");
    let builder = WasmRunner::builder().signers(trusted).note("unruly".parse().unwrap(), note);
    builder.plugin(name, component.to_vec(), manifest, grant).build().map(drop)
}

fn refused(result: Result<(), Error>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
    assert!(error.to_string().contains(part), "{part}: {error}");
    assert!(error.help().is_some());
}

#[test]
fn distinct_signers_are_counted() {
    let (ana, bo, cy) = (signer("ana", 1), signer("bo", 2), signer("cy", 3));
    // Ana's key under another name is Ana.
    let alias = signer("not-ana", 1);
    let trusted = |needed| Trusted::new(keys(&[&ana, &bo, &alias]), needed).unwrap();
    let by = |signers: &[&dyn Signer]| manifest().sign(UNRULY, signers).unwrap().to_string();
    let try_with = |needed, note: &str| install(trusted(needed), UNRULY, manifest(), note);

    assert!(try_with(1, &by(&[&ana])).is_ok());
    assert!(try_with(2, &by(&[&ana, &bo])).is_ok());
    assert!(try_with(2, &by(&[&cy, &bo, &ana])).is_ok());
    refused(try_with(2, &by(&[&ana])), "1 of 2");
    refused(try_with(2, &by(&[&ana, &ana])), "1 of 2");
    refused(try_with(2, &by(&[&ana, &alias])), "1 of 2");
    refused(try_with(2, &by(&[&ana, &cy])), "1 of 2");
    refused(try_with(1, &by(&[&cy])), "0 of 1");
    assert_eq!(Trusted::new(keys(&[&ana, &alias]), 2).unwrap_err().code(), Code::InvalidInput);
    assert_eq!(Trusted::new(keys(&[&ana]), 0).unwrap_err().code(), Code::InvalidInput);
    let witness = VerifierKey::from_ed25519_cosigner("w", ana.verifier_key().public_key()).unwrap();
    assert_eq!(Trusted::new(vec![witness], 1).unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn a_signature_is_of_one_manifest_and_one_component() {
    let ana = signer("ana", 1);
    let trusted = || Trusted::new(keys(&[&ana]), 1).unwrap();
    let note = manifest().sign(UNRULY, &[&ana]).unwrap().to_string();
    assert!(install(trusted(), UNRULY, manifest(), &note).is_ok());
    // Whatever differs: a word that it asks for, a version, a byte.
    refused(install(trusted(), UNRULY, manifest().with_connection("other"), &note), "another");
    let newer = Manifest::new("unruly", "0.1.1").with_capability("sql").with_connection("target");
    refused(install(trusted(), UNRULY, newer, &note), "another");
    let longer = [UNRULY, &[0, 2, 1, 0x61]].concat();
    refused(install(trusted(), &longer, manifest(), &note), "another");

    // A changed signature, somebody else's text under Ana's line, and what is no note.
    let position = note.len().saturating_sub(5);
    let (before, after) = note.split_at(position);
    let flipped = if after.starts_with('A') { "B" } else { "A" };
    let rest = after.get(1..).unwrap();
    refused(
        install(trusted(), UNRULY, manifest(), &format!("{before}{flipped}{rest}")),
        "do not hold",
    );
    let moved = note.replacen("0.1.0", "0.2.0", 1);
    let claimed = Manifest::new("unruly", "0.2.0").with_capability("sql").with_connection("target");
    refused(install(trusted(), UNRULY, claimed, &moved), "do not hold");
    for rubbish in ["", "nonsense", "\n\n\n", "a\n\n— ana AAAA\n"] {
        refused(install(trusted(), UNRULY, manifest(), rubbish), "");
    }
}

#[test]
fn a_note_of_another_kind_does_not_count() {
    // Ana signs the head of a log that reads like a plugin's digest; the first line tells them apart.
    let ana = signer("ana", 1);
    let digest = placet_core::digest::Digest::of(UNRULY);
    let manifest_text = serde_json::to_string(&manifest()).unwrap();
    for first in ["example.org/log", "placet plugin manifest v2", ""] {
        let text = format!("{first}\n{digest}\n{manifest_text}\n");
        let Ok(note) = placet_core::audit::SignedNote::sign(&text, &[&ana]) else { continue };
        let trusted = Trusted::new(keys(&[&ana]), 1).unwrap();
        refused(install(trusted, UNRULY, manifest(), &note.to_string()), "another");
    }
}

#[test]
fn without_a_note_nothing_is_installed_but_what_comes_with_placet() {
    let ana = signer("ana", 1);
    let trusted = || Trusted::new(keys(&[&ana]), 1).unwrap();
    let sql = shipped::sql();
    let host = |manifest: Manifest| {
        WasmRunner::builder()
            .signers(trusted())
            .plugin(
                "sql".parse().unwrap(),
                sql.component.clone(),
                manifest,
                Grant::none().with("sql"),
            )
            .build()
    };
    assert!(host(sql.manifest.clone()).is_ok());
    // With another manifest it is somebody else's plugin.
    let error = host(sql.manifest.clone().with_connection("more")).unwrap_err();
    assert_eq!(error.code(), Code::Refused);
    let unsigned = WasmRunner::builder()
        .signers(trusted())
        .plugin("unruly".parse().unwrap(), UNRULY, manifest(), Grant::none().with("sql"))
        .build();
    refused(unsigned.map(drop), "nobody signed it");
}
