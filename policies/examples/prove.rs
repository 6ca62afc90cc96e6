//! Proves the policies of a host, or says what they let through:
//! `cargo run -p placet-policies --features proofs --example prove -- house.cedar`. With `--permits` first, they may
//! permit. Without a file it proves the shipped policies. It fails when something is not proven.
#![expect(clippy::print_stdout, reason = "it answers on the terminal")]

use std::process::ExitCode;

use placet_core::error::{Code, Error};
use placet_policies::CedarAuthorizer;
use placet_policies::proofs::{Proof, Prover};

fn main() -> Result<ExitCode, Error> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let permits = files.first().is_some_and(|first| first == "--permits");
    if permits {
        files.remove(0);
    }
    let mut builder = CedarAuthorizer::builder().allow_host_permits(permits);
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|source| {
            Error::new(Code::InvalidInput, format!("`{file}` cannot be read")).with_source(source)
        })?;
        builder = builder.host_policies(file, text);
    }
    let authorizer = builder.build()?;
    let mut all = true;
    for (property, proof) in Prover::find().prove_all(&authorizer)? {
        all &= proof.is_proven();
        if let Proof::Proven { kinds, solved } = proof {
            println!("proven: {property} ({kinds} kinds of questions, {solved} solved)");
        } else {
            println!("{proof}\n  (asked: {property})");
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
