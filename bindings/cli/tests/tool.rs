//! Runs the program in a folder of its own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder with a shop in it, and who works there.
#[derive(Debug)]
pub(crate) struct Tool {
    folder: tempfile::TempDir,
    caller: Option<String>,
}

/// What came of one run of the program.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The commands that make a shop: Ana writes, Bo approves and runs.
pub(crate) const SHOP: &str = r#"[
    {"command": "create-user", "email": "ana@example.org", "name": "Ana"},
    {"command": "create-user", "email": "bo@example.org", "name": "Bo", "kind": "person"},
    {"command": "create-project", "code": "shop", "name": "Shop"},
    {"command": "create-module", "project": "shop", "code": "pagos", "name": "Pagos"},
    {"command": "create-environment", "project": "shop", "code": "dev", "name": "Dev",
     "priority": 1, "criticality": "low"},
    {"command": "create-team", "project": "shop", "name": "Checkout"},
    {"command": "assign-module", "project": "shop", "team": "Checkout", "module": "pagos"},
    {"command": "add-member", "project": "shop", "team": "Checkout", "user": "ana@example.org"},
    {"command": "add-member", "project": "shop", "team": "Checkout", "user": "bo@example.org",
     "role": "LEADER_PRIMARY"},
    {"command": "create-role", "project": "shop", "name": "author"},
    {"command": "create-role", "project": "shop", "name": "lead"},
    {"command": "create-permission", "permission": "shop:*:*:request"},
    {"command": "create-permission", "permission": "shop:*:*:read"},
    {"command": "create-permission", "permission": "shop:*:*:approve"},
    {"command": "create-permission", "permission": "shop:*:*:execute"},
    {"command": "allow-role", "project": "shop", "role": "author", "permission": "shop:*:*:request"},
    {"command": "allow-role", "project": "shop", "role": "author", "permission": "shop:*:*:read"},
    {"command": "allow-role", "project": "shop", "role": "lead", "permission": "shop:*:*:read"},
    {"command": "allow-role", "project": "shop", "role": "lead", "permission": "shop:*:*:approve"},
    {"command": "allow-role", "project": "shop", "role": "lead", "permission": "shop:*:*:execute"},
    {"command": "set-quorum", "project": "shop", "environment": "dev", "people": 1},
    {"command": "assign-role", "project": "shop", "user": "ana@example.org", "role": "author"},
    {"command": "assign-role", "project": "shop", "user": "bo@example.org", "role": "lead"}
]"#;

impl Tool {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), caller: None }
    }

    /// A gate with one administrator, who asks from here on.
    pub(crate) fn founded() -> Self {
        Self::empty().found()
    }

    /// The same in this folder, with whatever is in it.
    pub(crate) fn found(mut self) -> Self {
        let words = "org bootstrap --email root@example.org --name Root --origin example.org/log";
        let founded = self.json(words);
        self.caller = Some(founded["id"].as_str().unwrap().to_owned());
        self
    }

    /// A gate with the shop in it.
    pub(crate) fn shop() -> Self {
        let tool = Self::founded();
        tool.write("shop.json", SHOP);
        assert_eq!(tool.run("org apply shop.json").code, 0);
        tool
    }

    /// From here on, this user asks.
    pub(crate) fn calls_as(&mut self, user: &str) {
        self.caller = Some(user.to_owned());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The user with that e-mail address.
    pub(crate) fn user(&self, email: &str) -> String {
        let users = self.json("org users");
        let found = users["users"].as_array().unwrap().iter().find(|user| user["email"] == email);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Runs the program with these words, separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Run {
        self.run_with(&words.split(' ').collect::<Vec<_>>(), "")
    }

    /// Runs the program with these words, and `input` as its standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Run {
        let mut command = self.command();
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who reads no input closes it, and the text is too short to block.
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
        let ended = child.wait_with_output().unwrap();
        Run {
            code: ended.status.code().unwrap(),
            out: String::from_utf8(ended.stdout).unwrap(),
            err: String::from_utf8(ended.stderr).unwrap(),
        }
    }

    /// The one document that it answers.
    pub(crate) fn json(&self, words: &str) -> Value {
        let ran = self.run(&format!("--json {words}"));
        assert_eq!(ran.err, "", "a program reads standard output alone");
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
    }

    /// The program in this folder, with nothing of the environment that it could read.
    pub(crate) fn command(&self) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_placet")))
    }

    /// All that a person sees at a terminal, and the exit code.
    #[cfg(target_os = "linux")]
    pub(crate) fn at_a_terminal(&self, words: &str) -> (Option<i32>, String) {
        // `script` of util-linux has a terminal of its own for what it runs.
        let mut command = self.prepared(Command::new("script"));
        let line = format!("'{}' {words}", env!("CARGO_BIN_EXE_placet"));
        command.args(["-q", "-e", "-c", &line, "/dev/null"]);
        command.env("TERM", "xterm-256color").stdin(Stdio::null());
        let ended = command.output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("PLACET_FOLDER", "gate")
            .env_remove("PLACET_AS");
        for word in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PLACET_POSTGRES"] {
            command.env_remove(word);
        }
        if let Some(caller) = &self.caller {
            command.env("PLACET_AS", caller);
        }
        command
    }
}

impl Run {
    /// The exit code and both outputs, with what differs from run to run taken out.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("exit {}\n", self.code);
        told.push_str(&steady(&self.out));
        if !self.err.is_empty() {
            told.push_str("--\n");
            told.push_str(&steady(&self.err));
        }
        told
    }
}

/// The text without ids, digests and instants.
pub(crate) fn steady(text: &str) -> String {
    let is_part =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | '-' | '.');
    let mut told = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        if is_part(letter) {
            word.push(letter);
            continue;
        }
        told.push_str(&steady_word(&word));
        word.clear();
        if letter != '\0' {
            told.push(letter);
        }
    }
    told
}

fn steady_word(word: &str) -> String {
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match word.split_once('_') {
        Some((kind, hex)) if kind.len() == 3 && is_hex(hex, 32) => format!("{kind}_…"),
        _ if is_hex(word, 64) => "<digest>".to_owned(),
        _ if word.len() == 27 && word.ends_with('Z') && word.contains('T') => {
            "<instant>".to_owned()
        }
        _ => word.to_owned(),
    }
}
