//! Answers as files in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use placet_core::error::{Code, Error};
use placet_core::runner::Artifact;

use super::{ResultSink, ResultWriter};

/// Keeps answers as files in a folder: `req_…/1.2/3.ndjson` is what step 3 answered in attempt 2 at revision 1. On Unix
/// only their owner may read them.
///
/// ```
/// use placet_core::{digest::Digest, runner::Artifact};
/// use placet_runners::{FolderResults, ResultSink};
///
/// let folder = tempfile::tempdir().unwrap();
/// let mut answer = FolderResults::new(folder.path()).begin("req_1/1.1/1.ndjson")?;
/// answer.write(b"[\"id\"]\n[7]\n")?;
/// let name = "req_1/1.1/1.ndjson".to_owned();
/// let (media_type, digest) = ("application/x-ndjson".to_owned(), Digest::of(b"[\"id\"]\n[7]\n"));
/// answer.finish(&Artifact { name, media_type, digest, size_bytes: 11 })?;
/// let kept = std::fs::read_to_string(folder.path().join("req_1/1.1/1.ndjson")).unwrap();
/// assert_eq!(kept, "[\"id\"]\n[7]\n");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FolderResults {
    folder: PathBuf,
}

impl FolderResults {
    /// Keeps answers in `folder`, which is made when the first one comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

/// The words of the system would tell the path.
fn failed(source: &std::io::Error) -> Error {
    let message = format!("the answer of a query cannot be kept ({})", source.kind());
    Error::new(Code::StoreUnavailable, message)
        .with_help("let this process write the folder of the results, and free some space")
}

impl ResultSink for FolderResults {
    fn begin(&self, name: &str) -> Result<Box<dyn ResultWriter>, Error> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        let is_plain = name.chars().all(fits)
            && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !is_plain {
            return Err(Error::new(Code::InvalidInput, "the answer of a query has no plain name")
                .with_help("report this with the log of the run"));
        }
        let path = self.folder.join(name);
        let unfinished = path.with_extension("unfinished");
        let folders = names_in(&path, &self.folder);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        if path.exists() {
            let there = "an answer of this name is kept already";
            return Err(Error::new(Code::AlreadyExists, there).with_help("make a new attempt"));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&unfinished).map_err(|error| failed(&error))?;
        Ok(Box::new(Writer { file, path, unfinished, folders }))
    }
}

#[derive(Debug)]
struct Writer {
    file: File,
    path: PathBuf,
    unfinished: PathBuf,
    folders: Vec<PathBuf>,
}

impl ResultWriter for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| failed(&error))
    }

    fn finish(self: Box<Self>, _artifact: &Artifact) -> Result<(), Error> {
        let keep = || {
            self.file.sync_all()?;
            fs::rename(&self.unfinished, &self.path)?;
            // Without it, the name could be gone after a power cut, or that of a folder on the way to it.
            self.folders.iter().try_for_each(|folder| sync_folder(folder))
        };
        keep().map_err(|error| failed(&error))
    }
}

/// The folders in which a name is new once the answer is there, the innermost first: all within `root`, because
/// another answer may have made them and not be done yet, and above it those that are not there yet and the one that is.
fn names_in(path: &Path, root: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for folder in path.ancestors().skip(1) {
        // A name without a folder before it stands in the present one.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folders.push(folder.to_path_buf());
        if !(folder.starts_with(root) && folder != root) && folder.exists() {
            break;
        }
    }
    folders
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Gone already where it was finished.
        let _gone = fs::remove_file(&self.unfinished);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_on_the_way_to_an_answer_is_synced() {
        let ground = tempfile::tempdir().unwrap();
        let root = ground.path().join("kept/results");
        let path = root.join("req_1/1.1/1.ndjson");
        let shown = |folders: Vec<PathBuf>| -> Vec<String> {
            let short = |folder: &PathBuf| {
                folder.strip_prefix(ground.path()).unwrap().to_string_lossy().into_owned()
            };
            folders.iter().map(short).collect()
        };
        let inside = ["kept/results/req_1/1.1", "kept/results/req_1", "kept/results"];
        let all = shown(names_in(&path, &root));
        assert_eq!(all, [&inside[..], &["kept", ""]].concat());
        // What is there may not be on the disk yet: another answer made it just now.
        fs::create_dir_all(root.join("req_1/1.1")).unwrap();
        assert_eq!(shown(names_in(&path, &root)), inside);
        // The folders of an answer that was kept are those.
        let sink = FolderResults::new(&root);
        let answer = sink.begin("req_1/1.1/1.ndjson").unwrap();
        assert!(format!("{answer:?}").contains("kept/results\""), "{answer:?}");
    }
}
