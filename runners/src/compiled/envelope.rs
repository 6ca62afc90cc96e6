//! What a compiler answers: what it was asked to compile, by which settings, and all of what it made.

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};

use super::{settings, trusted::Trusted};
use crate::engine;

/// The first bytes of an answer.
const MAGIC: &[u8; 16] = b"placet compiled\x01";

/// How many bytes a digest has.
const DIGEST_BYTES: usize = 32;

/// Compiles `component` as this build of the host does: for a program that is a [`Compiler`](super::Compiler). Needs
/// some hundred megabytes for a component of ten, and keeps nothing.
///
/// Fails with [`Code::RunnerFault`] for what is no component.
///
/// ```
/// use placet_core::error::Code;
/// use placet_runners::{compile, shipped};
/// assert!(compile(&shipped::sql().component)?.starts_with(b"placet compiled"));
/// assert_eq!(compile(b"nonsense").unwrap_err().code(), Code::RunnerFault);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn compile(component: &[u8]) -> Result<Vec<u8>, Error> {
    let engine = engine::engine()?;
    let made = engine.precompile_component(component).map_err(|error| {
        let message = format!("the component cannot be compiled: {error:#}");
        Error::new(Code::RunnerFault, message).with_help("hand in a WebAssembly component")
    })?;
    let (asked, settings) = (Digest::of(component), settings(&engine));
    let whole = Digest::of(&made);
    let digests = [asked.as_bytes(), settings.as_bytes(), whole.as_bytes()];
    let mut answer = MAGIC.to_vec();
    answer.extend(digests.into_iter().flatten());
    answer.extend(made);
    Ok(answer)
}

/// What is in `answer`, where it is whole, of the component `asked` and by our `settings`; else why not.
pub(super) fn open(answer: &[u8], asked: Digest, ours: Digest) -> Result<Trusted, &'static str> {
    let rest = answer.strip_prefix(MAGIC).ok_or("it is no compiled component")?;
    let cut = "it is cut off";
    let (component, rest) = rest.split_at_checked(DIGEST_BYTES).ok_or(cut)?;
    let (settings, rest) = rest.split_at_checked(DIGEST_BYTES).ok_or(cut)?;
    let (whole, made) = rest.split_at_checked(DIGEST_BYTES).ok_or(cut)?;
    if component != asked.as_bytes() {
        return Err("it is of another component");
    }
    if settings != ours.as_bytes() {
        return Err("it was made by another version, or by other settings");
    }
    if whole != Digest::of(made).as_bytes() {
        return Err("it is cut off, or changed");
    }
    Ok(Trusted::checked(made.to_vec()))
}
