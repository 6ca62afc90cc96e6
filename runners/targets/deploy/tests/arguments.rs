//! What fills a hole.

use placet_target::testing::Chance;
use placet_target_deploy::{Characters, CommandFailureKind, CommandTemplate, Hole};

use crate::story::writing;

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn holes_take_what_they_are_for_and_nothing_else() {
    let digest = "0123456789abcdef".repeat(4);
    for (hole, good, bad) in [
        (
            Hole::word(5),
            vec!["a", "v1.2", "A_b-c", "a..b", ".x"],
            vec!["", "a b", "a/b", "abcdef", "é", "-a", "--x", "a\0", ".", "..", "..."],
        ),
        (
            Hole::text(9, Characters::Reference),
            vec!["a/b@c:d+e", "@scope/x", "v1..v2", "a/.x"],
            vec![
                "a b", "-a", "a;b", "$a", "a\nb", "..", "../x", "a/../b", "a/..", "./a", "/etc",
                "a:..", "a:../b",
            ],
        ),
        (
            Hole::text(9, Characters::Line),
            vec!["a b;$(c)", "é\"'", "@x"],
            vec![
                "a\nb",
                "a\tb",
                "a\u{1b}[2J",
                "a\u{202e}b",
                "a\u{200b}b",
                "-a b",
                "a\0b",
                "\u{feff}a",
            ],
        ),
        (
            Hole::integer(-5, 10),
            vec!["0", "10"],
            vec!["-5", "11", "+1", "01", "1.0", " 1", "", "1e1", "-0"],
        ),
        (Hole::choice(["dev", "-x"]), vec!["dev"], vec!["prod", "", "-x", "DEV", "dev "]),
        (Hole::digest(), vec![digest.as_str()], vec!["", "0a", &digest.replacen('0', "", 1), "x"]),
    ] {
        for value in good {
            assert!(hole.accepts(value), "{hole:?}: {value:?}");
        }
        for value in bad {
            assert!(!hole.accepts(value), "{hole:?}: {value:?}");
        }
    }
}

#[test]
fn a_path_stays_below_its_folder_wherever_links_lead() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
    std::fs::create_dir_all(inside.join("a")).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(inside.join("a/file"), "x").unwrap();
    std::fs::write(inside.join("-rf"), "x").unwrap();
    std::fs::write(outside.join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("way-out")).unwrap();
    std::os::unix::fs::symlink("a/file", inside.join("link")).unwrap();
    let show = CommandTemplate::builder("/usr/bin/env", folder.path())
        .argument("printf")
        .argument("%s")
        .hole("file", Hole::path_below(&inside))
        .build()
        .unwrap();
    let run = |path: &str| show.run(&pairs(&[("file", path)]), b"", &writing());
    let real = inside.canonicalize().unwrap();
    for (path, due) in [("a/file", "a/file"), ("link", "a/file"), ("a", "a"), ("-rf", "-rf")] {
        let output = run(path).unwrap();
        assert_eq!(output.stdout, real.join(due).to_str().unwrap().as_bytes(), "{path}");
    }
    for path in [
        "",
        ".",
        "..",
        "../outside/secret",
        "a/../../outside/secret",
        "way-out/secret",
        "way-out",
        "/etc/passwd",
        "a/../a/file",
        "no-such-file",
        "a/file\0",
        "a\nb",
    ] {
        let refused = run(path).unwrap_err();
        assert_eq!(refused.kind(), CommandFailureKind::Invalid, "{path:?}");
        // Nor is told what is there outside.
        assert!(!refused.message().contains("exist"), "{refused}");
    }
}

#[test]
fn a_value_behind_the_name_of_a_folder_stays_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let show = |hole: Hole| {
        let show = CommandTemplate::builder("/usr/bin/env", folder.path()).argument("printf");
        show.argument("%s").prefixed("/srv/releases/", "tag", hole).build().unwrap()
    };
    let word = show(Hole::word(64));
    let reference = show(Hole::text(64, Characters::Reference));
    for (show, tag) in [(&word, "1.2"), (&reference, "1.2/x")] {
        let output = show.run(&pairs(&[("tag", tag)]), b"", &writing()).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("/srv/releases/{tag}"));
    }
    for (show, tag) in [(&word, ".."), (&word, "."), (&reference, ".."), (&reference, "a/../../b")]
    {
        let refused = show.run(&pairs(&[("tag", tag)]), b"", &writing()).unwrap_err();
        assert_eq!(refused.code(), "command.argument", "{tag}");
    }
}

#[test]
fn each_hole_is_filled_once() {
    let folder = tempfile::tempdir().unwrap();
    let say = CommandTemplate::builder("/usr/bin/env", folder.path())
        .argument("printf")
        .argument("%s|")
        .prefixed("--tag=", "tag", Hole::word(9))
        .argument("--")
        .prefixed("", "count", Hole::integer(-9, 9))
        .build()
        .unwrap();
    let run = |given: &[(&str, &str)]| say.run(&pairs(given), b"", &writing());
    // With text before it, also an empty one that the host means, a value is no option.
    assert_eq!(run(&[("count", "-3"), ("tag", "-1.2")]).unwrap().stdout, b"--tag=-1.2|--|-3|");
    for given in [
        &[("tag", "a")][..],
        &[("tag", "a"), ("count", "1"), ("more", "x")],
        &[("tag", "a"), ("tag", "a"), ("count", "1")],
        &[],
    ] {
        let refused = run(given).unwrap_err();
        let due = (CommandFailureKind::Invalid, "command.arguments");
        assert_eq!((refused.kind(), refused.code()), due, "{given:?}");
    }
}

#[test]
fn whatever_is_in_a_hole_is_one_argument() {
    const PIECES: [&str; 18] = [
        "a", " ", "  ", "'", "\"", "`id`", "$(id)", "$HOME", ";", "|", "&", ">x", "*", "~", "\\",
        "é", "%s", "--x",
    ];
    let seed: u64 = std::env::var("PLACET_SEED").map_or(7, |seed| seed.parse().unwrap());
    println!("PLACET_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let say = CommandTemplate::builder("/usr/bin/env", folder.path())
        .argument("printf")
        .argument("%s\\0")
        .hole("bare", Hole::text(99, Characters::Line))
        .prefixed("--x=", "prefixed", Hole::text(99, Characters::Line))
        .build()
        .unwrap();
    let mut chance = Chance::new(seed);
    for _ in 0..40 {
        let mut text = || {
            let count = chance.below(6) + 1;
            (0..count).filter_map(|_| chance.one_of(&PIECES)).copied().collect::<String>()
        };
        let (bare, prefixed) = (text(), text());
        let ran = say.run(&pairs(&[("bare", &bare), ("prefixed", &prefixed)]), b"", &writing());
        if bare.starts_with('-') {
            assert_eq!(ran.unwrap_err().code(), "command.argument", "PLACET_SEED={seed}: {bare:?}");
            continue;
        }
        let due = format!("{bare}\0--x={prefixed}\0");
        assert_eq!(String::from_utf8(ran.unwrap().stdout).unwrap(), due, "PLACET_SEED={seed}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no shell made a file");
}
