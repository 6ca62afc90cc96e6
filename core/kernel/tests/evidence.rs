//! The evidence for one request: whole, checked offline, and every changed byte of it found.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{Checkpoint, DeepOptions, VerifiedEvidence, verify_evidence};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::GlobalRole;
use placet_core::org::command::GrantGlobalRole;
use placet_core::request::Change;
use placet_core::runner::{Finding, Impact, Level, Lock};
use placet_core::store::{Batch, Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, Chance, Office, Seen};

use crate::bad_questions::{number, seed};

type Bundle = BTreeMap<String, Vec<u8>>;

fn open() -> (Arc<MemoryStore>, Gate, Office) {
    let store = Arc::new(MemoryStore::default());
    let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap().parts);
    let office = Office::found(&gate).unwrap();
    (store, gate, office)
}

fn bundle(gate: &Gate, caller: &Caller, id: RequestId) -> Result<Bundle, Error> {
    let mut files = Bundle::new();
    gate.evidence(caller, id, |path, bytes| {
        assert!(files.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} is written again");
        Ok(())
    })?;
    Ok(files)
}

fn check(gate: &Gate, files: &Bundle) -> Result<VerifiedEvidence, Error> {
    verify_evidence(|path| Ok(files.get(path).cloned()), gate.origin(), gate.verifier_key())
}

/// A request that was sent back, written again, denied to its author, approved and run.
fn told(gate: &Gate, office: &Office) -> RequestId {
    let header = office.pending(gate).unwrap().header;
    let id = header.id;
    let denied = gate.approve(&office.ana, id, header.change_digest().unwrap(), None);
    assert_eq!(denied.unwrap_err().code(), Code::Denied);
    gate.request_changes(&office.bo, id, "name the table").unwrap();
    gate.edit(&office.ana, id, "raise it", &office.change("\"raise it twice\"").unwrap()).unwrap();
    let header = gate.submit(&office.ana, id).unwrap().header;
    gate.approve(&office.bo, id, header.change_digest().unwrap(), Some("good")).unwrap();
    gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
    id
}

#[test]
fn the_page_of_a_batch_shows_each_target_and_its_plan() {
    let (_, gate, office) = open();
    let more = ["shop-2", "shop-3"].map(|name| name.parse().unwrap());
    let change = office.change("\"raise it\"").unwrap();
    let new = office.request(change.and_then_at(more, gate.limits()).unwrap());
    let id = gate.draft_and_submit(&office.ana, &new).unwrap().header.id;
    let files = bundle(&gate, &office.ana, id).unwrap();
    check(&gate, &files).unwrap();
    let page = &files["report.html"];
    let page = std::str::from_utf8(page).unwrap();
    assert!(page.contains("shop\nshop-2\nshop-3") || page.contains("shop<br>shop-2<br>shop-3"));
    for target in ["shop", "shop-2", "shop-3"] {
        assert!(page.contains(&format!("would do at {target} (digest")), "{target}");
    }
}

#[test]
fn the_page_shows_what_steps_do_and_what_was_found() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    bench.runner.plans_as(|_, plan| {
        let step = &mut plan.steps[0];
        (step.estimated_rows, step.reversible) = (Some(1_234), false);
        let objects = vec!["shop.orders".to_owned(), "shop.<carts>".to_owned()];
        step.impact = Impact { lock: Lock::Exclusive, rewrites: true, objects };
        plan.basis = Some(Digest::of(b"the tables"));
        plan.findings.push(Finding {
            step: Some("1".to_owned()),
            line: Some(2),
            position: Some(14),
            help: Some("split it".to_owned()),
            needs_person: true,
            ..Finding::new(Level::Warning, "sql.unparsed".to_owned(), "unread".to_owned())
        });
    });
    let id = office.pending(&gate).unwrap().header.id;
    let files = bundle(&gate, &office.ana, id).unwrap();
    check(&gate, &files).unwrap();
    let page = String::from_utf8(files["report.html"].clone()).unwrap();
    for told in [
        "about 1234 rows",
        "lock: exclusive",
        "writes a table anew",
        "cannot be undone",
        "touches shop.orders, shop.&lt;carts&gt;",
        "sql.unparsed",
        "step 1, line 2, character 14",
        "split it",
        "a person must look at it",
        "no rule could approve it alone",
        &Digest::of(b"the tables").to_string(),
    ] {
        assert!(page.contains(told), "the page does not tell `{told}`");
    }
}

