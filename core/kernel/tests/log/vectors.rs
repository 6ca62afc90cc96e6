//! The cases of transparency-dev/merkle, which other implementations are tested with too, and the digests that
//! RFC 6962 logs publish for their reference tree. The files and their licence are in `tests/vectors/merkle`.

use std::fs;
use std::path::{Path, PathBuf};

use placet_core::audit::{verify_consistency, verify_inclusion};
use placet_core::digest::Digest;
use placet_core::error::Code;
use serde_json::Value;

/// Refused there, because a proof that begins at nothing shows nothing, and right here: `verify_consistency` says that
/// every log continues the empty one, as C2SP tlog-witness has it, if the proof is empty and the root the known one.
const FROM_NOTHING: &str = "size1-is-zero-and-size2-is-not-zero.json";

/// How many cases each folder has. One that is lost would otherwise pass.
const CASES: usize = 98;

fn cases(folder: &str) -> Vec<(PathBuf, Value)> {
    let mut folders =
        vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/merkle").join(folder)];
    let mut cases = Vec::new();
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                cases.push((path, serde_json::from_str(&text).unwrap()));
            }
        }
    }
    assert_eq!(cases.len(), CASES);
    cases
}

/// A hash of a case. Some have another length: nothing of ours can hold such a thing.
fn hash(value: &Value) -> Option<Digest> {
    Some(Digest::from_bytes(base64(value.as_str()?)?.try_into().ok()?))
}

/// A root of a case. Those that only have to be the same are sometimes any text: a hash stands for each.
fn root(value: &Value) -> Option<Digest> {
    let bytes = base64(value.as_str()?)?;
    hash(value).or_else(|| Some(Digest::of_parts(&[b"stands for ", &bytes])))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn hashes(value: &Value) -> Option<Vec<Digest>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn inclusion(case: &Value) -> Option<Result<(), placet_core::error::Error>> {
    let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
    let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
    Some(verify_inclusion(&leaf, index, size, &hashes(&case["proof"])?, &root))
}

fn consistency(case: &Value) -> Option<Result<(), placet_core::error::Error>> {
    let (earlier, size) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
    let (before, after) = (root(&case["root1"])?, root(&case["root2"])?);
    Some(verify_consistency(earlier, size, &hashes(&case["proof"])?, &before, &after))
}

type Verify = fn(&Value) -> Option<Result<(), placet_core::error::Error>>;

#[test]
fn the_published_cases_of_inclusion_and_consistency_are_judged_as_published() {
    let each: [(_, Verify); 2] = [("inclusion", inclusion), ("consistency", consistency)];
    for (folder, verify) in each {
        let (mut good, mut refused) = (0, 0);
        for (path, case) in cases(folder) {
            let is_wrong = case["wantErr"].as_bool().unwrap() && !path.ends_with(FROM_NOTHING);
            match verify(&case) {
                Some(Ok(())) => {
                    assert!(!is_wrong, "{} was believed", path.display());
                    good += 1;
                }
                Some(Err(error)) => {
                    assert!(is_wrong, "{}: {error}", path.display());
                    assert_eq!(error.code(), Code::LogTampered, "{}", path.display());
                    refused += 1;
                }
                None => {
                    assert!(is_wrong, "{} cannot be read", path.display());
                    refused += 1;
                }
            }
        }
        assert!(good > 3 && refused > 80, "{folder}: {good} good, {refused} refused");
    }
}

/// Verifiers that believe too much would pass half of the cases: these do notice.
#[test]
fn a_verifier_that_believes_too_much_is_caught_by_the_cases() {
    let included = |case: &Value| {
        let (index, leaf) = (case["leafIdx"].as_u64()?, hash(&case["leafHash"])?);
        let (proof, root) = (hashes(&case["proof"])?, hash(&case["root"])?);
        // As many levels as the proof has, whatever the tree.
        let size = 1_u64.checked_shl(u32::try_from(proof.len()).ok()?)?;
        Some(verify_inclusion(&leaf, index % size, size, &proof, &root))
    };
    let continued = |case: &Value| {
        // Whatever the proof says, if both heads are of the sizes that were asked for.
        let sizes = (case["size1"].as_u64()?, case["size2"].as_u64()?);
        (sizes.0 <= sizes.1).then_some(Ok(()))
    };
    let lenient: [(_, Verify); 2] = [("inclusion", included), ("consistency", continued)];
    for (folder, verify) in lenient {
        let wrong = |(_, case): &(PathBuf, Value)| case["wantErr"].as_bool().unwrap();
        let believed = |(_, case): &(PathBuf, Value)| matches!(verify(case), Some(Ok(())));
        let passed = cases(folder).iter().filter(|case| wrong(case) && believed(case)).count();
        assert!(passed > 0, "{folder}");
    }
}
