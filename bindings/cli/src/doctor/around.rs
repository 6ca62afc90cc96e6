//! What is around the folder: the solver for proofs.

use super::Finding;

pub(super) fn look() -> Vec<Finding> {
    vec![solver()]
}

#[cfg(feature = "proofs")]
fn solver() -> Finding {
    if placet::policies::proofs::Prover::find().is_installed() {
        return Finding::good("solver", "cvc5 is installed");
    }
    let next = "install cvc5 for `policy prove`; nothing else needs it";
    Finding {
        state: super::State::Skipped,
        next: Some(next.to_owned()),
        ..Finding::skipped("solver", "cvc5 is not installed")
    }
}

#[cfg(not(feature = "proofs"))]
fn solver() -> Finding {
    Finding::skipped("solver", "this program was built without proofs")
}
