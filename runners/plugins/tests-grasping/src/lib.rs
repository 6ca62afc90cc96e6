//! Imports a capability that the host does not provide.
#![no_std]
#![cfg(target_family = "wasm")]

extern crate alloc;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin, export_plugin, failure};

mod secrets {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package placet:grasping; world grasping { import placet:runner/secrets@0.1.0; }",
        generate_all,
    });
    pub(super) use self::placet::runner::secrets::get;
}

struct Grasping;

export_plugin!(Grasping);

impl Plugin for Grasping {
    fn describe() -> Info {
        Info {
            name: "grasping".to_string(),
            version: "0.1.0".to_string(),
            title: "Grasping".to_string(),
            payload_schema: "{}".to_string(),
            supports: Vec::new(),
        }
    }

    fn validate(_: &str) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(_: Job) -> Result<ChangePlan, String> {
        match secrets::get("everything") {
            Ok(_) => Err("it was handed out".to_string()),
            Err(_) => Err("it was not handed out".to_string()),
        }
    }

    fn execute(_: Job, _: ChangePlan) -> Outcome {
        Outcome::Failed(failure("nothing", "nothing"))
    }

    fn verify(_: Job, _: ChangePlan) -> Outcome {
        Outcome::Failed(failure("nothing", "nothing"))
    }
}
