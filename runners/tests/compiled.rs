//! Compiled plugins on disk, and compilers in processes of their own. What is counted is compilations, not time.
#![expect(
    clippy::disallowed_methods,
    clippy::get_unwrap,
    reason = "other processes are what this is about; a file that is too short ends the test"
)]

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use placet_core::error::{Code, Error};
use placet_runners::{
    Builder, Compilations, CompiledKey, Compiler, Grant, Manifest, WasmRunner, compile,
};

use crate::bench::UNRULY;

const KEY: [u8; 32] = [7; 32];
const CHILD: &str = "PLACET_COMPILED_CHILD";

/// The unruly plugin with a custom section that says `word`: another component for each test, so that no host of
/// another test holds it compiled.
fn component(word: &str) -> Vec<u8> {
    let mut component = UNRULY.to_vec();
    let length = u8::try_from(word.len()).unwrap();
    component.extend([0, length.saturating_add(1), length]);
    component.extend(word.as_bytes());
    component
}

fn host(word: &str) -> Builder {
    let asked = Manifest::new("unruly", "0.1.0").with_capability("sql").with_connection("target");
    let component = Cow::Owned(component(word));
    WasmRunner::builder().plugin(
        "unruly".parse().unwrap(),
        component,
        asked,
        Grant::none().with("sql"),
    )
}

/// A host that starts, compiles or loads what it has, and ends.
fn start(word: &str, folder: &Path, key: [u8; 32]) -> Compilations {
    let builder = host(word).compiled_in(folder, CompiledKey::from_bytes(key));
    let runner = builder.build().unwrap();
    runner.warm_up().unwrap();
    let compilations = runner.compilations();
    // What was loaded is the plugin.
    let info = placet_core::runner::Runner::describe(&runner, &"unruly".parse().unwrap()).unwrap();
    assert_eq!(info.capabilities, ["sql"]);
    compilations
}

fn counts(of: &Compilations) -> (u64, u64, u64, u64) {
    (of.compiled, of.loaded, of.ignored, of.unkept)
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[test]
fn what_was_compiled_once_is_loaded_by_the_next_host() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("a").join("compiled");
    assert_eq!(counts(&start("next host", &folder, KEY)), (1, 0, 0, 0));
    assert_eq!(counts(&start("next host", &folder, KEY)), (0, 1, 0, 0));
    // Another component has another file.
    assert_eq!(counts(&start("another", &folder, KEY)), (1, 0, 0, 0));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for entry in fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }
}

#[test]
fn what_was_compiled_once_is_loaded_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let process = || {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "compiled::a_process_that_starts_a_host", "--nocapture"])
            .env(CHILD, folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(ended.status.success(), "{said}");
        let line = said.lines().find_map(|line| line.split_once("counted: ")).unwrap().1;
        line.to_owned()
    };
    assert_eq!(process(), "(1, 0, 0, 0)");
    assert_eq!(process(), "(0, 1, 0, 0)");
}

#[test]
#[expect(clippy::print_stdout, reason = "it is another process that reads it")]
fn a_process_that_starts_a_host() {
    // Started by the test above; by itself it has nothing to do.
    let Some(folder) = std::env::var_os(CHILD) else { return };
    println!("counted: {:?}", counts(&start("process", Path::new(&folder), KEY)));
}

#[test]
fn whatever_is_changed_in_a_file_it_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    start("tampered", folder.path(), KEY);
    let file = only_file(folder.path());
    let whole = fs::read(&file).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        *bytes.get_mut(at).unwrap() ^= 1;
        bytes
    };
    let last = whole.len().saturating_sub(1);
    let mut longer = whole.clone();
    longer.push(0);
    let bare = whole.get(32..).unwrap().to_vec();
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("shorter than a mark", whole.get(..31).unwrap().to_vec()),
        ("nothing but the mark", whole.get(..32).unwrap().to_vec()),
        ("cut", whole.get(..last).unwrap().to_vec()),
        ("longer", longer),
        ("another mark", changed(0)),
        ("another first byte", changed(32)),
        ("another byte", changed(whole.len() / 2)),
        ("another last byte", changed(last)),
        ("without a mark", bare),
        ("rubbish", vec![0x5a; 4096]),
    ] {
        fs::write(&file, bytes).unwrap();
        let found = start("tampered", folder.path(), KEY);
        assert_eq!(counts(&found), (1, 0, 1, 0), "{what}: {found:?}");
        assert_eq!(found.notes.len(), 1, "{what}");
        // What was compiled anew took its place.
        assert_eq!(counts(&start("tampered", folder.path(), KEY)), (0, 1, 0, 0), "{what}");
    }
}

