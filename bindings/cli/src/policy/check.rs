//! Do they load?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::policies::CedarAuthorizer;
use serde_json::{Value, json};

use crate::console::{Answer, error_fields, error_text};
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Say whether policies load: each file by itself, then all together. It ends with 1 where one does not. No gate
/// is opened.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Files of Cedar policies.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// They may permit, as with `allow_host_permits`.
    #[arg(long)]
    permits: bool,
}

impl Check {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (mut text, mut rows, mut holds) = (Text::default(), Vec::new(), true);
        for path in &self.files {
            let file = path.display().to_string();
            let builder = CedarAuthorizer::builder().allow_host_permits(self.permits);
            match builder.host_policies(file.clone(), files::text(path)?).build() {
                Ok(_) => {
                    text.said(Mood::Good, "loads", &file);
                    rows.push(row(&file, None));
                }
                Err(error) => {
                    holds = false;
                    text.append(&error_text(&error));
                    rows.push(row(&file, Some(&error)));
                }
            }
        }
        // What only shows when they stand side by side: an id that is used twice.
        let together =
            if holds { ground.authorizer(&self.files, self.permits).err() } else { None };
        if let Some(error) = &together {
            holds = false;
            text.append(&error_text(error));
        }
        let together = together.as_ref().map(error_fields);
        let json = json!({"loads": holds, "files": rows, "together": together});
        Ok(Answer::that(holds, text, json))
    }
}

fn row(file: &str, error: Option<&Error>) -> Value {
    let error = error.map(error_fields);
    json!({"file": file, "loads": error.is_none(), "error": error})
}
