//! A disk as it may be after a power cut: all that was synced is there, of the rest some.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::story::Numbers;
use crate::traced::Event;

const SECTOR_BYTES: u64 = 512;

/// What the process wrote, and how much of it is certain.
#[derive(Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// What the process sees.
    names: BTreeMap<PathBuf, Entry>,
    /// What is certain.
    kept_names: BTreeMap<PathBuf, Entry>,
    name_changes: Vec<Change<Naming>>,
    /// For each thread the file that it is writing to.
    writing: BTreeMap<u64, usize>,
    /// For each thread what its sync will have made certain.
    syncing: BTreeMap<u64, Vec<Covered>>,
    clock: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Entry {
    Folder,
    File(usize),
}

#[derive(Clone, Debug)]
enum Naming {
    Add(PathBuf, Entry),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

#[derive(Default)]
struct File {
    kept: Vec<u8>,
    changes: Vec<Change<Bytes>>,
}

enum Bytes {
    Write(u64, Vec<u8>),
    Length(u64),
}

struct Change<T> {
    number: u64,
    what: T,
    writer: Option<u64>,
    kept: bool,
}

enum Covered {
    File(usize, u64),
    Name(u64),
}

impl Disk {
    /// What stands in `folder`, all of it certain.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        disk.add(folder, Path::new(""));
        disk.kept_names.clone_from(&disk.names);
        disk
    }

    fn add(&mut self, folder: &Path, below: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = below.join(path.file_name().unwrap());
            if path.is_dir() {
                self.names.insert(name.clone(), Entry::Folder);
                self.add(&path, &name);
            } else {
                self.names.insert(name, Entry::File(self.files.len()));
                self.files.push(File { kept: std::fs::read(&path).unwrap(), changes: Vec::new() });
            }
        }
    }

    pub(crate) fn apply(&mut self, event: Event) {
        self.clock += 1;
        match event {
            Event::Create(path) => {
                if !self.names.contains_key(&path) {
                    let entry = Entry::File(self.files.len());
                    self.files.push(File::default());
                    self.rename(Naming::Add(path, entry));
                }
            }
            Event::Folder(path) => self.rename(Naming::Add(path, Entry::Folder)),
            Event::Rename(from, to) => self.rename(Naming::Rename(from, to)),
            Event::Remove(path) => self.rename(Naming::Remove(path)),
            Event::Write(thread, path, at, bytes) => {
                self.write(thread, &path, Bytes::Write(at, bytes));
            }
            Event::Length(thread, path, length) => self.write(thread, &path, Bytes::Length(length)),
            Event::Written(thread) => {
                if let Some(file) = self.writing.remove(&thread) {
                    for change in &mut self.files[file].changes {
                        change.writer = change.writer.filter(|writer| *writer != thread);
                    }
                }
            }
            Event::Sync(thread, path) => {
                let covered = self.covered(&path);
                self.syncing.insert(thread, covered);
            }
            Event::Synced(thread) => {
                for covered in self.syncing.remove(&thread).unwrap_or_default() {
                    match covered {
                        Covered::File(file, number) => self.files[file].keep(number),
                        Covered::Name(number) => self.keep_name(number),
                    }
                }
            }
            Event::Said(_) => {}
        }
    }

    fn rename(&mut self, naming: Naming) {
        follow(&mut self.names, &naming);
        let change = Change { number: self.clock, what: naming, writer: None, kept: false };
        self.name_changes.push(change);
    }

    fn write(&mut self, thread: u64, path: &Path, what: Bytes) {
        // A file that has no name any more is gone after a power cut.
        let Some(Entry::File(file)) = self.names.get(path).copied() else { return };
        self.writing.insert(thread, file);
        let change = Change { number: self.clock, what, writer: Some(thread), kept: false };
        self.files[file].changes.push(change);
    }

    /// What is written by now and belongs to `path`: the bytes of a file, or the names in a folder.
    fn covered(&self, path: &Path) -> Vec<Covered> {
        if let Some(Entry::File(file)) = self.names.get(path).copied() {
            let written = self.files[file].changes.iter().filter(|change| change.writer.is_none());
            return written.map(|change| Covered::File(file, change.number)).collect();
        }
        let in_folder = |name: &PathBuf| name.parent() == Some(path);
        let names = self.name_changes.iter().filter(|change| match &change.what {
            Naming::Add(name, _) | Naming::Remove(name) => in_folder(name),
            Naming::Rename(from, to) => in_folder(from) && in_folder(to),
        });
        names.map(|change| Covered::Name(change.number)).collect()
    }

    fn keep_name(&mut self, number: u64) {
        for change in self.name_changes.iter_mut().filter(|change| change.number == number) {
            change.kept = true;
        }
        while self.name_changes.first().is_some_and(|change| change.kept) {
            follow(&mut self.kept_names, &self.name_changes.remove(0).what);
        }
    }

    /// Writes down a disk as it may be if the power is cut now.
    pub(crate) fn cut(&self, numbers: &mut Numbers, to: &Path) {
        // Of what is not certain: from nothing to all.
        let share = [0, 10, 50, 90, 100][usize::try_from(numbers.below(5)).unwrap()];
        let mut names = self.kept_names.clone();
        for change in &self.name_changes {
            if change.kept || numbers.below(100) < share {
                follow(&mut names, &change.what);
            }
        }
        std::fs::create_dir_all(to).unwrap();
        // Sorted: a folder comes before what is in it. What is in none is lost.
        for (name, entry) in names {
            let path = to.join(name);
            match entry {
                Entry::Folder => drop(std::fs::create_dir(path)),
                Entry::File(file) => {
                    let bytes = self.files[file].cut(numbers, share);
                    drop(std::fs::write(path, bytes));
                }
            }
        }
    }
}

