//! A command that gets its words one by one, nothing of this process's surroundings, and an end in time.

use core::time::Duration;
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

/// The most that is read of what a command says, in bytes.
const OUTPUT_BYTES_MAX: u64 = 4 << 20;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: String,
}

/// Runs `program` with `arguments` and only the variables in `environment`, feeds it `input`, and waits for its end.
///
/// Fails with [`io::ErrorKind::TimedOut`] when it has not ended after `limit`; it is killed then.
pub(crate) fn run(
    program: &OsString,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
    input: &[u8],
    limit: Duration,
) -> io::Result<Done> {
    #[expect(
        clippy::disallowed_methods,
        reason = "git is reached by its command: its library would be far larger than ours"
    )]
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // Three threads, so that no pipe that is full holds the others up.
    let feeding = child.stdin.take().map(|mut pipe| {
        let input = input.to_vec();
        // Whoever does not read to the end says why in its own words.
        thread::spawn(move || drop(pipe.write_all(&input)))
    });
    let output = child.stdout.take().map(collect);
    let errors = child.stderr.take().map(collect);
    let code = wait(&mut child, limit)?;
    if let Some(feeding) = feeding {
        let _fed = feeding.join();
    }
    let output = output.and_then(|pipe| pipe.recv().ok()).unwrap_or_default();
    let errors = errors.and_then(|pipe| pipe.recv().ok()).unwrap_or_default();
    Ok(Done { code, output, errors: String::from_utf8_lossy(&errors).into_owned() })
}

/// Reads a pipe to its end on a thread of its own, which nobody waits for: something that the command left behind may
/// hold the pipe for ever.
fn collect(pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (said, hear) = mpsc::sync_channel(1);
    drop(thread::spawn(move || {
        let mut bytes = Vec::new();
        let _read = pipe.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        let _heard = said.send(bytes);
    }));
    hear
}

/// Waits for the end, and makes one when it does not come.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<i32>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "bounds how long a command may take; decides nothing"
    )]
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if begun.elapsed() >= limit {
            child.kill()?;
            let _reaped = child.wait();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the command did not end in time"));
        }
        thread::park_timeout(pause);
        pause = pause.saturating_mul(2).min(Duration::from_millis(20));
    }
}
