//! The log in the forms of other tools, read back by small readers that were written from the specifications.

use core::str::FromStr as _;
use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{Event, EventFormat, Leaf, Syslog, cloud_events_batch};
use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::gate::{ExportToken, Gate};
use placet_core::id::{ProjectId, RequestId, RoleId, RunId, TeamId, UserId};
use placet_core::identity::{Caller, Channel};
use placet_core::org::GlobalRole;
use placet_core::org::command::{GrantGlobalRole, RevokeGlobalRole, SetUserActive};
use placet_core::store::{Batch, Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, Chance, Office};
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how long")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A text that means harm: every control character, all that some form escapes, and what looks like an escape.
fn hostile(chance: &mut Chance) -> String {
    let pieces = [
        "\"",
        "\\",
        "]",
        "[",
        "|",
        "=",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "ñ",
        "😀",
        " cs1=",
        "\\n",
        "\\]",
        "CEF:0|",
        "<34>1 ",
        "{\"a\":1}",
        "%00",
        "word",
        " ",
        "",
    ];
    let mut text = String::new();
    for _ in 0..chance.below(9) {
        if chance.is(30) {
            text.push(char::from(u8::try_from(chance.below(32)).unwrap()));
        } else {
            text.push_str(chance.one_of(&pieces).unwrap());
        }
    }
    text
}

/// What no line may hold is written out by its number.
fn visible(text: &str) -> String {
    let is_hidden = |letter: char| {
        letter.is_control()
            || "\u{2028}\u{2029}\u{feff}".contains(letter)
            || ('\u{202a}'..='\u{202e}').contains(&letter)
            || ('\u{2066}'..='\u{2069}').contains(&letter)
    };
    let number = |letter| format!("\\u{:04x}", u32::from(letter));
    let shown = text
        .chars()
        .map(|letter| if is_hidden(letter) { number(letter) } else { letter.to_string() });
    shown.collect()
}

/// A leaf whose texts are hostile: no gate writes one, but somebody may.
fn hostile_leaf(chance: &mut Chance) -> Leaf {
    let mut facts = BTreeMap::new();
    for name in ["user", "team", "role", "module", "code", "channel", "active"] {
        if chance.is(50) {
            facts.insert(name.to_owned(), hostile(chance));
        }
    }
    facts.insert(hostile(chance), hostile(chance));
    let known = Event::ALL[usize::try_from(chance.below(50)).unwrap()].to_string();
    let event = if chance.is(40) { hostile(chance) } else { known };
    let mut leaf = json!({
        "v": 1, "at": "2026-02-07T12:30:00.123456Z", "event": event, "facts": facts, "outcome": hostile(chance),
    });
    if chance.is(50) {
        leaf["actor"] = json!(UserId::from_u128(7));
        leaf["request"] = json!(RequestId::from_u128(8));
        leaf["scope"] = json!({ "level": "project", "project": ProjectId::from_u128(9) });
        leaf["run"] = json!(RunId::from_u128(10));
    }
    Leaf::from_bytes(&serde_json::to_vec(&leaf).unwrap()).unwrap()
}

/// Tries many leaves and origins. `PLACET_SEED` repeats a run, `PLACET_CASES` asks for more.
fn with_hostile(check: impl Fn(u64, &Leaf, &str)) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let first = number("PLACET_SEED").unwrap_or(u64::try_from(now % (1 << 40)).unwrap());
    eprintln!("PLACET_SEED={first}");
    for case in 0..number("PLACET_CASES").unwrap_or(300) {
        let mut chance = Chance::new(first.wrapping_add(case));
        let (leaf, origin) = (hostile_leaf(&mut chance), hostile(&mut chance));
        check(chance.below(1 << 40), &leaf, &origin);
    }
}

/// One line, and nothing in it that ends one or steers a screen.
#[track_caller]
fn one_line(text: &str) -> &str {
    let line = text.strip_suffix('\n').unwrap();
    assert!(!line.contains(['\n', '\r', '\0', '\u{1b}']), "{line:?}");
    line
}