fn follow(names: &mut BTreeMap<PathBuf, Entry>, naming: &Naming) {
    match naming {
        Naming::Add(path, entry) => drop(names.insert(path.clone(), *entry)),
        Naming::Remove(path) => drop(names.remove(path)),
        Naming::Rename(from, to) => {
            if let Some(entry) = names.remove(from) {
                names.insert(to.clone(), entry);
            }
        }
    }
}

impl File {
    fn keep(&mut self, number: u64) {
        for change in self.changes.iter_mut().filter(|change| change.number == number) {
            change.kept = true;
        }
        let certain = self.changes.iter().take_while(|change| change.kept).count();
        for change in self.changes.drain(..certain) {
            apply(&mut self.kept, &change.what, |_| true);
        }
    }

    fn cut(&self, numbers: &mut Numbers, share: u64) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        for change in &self.changes {
            if change.kept {
                apply(&mut bytes, &change.what, |_| true);
            } else if numbers.below(100) < share {
                let torn = numbers.below(3) == 0;
                apply(&mut bytes, &change.what, |_| !torn || numbers.below(2) == 0);
            }
        }
        bytes
    }
}

/// Makes a change, as far as `has_sector` says that a sector of it got to the disk.
fn apply(file: &mut Vec<u8>, change: &Bytes, mut has_sector: impl FnMut(u64) -> bool) {
    let place = |at: u64| usize::try_from(at).unwrap();
    match change {
        Bytes::Length(length) => file.resize(place(*length), 0),
        Bytes::Write(at, bytes) => {
            let end = at + u64::try_from(bytes.len()).unwrap();
            let mut from = *at;
            while from < end {
                let to = end.min((from / SECTOR_BYTES + 1) * SECTOR_BYTES);
                if has_sector(from / SECTOR_BYTES) {
                    if file.len() < place(to) {
                        file.resize(place(to), 0);
                    }
                    file[place(from)..place(to)]
                        .copy_from_slice(&bytes[place(from - at)..place(to - at)]);
                }
                from = to;
            }
        }
    }
}