#[test]
fn the_whole_story_is_there_and_verifies_offline() {
    let (_, gate, office) = open();
    let id = told(&gate, &office);
    let files = bundle(&gate, &office.ana, id).unwrap();
    let found = check(&gate, &files).unwrap();
    let events: Vec<&str> = found.leaves.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "request.drafted",
            "request.planned",
            "request.submitted",
            "denied",
            "request.changes_requested",
            "request.edited",
            "request.planned",
            "request.submitted",
            "request.approved",
            "run.started",
            "run.finished",
        ]
    );
    assert_eq!((found.request, found.files + 1), (id, files.len()));
    let kinds = ["request", "revision", "history", "run"];
    let count = |kind: &str| {
        found.records.iter().filter(|name| name.split('/').next() == Some(kind)).count()
    };
    assert_eq!(kinds.map(count), [1, 2, 10, 1]);
    // People read the same.
    let report = String::from_utf8(files["report.html"].clone()).unwrap();
    for told in ["raise it twice", "name the table", "good", "SUCCEEDED", "no_grant"] {
        assert!(report.contains(told), "the report does not tell `{told}`");
    }
    for who in [office.ana.user(), office.bo.user()] {
        assert!(report.contains(&who.to_string()));
    }
    assert!(
        report.contains("@media print") && !report.contains("http://") && !report.contains("src=")
    );
    // The head is that of the log.
    let head =
        Checkpoint::open_note(&gate.checkpoint().unwrap(), gate.origin(), gate.verifier_key());
    assert_eq!(found.head, head.unwrap());
    // Whoever may not read the request gets nothing; whoever audits does.
    assert_eq!(bundle(&gate, &office.bo, id).unwrap_err().code(), Code::NotFound);
    let auditor = GrantGlobalRole { user: office.bo.user(), role: GlobalRole::Auditor };
    gate.administer(&office.root, &auditor).unwrap();
    check(&gate, &bundle(&gate, &office.bo, id).unwrap()).unwrap();
}

#[test]
fn a_request_in_any_state_has_its_evidence() {
    let (_, gate, office) = open();
    let draft = gate.draft(&office.ana, &office.request(office.change("\"it\"").unwrap())).unwrap();
    let pending = office.pending(&gate).unwrap();
    let running = office.approved(&gate).unwrap();
    drop(gate.execute(&office.bo, running.header.id).unwrap());
    for request in [draft, pending, running] {
        let files = bundle(&gate, &office.ana, request.header.id).unwrap();
        assert_eq!(check(&gate, &files).unwrap().request, request.header.id);
    }
}

#[test]
fn each_changed_byte_is_found() {
    let (_, gate, office) = open();
    let files = bundle(&gate, &office.ana, told(&gate, &office)).unwrap();
    check(&gate, &files).unwrap();
    let mut chance = Chance::new(seed());
    let refused = |path: &str, at: usize, bit: u64| {
        let mut changed = files.clone();
        changed.get_mut(path).unwrap()[at] ^= 1 << bit;
        let told = format!("bit {bit} of byte {at} of `{path}`");
        let Err(error) = check(&gate, &changed) else { panic!("{told}: not found") };
        assert_eq!(error.code(), Code::LogTampered, "{told}");
        // A list that was cut off names another file.
        let named = error.details().get("path").unwrap_or_else(|| panic!("{told}: no place"));
        assert!(named == path || path == "manifest", "{told}: `{named}`");
    };
    // Each byte of the signature, and as many others by chance as somebody wants.
    let manifest = &files["manifest"];
    let text = manifest.windows(2).position(|two| two == b"\n\n").unwrap();
    for at in text..manifest.len() {
        refused("manifest", at, chance.below(8));
    }
    let paths: Vec<&String> = files.keys().collect();
    for _ in 0..number("PLACET_BYTES", 2_000) {
        let path = chance.one_of(&paths).unwrap();
        let at = usize::try_from(chance.below(u64::try_from(files[path].len()).unwrap())).unwrap();
        refused(path, at, chance.below(8));
    }
    for path in paths {
        let mut cut = files.clone();
        cut.get_mut(path).unwrap().pop();
        assert!(check(&gate, &cut).is_err(), "`{path}` was cut");
        let mut without = files.clone();
        without.remove(path);
        assert!(check(&gate, &without).is_err(), "`{path}` is missing");
    }
    let (other_gate, other_office) = {
        let (_, gate, office) = open();
        (gate, office)
    };
    let other = bundle(&other_gate, &other_office.ana, told(&other_gate, &other_office)).unwrap();
    let error =
        verify_evidence(|path| Ok(other.get(path).cloned()), "another/log", gate.verifier_key());
    assert_eq!(error.unwrap_err().code(), Code::LogTampered);
}

