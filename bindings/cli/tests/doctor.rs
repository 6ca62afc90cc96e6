//! What the doctor finds.

use std::fs;

use crate::tool::Tool;

/// What was found of one thing: its state.
fn state_of(found: &serde_json::Value, what: &str) -> String {
    let findings = found["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {what}: {found}"));
    let is_told_what_to_do = finding["next"].is_string();
    let state = finding["state"].as_str().unwrap();
    assert!(is_told_what_to_do || matches!(state, "good" | "skipped"), "{finding}");
    state.to_owned()
}

#[test]
fn a_healthy_folder_has_nothing_wrong() {
    let tool = Tool::founded();
    let found = tool.json("doctor");
    assert_eq!(found["healthy"], true, "{found}");
    for what in ["folder", "signing key", "store", "log", "clock"] {
        assert_eq!(state_of(&found, what), "good", "{what}");
    }
}

#[test]
fn what_is_lost_or_damaged_is_found() {
    let lost = |what: &str, harm: &dyn Fn(&Tool)| {
        let tool = Tool::founded();
        harm(&tool);
        let ran = tool.run("doctor");
        assert_eq!(ran.code, 1, "{what}: {}{}", ran.out, ran.err);
        assert_eq!(state_of(&tool.json("doctor"), what), "broken", "{what}");
    };
    lost("folder", &|tool| fs::remove_dir_all(tool.path("gate")).unwrap());
    lost("signing key", &|tool| fs::remove_file(tool.path("gate/log.key")).unwrap());
    lost("signing key", &|tool| drop(tool.write("gate/log.key", "no key")));
    lost("store", &|tool| fs::remove_dir_all(tool.path("gate/store")).unwrap());
    lost("log", &|tool| {
        let head = fs::read_dir(tool.path("gate/store")).unwrap();
        for file in head.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
            fs::write(file, "").unwrap();
        }
    });
}

#[test]
fn a_log_that_was_rolled_back_is_found_by_whoever_kept_a_checkpoint() {
    let tool = Tool::founded();
    let copy = |from: &str, to: &str| {
        let to = tool.path(to);
        let _absent = fs::remove_dir_all(&to);
        let mut open = vec![(tool.path(from), to)];
        while let Some((from, to)) = open.pop() {
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
                let target = to.join(entry.file_name());
                if entry.path().is_dir() {
                    open.push((entry.path(), target));
                } else {
                    fs::copy(entry.path(), target).unwrap();
                }
            }
        }
    };
    copy("gate", "backup");
    assert_eq!(tool.run("org create-project --code shop --name Shop").code, 0);
    assert_eq!(tool.run("audit export public").code, 0);
    assert_eq!(
        state_of(&tool.json("doctor --continues public/checkpoint"), "kept checkpoint"),
        "good"
    );
    copy("backup", "gate");
    // By itself the older folder is as good as any: only what somebody kept tells.
    assert_eq!(tool.run("doctor").code, 0);
    let found = tool.json("doctor --continues public/checkpoint");
    assert_eq!(state_of(&found, "kept checkpoint"), "broken");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let tool = Tool::founded();
    fs::set_permissions(tool.path("gate/log.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let found = tool.json("doctor");
    assert_eq!(
        (state_of(&found, "signing key").as_str(), found["healthy"].as_bool()),
        ("warning", Some(true))
    );
}
