//! How each kind of record is checked. A new kind gets a row in [`KINDS`]; a test fails until it has one.

use super::{derived, log_index, tiles};
use crate::audit::Leaf;
use crate::authz::Scope;
use crate::error::Error;
use crate::gate::{
    Checkpoints, DenialNote, Due, Live, LogIndex, Posting, Promoted, RequestOf, Span, Tile, Turn,
    Word, notes_of,
};
use crate::id::RequestId;
use crate::org::book::{Epoch, ProjectRow, Unique, Used};
use crate::org::{GlobalRoleGrant, PluginGrant, Project, User};
use crate::request::{Artifact, Check, Dependants, HistoryEntry, Request, Revision, Run, Thread};
use crate::store::Key;
use crate::store::erasable::Erasable;
use crate::store::records::{self, Record};

/// Where it is known from which records of a kind there must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// Leaves name each of them with the digest of its bytes.
    Named,
    /// [`told_by`] says for each leaf which there must be. Their keys are all that counts.
    Told,
    /// The kind's judge says, from other records.
    Judged,
}

/// Looks whether a record fits with others, and whether those are there that it needs.
pub(super) type Judge = fn(&derived::Look<'_>, &Key, &[u8]) -> Result<Vec<derived::Wrong>, Error>;

/// One row of the table.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) known: Known,
    pub(super) judge: Option<Judge>,
    /// Where its texts are that can be erased.
    pub(super) texts: &'static [Erasable],
}

const fn named<R: Record>(judge: Option<Judge>) -> Kind {
    Kind { name: R::KIND, known: Known::Named, judge, texts: R::ERASABLE }
}

const fn told<R: Record>() -> Kind {
    let judge: Option<Judge> = Some(derived::is_its_key::<R>);
    Kind { name: R::KIND, known: Known::Told, judge, texts: &[] }
}

const fn judged<R: Record>(judge: Judge) -> Kind {
    Kind { name: R::KIND, known: Known::Judged, judge: Some(judge), texts: &[] }
}

/// Every kind of record. The bytes of a named record are vouched for by a leaf; its judge, where it has one, looks for
/// what else must be there because of it.
pub(super) const KINDS: &[Kind] = &[
    // The organisation.
    named::<User>(Some(derived::user)),
    named::<GlobalRoleGrant>(None),
    named::<Project>(Some(derived::project)),
    named::<ProjectRow>(None),
    named::<Epoch>(None),
    judged::<Unique>(derived::unique),
    told::<Used>(),
    // Requests.
    named::<Request>(Some(derived::request)),
    named::<Revision>(None),
    named::<HistoryEntry>(None),
    named::<Thread>(None),
    named::<Run>(None),
    named::<Check>(None),
    named::<Checkpoints>(None),
    named::<Artifact>(None),
    named::<Dependants>(None),
    named::<Promoted>(None),
    told::<RequestOf>(),
    judged::<Live>(derived::live),
    judged::<Turn>(derived::turn),
    judged::<Due>(derived::due),
    // The gate's own.
    Kind { name: "log_key", known: Known::Named, judge: None, texts: &[] },
    Kind { name: "log_year", known: Known::Named, judge: None, texts: &[] },
    Kind { name: "governance", known: Known::Named, judge: None, texts: &[] },
    Kind { name: "retention", known: Known::Named, judge: None, texts: &[] },
    named::<PluginGrant>(None),
    Kind { name: "policy_set", known: Known::Named, judge: None, texts: &[] },
    told::<DenialNote>(),
    // Made from the log. What the index says of it is compared by a walk of its own.
    judged::<Tile>(tiles::tile),
    judged::<LogIndex>(derived::is_its_key::<LogIndex>),
    judged::<Span>(log_index::span),
    judged::<Word>(log_index::word),
    judged::<Posting>(log_index::posting),
];

