//! The templates, as they stand in `runners/templates`.

use clap::ValueEnum;

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Language {
    /// A small component, built with cargo.
    Rust,
    /// Built with componentize-py.
    Python,
    /// Built with componentize-js.
    #[value(name = "javascript")]
    JavaScript,
    /// Built with clang, and made a component by `placet plugin package`.
    C,
}

/// Where a file goes, and its text.
pub(super) type File = (&'static str, &'static str);

/// The name in the templates that the new one takes the place of.
pub(super) const NAME: &str = "close-orders";

/// Where the template in Rust has the SDK.
pub(super) const SDK: &str = "../../plugins/sdk";

/// The interface that this program speaks.
pub(super) const WIT: &str = include_str!("../../../../runners/wit/runner.wit");

macro_rules! template {
    ($folder:literal: $($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../runners/templates/", $folder, "/", $file)))),+]
    };
}

const SHARED: &[File] = &[
    ("payload.json", include_str!("../../../../runners/templates/payload.json")),
    ("manifest.json", include_str!("../../../../runners/templates/manifest.json")),
];

const RUST: &[File] = template!("rust": "Cargo.toml", "src/lib.rs", "README.md");
const PYTHON: &[File] = template!("python": "app.py", "requirements.txt", "README.md");
const JAVASCRIPT: &[File] =
    template!("javascript": "plugin.js", "build.js", "package.json", "README.md");
const C: &[File] = template!("c": "plugin.c", "sql_runner.c", "sql_runner.h", "README.md");

impl Language {
    /// Every file of a new plugin.
    pub(super) fn files(self) -> Vec<File> {
        let (own, interface) = match self {
            // The SDK brings the interface.
            Self::Rust => (RUST, None),
            Self::Python => (PYTHON, Some(("wit/runner.wit", WIT))),
            Self::JavaScript => (JAVASCRIPT, Some(("wit/runner.wit", WIT))),
            Self::C => (C, Some(("wit/runner.wit", WIT))),
        };
        own.iter().chain(SHARED).copied().chain(interface).collect()
    }
}
