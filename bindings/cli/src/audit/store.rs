//! The log in a store, read whole, and the records compared with it.

use placet::audit::{Checkpoint, DeepOptions, Leaf, LogKeys, MerkleTree, leaf_hash, verify_deep};
use placet::error::{Code, Error};
use placet::store::Store;
use serde_json::{Value, json};

use crate::console::{Answer, Console};
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// How many entries are read at a time.
const ENTRIES: usize = 256;

/// The hashes of the whole log. Each entry must be a leaf, spelled as leaves are. `keys` gets to see it.
pub(crate) fn read(
    console: Console,
    store: &dyn Store,
    mut keys: Option<&mut LogKeys>,
) -> Result<MerkleTree, Error> {
    let mut tree = MerkleTree::default();
    each(console, "entries", store, |entry| {
        check_form(tree.len(), entry)?;
        tree.append(leaf_hash(entry));
        if let Some(keys) = keys.as_deref_mut() {
            keys.read(entry);
        }
        Ok(())
    })?;
    Ok(tree)
}

/// What the log says of its keys.
pub(super) fn read_keys(
    console: Console,
    store: &dyn Store,
    keys: &mut LogKeys,
) -> Result<(), Error> {
    each(console, "keys", store, |entry| {
        keys.read(entry);
        Ok(())
    })
}

fn each(
    console: Console,
    what: &'static str,
    store: &dyn Store,
    mut visit: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let len = store.log_len()?;
    let bar = Bar::new(console, what, Some(len));
    let mut next = 0_u64;
    while next < len {
        let entries = store.log_read(next, ENTRIES)?;
        if entries.is_empty() {
            let sentence = format!("entry {next} of {len} cannot be read");
            return Err(Error::new(Code::StoreDamaged, sentence).with_help("restore a backup"));
        }
        for entry in entries {
            visit(&entry)?;
            bar.step();
            next = next.saturating_add(1);
        }
    }
    Ok(())
}

fn check_form(index: u64, entry: &[u8]) -> Result<(), Error> {
    let wrong = |error: Error| {
        let sentence = format!("entry {index} is not an audit leaf: {error}");
        let help = error.help().unwrap_or("compare the log with an export made earlier").to_owned();
        Error::new(error.code(), sentence).with_help(help).with_detail("leaf", index)
    };
    let leaf = Leaf::from_bytes(entry).map_err(wrong)?;
    if leaf.to_bytes().map_err(wrong)? == entry {
        return Ok(());
    }
    let sentence = format!("entry {index} is not spelled as audit leaves are");
    Err(Error::new(Code::LogTampered, sentence)
        .with_help("compare the log with an export made earlier")
        .with_detail("leaf", index))
}

/// Compares every record with what the log says of it.
pub(crate) fn compare(
    console: Console,
    store: &dyn Store,
    origin: &str,
    kept: Option<Checkpoint>,
) -> Result<Answer, Error> {
    let options = kept.into_iter().fold(DeepOptions::default(), DeepOptions::with_head);
    let bar = Bar::new(console, "log", Some(0));
    let report = verify_deep(store, &options, |at| {
        bar.name(at.step.as_str());
        bar.at(at.done, at.total);
        Ok(())
    })?;
    drop(bar);
    let whole = report.is_whole();
    let mut text = Text::default();
    if whole {
        let (entries, records) = (report.entries, report.records);
        text.said(Mood::Good, "verified", format_args!("{entries} entries, {records} records"));
    } else {
        text.said(Mood::Bad, "not verified", "");
    }
    for finding in &report.findings {
        text.said(Mood::Bad, &format!("{}:", finding.fault), finding);
    }
    if report.findings_left_out > 0 {
        text.line(format_args!("and {} more", report.findings_left_out));
    }
    text.field("log", origin);
    text.field("root", report.root);
    if let Some(after) = report.entries_after_head {
        text.field(
            "unvouched",
            format_args!("{after} entries came after the checkpoint that was kept"),
        );
    }
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let source = finding.source.as_ref();
            json!({
                "fault": finding.fault.as_str(),
                "record": finding.record,
                "leaf": finding.leaf,
                "expected": finding.expected.map(|digest| digest.to_string()),
                "found": finding.found.map(|digest| digest.to_string()),
                "source": source.map(|(record, leaf)| json!({"record": record, "leaf": leaf})),
                "says": finding.to_string(),
            })
        })
        .collect();
    let json = json!({
        "verified": whole,
        "size": report.entries,
        "records": report.records,
        "origin": origin,
        "root": report.root.to_string(),
        "entries_after_head": report.entries_after_head,
        "findings": findings,
        "findings_left_out": report.findings_left_out,
    });
    Ok(Answer::that(whole, text, json))
}
