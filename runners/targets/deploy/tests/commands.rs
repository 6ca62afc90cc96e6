//! Real processes.

use core::time::Duration;

use placet_target::StopSignal;
use placet_target_deploy::{
    CommandFailureKind, CommandTemplate, CommandTemplateBuilder, DeployTarget, Exchange, Hole,
    Output,
};
use tempfile::TempDir;

use crate::story::{reading, writing};

/// A command that is a script. That a host may name a shell as an argument of something else is its own affair.
pub(crate) fn script(folder: &TempDir, text: &str) -> CommandTemplateBuilder {
    CommandTemplate::builder("/usr/bin/env", folder.path())
        .argument("/bin/sh")
        .argument("-c")
        .argument(text)
        .argument("script")
        .variable("PATH", "/usr/bin:/bin")
}

fn ran(template: CommandTemplateBuilder, stdin: &[u8]) -> Output {
    template.build().unwrap().run(&[], stdin, &writing()).unwrap()
}

#[test]
fn a_command_says_how_it_ended_and_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = ran(script(&folder, "cat; echo oops >&2; exit 3"), b"hello");
    assert_eq!(output.exit_code, 3);
    assert_eq!((&*output.stdout, &*output.stderr), (&b"hello"[..], &b"oops\n"[..]));
    assert!(!output.truncated);
}

#[test]
fn its_environment_is_that_of_the_template_and_its_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let env = CommandTemplate::builder("/usr/bin/env", folder.path()).variable("A", "b c");
    assert_eq!(ran(env, b"").stdout, b"A=b c\n");
    let real = folder.path().canonicalize().unwrap();
    let here = ran(script(&folder, "pwd"), b"").stdout;
    assert_eq!(String::from_utf8(here).unwrap().trim(), real.to_str().unwrap());
}

#[test]
fn it_leads_a_group_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // The fifth word of the line is the group.
    let said = ran(script(&folder, "echo $$; cat /proc/$$/stat"), b"").stdout;
    let said = String::from_utf8(said).unwrap();
    let (number, line) = said.split_once('\n').unwrap();
    assert_eq!(line.split(' ').nth(4), Some(number), "{said}");
}

#[test]
fn what_it_says_too_much_is_dropped_and_does_not_block_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end > ended";
    let output = ran(script(&folder, text).output_bytes_max(1_000), b"");
    assert_eq!((output.exit_code, output.truncated), (0, true));
    assert_eq!((output.stdout.len(), output.stderr.len()), (1_000, 1_000));
    assert!(folder.path().join("ended").exists());
    let output = ran(script(&folder, "head -c 1000 /dev/zero").output_bytes_max(1_000), b"");
    assert_eq!((output.stdout.len(), output.truncated), (1_000, false));
}

#[test]
fn what_it_does_not_read_does_not_block_it_either() {
    let folder = tempfile::tempdir().unwrap();
    let much = vec![b'x'; 1 << 20];
    assert_eq!(ran(script(&folder, "exit 0"), &much).exit_code, 0);
    assert_eq!(ran(script(&folder, "exec 0<&-; echo x; exit 4"), &much).exit_code, 4);
    // Both at once: it writes while it is written to.
    let output = ran(script(&folder, "tee /dev/stderr"), &much);
    assert_eq!((output.stdout.len(), output.stderr.len()), (1 << 20, 1 << 20));
    let small = script(&folder, "cat").stdin_bytes_max(10).build().unwrap();
    let refused = small.run(&[], b"more than ten", &writing()).unwrap_err();
    let due = (CommandFailureKind::Limit, "command.stdin_too_large");
    assert_eq!((refused.kind(), refused.code()), due);
    assert_eq!(small.run(&[], b"ten, no mo", &writing()).unwrap().stdout, b"ten, no mo");
}