#[test]
fn a_line_of_json_holds_the_leaf_as_it_stands_in_the_log() {
    with_hostile(|index, leaf, origin| {
        let text = EventFormat::Ndjson.write(index, leaf, origin).unwrap();
        let read: Value = serde_json::from_str(one_line(&text)).unwrap();
        assert_eq!((read["index"].as_u64(), read["origin"].as_str()), (Some(index), Some(origin)));
        let bytes = serde_json::to_vec(&read["leaf"]).unwrap();
        assert_eq!(Leaf::from_bytes(&bytes).unwrap(), *leaf);
    });
}

/// The rules of `CloudEvents` 1.0, `spec.md`: names of attributes are lower-case letters and digits; four are
/// required and not empty; `source` is a reference of RFC 3986.
fn check_cloud_event(event: &Value) {
    for (name, value) in event.as_object().unwrap() {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(name.bytes().all(plain), "{name}");
        assert!(name == "data" || value.as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["datacontenttype"], "application/json");
    for required in ["id", "source", "type"] {
        assert!(event[required].is_string());
    }
    let source = event["source"].as_str().unwrap();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    assert!(source.bytes().all(allowed), "{source}");
    for encoded in source.split('%').skip(1) {
        assert!(encoded.len() >= 2 && encoded.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    }
    assert!(event["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap().bytes());
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_cloud_event_is_one_and_names_its_entry_for_ever() {
    with_hostile(|index, leaf, origin| {
        let text = EventFormat::CloudEvents.write(index, leaf, origin).unwrap();
        let event: Value = serde_json::from_str(one_line(&text)).unwrap();
        check_cloud_event(&event);
        assert_eq!(event["id"], index.to_string());
        let source = event["source"].as_str().unwrap();
        assert_eq!(percent_decoded(source.strip_prefix("/placet/log/").unwrap()), *origin);
        assert_eq!(event["type"], format!("placet.{}", leaf.event));
        assert_eq!(event["data"], serde_json::to_value(leaf).unwrap());

        let batch = cloud_events_batch(&[(index, leaf.clone()), (index, leaf.clone())], origin);
        assert_eq!(serde_json::from_str::<Value>(&batch.unwrap()).unwrap(), json!([event, event]));
    });
}

/// The required attributes and the activities of the five classes, and the constraints of the objects, as the schema
/// of 1.4.0 has them: `events/base_event.json`, `events/iam/*.json` and `objects/{user,group,managed_entity,actor,
/// service,metadata,product}.json`. A type's number is its class times a hundred and its activity.
const CLASSES: [(u64, &[u64], &[&str]); 5] = [
    (3_001, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &["user"]),
    (3_002, &[1, 2, 3, 4, 5, 6], &["user", "service"]),
    (3_004, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], &["entity"]),
    (3_005, &[1, 2], &["user", "privileges"]),
    (3_006, &[1, 2, 3, 4, 5, 6], &["group"]),
];

fn check_ocsf(event: &Value) -> Result<(), String> {
    let number = |name: &str| event[name].as_u64().ok_or(format!("{name} is no number"));
    let (class, activity) = (number("class_uid")?, number("activity_id")?);
    let found = CLASSES.iter().find(|(known, _, _)| *known == class).ok_or("no such class")?;
    if number("category_uid")? != class / 1_000 || number("type_uid")? != class * 100 + activity {
        return Err("the numbers do not fit each other".to_owned());
    }
    if !found.1.contains(&activity) && ![0, 99].contains(&activity) {
        return Err(format!("{class} has no activity {activity}"));
    }
    if activity == 99 && !event["activity_name"].is_string() {
        return Err("another activity has no name".to_owned());
    }
    for name in found.2 {
        if event[*name].is_null() {
            return Err(format!("{class} needs {name}"));
        }
    }
    number("time")?;
    if ![0, 1, 2, 3, 4, 5, 6, 99].contains(&number("severity_id")?) {
        return Err("no such severity".to_owned());
    }
    if ![0, 1, 2, 99].contains(&number("status_id")?) {
        return Err("no such status".to_owned());
    }
    let metadata = &event["metadata"];
    if metadata["version"] != "1.4.0" || !metadata["product"]["name"].is_string() {
        return Err("metadata needs a version and a product".to_owned());
    }
    let one_of = |object: &Value, names: &[&str]| {
        object.is_null() || names.iter().any(|name| !object[*name].is_null() && object[*name] != "")
    };
    let constraints: [(&Value, &[&str]); 6] = [
        (&event["user"], &["account", "name", "uid"]),
        (&event["group"], &["name", "uid"]),
        (&event["service"], &["name", "uid"]),
        (&event["entity"], &["name", "uid", "device", "group", "org", "policy", "user"]),
        (&event["actor"], &["process", "user", "invoked_by", "session", "app_name", "app_uid"]),
        (&event["actor"]["user"], &["account", "name", "uid"]),
    ];
    for (object, names) in constraints {
        if !one_of(object, names) {
            return Err(format!("{object} needs one of {names:?}"));
        }
    }
    let texts =
        |value: &Value| value.as_array().is_none_or(|list| list.iter().all(Value::is_string));
    if event["privileges"].is_null() || texts(&event["privileges"]) {
        return Ok(());
    }
    Err("privileges are texts".to_owned())
}

#[test]
fn an_ocsf_event_keeps_the_rules_of_its_class() {
    with_hostile(|index, leaf, origin| {
        let text = EventFormat::Ocsf.write(index, leaf, origin).unwrap();
        let event: Value = serde_json::from_str(one_line(&text)).unwrap();
        check_ocsf(&event).unwrap_or_else(|wrong| panic!("{wrong}: {event:#}"));
        assert_eq!(event["metadata"]["sequence"], index);
        assert_eq!(event["metadata"]["event_code"], leaf.event);
        assert_eq!(event["time"], 1_770_467_400_123_u64);
        assert_eq!(event["unmapped"]["leaf"], serde_json::to_value(leaf).unwrap());

        // The rules do see what breaks them.
        let breaking = |name: &str, value: Value| {
            let mut broken = event.clone();
            broken[name] = value;
            broken
        };
        let (classless, untyped) =
            (breaking("class_uid", json!(3_003)), breaking("type_uid", json!(1)));
        let of_nobody = breaking("actor", json!({}));
        for broken in [classless, untyped, of_nobody] {
            assert!(check_ocsf(&broken).is_err());
        }
    });
}

#[test]
fn each_event_has_its_class_and_activity() {
    let of = |event: &str, facts: &[(&str, String)]| {
        let facts: BTreeMap<_, _> = facts.iter().cloned().collect();
        let leaf = json!({
            "v": 1, "at": "2026-02-07T12:30:00Z", "event": event, "facts": facts,
            "actor": UserId::from_u128(1),
        });
        let leaf = Leaf::from_bytes(&serde_json::to_vec(&leaf).unwrap()).unwrap();
        let text = EventFormat::Ocsf.write(0, &leaf, "log").unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["type_uid"].as_u64().unwrap()
    };
    let (user, role) = (UserId::from_u128(1).to_string(), RoleId::from_u128(2).to_string());
    let team = TeamId::from_u128(3).to_string();
    let member = [("user", user.clone()), ("team", team)];
    let grant = [("user", user.clone()), ("role", role)];
    let none: &[(&str, String)] = &[];
    for (event, facts, due) in [
        ("identity.login", none, 300_201),
        ("org.user_created", &member[..1], 300_101),
        ("org.user_active_set", &[("user", user.clone()), ("active", "true".to_owned())], 300_102),
        ("org.user_active_set", &[("user", user), ("active", "false".to_owned())], 300_105),
        ("org.role_assigned", &grant, 300_501),
        ("org.grant_ended", &grant, 300_502),
        ("org.member_added", &member, 300_603),
        ("org.membership_ended", &member, 300_604),
        ("org.team_created", &member[1..], 300_606),
        ("org.team_removed", &member[1..], 300_605),
        // Without what its class needs, it is a change of an entity.
        ("org.member_added", &member[..1], 300_499),
        ("request.drafted", none, 300_401),
        ("request.edited", none, 300_403),
        ("org.module_removed", none, 300_404),
        ("org.project_renamed", none, 300_405),
        ("request.approved", none, 300_499),
        ("denied", none, 300_499),
    ] {
        assert_eq!(of(event, facts), due, "{event}");
    }
}

/// Reads a line of CEF: seven fields of a header, then pairs.
fn read_cef(line: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let mut fields = vec![String::new()];
    let mut letters = line.strip_prefix("CEF:0|").unwrap().chars();
    while fields.len() < 7 {
        match letters.next().unwrap() {
            '\\' => fields.last_mut().unwrap().push(letters.next().unwrap()),
            '|' => fields.push(String::new()),
            letter => fields.last_mut().unwrap().push(letter),
        }
    }
    fields.pop();
    let (mut pairs, mut key) = (BTreeMap::new(), String::new());
    let mut value = String::new();
    let mut rest = letters.peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => match rest.next().unwrap() {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                escaped => {
                    assert!("\\=".contains(escaped), "`{escaped}` needs no escape");
                    value.push(escaped);
                }
            },
            '=' => {
                // What stands before is a value, a space and the next key.
                let (before, next) = value.rsplit_once(' ').unwrap_or(("", &value));
                let (before, next) = (before.to_owned(), next.to_owned());
                if !key.is_empty() {
                    assert!(pairs.insert(key.clone(), before).is_none(), "`{key}` twice");
                }
                assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{next:?}");
                (key, value) = (next, String::new());
            }
            letter => value.push(letter),
        }
    }
    pairs.insert(key, value);
    (fields, pairs)
}

#[test]
fn a_cef_line_is_read_back_whatever_is_in_it() {
    with_hostile(|index, leaf, origin| {
        let text = EventFormat::Cef.write(index, leaf, origin).unwrap();
        let (fields, pairs) = read_cef(one_line(&text));
        assert_eq!(fields[..2], ["placet", "placet"]);
        assert_eq!(fields[3], visible(&leaf.event));
        assert!(fields[5].parse::<u8>().unwrap() <= 10);
        assert_eq!(pairs["rt"], "1770467400123");
        assert_eq!(pairs["externalId"], index.to_string());
        assert_eq!(pairs["deviceExternalId"], visible(origin));
        assert_eq!(pairs["cs5"], visible(leaf.outcome.as_deref().unwrap()));
        assert_eq!(pairs["cs5Label"], "run outcome");
        assert_eq!(pairs.get("suid").cloned(), leaf.actor.map(|id| id.to_string()));
        assert_eq!(pairs.get("cs1").cloned(), leaf.request.map(|id| id.to_string()));
        assert_eq!(pairs["cs6"], visible(&serde_json::to_string(&leaf.facts).unwrap()));
    });
}

/// Reads a message of RFC 5424: seven words of a header, structured data, and the text.
fn read_syslog(line: &str) -> (Vec<String>, BTreeMap<String, String>, String) {
    let (head, mut rest) = (line.splitn(7, ' ').take(6).collect::<Vec<_>>(), line);
    for _ in 0..6 {
        rest = rest.split_once(' ').unwrap().1;
    }
    let header = head.into_iter().map(str::to_owned).collect();
    if let Some(text) = rest.strip_prefix("- ") {
        return (header, BTreeMap::new(), text.to_owned());
    }
    let (id, mut rest) = rest.strip_prefix('[').unwrap().split_once(' ').unwrap();
    let mut params = BTreeMap::from([("id".to_owned(), id.to_owned())]);
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        let (mut value, mut letters) = (String::new(), after.chars());
        loop {
            match letters.next().unwrap() {
                '\\' => {
                    let escaped = letters.next().unwrap();
                    assert!("\"\\]".contains(escaped), "`{escaped}` needs no escape");
                    value.push(escaped);
                }
                '"' => break,
                letter => {
                    assert_ne!(letter, ']', "a bracket ends the data");
                    value.push(letter);
                }
            }
        }
        assert!(params.insert(name.to_owned(), value).is_none());
        rest = letters.as_str();
        match rest.strip_prefix("] ") {
            Some(text) => return (header, params, text.to_owned()),
            None => rest = rest.strip_prefix(' ').unwrap(),
        }
    }
}

#[test]
fn a_syslog_message_is_read_back_whatever_is_in_it() {
    let bare = EventFormat::Syslog(Syslog::default());
    let numbered = Syslog::default().with_enterprise(32_473).unwrap();
    let counted = EventFormat::Syslog(numbered.clone().with_octet_counting());
    let numbered = EventFormat::Syslog(numbered);
    with_hostile(|index, leaf, origin| {
        let (bare, numbered, counted) = (
            bare.write(index, leaf, origin).unwrap(),
            numbered.write(index, leaf, origin).unwrap(),
            counted.write(index, leaf, origin).unwrap(),
        );
        let (header, params, text) = read_syslog(one_line(&bare));
        assert!(params.is_empty());
        let priority = header[0].strip_prefix('<').unwrap().strip_suffix(">1").unwrap();
        assert!((104..112).contains(&priority.parse::<u32>().unwrap()), "facility 13");
        assert_eq!(header[1].parse::<Timestamp>().unwrap(), leaf.at);
        assert_eq!(header[2..5], ["-", "placet", "-"]);
        assert!(header[5].len() <= 32 && header[5].bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(text.is_ascii(), "no byte order mark is due");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((read["index"].as_u64(), read["origin"].as_str()), (Some(index), Some(origin)));
        assert_eq!(read["leaf"], serde_json::to_value(leaf).unwrap());

        let (_, params, same) = read_syslog(one_line(&numbered));
        assert_eq!((params["id"].as_str(), &same), ("placet@32473", &text));
        assert_eq!(params["origin"], visible(origin));
        assert_eq!(params["event"], visible(&leaf.event));
        assert_eq!(params["outcome"], visible(leaf.outcome.as_deref().unwrap()));

        let (length, message) = counted.split_once(' ').unwrap();
        assert_eq!(
            (length.parse::<usize>().unwrap(), message),
            (message.len(), one_line(&numbered))
        );
    });
}

/// The readers do notice a writer that escapes nothing.
#[test]
fn what_is_not_escaped_is_noticed() {
    let seen = |text: &str| {
        // Whatever cannot be read is noticed too.
        let text = text.to_owned();
        std::panic::catch_unwind(move || {
            let line = one_line(&text);
            if line.starts_with("CEF") { read_cef(line).1 } else { read_syslog(line).1 }
        })
    };
    let numbered = EventFormat::Syslog(Syslog::default().with_enterprise(32_473).unwrap());
    for (format, escapes) in [
        (EventFormat::Cef, [("\\\\", "\\"), ("\\=", "=")]),
        (numbered, [("\\\"", "\""), ("\\]", "]")]),
    ] {
        let mut noticed = 0;
        for seed in 0..60 {
            let mut chance = Chance::new(seed);
            let (leaf, origin) = (hostile_leaf(&mut chance), hostile(&mut chance));
            let text = format.write(seed, &leaf, &origin).unwrap();
            let careless =
                escapes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
            noticed += u64::from(seen(&careless).ok() != seen(&text).ok());
        }
        assert!(noticed > 20, "{noticed}");
    }
}

#[test]
fn a_syslog_form_takes_no_host_that_breaks_its_header() {
    let long = "a".repeat(256);
    for host in ["", "-", "two words", "a\nb", "ñ", long.as_str()] {
        let refused = Syslog::default().with_hostname(host).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidInput, "{host:?}");
    }
    assert_eq!(Syslog::default().with_enterprise(0).unwrap_err().code(), Code::InvalidInput);
}

/// A gate, an office, and some work of a seed.
fn worked() -> (Arc<MemoryStore>, Bench, Gate, Office) {
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    let mut bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
    bench.parts.limits.page_rows_max = 7;
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    (store, bench, gate, office)
}

#[test]
fn an_export_writes_each_entry_once_however_often_it_is_stopped() {
    let seed = number("PLACET_SEED").unwrap_or(3);
    eprintln!("PLACET_SEED={seed}");
    let mut chance = Chance::new(seed);
    let (store, _bench, gate, office) = worked();
    let (mut written, mut kept): (Vec<u64>, Option<ExportToken>) = (Vec::new(), None);
    for _ in 0..40 {
        if chance.is(50) {
            office.pending(&gate).unwrap();
        }
        let stop_at = chance.below(12);
        let end = store.log_len().unwrap();
        let total = end - u64::try_from(written.len()).unwrap();
        // Through its text, as a host keeps it.
        let from = kept.as_ref().map(|token| token.to_string().parse::<ExportToken>().unwrap());
        let ended =
            gate.export_events(&office.root, &EventFormat::Ndjson, from.as_ref(), |event| {
                assert_eq!(event.total, total);
                if event.done > stop_at {
                    return Err(Error::new(Code::Cancelled, "enough"));
                }
                assert!(event.text.contains(&format!("\"index\":{}", event.index)));
                written.push(event.index);
                kept = Some(event.token.clone());
                Ok(())
            });
        match ended {
            Ok(token) => assert_eq!(Some(token), kept),
            Err(error) => assert_eq!(error.code(), Code::Cancelled),
        }
    }
    gate.export_events(&office.root, &EventFormat::Ndjson, kept.as_ref(), |event| {
        written.push(event.index);
        Ok(())
    })
    .unwrap();
    assert_eq!(written, (0..store.log_len().unwrap()).collect::<Vec<_>>());
}

#[test]
fn an_export_goes_on_in_its_own_log_only() {
    let (_store, _bench, gate, office) = worked();
    let export = |gate: &Gate, who: &Caller, from: Option<&ExportToken>| {
        gate.export_events(who, &EventFormat::Cef, from, |_event| Ok(()))
    };
    let kept = export(&gate, &office.root, None).unwrap();

    // Another log of the same origin, and as long; and one that was rolled back.
    let (other_store, other_bench, other, _) = worked();
    let last = other_store.log_len().unwrap() - 1;
    let entries = other_store.log_read(0, usize::MAX).unwrap();
    assert!(export(&other, &office.root, Some(&kept)).is_ok(), "a test repeats a log exactly");
    let cut: Arc<MemoryStore> = Arc::new(MemoryStore::default());
    for entry in &entries[..usize::try_from(last).unwrap()] {
        cut.commit(Batch::default().append(entry.clone())).unwrap();
    }
    for row in other_store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap() {
        cut.commit(Batch::default().put(row.0, row.1.value)).unwrap();
    }
    let mut parts = other_bench.parts;
    parts.store = Arc::<MemoryStore>::clone(&cut);
    let rolled_back = Gate::new(parts);
    let refused = export(&rolled_back, &office.root, Some(&kept)).unwrap_err();
    assert_eq!(refused.code(), Code::LogTampered);
    // It grows again, otherwise than before.
    let stop = SetUserActive { user: office.bo.user(), active: false };
    rolled_back.administer(&office.root, &stop).unwrap();
    let refused = export(&rolled_back, &office.root, Some(&kept)).unwrap_err();
    assert_eq!(refused.code(), Code::LogTampered);

    let text = kept.to_string();
    let cut = text.trim_end_matches(|letter: char| letter.is_ascii_hexdigit());
    let (nameless, spelled) = (text.replace("exp", ""), text.replace('_', "_0"));
    for other in ["", "exp_", cut, &nameless, &spelled, &format!("{text} ")] {
        assert_eq!(other.parse::<ExportToken>().unwrap_err().code(), Code::InvalidInput, "{other}");
    }
}

#[test]
fn an_export_ends_with_the_right_to_it() {
    let (_store, bench, gate, office) = worked();
    let denied = gate.export_events(&office.bo, &EventFormat::Cef, None, |_event| Ok(()));
    assert_eq!(denied.unwrap_err().code(), Code::Denied);

    let (user, role) = (office.bo.user(), GlobalRole::Auditor);
    gate.administer(&office.root, &GrantGlobalRole { user, role }).unwrap();
    let (other, mut written) = (Gate::new(bench.parts), 0);
    let ended = gate.export_events(&office.bo, &EventFormat::Cef, None, |event| {
        written = event.done;
        if event.done == 3 {
            other.administer(&office.root, &RevokeGlobalRole { user, role }).unwrap();
        }
        Ok(())
    });
    assert_eq!(ended.unwrap_err().code(), Code::Denied);
    assert_eq!(written, 7, "the piece that was read is written, and no more");
}

#[test]
fn whoever_comes_in_is_recorded_and_a_stranger_is_not() {
    let (store, _bench, gate, office) = worked();
    let cli = Channel::from_str("cli").unwrap();
    let before = store.log_len().unwrap();
    for _ in 0..3 {
        gate.record_login(&office.bo.via(cli)).unwrap();
    }
    assert_eq!(store.log_len().unwrap(), before + 3, "each is an entry");
    let stop = SetUserActive { user: office.bo.user(), active: false };
    gate.administer(&office.root, &stop).unwrap();
    let stranger = Caller::authenticated(UserId::from_u128(404));
    for nobody in [&office.bo, &stranger] {
        let refused = gate.record_login(&nobody.via(cli)).unwrap_err();
        assert_eq!(refused.code(), Code::Denied);
        assert!(refused.help().is_some());
    }
    assert_eq!(store.log_len().unwrap(), before + 4);
}
