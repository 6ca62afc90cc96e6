//! The evidence of one request in which one file is another, also where whoever has the log's key signed that: it is
//! refused with the place, and nothing panics.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use placet_core::audit::{Ed25519Signer, SignedNote, Signer as _, verify_evidence};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::store::MemoryStore;
use placet_core::testing::{Bench, Office, Seen};

const MANIFEST: &str = "manifest";

type Folder = BTreeMap<String, Vec<u8>>;

struct Evidence {
    signer: Arc<Ed25519Signer>,
    origin: String,
    files: Folder,
}

static EVIDENCE: LazyLock<Evidence> = LazyLock::new(|| told().expect("a story with its evidence"));

fn told() -> Result<Evidence, Error> {
    let mut bench = Bench::on(Arc::new(MemoryStore::default()))?;
    let origin = Gate::new(bench.parts.clone()).origin().to_owned();
    let signer = Arc::new(Ed25519Signer::from_seed(&origin, &[7; 32])?);
    bench.parts.signer = Arc::<Ed25519Signer>::clone(&signer);
    let gate = Gate::new(bench.parts);
    let office = Office::found(&gate)?;
    let id = office.approved(&gate)?.header.id;
    gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    let mut files = Folder::new();
    gate.evidence(&office.ana, id, |path, bytes| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    })?;
    Ok(Evidence { signer, origin, files })
}

impl Evidence {
    /// The list of all files, signed again with what stands at `path` now.
    fn signed_again(&self, path: &str, bytes: &[u8]) -> Vec<u8> {
        let list = SignedNote::parse(&self.files[MANIFEST]).expect("a signed list");
        let keys = [self.signer.verifier_key().clone()];
        let text = list.verify(&keys).expect("signed by the log");
        let end = format!(" {path}");
        let lines = text.lines().map(|line| match line.strip_suffix(&end) {
            Some(_) => format!("{} {}{end}\n", Digest::of(bytes), bytes.len()),
            None => format!("{line}\n"),
        });
        let text: String = lines.collect();
        let note = SignedNote::sign(&text, &[&*self.signer]).expect("a list can be signed");
        note.to_string().into_bytes()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [which, how, rest @ ..] = bytes else { return };
    let told = &*EVIDENCE;
    let path = told.files.keys().nth(usize::from(*which) % told.files.len()).expect("a file");
    let good = &told.files[path];
    // The file that came, or the good one with bytes of it changed.
    let changed = if how % 2 == 0 {
        rest.to_vec()
    } else {
        let mut bytes = good.clone();
        for edit in rest.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
            bytes[at] ^= edit[2];
        }
        bytes
    };
    let mut files = told.files.clone();
    if how & 2 == 2 && path != MANIFEST {
        files.insert(MANIFEST.to_owned(), told.signed_again(path, &changed));
    }
    let is_same = changed == *good;
    files.insert(path.clone(), changed);
    let read = |path: &str| Ok(files.get(path).cloned());
    match verify_evidence(read, &told.origin, told.signer.verifier_key()) {
        // The list may carry signatures of others besides.
        Ok(found) => assert!(is_same || (path == MANIFEST && found.files + 1 == files.len())),
        Err(error) => {
            assert!(!is_same && error.code() == Code::LogTampered, "{error}");
            assert!(!error.details().is_empty(), "no place: {error}");
        }
    }
});
