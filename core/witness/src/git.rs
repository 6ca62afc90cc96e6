//! A branch of a git repository that holds the latest head of one log, and all earlier ones as its history.

use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use placet_core::audit::{HeadStore, SignedNote, WitnessError};

use crate::command::{self, Done};
use crate::file::of_log;

/// The file in the repository.
const FILE: &str = "checkpoint";

/// How long one command may take, in milliseconds.
const COMMAND_MS_MAX: u64 = 60_000;

/// Remembers one log's latest head as the file `checkpoint` at the tip of a branch, one commit for each head. The
/// repository may be bare or have a work tree; only the branch is touched, by one atomic `git update-ref`.
///
/// What the branch was pushed to is out of the host's hands: ask for it with [`Self::with_push`]. The command `git` must
/// be installed. It is run without this process's environment; hooks and signing are off. Give the log a branch of its
/// own that nobody has checked out.
///
/// ```
/// use placet_core::testing::Office;
/// use placet_witness::GitWitness;
///
/// # let folder = tempfile::tempdir()?;
/// # let repository = folder.path();
/// # let git = |words: &[&str]| std::process::Command::new("git").arg("-C").arg(repository).args(words).output();
/// # if git(&["init", "--bare", "--quiet"]).is_ok_and(|made| made.status.success()) {
/// let (gate, _) = Office::in_memory()?;
/// gate.anchor(&GitWitness::in_repository(repository, "placet-log"))?;
/// // git show placet-log:checkpoint
/// let shown = git(&["show", "placet-log:checkpoint"])?;
/// assert!(String::from_utf8(shown.stdout)?.starts_with(gate.origin()));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GitWitness {
    repository: PathBuf,
    branch: String,
    shown: String,
    program: OsString,
    environment: Vec<(OsString, OsString)>,
    remote: Option<String>,
}

