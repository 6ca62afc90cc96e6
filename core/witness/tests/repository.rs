//! Heads on a branch of a real git repository.

use std::path::Path;
use std::process::Command;

use placet_core::audit::{HeadStore as _, SignedNote};
use placet_core::error::Code;
use placet_core::gate::Comparison;
use placet_core::testing::{Office, check_heads};
use placet_witness::GitWitness;

use crate::story::skip;

/// Runs git beside the witness. `None` where it is not installed.
fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let done = Command::new("git").arg("-C").arg(folder).args(words).output().ok()?;
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).unwrap().trim_end().to_owned())
}

/// An empty repository, or the test is over.
fn repository(words: &[&str]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let made = git(folder.path(), &[&["init", "--quiet"], words].concat());
    if made.is_none() {
        skip("git is not installed");
    }
    made.map(|_| folder)
}

#[test]
fn a_branch_passes_the_exam() {
    let Some(bare) = repository(&["--bare"]) else { return };
    check_heads(&GitWitness::in_repository(bare.path(), "heads"));
}

#[test]
fn each_head_is_a_commit_and_the_tip_is_the_latest() {
    let Some(folder) = repository(&[]) else { return };
    let (gate, office) = Office::in_memory().unwrap();
    let witness = GitWitness::in_repository(folder.path(), "audit/heads");
    assert!(matches!(gate.compare_with(&witness).unwrap(), Comparison::Unseen));
    let first = gate.anchor(&witness).unwrap();
    assert_eq!(gate.anchor(&witness).unwrap().size, first.size, "the same head again");
    office.pending(&gate).unwrap();
    let second = gate.anchor(&witness).unwrap();
    let git = |words: &[&str]| git(folder.path(), words).unwrap();
    assert_eq!(
        git(&["rev-list", "--count", "audit/heads"]),
        "2",
        "the same head is not committed twice"
    );
    for (at, head) in [("audit/heads", &second), ("audit/heads~1", &first)] {
        let kept = format!("{}\n", git(&["show", &format!("{at}:checkpoint")]));
        assert_eq!(kept, head.checkpoint.to_string());
    }
    assert!(git(&["log", "-1", "--format=%s", "audit/heads"]).contains(gate.origin()));
    assert_eq!(git(&["status", "--porcelain"]), "", "the work tree is the host's");
}

#[test]
fn a_push_brings_it_elsewhere_and_one_that_failed_is_done_with_the_next_try() {
    let (Some(near), Some(far)) = (repository(&["--bare"]), repository(&["--bare"])) else {
        return;
    };
    let (gate, _) = Office::in_memory().unwrap();
    let far_url = far.path().to_str().unwrap().to_owned();
    let gone = far.path().join("gone");
    let witness = GitWitness::in_repository(near.path(), "heads");
    let error = gate.anchor(&witness.clone().with_push(gone.to_str().unwrap())).unwrap_err();
    assert_eq!(error.code(), Code::WitnessUnavailable, "{error}");
    assert!(error.to_string().contains("git push"), "{error}");
    let taken = gate.anchor(&witness.with_push(far_url)).unwrap();
    let pushed = git(far.path(), &["show", "heads:checkpoint"]).unwrap();
    assert_eq!(format!("{pushed}\n"), taken.checkpoint.to_string());
}

#[test]
fn what_is_no_repository_or_no_head_is_not_a_log_that_was_never_seen() {
    let Some(folder) = repository(&[]) else { return };
    let (gate, _) = Office::in_memory().unwrap();
    let nowhere = GitWitness::in_repository(folder.path().join("nowhere"), "heads");
    assert_eq!(gate.compare_with(&nowhere).unwrap_err().code(), Code::WitnessUnavailable);
    let absent = GitWitness::in_repository(folder.path(), "heads").with_program("no-such-git");
    assert_eq!(gate.compare_with(&absent).unwrap_err().code(), Code::WitnessUnavailable);

    std::fs::write(folder.path().join("checkpoint"), "no head\n").unwrap();
    let named = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"];
    let git = |words: &[&str]| git(folder.path(), &[&named[..], words].concat()).unwrap();
    git(&["checkout", "--quiet", "-b", "heads"]);
    git(&["add", "checkpoint"]);
    git(&["commit", "--quiet", "-m", "by hand"]);
    let witness = GitWitness::in_repository(folder.path(), "heads");
    assert_eq!(gate.anchor(&witness).unwrap_err().code(), Code::WitnessRefused);
}

#[test]
fn names_that_look_like_options_are_names() {
    let Some(bare) = repository(&["--bare"]) else { return };
    let (gate, _) = Office::in_memory().unwrap();
    for branch in ["--help", "-d", "a b", "$(touch x)", "../../x", "a..b"] {
        let witness = GitWitness::in_repository(bare.path(), branch);
        // Either git takes it as the name of a branch, or refuses it as one.
        if let Ok(taken) = gate.anchor(&witness) {
            let kept: Option<SignedNote> = witness.read(gate.origin()).unwrap();
            assert_eq!(kept, Some(taken.checkpoint), "{branch}");
        }
        assert!(!bare.path().join("x").exists());
    }
}
