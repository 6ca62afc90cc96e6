use proptest::prelude::*;

use super::*;
use crate::audit::{Ed25519Signer, MerkleTree, leaf_hash};
use crate::testing::{MemoryHeads, check_heads};

// The example of C2SP tlog-witness, "add-checkpoint".
const BODY: &str = "old 20852014\n\
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
    jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
    5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
    /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
    \n\
    example.com/behind-the-sofa\n\
    20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
    \n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

fn tree(leaves: &[&str]) -> MerkleTree {
    leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect()
}

fn signed(tree: &MerkleTree) -> SignedNote {
    let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32]).unwrap();
    let head = Checkpoint::new("example.com/log", tree.len(), tree.root()).unwrap();
    head.sign(&[&signer]).unwrap()
}

fn submit(tree: &MerkleTree, earlier: u64, proof: Vec<Digest>) -> Submission {
    Submission::new(earlier, signed(tree), proof).unwrap()
}

#[test]
fn the_example_of_the_specification_is_read_and_printed_the_same() {
    let submission = Submission::parse(BODY.as_bytes()).unwrap();
    assert_eq!(submission.earlier_size(), 20_852_014);
    assert_eq!(submission.proof().len(), 4);
    assert_eq!(submission.checkpoint().size(), 20_852_163);
    assert_eq!(submission.to_string(), BODY);
}

#[test]
fn what_is_not_a_submission_is_refused() {
    let line = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
    let (_, note) = BODY.split_once("\n\n").unwrap();
    for head in [
        "",
        "old\n",
        "old \n",
        "old 01\n",
        "old -1\n",
        "Old 1\n",
        "old 1 \n",
        "old 1\r\n",
        "new 1\n",
    ] {
        assert!(Submission::parse(format!("{head}\n{note}").as_bytes()).is_err(), "{head:?}");
    }
    for proof in ["PlRN\n", "not base64\n", " \n"] {
        assert!(
            Submission::parse(format!("old 1\n{proof}\n{note}").as_bytes()).is_err(),
            "{proof:?}"
        );
    }
    let proof = |lines: usize| format!("old 1\n{}\n{note}", line.repeat(lines));
    assert!(Submission::parse(proof(63).as_bytes()).is_ok());
    assert!(Submission::parse(proof(64).as_bytes()).is_err());
    for at in 0..BODY.len() {
        // Cut anywhere but behind a whole signature, it is no note.
        let cut = &BODY.as_bytes()[..at];
        assert!(Submission::parse(cut).is_err() || cut.ends_with(b"OAYQ8=\n"), "cut at {at}");
    }
}

#[test]
fn a_memory_takes_what_continues_the_head_that_it_keeps_and_nothing_else() {
    let heads = MemoryHeads::default();
    let log = tree(&["ana", "bo", "zoe"]);
    let [one, two, three] = [&["ana"][..], &["ana", "bo"], &["ana", "bo", "zoe"]].map(tree);
    heads.anchor(&submit(&one, 0, Vec::new())).unwrap();
    let proof = |from, to| log.consistency_proof(from, to).unwrap();
    // From the wrong head, with the wrong proof, to another history, backwards.
    let told = heads.anchor(&submit(&three, 2, proof(2, 3)));
    assert!(matches!(told, Err(WitnessError::Conflict { size: 1 })), "{told:?}");
    for wrong in [
        submit(&three, 1, proof(2, 3)),
        submit(&three, 1, Vec::new()),
        submit(&tree(&["eve", "bo", "zoe"]), 1, proof(1, 3)),
        submit(&tree(&["eve"]), 1, Vec::new()),
        submit(&tree(&[]), 1, Vec::new()),
        submit(&one, 1, proof(1, 2)),
    ] {
        let told = heads.anchor(&wrong);
        assert!(matches!(told, Err(WitnessError::Refused(_))), "{told:?}");
    }
    assert_eq!(heads.latest("example.com/log").unwrap(), Some(signed(&one)));
    heads.anchor(&submit(&one, 1, Vec::new())).unwrap();
    heads.anchor(&submit(&two, 1, proof(1, 2))).unwrap();
    heads.anchor(&submit(&three, 2, proof(2, 3))).unwrap();
    assert_eq!(heads.latest("example.com/log").unwrap(), Some(signed(&three)));
}

#[test]
fn an_empty_log_has_the_root_of_nothing() {
    let heads = MemoryHeads::default();
    heads.anchor(&submit(&tree(&[]), 0, Vec::new())).unwrap();
    let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32]).unwrap();
    let wrong = Checkpoint::new("example.com/log", 0, Digest::of(b"else")).unwrap();
    let wrong = Submission::new(0, wrong.sign(&[&signer]).unwrap(), Vec::new()).unwrap();
    assert!(matches!(heads.anchor(&wrong), Err(WitnessError::Refused(_))));
}

#[test]
fn the_memory_for_tests_passes_the_exam() {
    check_heads(&MemoryHeads::default());
}

/// Checks, and then writes whatever is there by then.
#[derive(Debug, Default)]
struct Hasty(MemoryHeads);

impl HeadStore for Hasty {
    fn place(&self) -> &'static str {
        "hasty"
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.0.read(origin)
    }

    fn replace(
        &self,
        origin: &str,
        _expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let now = self.0.read(origin)?;
        self.0.replace(origin, now.as_ref(), new)
    }
}

#[test]
#[should_panic(expected = "never there")]
fn a_memory_that_does_not_look_fails_the_exam() {
    check_heads(&Hasty::default());
}

proptest! {
    #[test]
    fn what_is_read_is_printed_the_same(body: Vec<u8>, start in "(old [0-9]{1,3}\n){0,2}.{0,40}") {
        let (_, note) = BODY.split_once("\n\n").unwrap();
        for body in [body, format!("{start}\n\n{note}").into_bytes()] {
            if let Ok(read) = Submission::parse(&body) {
                prop_assert_eq!(read.to_string().into_bytes(), body);
            }
        }
    }
}
