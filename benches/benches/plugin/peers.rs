//! The same plugin as a process of its own, and in Extism. Both do what `closing` does.

use core::time::Duration;
use std::env;
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::closing;

/// What makes this program the process that plans.
const CLOSING: &str = "--closing";
/// The same, and then it stays until its standard input ends.
const CLOSING_AND_STAY: &str = "--closing-and-stay";

/// Plans, where this program was started for it. One line in, one line out.
pub(crate) fn is_child() -> Result<bool, Box<dyn Error>> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let stays = asked.iter().any(|word| word == CLOSING_AND_STAY);
    if !stays && !asked.iter().any(|word| word == CLOSING) {
        return Ok(false);
    }
    let mut payload = String::new();
    io::stdin().read_line(&mut payload)?;
    let steps = closing::plan(&payload).ok_or("it is no payload")?;
    let told: Vec<_> = steps
        .into_iter()
        .map(|step| serde_json::json!({"id": step.id, "title": step.title, "body": step.body}))
        .collect();
    writeln!(io::stdout(), "{}", serde_json::to_string(&told)?)?;
    if stays {
        io::stdin().read_to_end(&mut Vec::new())?;
    }
    Ok(true)
}

#[expect(clippy::disallowed_methods, reason = "what a process costs is measured")]
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A process that has planned, and stays until its input is dropped.
pub(crate) struct Stayed {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
}

impl Stayed {
    pub(crate) fn start(payload: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = command(&env::current_exe()?).arg(CLOSING_AND_STAY).spawn()?;
        let mut input = child.stdin.take().ok_or("no standard input")?;
        writeln!(input, "{payload}")?;
        let mut said = String::new();
        let output = child.stdout.take().ok_or("no standard output")?;
        BufReader::new(output).read_line(&mut said)?;
        Ok(Self { child, input: Some(input) })
    }
}

impl Drop for Stayed {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ended = self.child.wait();
    }
}

/// Plans in a process of its own.
pub(crate) fn by_process(payload: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut child = command(&env::current_exe()?).arg(CLOSING).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    writeln!(input, "{payload}")?;
    drop(input);
    let ended = child.wait_with_output()?;
    if !ended.status.success() || ended.stdout.is_empty() {
        return Err("the process did not plan".into());
    }
    Ok(ended.stdout)
}

/// The program of `benches/extism`. It is asked line by line, so that it and the host take turns.
pub(crate) struct Extism {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Extism {
    /// Starts it, where it was built; else says loudly that it was not.
    #[expect(clippy::print_stdout, reason = "a bench tells what it measured, and what not")]
    pub(crate) fn start() -> Result<Option<Self>, Box<dyn Error>> {
        let Some(program) = program()? else {
            println!("!!! WITHOUT EXTISM: benches/extism was not built, and its rows are missing.");
            println!("!!! benches/extism/README.md says how to build it.\n");
            return Ok(None);
        };
        let mut child = command(&program).spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut extism = Self { child, input: Some(input), output };
        let steps = extism.line("plan", crate::ground::PAYLOAD)?;
        let ours = closing::plan(crate::ground::PAYLOAD).ok_or("it is no payload")?;
        assert_eq!(steps, ours.len().to_string(), "Extism's guest plans something else");
        Ok(Some(extism))
    }

    /// How long each of `rounds` took.
    pub(crate) fn ask(
        &mut self,
        what: &str,
        rounds: usize,
    ) -> Result<Vec<Duration>, Box<dyn Error>> {
        let said = self.line(what, &rounds.to_string())?;
        let nanos = said.split(' ').map(|nanos| Ok(Duration::from_nanos(nanos.parse()?)));
        let took = nanos.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        assert_eq!(took.len(), rounds, "other rounds than were asked for");
        Ok(took)
    }

    /// One number.
    pub(crate) fn number(&mut self, what: &str, of: usize) -> Result<u64, Box<dyn Error>> {
        Ok(self.line(what, &of.to_string())?.parse()?)
    }

    fn line(&mut self, what: &str, with: &str) -> Result<String, Box<dyn Error>> {
        let input = self.input.as_mut().ok_or("it was ended")?;
        writeln!(input, "{what} {with}")?;
        let mut said = String::new();
        self.output.read_line(&mut said)?;
        if said.is_empty() {
            return Err("the program of benches/extism broke off".into());
        }
        Ok(said.trim().to_owned())
    }
}

impl Drop for Extism {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.input.take());
        let _ended = self.child.wait();
    }
}

/// Where it was built: in its own folder, or where everything is.
fn program() -> Result<Option<PathBuf>, Box<dyn Error>> {
    let name = "placet-bench-extism";
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("extism/target/release").join(name);
    let this = env::current_exe()?;
    let shared = this.ancestors().nth(3).map(|target| target.join("release").join(name));
    Ok([Some(own), shared].into_iter().flatten().find(|path| path.is_file()))
}