#[test]
fn a_file_under_another_name_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    start("one", folder.path(), KEY);
    let one = only_file(folder.path());
    let aside = folder.path().with_extension("aside");
    fs::rename(&one, &aside).unwrap();
    start("two", folder.path(), KEY);
    let two = only_file(folder.path());
    // It bears a good mark, for another component.
    fs::rename(&aside, &two).unwrap();
    assert_eq!(counts(&start("two", folder.path(), KEY)), (1, 0, 1, 0));
}

#[test]
fn files_of_another_key_are_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    start("key", folder.path(), KEY);
    assert_eq!(counts(&start("key", folder.path(), [8; 32])), (1, 0, 1, 0));
    assert_eq!(counts(&start("key", folder.path(), [8; 32])), (0, 1, 0, 0));
}

#[cfg(unix)]
#[test]
fn links_pipes_and_files_that_others_can_write_are_not_loaded() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    start("link", folder.path(), KEY);
    let file = only_file(folder.path());
    let elsewhere = folder.path().with_extension("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_eq!(counts(&start("link", folder.path(), KEY)), (1, 0, 1, 0));
    // The link was replaced, and not written through.
    assert!(fs::symlink_metadata(&file).unwrap().is_file());

    fs::set_permissions(&file, fs::Permissions::from_mode(0o622)).unwrap();
    assert_eq!(counts(&start("link", folder.path(), KEY)), (1, 0, 1, 0));

    fs::remove_file(&file).unwrap();
    let made = Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    assert_eq!(counts(&start("link", folder.path(), KEY)), (1, 0, 1, 0));

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let found = start("link", folder.path(), KEY);
    // A folder in the way is neither read nor replaced, and the run goes on.
    assert_eq!(counts(&found), (1, 0, 1, 1), "{found:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_is_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let temporary = tempfile::tempdir().unwrap();
    let refused = |folder: &Path| {
        let error = host("folder").compiled_in(folder, CompiledKey::from_bytes(KEY)).build();
        let error = error.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
        assert!(error.help().is_some());
    };
    let open = temporary.path().join("open");
    fs::create_dir(&open).unwrap();
    for mode in [0o777, 0o720, 0o702] {
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        refused(&open);
    }
    fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
    let link = temporary.path().join("link");
    symlink(&open, &link).unwrap();
    refused(&link);
    let file = temporary.path().join("file");
    fs::write(&file, "").unwrap();
    refused(&file);
    // Another user's, where this test may give one away.
    if std::os::unix::fs::chown(&open, Some(12_345), None).is_ok() {
        refused(&open);
    }
}

#[test]
fn only_so_many_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        fs::write(folder.path().join(format!("{number:064x}")), "").unwrap();
    }
    for number in 60..70 {
        // Of processes that were killed while they wrote.
        fs::write(folder.path().join(format!("{number:064x}.1.partial")), "").unwrap();
    }
    start("many", folder.path(), KEY);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 64);
    assert_eq!(counts(&start("many", folder.path(), KEY)), (0, 1, 0, 0));
}

#[test]
fn whatever_else_is_in_the_folder_stays() {
    let folder = tempfile::tempdir().unwrap();
    let hex = "a".repeat(64);
    let others: Vec<String> = (0..70)
        .map(|number| format!("letter{number}"))
        .chain([hex.to_uppercase(), format!("{hex}b"), format!("{hex}.txt")])
        .collect();
    for name in &others {
        fs::write(folder.path().join(name), "dear").unwrap();
    }
    start("guest", folder.path(), KEY);
    assert_eq!(counts(&start("guest", folder.path(), KEY)), (0, 1, 0, 0));
    assert!(others.iter().all(|name| folder.path().join(name).exists()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), others.len() + 1);
}

/// A host whose compiler is a shell that does `script`. What is compiled stands in `$0`.
#[cfg(unix)]
fn by_shell(word: &str, script: &str, ready: &Path) -> Result<Compilations, Error> {
    let args = ["-c".into(), script.into(), ready.as_os_str().to_owned()];
    let compiler =
        Compiler::program("/bin/sh", args).with_deadline_ms(20_000).with_bytes_max(32 << 20);
    let runner = host(word).compiler(compiler).build()?;
    runner.warm_up()?;
    Ok(runner.compilations())
}