impl GitWitness {
    /// The branch `branch` of the repository in the folder `repository`. The branch is made with the first head.
    pub fn in_repository(repository: impl Into<PathBuf>, branch: impl Into<String>) -> Self {
        let (repository, branch) = (repository.into(), branch.into());
        let shown = format!("{}#{branch}", repository.display());
        // Programs are looked for where this process finds them; nothing else of its surroundings counts.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let fixed = [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_AUTHOR_NAME", "placet"),
            ("GIT_AUTHOR_EMAIL", "placet@localhost"),
            ("GIT_COMMITTER_NAME", "placet"),
            ("GIT_COMMITTER_EMAIL", "placet@localhost"),
            ("LC_ALL", "C"),
        ];
        let mut environment = vec![(OsString::from("PATH"), path)];
        environment.extend(fixed.map(|(name, value)| (name.into(), value.into())));
        Self { repository, branch, shown, program: "git".into(), environment, remote: None }
    }

    /// Pushes the branch to `remote` after each head, and once more with the next try where that fails. Nothing is
    /// forced: a remote whose branch went on without us is an error.
    #[must_use]
    pub fn with_push(mut self, remote: impl Into<String>) -> Self {
        self.remote = Some(remote.into());
        self
    }

    /// Sets a variable of the environment of `git`, such as `HOME` or `SSH_AUTH_SOCK` for a push, or the committer's
    /// name.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    /// Sets the program, where it is not the `git` on the path.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// Runs git in the repository; its words are an array, and no shell reads them.
    fn git(&self, words: &[&str], input: &[u8]) -> Result<Done, WitnessError> {
        let mut arguments: Vec<OsString> = vec!["-C".into(), self.repository.clone().into()];
        // No programs of the repository's choosing.
        for setting in ["core.hooksPath=/dev/null", "commit.gpgSign=false", "core.fsmonitor=false"]
        {
            arguments.extend(["-c".into(), setting.into()]);
        }
        // What is acknowledged is on the disk.
        arguments.extend(["-c".into(), "core.fsync=all".into()]);
        arguments.extend(["-c".into(), "core.fsyncMethod=fsync".into()]);
        arguments.extend(words.iter().map(OsString::from));
        let limit = Duration::from_millis(COMMAND_MS_MAX);
        command::run(&self.program, &arguments, &self.environment, input, limit).map_err(|error| {
            let sentence = format!("`git` cannot be run: {error}");
            WitnessError::unreachable(
                sentence,
                "install git, or name the program with `with_program`",
            )
        })
    }

    /// The same, where only success is an answer.
    fn done(&self, words: &[&str], input: &[u8]) -> Result<String, WitnessError> {
        let done = self.git(words, input)?;
        if done.code == Some(0) {
            return Ok(String::from_utf8_lossy(&done.output).trim_end().to_owned());
        }
        let verb = words.first().copied().unwrap_or_default();
        Err(failed(verb, &done))
    }

    /// The commit at the tip of the branch, and the head in it.
    fn tip(&self) -> Result<Option<(String, SignedNote)>, WitnessError> {
        // Where it is no repository, that is an error and not an empty branch.
        self.done(&["rev-parse", "--git-dir"], &[])?;
        let found = self.git(
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &self.reference()],
            &[],
        )?;
        if found.code != Some(0) {
            return if found.code == Some(1) { Ok(None) } else { Err(failed("rev-parse", &found)) };
        }
        let commit = String::from_utf8_lossy(&found.output).trim_end().to_owned();
        let shown = self.git(&["cat-file", "blob", &format!("{commit}:{FILE}")], &[])?;
        if shown.code != Some(0) {
            return Err(failed("cat-file", &shown));
        }
        let note = SignedNote::parse(&shown.output).map_err(|_| {
            let sentence = format!("`{FILE}` in the commit {commit} is not a signed head");
            WitnessError::refused(sentence, "find out who wrote to the branch, and reset it")
        })?;
        Ok(Some((commit, note)))
    }

    /// A commit with `note` after `before`; no branch points at it yet.
    fn commit(&self, before: Option<&str>, note: &SignedNote) -> Result<String, WitnessError> {
        let blob = self.done(&["hash-object", "-w", "--stdin"], note.to_string().as_bytes())?;
        let tree = self.done(&["mktree"], format!("100644 blob {blob}\t{FILE}\n").as_bytes())?;
        let text = note.to_string();
        let size = text.lines().nth(1).unwrap_or_default();
        let message = format!("{} at {size} leaves", note.claimed_origin());
        let mut words = vec!["commit-tree", &tree, "-m", &message];
        if let Some(before) = before {
            words.extend(["-p", before]);
        }
        self.done(&words, &[])
    }

    fn push(&self) -> Result<(), WitnessError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let reference = self.reference();
        let words = [
            "push",
            "--quiet",
            "--no-verify",
            "--end-of-options",
            remote,
            &format!("{reference}:{reference}"),
        ];
        self.done(&words, &[]).map(drop)
    }
}

fn failed(verb: &str, done: &Done) -> WitnessError {
    let said: String = done.errors.trim().chars().take(400).collect();
    let sentence = format!("`git {verb}` failed: {}", said.replace('\n', ", "));
    WitnessError::unreachable(
        sentence,
        "look at what git says, and at the rights on the repository",
    )
}

impl HeadStore for GitWitness {
    fn place(&self) -> &str {
        &self.shown
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.tip()?.map(|(_, note)| of_log(note, origin)).transpose()
    }

    fn replace(
        &self,
        _origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let tip = self.tip()?;
        if tip.as_ref().map(|(_, note)| note) != expected {
            return Ok(false);
        }
        if expected != Some(new) {
            let before = tip.as_ref().map(|(commit, _)| commit.as_str());
            let commit = self.commit(before, new)?;
            // Git compares and sets in one step, under a lock of its own. Forty zeros: there must be none yet.
            let zeros = "0".repeat(commit.len());
            let expected = before.unwrap_or(&zeros);
            let moved = self.git(&["update-ref", &self.reference(), &commit, expected], &[])?;
            if moved.code != Some(0) {
                let now = self.tip()?.map(|(commit, _)| commit);
                return if now.as_deref() == before {
                    Err(failed("update-ref", &moved))
                } else {
                    Ok(false)
                };
            }
        }
        self.push()?;
        Ok(true)
    }
}
