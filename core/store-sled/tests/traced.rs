//! What a process asked of its files, in the order in which strace saw it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::story::skip;

/// The calls that change files or bring them to the disk, and those that are needed to understand them.
const CALLS: &str = "openat,pwrite64,write,lseek,ftruncate,fallocate,fdatasync,fsync,rename,renameat,renameat2,\
                     unlink,unlinkat,mkdir,mkdirat,rmdir";

/// Longer than the longest write: sled writes at most a segment at once.
const TEXT_BYTES_MAX: &str = "8388608";

/// One call, or the beginning or end of one that others came between. Which of the two it is matters: a sync
/// covers what was written before it began, and holds from when it ended.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file was made.
    Create(PathBuf),
    Folder(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    /// The thread begins to write.
    Write(u64, PathBuf, u64, Vec<u8>),
    Length(u64, PathBuf, u64),
    /// What the thread began to write is written.
    Written(u64),
    Sync(u64, PathBuf),
    Synced(u64),
    /// What the process printed.
    Said(String),
}

/// The words in front of a command that is to be traced into `file`; `None` where that is not possible.
pub(crate) fn tracer(file: &Path) -> Option<Vec<String>> {
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skip("strace is not there or may not trace");
        return None;
    }
    let calls = format!("trace={CALLS}");
    let words = ["strace", "-f", "-y", "-xx", "-s", TEXT_BYTES_MAX, "-e", &calls, "-o"];
    Some(words.into_iter().chain([file.to_str().unwrap()]).map(str::to_owned).collect())
}

/// Reads a trace. Only what is below `folder` counts, under its path from there, and what was said.
pub(crate) fn read(trace: &Path, folder: &Path) -> Vec<Event> {
    let text = std::fs::read(trace).unwrap();
    let mut reader =
        Reader { folder, places: BTreeMap::new(), begun: BTreeMap::new(), events: Vec::new() };
    for line in text.split(|byte| *byte == b'\n') {
        reader.line(line);
    }
    reader.events
}

struct Reader<'a> {
    folder: &'a Path,
    /// Where the next write through a descriptor goes.
    places: BTreeMap<u64, u64>,
    /// For each thread the call that has not returned, as far as it was told.
    begun: BTreeMap<u64, Call>,
    events: Vec<Event>,
}

/// One call: its name, its arguments as text, and the bytes of those that are quoted.
#[derive(Debug)]
struct Call {
    name: String,
    arguments: String,
    quoted: Vec<Vec<u8>>,
}

impl Call {
    /// The number at `place`, counted from 0.
    fn number(&self, place: usize) -> u64 {
        let text = self.arguments.split(", ").nth(place).unwrap();
        text.split(['<', ')', ' ']).next().unwrap().parse().unwrap()
    }
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8]) {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { return };
        let thread: u64 = std::str::from_utf8(&line[..space]).unwrap().parse().unwrap();
        let rest = line[space..].trim_ascii_start();
        if rest.starts_with(b"<... ") {
            let told = String::from_utf8_lossy(rest).into_owned();
            let Some(call) = self.begun.remove(&thread) else { return };
            self.ended(thread, &call, told.rsplit_once(" = ").unwrap_or_default().1);
            return;
        }
        let Some(open) = rest.iter().position(|byte| *byte == b'(') else { return };
        let name = String::from_utf8_lossy(&rest[..open]).into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return;
        }
        let (arguments, quoted) = decoded(&rest[open + 1..]);
        let (told, result) = match arguments.rsplit_once(" = ") {
            Some((told, result)) => (told.to_owned(), Some(result.to_owned())),
            None => (arguments, None),
        };
        let call = Call { name, arguments: told, quoted };
        self.began(thread, &call);
        match result {
            Some(result) => self.ended(thread, &call, &result),
            None => drop(self.begun.insert(thread, call)),
        }
    }

    /// The path of the descriptor that is the first argument.
    fn path_of(&self, call: &Call) -> Option<PathBuf> {
        let (_, rest) = call.arguments.split_once('<')?;
        self.below(rest.split_once('>')?.0)
    }

    fn below(&self, path: &str) -> Option<PathBuf> {
        Path::new(path).strip_prefix(self.folder).ok().map(Path::to_path_buf)
    }

    fn named(&self, call: &Call, place: usize) -> Option<PathBuf> {
        self.below(std::str::from_utf8(call.quoted.get(place)?).ok()?)
    }

    fn began(&mut self, thread: u64, call: &Call) {
        let event = match call.name.as_str() {
            "write" if call.number(0) == 1 => {
                Some(Event::Said(String::from_utf8_lossy(&call.quoted[0]).into_owned()))
            }
            "write" => self.path_of(call).map(|path| {
                let bytes = call.quoted[0].clone();
                let place = self.places.entry(call.number(0)).or_default();
                let at = *place;
                *place += u64::try_from(bytes.len()).unwrap();
                Event::Write(thread, path, at, bytes)
            }),
            "pwrite64" => self
                .path_of(call)
                .map(|path| Event::Write(thread, path, call.number(3), call.quoted[0].clone())),
            "ftruncate" => {
                self.path_of(call).map(|path| Event::Length(thread, path, call.number(1)))
            }
            "fdatasync" | "fsync" => self.path_of(call).map(|path| Event::Sync(thread, path)),
            _ => None,
        };
        self.events.extend(event);
    }

    fn ended(&mut self, thread: u64, call: &Call, result: &str) {
        let failed = result.starts_with('-') || result.starts_with('?');
        let event = match call.name.as_str() {
            "write" | "pwrite64" | "ftruncate" => {
                assert!(!failed, "{call:?} {result}");
                Some(Event::Written(thread))
            }
            "fdatasync" | "fsync" if !failed => Some(Event::Synced(thread)),
            _ if failed => None,
            "openat" => {
                let descriptor = result.split('<').next().unwrap().parse().unwrap();
                self.places.insert(descriptor, 0);
                let makes = call.arguments.contains("O_CREAT");
                self.named(call, 0).filter(|_| makes).map(Event::Create)
            }
            "lseek" => {
                self.places
                    .insert(call.number(0), result.split(' ').next().unwrap().parse().unwrap());
                None
            }
            "rename" | "renameat" | "renameat2" => {
                self.named(call, 0).map(|from| Event::Rename(from, self.named(call, 1).unwrap()))
            }
            "unlink" | "unlinkat" | "rmdir" => self.named(call, 0).map(Event::Remove),
            "mkdir" | "mkdirat" => self.named(call, 0).map(Event::Folder),
            other => panic!("{other} is not understood"),
        };
        self.events.extend(event);
    }
}

/// Takes `\x41` for `A`. What is quoted comes out on its own, in its place stays a mark.
fn decoded(raw: &[u8]) -> (String, Vec<Vec<u8>>) {
    let (mut text, mut quoted) = (Vec::new(), Vec::<Vec<u8>>::new());
    let mut inside = false;
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = if *first == b'\\' && after.len() >= 3 {
            rest = &after[3..];
            digit(after[1]) << 4 | digit(after[2])
        } else if *first == b'"' {
            inside = !inside;
            if inside {
                quoted.push(Vec::new());
                text.push(b'Q');
            }
            continue;
        } else {
            *first
        };
        if inside { quoted.last_mut().unwrap().push(byte) } else { text.push(byte) }
    }
    (String::from_utf8_lossy(&text).into_owned(), quoted)
}

fn digit(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}
