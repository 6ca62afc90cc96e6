//! The log: verified by whoever has its key, and every change of it found.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use placet_core::store::{Batch, Key, Store as _};
use placet_store_sled::SledStore;

use crate::tool::{SHOP, Tool};

/// An export of the shop's log, and the log's key.
fn exported() -> (Tool, String) {
    let tool = Tool::shop();
    let key = tool.json("audit export public")["key"].as_str().unwrap().to_owned();
    (tool, key)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn a_changed_byte_of_an_export_is_found_in_every_file() {
    let (tool, key) = exported();
    // The key may stand in a file, and needs no gate.
    let key_file = tool.write("log.pub", format!("{key}\n"));
    let verify = || tool.run(&format!("audit verify public --key {}", key_file.display()));
    assert_eq!(verify().code, 0);
    let all = files(&tool.path("public"));
    assert_eq!(all.len(), 3, "a checkpoint, a tile and a bundle");
    for path in all {
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(verify().code, 1, "{}", path.display());
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(verify().code, 1, "{}", path.display());
        fs::remove_file(&path).unwrap();
        assert_eq!(verify().code, 1, "{}", path.display());
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(verify().code, 0);
}

#[test]
fn the_first_wrong_entry_is_named() {
    let (tool, key) = exported();
    let bundle = files(&tool.path("public"))
        .into_iter()
        .find(|path| path.to_string_lossy().contains("entries"));
    let bundle = bundle.unwrap();
    let text = fs::read(&bundle).unwrap();
    let at = text.windows(4).position(|four| four == b"shop" || four == b"role").unwrap();
    let mut changed = text;
    changed[at] = b'x';
    fs::write(&bundle, changed).unwrap();
    let found = tool.json(&format!("audit verify public --key {key}"));
    assert_eq!(found["verified"], false);
    assert_eq!(found["error"]["code"], "log_tampered");
    let leaf: u64 = found["error"]["details"]["leaf"].as_str().unwrap().parse().unwrap();
    assert!(found["error"]["message"].as_str().unwrap().contains(&format!("entry {leaf} ")));
}

#[test]
fn a_log_must_continue_the_checkpoint_that_somebody_kept() {
    let (tool, key) = exported();
    fs::copy(tool.path("public/checkpoint"), tool.path("kept")).unwrap();
    assert_eq!(tool.run("org create-project --code later --name Later").code, 0);
    // Only what is new is written: a tile, a bundle and the head; and then nothing.
    assert_eq!(tool.json("audit export public")["files"], 3);
    assert_eq!(tool.json("audit export public")["files"], 0);
    let verify = format!("audit verify public --key {key} --continues kept");
    assert_eq!(tool.run(&verify).code, 0);
    assert_eq!(tool.run("audit verify --continues kept").code, 0);

    // Another log of the same name, founded with the same key: as long, and with another history.
    let forged = Tool::empty();
    fs::create_dir(forged.path("gate")).unwrap();
    fs::copy(tool.path("gate/log.key"), forged.path("gate/log.key")).unwrap();
    let forged = forged.found();
    forged.write("shop.json", SHOP);
    assert_eq!(forged.run("org apply shop.json").code, 0);
    assert_eq!(forged.run("audit export public").code, 0);
    fs::copy(tool.path("kept"), forged.path("kept")).unwrap();
    assert_eq!(forged.run(&verify).code, 1);
    assert_eq!(forged.run("audit verify --continues kept").code, 1);
}

#[test]
fn a_changed_byte_of_the_store_is_found() {
    let tool = Tool::shop();
    let verified = tool.json("audit verify");
    assert_eq!(
        (&verified["verified"], &verified["origin"]),
        (&true.into(), &"example.org/log".into())
    );
    let data = tool.path("gate/store");
    let found = files(&data).into_iter().max_by_key(|path| fs::metadata(path).unwrap().len());
    let path = found.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(14).position(|text| text == b"\"org.user_crea").unwrap();
    bytes[at + 1] = b'x';
    fs::write(&path, bytes).unwrap();
    let found = tool.run("audit verify");
    assert_eq!(found.code, 1, "{} {}", found.out, found.err);
    assert!(found.out.starts_with("not verified\n"), "{}", found.out);
}

#[test]
fn entries_are_found_by_who_what_and_when() {
    let tool = Tool::shop();
    let root = tool.user("root@example.org");
    let count = |words: &str| {
        let found = tool.json(&format!("audit show --limit 1000 {words}"));
        found["entries"].as_array().unwrap().len()
    };
    assert_eq!(count(&format!("--actor {root}")), 24);
    assert_eq!(count("--actor ana@example.org"), 0);
    assert_eq!(count("--event org."), 23);
    assert_eq!(count("--event org.user_created"), 2);
    assert_eq!(count("--place shop"), 20);
    assert_eq!(count("--place platform"), 3);
    assert_eq!(count("--place shop --event org.role_allowed"), 5);
    assert_eq!(count("--since 2000-01-01T00:00:00Z"), 24);
    assert_eq!(count("--before 2000-01-01T00:00:00Z"), 0);
    // Each says by which door it came, and which user of the system it was.
    let commands = tool.json("audit show --limit 1000 --event org.");
    for entry in commands["entries"].as_array().unwrap() {
        let leaf = &entry["leaf"];
        assert_eq!((&leaf["channel"], &leaf["actor"]), (&"cli".into(), &root.as_str().into()));
        assert_eq!(leaf["os_user"].is_u64(), cfg!(unix), "{entry}");
    }
    // Page by page, everything comes once.
    let (mut seen, mut words) = (Vec::new(), "audit show --event org. --limit 10".to_owned());
    loop {
        let page = tool.json(&words);
        let entries = page["entries"].as_array().unwrap();
        seen.extend(entries.iter().map(|entry| entry["index"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        words = format!("audit show --event org. --limit 10 --cursor {next}");
    }
    assert_eq!(seen, (1..24).collect::<Vec<u64>>());
    let newest = tool.json("audit show --newest-first --limit 1");
    assert_eq!(newest["entries"][0]["index"], 23);
    // A cursor is of its own query.
    let other = words.replace("org. ", "org.role_allowed ");
    assert_eq!(tool.run(&other).code, 3);
    expect![[r#"
        exit 0
        entry  at                           who                                   what                   where     request
        0      <instant>  usr_…  platform.bootstrapped
        1      <instant>  usr_…  org.user_created       platform
        more: --cursor …
    "#]]
    .assert_eq(&{
        let told = tool.run("audit show --limit 2").told();
        let (before, _) = told.split_once("log_").unwrap();
        format!("{before}…\n")
    });
}

#[test]
fn a_record_that_was_changed_past_the_log_is_named() {
    let tool = Tool::shop();
    assert_eq!(tool.json("audit export public")["origin"], "example.org/log");
    let whole = tool.json("audit verify --deep --continues public/checkpoint");
    assert_eq!(
        (&whole["verified"], &whole["entries_after_head"]),
        (&true.into(), &0.into()),
        "{whole}"
    );
    let ana = tool.user("ana@example.org");
    let store = SledStore::open(tool.path("gate/store")).unwrap();
    let key = Key::from_segments(&["user", &ana]);
    let record = store.get(&key).unwrap().unwrap().value;
    let text = String::from_utf8(record).unwrap();
    let other = text.replace("true", "false");
    assert_ne!(text, other);
    store.commit(Batch::default().put(key, other.into_bytes())).unwrap();
    drop(store);
    // Every byte is what the store wrote, and every entry what was logged. Only the comparison tells.
    assert_eq!(tool.run("audit verify").code, 0);
    let found = tool.run("audit verify --deep");
    assert_eq!(found.code, 1);
    assert!(
        found.out.contains(&format!("changed: `user/{ana}` was changed past the log")),
        "{}",
        found.out
    );
    let found = tool.json("audit verify --deep");
    assert_eq!(found["findings"][0]["record"], format!("user/{ana}"));
}

#[test]
fn events_go_on_where_they_ended_and_each_is_there_once() {
    let tool = Tool::founded();
    let lines = || tool.read("log.ndjson").lines().count();
    let events = "audit events log.ndjson";
    assert_eq!((tool.json(events)["written"].as_u64(), lines()), (Some(1), 1));
    assert_eq!(tool.run("org create-project --code a --name A").code, 0);
    // A try that broke off leaves text that no note covers.
    let whole = tool.read("log.ndjson");
    tool.write("log.ndjson", format!("{whole}{{\"half\": an ent"));
    assert_eq!((tool.json(events)["written"].as_u64(), lines()), (Some(1), 2));
    assert_eq!((tool.json(events)["written"].as_u64(), lines()), (Some(0), 2));
    for (index, line) in tool.read("log.ndjson").lines().enumerate() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["index"], index);
    }
    // What is not ours, or was cut, is left alone.
    tool.write("notes.txt", "mine");
    assert_eq!(tool.run("audit events notes.txt").code, 6);
    assert_eq!(tool.read("notes.txt"), "mine");
    tool.write("log.ndjson", "");
    assert_eq!(tool.run(events).code, 6);
    for (format, begins) in
        [("cloudevents", "{"), ("ocsf", "{"), ("cef", "CEF:0|"), ("syslog", "<")]
    {
        let ran = tool.run(&format!("audit events log.{format} --format {format}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(tool.read(format!("log.{format}")).starts_with(begins), "{format}");
    }
    // Another log's note is not gone on from.
    let other = Tool::founded();
    fs::copy(tool.path("log.cef"), other.path("log.cef")).unwrap();
    fs::copy(tool.path("log.cef.resume"), other.path("log.cef.resume")).unwrap();
    assert_eq!(other.run("audit events log.cef --format cef").code, 1);
}

#[test]
fn a_witness_finds_a_log_that_was_put_back() {
    let tool = Tool::founded();
    let witness = "file:elsewhere/head";
    assert_eq!(tool.json(&format!("audit compare {witness}"))["witnesses"][0]["state"], "unseen");
    fs::create_dir(tool.path("backup")).unwrap();
    for file in files(&tool.path("gate")) {
        let to = tool.path("backup").join(file.strip_prefix(tool.path("gate")).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    assert_eq!(tool.run("org create-project --code a --name A").code, 0);
    assert_eq!(tool.json(&format!("audit anchor {witness}"))["anchored"][0]["size"], 2);
    assert_eq!(tool.run(&format!("audit compare {witness}")).code, 0);
    let back = tool.run(&format!("--folder backup audit compare {witness}"));
    assert_eq!(
        (back.code, back.out.contains("error[rolled_back]")),
        (1, true),
        "{}{}",
        back.out,
        back.err
    );
    assert_eq!(tool.run(&format!("--folder backup audit anchor {witness}")).code, 1);
    assert_eq!(tool.run("audit compare elsewhere").code, 3);
    let healthy = tool.run(&format!("doctor --witness {witness}"));
    assert_eq!((healthy.code, healthy.out.contains("witness: the log continues it")), (0, true));
    assert_eq!(tool.run(&format!("--folder backup doctor --witness {witness}")).code, 1);
    assert_eq!(tool.run("--folder backup doctor").code, 0, "by itself it looks sound");
}

#[test]
fn an_export_is_not_written_over_something_else() {
    let (tool, _) = exported();
    fs::create_dir(tool.path("photos")).unwrap();
    tool.write("photos/cat.jpg", "meow");
    let refused = tool.run("audit export photos");
    assert_eq!((refused.code, refused.err.contains("is not empty")), (6, true), "{}", refused.err);
    let other = Tool::founded();
    fs::copy(tool.path("public/checkpoint"), other.path("checkpoint")).unwrap();
    fs::create_dir(other.path("public")).unwrap();
    let text = tool.read("public/checkpoint").replace("example.org/log", "example.org/other");
    other.write("public/checkpoint", text);
    let refused = other.run("audit export public");
    assert_eq!(
        (refused.code, other.read("public/checkpoint").contains("example.org/other")),
        (1, true),
        "{}",
        refused.err
    );
}

#[test]
fn whoever_has_an_earlier_key_follows_to_the_next_one() {
    let (mut tool, first) = exported();
    fs::copy(tool.path("public/checkpoint"), tool.path("before")).unwrap();
    let rotated = tool.json("audit rotate-key");
    assert_eq!(rotated["earlier"], first);
    let second = rotated["key"].as_str().unwrap();
    assert_ne!(second, first);
    assert!(!tool.path("gate/log.key.next").exists());
    assert_eq!(tool.run("audit export public").code, 0);
    fs::copy(tool.path("public/checkpoint"), tool.path("after")).unwrap();
    // Another log of the same name, with a key of its own.
    let (other, foreign) = exported();
    fs::copy(other.path("public/checkpoint"), tool.path("foreign")).unwrap();
    for key in [first.as_str(), second] {
        let verify = format!("audit verify public --key {key}");
        for kept in ["before", "after"] {
            let verified = tool.run(&format!("{verify} --continues {kept}"));
            assert_eq!(verified.code, 0, "{kept}: {}{}", verified.out, verified.err);
        }
        assert_eq!(tool.run(&format!("{verify} --continues foreign")).code, 1);
    }
    assert_eq!(tool.run(&format!("audit verify public --key {foreign}")).code, 1);
    // The log in the folder: by its own key, or by one that is named.
    for words in ["", " --deep"] {
        for (kept, code) in [("before", 0), ("after", 0), ("foreign", 1)] {
            let verified = tool.run(&format!("audit verify{words} --continues {kept}"));
            assert_eq!(verified.code, code, "{words} {kept}: {}{}", verified.out, verified.err);
        }
        let verify = format!("audit verify{words} --key {first} --continues");
        assert_eq!(tool.run(&format!("{verify} after")).code, 0);
        // Nobody followed from the later key to the earlier one.
        let verify = format!("audit verify{words} --key {second} --continues");
        assert_eq!(tool.run(&format!("{verify} before")).code, 1);
    }
    for (kept, code) in [("before", 0), ("after", 0), ("foreign", 1)] {
        assert_eq!(tool.run(&format!("doctor --continues {kept}")).code, code, "{kept}");
    }
    // Only an administrator names another key.
    let ana = tool.user("ana@example.org");
    tool.calls_as(&ana);
    assert!([4, 5].contains(&tool.run("audit rotate-key").code));
}

#[test]
fn the_years_of_a_log_are_listed_sealed_and_exported() {
    let tool = Tool::shop();
    assert_eq!(tool.json("audit years list")["years"], serde_json::json!([]));
    assert_eq!(tool.json("audit years seal")["sealed"], 0, "the first one is not over");
    let refused = tool.run("audit years export 2020 year");
    assert_eq!((refused.code, refused.err.contains("not sealed")), (4, true), "{}", refused.err);
    fs::create_dir(tool.path("photos")).unwrap();
    tool.write("photos/cat.jpg", "meow");
    assert_eq!(tool.run("audit years export 2020 photos").code, 6);
}

#[test]
fn syslog_messages_carry_structured_data_under_the_number_of_whoever_runs_it() {
    let tool = Tool::founded();
    let events = "audit events out --format syslog --hostname gate-1";
    assert_eq!(tool.run(&format!("{events} --enterprise 0")).code, 3);
    assert_eq!(tool.run(&format!("{events} --enterprise 32473")).code, 0);
    assert!(tool.read("out").contains(" gate-1 placet - platform.bootstrapped [placet@32473 "));
}
