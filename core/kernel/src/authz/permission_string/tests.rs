//! What a permission's text says, and which texts are none.

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> (Code, String) {
    let error = text.parse::<PermissionString>().expect_err(text);
    assert!(error.help().is_some(), "{text}");
    (error.code(), error.to_string())
}

#[test]
fn what_is_no_permission_is_refused_with_the_part_that_is_wrong() {
    for (text, sentence) in [
        ("", "`` has 1 part; a permission has 4"),
        ("project:*", "`project:*` has 2 parts; a permission has 4"),
        ("platform:audit", "`platform:audit` has 2 parts; a permission has 4"),
        ("shop:a:b:c:d", "`shop:a:b:c:d` has 5 parts; a permission has 4"),
        (":a:b:c", "the context of a permission is empty"),
        ("shop::b:c", "the module of a permission is empty"),
        ("shop:a:b:", "the action of a permission is empty"),
        ("*:a:b:c", "the context of `*:a:b:c` cannot be `*`"),
        ("shop:Pagos:b:c", "the module of a permission cannot be `Pagos`"),
        ("shop:a:b :c", "the environment of a permission cannot be `b `"),
        ("shop:a:**:c", "the environment of a permission cannot be `**`"),
        ("shop:a:b:-c", "the action of a permission cannot be `-c`"),
        ("señal:a:b:c", "the context of a permission cannot be `señal`"),
    ] {
        assert_eq!(refused(text), (Code::InvalidInput, sentence.to_owned()));
    }
}

#[test]
fn all_of_the_platform_has_a_short_form() {
    let all: PermissionString = "platform:*".parse().unwrap();
    assert_eq!(all.to_string(), "platform:*:*:*");
    assert_eq!(all, PermissionString::of_global_role(GlobalRole::PlatformAdmin)[0]);
}

#[test]
fn a_part_has_63_bytes_and_not_one_more() {
    let (fits, long) = ("a".repeat(63), "a".repeat(64));
    let all = [fits.as_str(); 4].join(":");
    assert_eq!(all.parse::<PermissionString>().unwrap().to_string(), all);
    for text in [format!("{long}:*:*:*"), format!("shop:*:*:{long}"), format!("{all}a")] {
        assert_eq!(refused(&text).0, Code::TooLarge, "{text}");
    }
}

fn code() -> impl Strategy<Value = String> {
    // Few words, so that parts are often the same, and any code at all.
    prop_oneof![
        3 => prop::sample::select(vec!["a", "b", "dev", "read"]).prop_map(str::to_owned),
        1 => "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    ]
}

fn made() -> impl Strategy<Value = PermissionString> {
    let context = prop_oneof![
        Just(PermissionContext::Platform),
        Just(PermissionContext::AnyProject),
        code()
            .prop_map(|code| code.parse().unwrap())
            .prop_filter("a context", |code| check_is_no_context(code).is_ok())
            .prop_map(PermissionContext::Project),
    ];
    let part = || prop::option::of(code());
    (context, part(), part(), part()).prop_map(|(context, module, environment, action)| {
        PermissionString {
            context,
            module: module.map(|code| code.parse().unwrap()),
            environment: environment.map(|code| code.parse().unwrap()),
            action: action.map(|code| code.parse().unwrap()),
        }
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(permission in made()) {
        let text = permission.to_string();
        prop_assert_eq!(&text.parse::<PermissionString>().unwrap(), &permission);
        let json = serde_json::to_string(&permission).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<PermissionString>(&json).unwrap(), permission);
    }

    #[test]
    fn what_is_read_is_printed_the_same(
        text in "(platform|project|[a-z*:-]{0,4}|.{0,2}):(\\*|[a-zA-Z-]{0,3}):(\\*|[a-z-]{0,3}):(\\*|[a-z: -]{0,3})"
    ) {
        if let Ok(permission) = text.parse::<PermissionString>() {
            let text = if text == "platform:*" { "platform:*:*:*".to_owned() } else { text };
            prop_assert_eq!(permission.to_string(), text);
        }
    }

    /// Covering is an order: of itself, of what is covered by what it covers, and both ways only when equal.
    #[test]
    fn covering_is_an_order(a in made(), b in made(), c in made()) {
        prop_assert!(a.covers(&a));
        prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        prop_assert!(!(a.covers(&b) && b.covers(&a)) || a == b);
    }

    /// Leaving one more part open never permits less.
    #[test]
    fn an_open_part_permits_more(narrow in made(), other in made(), part in 0..4_u8) {
        let mut wide = narrow.clone();
        match part {
            0 => wide.module = None,
            1 => wide.environment = None,
            2 => wide.action = None,
            _ => {
                if matches!(wide.context, PermissionContext::Project(_)) {
                    wide.context = PermissionContext::AnyProject;
                }
            }
        }
        prop_assert!(wide.covers(&narrow));
        prop_assert!(!narrow.covers(&other) || wide.covers(&other));
    }
}
