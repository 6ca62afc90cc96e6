use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use placet_core::store::Store as _;
use placet_store_sled::SledStore;

use crate::images::{Content, batch};
use crate::story::{Numbers, seed, skip, times};

const FOLDER: &str = "PLACET_TEST_FOLDER";
const CALLERS: u64 = 4;

/// Not a test of its own: the child of the tests below. Says each number once it is acknowledged.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = SledStore::open(folder).unwrap();
    let start = store.log_len().unwrap();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let store = &store;
            scope.spawn(move || {
                for number in start.. {
                    let committed = store.commit(batch(&format!("{caller} {number}"))).unwrap();
                    let line = format!("ack {caller} {number} {}\n", committed.log_index.unwrap());
                    // One call for one line, past the harness: a kill must not tear what was said.
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs this very test binary as the child, below `wrapper`.
fn spawn(folder: &Path, wrapper: &[&str]) -> Child {
    let binary = std::env::current_exe().unwrap();
    let words: Vec<_> = wrapper.iter().map(Path::new).chain([binary.as_path()]).collect();
    Command::new(words[0])
        .args(&words[1..])
        .args(["--exact", "killed::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The acknowledgements in what the child said: caller, number, log index.
fn acknowledged(line: &str) -> Option<(String, u64, u64)> {
    let mut words = line.split_once("ack ")?.1.split(' ');
    let caller = words.next()?.to_owned();
    Some((caller, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(seed(0x5eed_0009_dead_0009));
    let kills = times("PLACET_KILLS", 200);
    let mut said: BTreeMap<u64, String> = BTreeMap::new();
    let mut due = Content::default();
    let mut beyond = 0;
    for kill in 0..kills {
        let mut child = spawn(folder.path(), &[]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many answers, wherever it is in its work just then: also while it opens.
        let wait = usize::try_from(numbers.below(60)).unwrap();
        let heard = lines.by_ref().map_while(Result::ok).filter_map(|line| acknowledged(&line));
        let heard: Vec<_> = heard.take(wait).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = lines.map_while(Result::ok).filter_map(|line| acknowledged(&line));
        for (caller, number, index) in heard.into_iter().chain(rest) {
            let twice = said.insert(index, format!("{caller} {number}"));
            assert_eq!(twice, None, "log index {index} was given twice");
        }
        let store = SledStore::open(folder.path()).unwrap();
        let found = Content::scanned(&store).unwrap();
        // What was not acknowledged is there whole or not at all: the log says what must be there.
        assert_eq!(found.log[..due.log.len()], due.log, "kill {kill}: the log changed");
        for entry in &found.log[due.log.len()..] {
            due.apply(&batch(std::str::from_utf8(entry).unwrap()));
        }
        assert!(found == due, "kill {kill}: what is there is not what the log says");
        for (index, text) in &said {
            let entry = found.log.get(usize::try_from(*index).unwrap());
            assert_eq!(entry, Some(&text.clone().into_bytes()), "kill {kill}: {index} is lost");
        }
        beyond = found.log.len() - said.len();
    }
    println!(
        "{kills} kills, {} acknowledged commits, all there, and {beyond} that were not",
        said.len()
    );
    assert!(u64::try_from(said.len()).unwrap() >= kills);
}

/// The log length in a head that is being written, as strace shows it: magic, format, commits, log length.
fn head_log_len(line: &str) -> Option<u64> {
    let bytes: Vec<u8> = line
        .split("\\x")
        .skip(1)
        .filter_map(|text| u8::from_str_radix(text.get(..2)?, 16).ok())
        .collect();
    Some(u64::from_be_bytes(bytes.get(20..28)?.try_into().ok()?))
}

/// What a sync is of.
#[derive(Clone, Copy)]
enum File {
    Data,
    Head,
    Other,
}

/// What a trace says, line by line.
#[derive(Default)]
struct Trace {
    /// Whether the data were synced after the head was.
    data_synced: bool,
    head_written: u64,
    head_synced: u64,
    answers: u64,
    /// The folders whose list of names must be synced before the first answer.
    folders_due: Vec<PathBuf>,
    /// The folders whose list of names was synced.
    folders_synced: BTreeSet<PathBuf>,
    /// For each thread whose fdatasync has not returned, of which file it is.
    inside: BTreeMap<String, File>,
}

impl Trace {
    fn read(&mut self, line: &str) {
        let thread = line.split(' ').next().unwrap().to_owned();
        let of_head = line.contains("/head>");
        let file = if of_head {
            File::Head
        } else if line.contains("/db>") {
            File::Data
        } else {
            File::Other
        };
        if let Some((_, file)) = line.split_once(" fsync(") {
            let path = file.split(['<', '>']).nth(1).unwrap();
            self.folders_synced.insert(PathBuf::from(path));
        }
        if line.contains("<... fdatasync resumed>") {
            let file = self.inside.remove(&thread).unwrap();
            self.synced(file, line);
        } else if line.contains("fdatasync(") && line.contains("<unfinished") {
            self.inside.insert(thread, file);
        } else if line.contains("fdatasync(") {
            self.synced(file, line);
        } else if line.contains("write(") && of_head {
            assert!(self.data_synced, "the head was written ahead of its data: {line}");
            self.head_written = head_log_len(line).unwrap();
        } else if let Some((_, _, index)) = acknowledged(&line.replace("\\n", " ")) {
            assert!(index < self.head_synced, "answered before it was synced: {line}");
            for folder in &self.folders_due {
                assert!(self.folders_synced.contains(folder), "not synced: {}", folder.display());
            }
            self.answers += 1;
        }
    }

    fn synced(&mut self, file: File, line: &str) {
        assert!(line.trim_end().ends_with("= 0"), "{line}");
        match file {
            File::Data => self.data_synced = true,
            File::Head => {
                self.data_synced = false;
                self.head_synced = self.head_written;
            }
            File::Other => {}
        }
    }
}

/// An answer may be said only when the head that covers its log entry was synced, and that head may be
/// written only when the data were; and only when each folder that was created stands on the disk.
#[test]
fn each_acknowledgement_follows_its_fdatasync() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skip("strace is not there or may not trace");
        return;
    }
    let strace =
        ["strace", "-f", "-y", "-x", "-s", "68", "-e", "trace=write,fdatasync,fsync", "-o"];
    let above = std::fs::canonicalize(folder.path()).unwrap();
    let store = above.join("one/two/store");
    let mut child = spawn(&store, &[&strace[..], &[trace.to_str().unwrap()]].concat());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let heard =
        lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)).take(200).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(heard, 200);

    let text = std::fs::read_to_string(trace).unwrap();
    let mut trace = Trace {
        folders_due: ["", "one", "one/two", "one/two/store"]
            .map(|level| above.join(level))
            .to_vec(),
        ..Trace::default()
    };
    // The last line may be cut: the tracer was killed.
    for line in text.lines().take(text.lines().count() - 1) {
        trace.read(line);
    }
    println!("{} answers, all behind their sync", trace.answers);
    assert!(trace.answers >= 190, "{} answers in the trace", trace.answers);
}
