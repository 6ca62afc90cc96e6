//! What can they never allow?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;

use crate::console::Answer;
use crate::ground::Ground;

/// Prove what the shipped policies and those of FILE can never allow, for every question there is. It ends with 0
/// where all is proven, with 1 where something is refuted or undecided, and with 6 where cvc5 is not installed.
#[derive(Args, Debug)]
pub(crate) struct Prove {
    /// Files of Cedar policies. Without any, the shipped policies are proven.
    files: Vec<PathBuf>,
    /// They may permit, as with `allow_host_permits`.
    #[arg(long)]
    permits: bool,
}

#[cfg(feature = "proofs")]
impl Prove {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        use placet::policies::proofs::{Proof, Property, Prover};
        use serde_json::json;

        use crate::exit::Exit;
        use crate::progress::Bar;
        use crate::text::{Mood, Text};

        let authorizer = ground.authorizer(&self.files, self.permits)?;
        let prover = Prover::find();
        let (mut text, mut rows, mut exit) = (Text::default(), Vec::new(), Exit::Ok);
        let bar = Bar::new(ground.console(), "properties", u64::try_from(Property::ALL.len()).ok());
        for property in Property::ALL {
            let proof = prover.prove(&authorizer, property)?;
            bar.step();
            let (word, mood, code) = match &proof {
                Proof::Proven { .. } => ("proven", Mood::Good, Exit::Ok),
                Proof::Refuted(_) => ("refuted", Mood::Bad, Exit::DoesNotHold),
                Proof::Unavailable(_) => ("not tried", Mood::Odd, Exit::NotNow),
                Proof::Undecided(_) | _ => ("undecided", Mood::Odd, Exit::DoesNotHold),
            };
            text.said(mood, word, property);
            if !proof.is_proven() {
                let says = proof.to_string();
                text.line(format_args!(
                    "  {}",
                    says.split_once(": ").map_or(says.as_str(), |(_, rest)| rest)
                ));
            }
            // What is refuted outweighs what was not tried.
            if exit == Exit::Ok || code == Exit::DoesNotHold {
                exit = code;
            }
            let property = property.to_string();
            rows.push(json!({"property": property, "result": word, "says": proof.to_string()}));
        }
        Ok(Answer { text, json: json!({"proven": exit == Exit::Ok, "properties": rows}), exit })
    }
}

#[cfg(not(feature = "proofs"))]
impl Prove {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let _left_alone = (self.files, self.permits);
        Err(Error::new(placet::error::Code::InvalidInput, "this program was built without proofs")
            .with_help("build it with `--features proofs`, and install cvc5"))
    }
}