#[test]
fn its_secrets_stay_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |text: &str| script(&folder, text).secret("TOKEN", "hunter2/hunter2");
    let output =
        ran(secret("echo a $TOKEN b; echo $TOKEN | tr a-z A-Z >&2; echo $TOKEN > kept"), b"");
    assert_eq!(output.stdout, b"a [redacted] b\n");
    assert_eq!(output.stderr, b"[redacted]\n");
    let kept = std::fs::read_to_string(folder.path().join("kept")).unwrap();
    assert_eq!(kept, "hunter2/hunter2\n", "the command itself has it");
    // The limit cuts it in half, and half of it is half of a secret.
    let output = ran(secret("printf 'ab%s' $TOKEN").output_bytes_max(10), b"");
    assert_eq!((&*output.stdout, output.truncated), (&b"ab[redacte"[..], true));
    // A short secret makes a longer text, and what does not fit is said to be missing.
    let short = script(&folder, "printf 'a%s' $TOKEN").secret("TOKEN", "hunter22");
    let output = ran(short.output_bytes_max(9), b"");
    assert_eq!((&*output.stdout, output.truncated), (&b"a[redacte"[..], true));
    let template = secret("true").build().unwrap();
    assert!(!format!("{template:?}").contains("hunter2"));
    // A key of several lines, as a tool shows it in JSON and as another indents it.
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
    let text = "printf '%s' \"$KEY\" | sed 's/^/  /'; printf '%s' \"$KEY\" | awk '{printf \"%s\\\\n\", $0}'";
    let output = ran(script(&folder, text).secret("KEY", key), b"");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("[redacted]") && !said.contains("MIIE") && !said.contains("kqhk"),
        "{said}"
    );
}

#[test]
fn a_call_that_reads_runs_only_what_reads() {
    let folder = tempfile::tempdir().unwrap();
    let writer = script(&folder, "echo x > written").build().unwrap();
    let refused = writer.run(&[], b"", &reading()).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (CommandFailureKind::Denied, "command.read_only"));
    assert!(!folder.path().join("written").exists());
    let reader = script(&folder, "echo read").reads_only();
    let target = DeployTarget::builder().command("look", reader).build().unwrap();
    assert_eq!(target.run("look", &[], b"", &reading()).unwrap().stdout, b"read\n");
    assert_eq!(target.run("look", &[], b"", &writing()).unwrap().stdout, b"read\n");
    assert_eq!(target.command_names().collect::<Vec<_>>(), ["look"]);
}

#[test]
fn what_cannot_be_started_failed_and_nothing_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tool");
    std::fs::copy("/bin/true", &program).unwrap();
    let tool = CommandTemplate::builder(&program, folder.path()).build().unwrap();
    std::fs::remove_file(&program).unwrap();
    let refused = tool.run(&[], b"", &writing()).unwrap_err();
    let due = (CommandFailureKind::Invalid, "command.not_started");
    assert_eq!((refused.kind(), refused.code()), due);
    assert!(!refused.may_have_taken_effect());

    let text = script(&folder, "echo x > written").build().unwrap();
    let none = Exchange::writing(Duration::ZERO, &StopSignal::new());
    assert_eq!(text.run(&[], b"", &none).unwrap_err().kind(), CommandFailureKind::Timeout);
    let stop = StopSignal::new();
    stop.raise(placet_target::StopReason::LeaseLost);
    let refused = text.run(&[], b"", &Exchange::writing(crate::story::LONG, &stop)).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (CommandFailureKind::Cancelled, "lease_lost"));
    assert!(!folder.path().join("written").exists());
}

#[test]
fn a_template_that_is_not_right_is_not_built() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "text").unwrap();
    let link = folder.path().join("tool");
    std::os::unix::fs::symlink("/bin/sh", &link).unwrap();
    let env = || CommandTemplate::builder("/usr/bin/env", folder.path());
    let at = |program: &str| CommandTemplate::builder(program, folder.path());
    for (due, builder) in [
        ("program", at("env")),
        ("program", at("/usr/bin/no-such-program")),
        ("program", at(plain.to_str().unwrap())),
        ("program", at(folder.path().to_str().unwrap())),
        ("is a shell", at("/bin/sh")),
        ("is a shell", at(link.to_str().unwrap())),
        ("folder of a command", CommandTemplate::builder("/usr/bin/env", "tests")),
        ("folder of a command", CommandTemplate::builder("/usr/bin/env", "/no/such/folder")),
        ("zero byte", env().argument("a\0b")),
        ("name of a hole", env().hole("Not A Name", Hole::word(1))),
        ("name of a hole", env().hole("a", Hole::word(1)).prefixed("--b=", "a", Hole::word(1))),
        ("takes no text", env().hole("a", Hole::word(0))),
        ("takes no number", env().hole("a", Hole::integer(2, 1))),
        ("takes no word", env().hole("a", Hole::choice(Vec::<String>::new()))),
        ("folder of a hole", env().hole("a", Hole::path_below("/no/such/folder"))),
        ("cannot be set", env().variable("A=B", "c")),
        ("there twice", env().variable("A", "b").secret("A", "0123456789")),
        ("shorter than 8", env().secret("A", "short")),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains(due), "{due}: {error}");
        assert!(error.help().is_some());
    }
}