#[test]
fn texts_that_would_be_markup_are_text() {
    let (_, gate, office) = open();
    let hostile =
        "</td></table><script>alert('x')</script><img src=x onerror=\"y\">&amp; \u{1F4A9}";
    let payload = serde_json::to_string(hostile).unwrap();
    let change =
        Change::new("sql".parse().unwrap(), "shop".parse().unwrap(), payload, gate.limits());
    let mut new = office.request(change.unwrap());
    hostile.clone_into(&mut new.title);
    let id = gate.draft_and_submit(&office.ana, &new).unwrap().header.id;
    gate.comment(&office.ana, id, hostile).unwrap();
    let files = bundle(&gate, &office.ana, id).unwrap();
    check(&gate, &files).unwrap();
    let report = String::from_utf8(files["report.html"].clone()).unwrap();
    for markup in ["<script", "<img", "onerror=\"", "alert('"] {
        assert!(!report.contains(markup), "`{markup}` is in the page");
    }
    assert!(report.matches("&lt;script&gt;").count() >= 3);
    // Every tag of the page is one that we write.
    let tags: std::collections::BTreeSet<&str> = report
        .split('<')
        .skip(1)
        .map(|rest| {
            rest.split(|letter: char| {
                !letter.is_ascii_alphanumeric() && letter != '/' && letter != '!'
            })
            .next()
            .unwrap()
        })
        .map(|tag| tag.trim_start_matches('/'))
        .collect();
    let ours = [
        "!doctype", "body", "h1", "h2", "head", "html", "meta", "p", "pre", "style", "table",
        "tbody", "td", "th", "thead", "title", "tr",
    ];
    assert_eq!(tags, ours.into_iter().collect());
}

#[test]
fn a_store_that_was_changed_gives_no_evidence() {
    let (store, gate, office) = open();
    let id = told(&gate, &office);
    let key = Key::from_segments(&["history", &id.to_string(), "0000000003"]);
    let kept = store.get(&key).unwrap().unwrap().value;
    let changed = String::from_utf8(kept.clone()).unwrap().replace("name the table", "fine");
    store.commit(Batch::default().put(key.clone(), changed.into_bytes())).unwrap();
    assert_eq!(bundle(&gate, &office.ana, id).unwrap_err().code(), Code::StoreDamaged);
    let report = gate.verify_deep(&office.root, &DeepOptions::default(), |_| Ok(())).unwrap();
    assert_eq!(report.findings.len(), 1);
    // A text that is gone without a leaf that erased it: the digest of the record is as it was.
    let text = String::from_utf8(kept.clone()).unwrap();
    let (head, _) = text.rsplit_once(",\"texts\":").unwrap();
    let removed = format!("{head},\"texts\":{{}}}}");
    store.commit(Batch::default().put(key.clone(), removed.into_bytes())).unwrap();
    let error = bundle(&gate, &office.ana, id).unwrap_err();
    assert_eq!(error.details()["record"], format!("history/{id}/0000000003"));
    store.commit(Batch::default().put(key, kept)).unwrap();
    check(&gate, &bundle(&gate, &office.ana, id).unwrap()).unwrap();
}

#[test]
fn whoever_writes_the_folder_may_fail() {
    let (_, gate, office) = open();
    let id = told(&gate, &office);
    let files = bundle(&gate, &office.ana, id).unwrap().len();
    for fails_at in 0..files {
        let mut written = 0;
        let answer = gate.evidence(&office.ana, id, |_, _| {
            written += 1;
            let full = || Error::new(Code::StoreUnavailable, "the disk is full");
            if written > fails_at { Err(full()) } else { Ok(()) }
        });
        assert_eq!(answer.unwrap_err().code(), Code::StoreUnavailable);
    }
}
