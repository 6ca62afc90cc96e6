//! The templates, as they stand in `runners/templates`.

use clap::ValueEnum;

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Language {
    /// A small component, built with cargo.
    Rust,
    /// The same for a plugin that calls another system, where the others change a database.
    RustDeploy,
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

/// Where the templates in Rust have the SDK.
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
const RUST_DEPLOY: &[File] = template!(
    "rust-deploy": "Cargo.toml", "src/lib.rs", "README.md", "payload.json", "manifest.json"
);
const PYTHON: &[File] = template!("python": "app.py", "requirements.txt", "README.md");
const JAVASCRIPT: &[File] =
    template!("javascript": "plugin.js", "build.js", "package.json", "README.md");
const C: &[File] = template!("c": "plugin.c", "sql_runner.c", "sql_runner.h", "README.md");

impl Language {
    /// The name in its template that the new one takes the place of.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RustDeploy => "announce-release",
            Self::Rust | Self::Python | Self::JavaScript | Self::C => "close-orders",
        }
    }

    /// Whether the plugin is built on the SDK, which brings the interface.
    pub(super) const fn needs_sdk(self) -> bool {
        matches!(self, Self::Rust | Self::RustDeploy)
    }

    /// Every file of a new plugin.
    pub(super) fn files(self) -> Vec<File> {
        let (own, shared): (&[File], &[File]) = match self {
            Self::Rust => (RUST, SHARED),
            // It has a payload and a manifest of its own.
            Self::RustDeploy => (RUST_DEPLOY, &[]),
            Self::Python => (PYTHON, SHARED),
            Self::JavaScript => (JAVASCRIPT, SHARED),
            Self::C => (C, SHARED),
        };
        let interface = (!self.needs_sdk()).then_some(("wit/runner.wit", WIT));
        own.iter().chain(shared).copied().chain(interface).collect()
    }
}
