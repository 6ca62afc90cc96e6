//! Who vouches for a plugin: keys, and signatures below `plugin.note`.

use std::path::{Path, PathBuf};

use clap::Args;
use placet::audit::{NoteSignature, SignedNote, Signer as _, VerifierKey};
use placet::digest::Digest;
use placet::error::{Code, Error};
use placet::runners::Manifest;
use placet::{SigningKeyFile, SystemEntropy};
use serde_json::json;

use super::Component;
use crate::console::{Answer, json_of};
use crate::files;
use crate::text::{Mood, Text};

/// Make a key to sign plugins with, or say the public half of one: what operators name in `plugin verify` and in
/// their hosts. Keep the file to yourself: whoever has it signs as you.
#[derive(Args, Debug)]
pub(crate) struct Key {
    /// The file of the key.
    file: PathBuf,
    /// Make the key, under this name, such as `ana.example.org`. A file that is there is not touched.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Key {
    pub(crate) fn run(self) -> Result<Answer, Error> {
        let file = SigningKeyFile::at(&self.file);
        let is_made = self.name.is_some();
        let signer = match &self.name {
            Some(_) if self.file.exists() => {
                let message = format!("there is a file `{}` already", self.file.display());
                return Err(Error::new(Code::AlreadyExists, message)
                    .with_help("take another file, or leave --name out to see that key"));
            }
            Some(name) => file.open_or_create(name, &SystemEntropy::default())?,
            None => file.open()?,
        };
        let key = signer.verifier_key().to_string();
        let mut text = Text::default();
        if is_made {
            text.said(Mood::Good, "made", self.file.display());
        }
        text.field("key", &key);
        let json = json!({"key": key, "name": signer.name(), "made": is_made});
        Ok(Answer::ok(text, json))
    }
}

/// Sign a plugin: its manifest and its component together, as a line below `plugin.note`. Lines of others stay. A key
/// signs once.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The component, such as `package/plugin.wasm`.
    file: PathBuf,
    /// Its manifest. The default is the file beside it that ends in `.json`.
    manifest: Option<PathBuf>,
    /// The file of the key that signs; `plugin key` makes one.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The note. The default is the file beside the component that ends in `.note`.
    #[arg(long, value_name = "FILE")]
    note: Option<PathBuf>,
}

impl Sign {
    pub(crate) fn run(self) -> Result<Answer, Error> {
        let path = note_path(self.note, &self.file);
        let component = Component { file: self.file, manifest: self.manifest, grant: None };
        let (bytes, manifest) = component.read()?;
        let signer = SigningKeyFile::at(self.key).open()?;
        let signed = manifest.sign(&bytes, &[&signer])?;
        let before = files::found(&path)?;
        let text = manifest.signed_text(&bytes)?;
        let (note, is_added) = match before.as_deref() {
            // The text alone, as `plugin package` leaves it.
            Some(found) if found != text.as_bytes() => {
                let note = of_this(found, &text, &path)?;
                added(note, &signed, signer.verifier_key())?
            }
            Some(_) | None => (signed, true),
        };
        if is_added {
            replace(&path, &note.to_string())?;
        }
        let signatures = note.signatures().len();
        let mut said = Text::default();
        let word = if is_added { "signed" } else { "already signed" };
        said.said(Mood::Good, word, format_args!("{} {}", manifest.name, manifest.version));
        tell(&mut said, &manifest, &bytes);
        said.field("as", signer.verifier_key());
        said.field("note", format_args!("{}, signatures: {signatures}", path.display()));
        let json = json!({
            "manifest": json_of(&manifest)?,
            "digest": Digest::of(&bytes),
            "key": signer.verifier_key().to_string(),
            "note": path.display().to_string(),
            "added": is_added,
            "signatures": signatures,
        });
        Ok(Answer::ok(said, json))
    }
}

/// Where the note is.
pub(super) fn note_path(named: Option<PathBuf>, component: &Path) -> PathBuf {
    named.unwrap_or_else(|| component.with_extension("note"))
}

/// What somebody vouches for.
pub(super) fn tell(text: &mut Text, manifest: &Manifest, component: &[u8]) {
    text.field("digest", Digest::of(component));
    text.field("asks for", manifest.capabilities.join(" "));
    text.field("connections", manifest.connections.join(" "));
    text.field("hands on", manifest.publishes.as_deref().unwrap_or("no artifacts"));
}

/// The note, where it is about this manifest and component. Nobody's line is put below another text.
fn of_this(found: &[u8], text: &str, path: &Path) -> Result<SignedNote, Error> {
    let other = || {
        let message = format!("`{}` is about another manifest or component", path.display());
        Error::new(Code::Refused, message)
            .with_help("sign what others signed before you, or name another file with --note")
    };
    let note = SignedNote::parse(found).map_err(|error| other().with_source(error))?;
    let mut lines = String::new();
    for line in note.signatures() {
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    if note.to_string() == format!("{text}\n{lines}") { Ok(note) } else { Err(other()) }
}

/// The note with the line of `signed` below it, where that key has none yet.
fn added(
    note: SignedNote,
    signed: &SignedNote,
    key: &VerifierKey,
) -> Result<(SignedNote, bool), Error> {
    let is_own = |line: &NoteSignature| (line.name(), line.key_id()) == (key.name(), key.id());
    if note.signatures().iter().any(is_own) {
        // A line in this key's name that it did not make would spoil the whole note.
        note.verify(core::slice::from_ref(key))?;
        return Ok((note, false));
    }
    let lines = signed.signatures().iter();
    let note = { lines }.try_fold(note, |note, line| note.with_signature(line.clone()))?;
    Ok((note, true))
}

/// Writes the whole note or leaves the one before: it holds what others signed.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    files::write_whole(path, text.as_bytes()).map_err(|source| files::unwritable(path, source))
}