#[cfg(unix)]
#[test]
fn a_compiler_in_another_process_does_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    fs::write(&ready, compile(&component("elsewhere")).unwrap()).unwrap();
    let script = "/bin/cat > \"$0.asked\"; /bin/cat \"$0\"";
    let counted = by_shell("elsewhere", script, &ready).unwrap();
    assert_eq!(counts(&counted), (1, 0, 0, 0));
    let asked = fs::read(folder.path().join("ready.asked")).unwrap();
    assert_eq!(asked, component("elsewhere"));
    // It need not read what it knows already.
    assert!(by_shell("elsewhere", "exec /bin/cat \"$0\"", &ready).is_ok());
}

#[cfg(unix)]
#[test]
fn a_compiler_that_dies_or_writes_rubbish_is_an_error_and_nothing_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let good = compile(&component("rubbish")).unwrap();
    fs::write(at("good"), &good).unwrap();
    fs::write(at("other"), compile(&component("of another")).unwrap()).unwrap();
    for (name, place) in [("settings", 16 + 32), ("digest", 16 + 64), ("code", 50_000)] {
        let mut changed = good.clone();
        *changed.get_mut(place).unwrap() ^= 1;
        fs::write(at(name), changed).unwrap();
    }
    fs::write(at("cut"), good.get(..good.len().saturating_sub(1)).unwrap()).unwrap();
    let cat = "/bin/cat > /dev/null; /bin/cat \"$0\"";
    for (script, file, code, part) in [
        ("exit 3", "good", Code::RunnerFault, "exit status: 3"),
        ("kill -9 $$", "good", Code::RunnerFault, "signal: 9"),
        ("/bin/cat \"$0\"; echo \"no room\" >&2; exit 1", "good", Code::RunnerFault, "no room"),
        ("true", "good", Code::RunnerFault, "no compiled component"),
        ("echo nonsense", "good", Code::RunnerFault, "no compiled component"),
        (cat, "other", Code::RunnerFault, "another component"),
        (cat, "settings", Code::RunnerFault, "other settings"),
        (cat, "digest", Code::RunnerFault, "changed"),
        (cat, "code", Code::RunnerFault, "changed"),
        (cat, "cut", Code::RunnerFault, "cut off"),
        ("exec /bin/cat /dev/zero", "good", Code::LimitReached, "more than"),
    ] {
        let error = by_shell("rubbish", script, &at(file)).unwrap_err();
        assert_eq!(error.code(), code, "{script} {file}: {error}");
        assert!(error.to_string().contains(part), "{script} {file}: {error}");
        assert!(error.help().is_some());
    }
    let missing = host("rubbish").compiler(Compiler::program("/nowhere", ["x"])).build().unwrap();
    assert_eq!(missing.warm_up().unwrap_err().code(), Code::RunnerFault);
    // With a good one it works: nothing of all that was kept.
    assert!(by_shell("rubbish", cat, &at("good")).is_ok());
}

#[cfg(unix)]
#[test]
fn a_compiler_that_hangs_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    for script in [
        // One that sleeps, one whose child holds the answer open, and one that closes everything and stays.
        "echo $$ >> \"$0\"; exec /bin/sleep 3600",
        "/bin/sleep 3600 & echo $! >> \"$0\"",
        "echo $$ >> \"$0\"; exec >&- 2>&- <&-; exec /bin/sleep 3600",
    ] {
        let args = ["-c".into(), script.into(), pids.as_os_str().to_owned()];
        let compiler = Compiler::program("/bin/sh", args).with_deadline_ms(700);
        let runner = host("hangs").compiler(compiler).build().unwrap();
        let error = runner.warm_up().unwrap_err();
        assert_eq!(error.code(), Code::LimitReached, "{error}");
        assert!(error.to_string().contains("longer than 700 ms"), "{error}");
    }
    let pids = fs::read_to_string(&pids).unwrap();
    assert_eq!(pids.lines().count(), 3);
    for pid in pids.lines() {
        // Gone, or a zombie that its new parent has not seen yet; the system takes its time over a kill.
        let is_gone = || {
            let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            status.is_empty() || status.contains(") Z ")
        };
        let looks = (0..1_000).take_while(|_| !is_gone());
        looks.for_each(|_| std::thread::park_timeout(core::time::Duration::from_millis(10)));
        assert!(is_gone(), "{pid}");
    }
}

#[cfg(unix)]
#[test]
fn a_compiler_gets_no_environment() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let _refused = by_shell("bare", "/usr/bin/env > \"$0\"", &ready).unwrap_err();
    let seen = fs::read_to_string(&ready).unwrap();
    // What the shell itself sets.
    let own = ["PWD=", "SHLVL=", "_=", "OLDPWD="];
    assert!(seen.lines().all(|line| own.iter().any(|name| line.starts_with(name))), "{seen}");
}