/// The row of the kind called `name`. A kind that is in no row is taken as named.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// A record that must be there because of a leaf which does not name it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) key: Key,
    /// Whether it is this one for sure, or this one or another.
    pub(super) is_sure: bool,
    /// Whether no other leaf may tell of it.
    pub(super) is_once: bool,
}

/// What must be there because of `leaf`, beside what it names.
pub(super) fn told_by(leaf: &Leaf) -> Vec<Told> {
    let mut told = Vec::new();
    let mut tell = |key| told.push(Told { key, is_sure: true, is_once: false });
    let place = leaf.scope.and_then(|scope| match scope {
        Scope::Project { project, module: Some(module), environment: Some(environment) } => {
            Some((project, module, environment))
        }
        Scope::Project { .. } | Scope::Platform => None,
    });
    let made = leaf.records.iter().filter(|row| row.before.is_none() && row.after.is_some());
    for request in made.filter_map(|row| request_named(&row.name)) {
        if let Some((project, module, environment)) = place {
            tell(records::key_for(&RequestOf { project, request }));
            tell(records::key_for(&Used { id: module.to_string() }));
            tell(records::key_for(&Used { id: environment.to_string() }));
        }
    }
    let notes = notes_of(leaf);
    let is_sure = notes.len() == 1;
    let notes = notes.iter().map(records::key_for);
    told.extend(notes.map(|key| Told { key, is_sure, is_once: is_sure }));
    told
}

fn request_named(name: &str) -> Option<RequestId> {
    name.strip_prefix(Request::KIND)?.strip_prefix('/')?.parse().ok()
}

/// The key of the record that leaves call `name`.
pub(super) fn key_named(name: &str) -> Key {
    Key::from_segments(&name.split('/').collect::<Vec<_>>())
}

/// The kind of the record at `key`, and the name under which leaves know it.
pub(super) fn name_of(key: &Key) -> (String, String) {
    let text = String::from_utf8_lossy(key.as_bytes()).into_owned();
    let segments = text.strip_suffix('\0').unwrap_or(&text);
    let kind = segments.split('\0').next().unwrap_or_default().to_owned();
    (kind, segments.replace('\0', "/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::gate::DERIVED;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }

    /// The kinds that the sources of this crate know.
    fn kinds_in(texts: impl Iterator<Item = String>) -> BTreeSet<String> {
        let mark = concat!("const KIND: &'static", " str = \"");
        let mut kinds = BTreeSet::new();
        for text in texts {
            let rest = text.split(mark).skip(1);
            kinds.extend(rest.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        kinds
    }

    #[test]
    fn each_kind_of_record_is_in_the_table() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let there = kinds_in(files.iter().map(|path| fs::read_to_string(path).unwrap()));
        let listed: BTreeSet<String> = KINDS.iter().map(|kind| kind.name.to_owned()).collect();
        assert_eq!(there, listed, "say in `KINDS` how `verify --deep` checks each kind");
        assert_eq!(listed.len(), KINDS.len(), "a kind has one row");
        // It finds one that is in no row.
        let more = format!("{}new_kind\";", concat!("const KIND: &'static", " str = \""));
        assert_eq!(kinds_in([more].into_iter()), BTreeSet::from(["new_kind".to_owned()]));
    }

    #[test]
    fn what_no_leaf_names_is_what_the_table_makes_again() {
        let derived: BTreeSet<&str> = DERIVED.iter().copied().collect();
        let made_again = KINDS.iter().filter(|kind| kind.known != Known::Named);
        assert_eq!(derived, made_again.map(|kind| kind.name).collect());
    }

    #[test]
    fn a_name_and_its_key_are_one_thing() {
        for name in ["policy_set/current", "org/prj_1/teams/tem_2", "x"] {
            assert_eq!(name_of(&key_named(name)).1, name);
        }
        // A segment with a slash in it is another key, and no leaf can name it.
        let key = Key::from_segments(&["user/usr_1"]);
        assert_ne!(key_named(&name_of(&key).1), key);
    }
}
