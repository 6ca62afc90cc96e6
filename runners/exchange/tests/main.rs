//! A call has one text, and a text is one call.
#![expect(clippy::tests_outside_test_module, reason = "this whole file is a test")]

use placet_exchange::{CommandCall, Exchange, HttpCall, RUN};
use proptest::collection::vec;
use proptest::prelude::*;

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((any::<String>(), any::<String>()), 0..4)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes),
        Just(RUN.into())
    ]
}

fn calls() -> impl Strategy<Value = Exchange> {
    let words = (any::<String>(), any::<String>(), any::<String>());
    prop_oneof![
        (words, pairs(), bytes()).prop_map(
            |((endpoint, method, path_and_query), headers, body)| {
                Exchange::Http(HttpCall { endpoint, method, path_and_query, headers, body })
            }
        ),
        (any::<String>(), pairs(), bytes()).prop_map(|(name, arguments, stdin)| {
            Exchange::Command(CommandCall { name, arguments, stdin })
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(call in calls()) {
        prop_assert_eq!(Exchange::parse(&call.to_text()).unwrap(), call);
    }

    #[test]
    fn two_calls_never_share_a_text(one in calls(), other in calls()) {
        prop_assert_eq!(one == other, one.to_text() == other.to_text());
    }

    /// Whatever is changed in a text: it is refused, or is another call.
    #[test]
    fn a_changed_text_is_never_the_same_call(call in calls(), at in any::<prop::sample::Index>(), letter in any::<char>()) {
        let text = call.to_text();
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        if let Some(place) = letters.get_mut(at) {
            *place = letter;
        }
        let changed: String = letters.into_iter().collect();
        if changed != text && let Ok(read) = Exchange::parse(&changed) {
            prop_assert_ne!(read, call);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        prop_assert!(Exchange::parse(&text).is_err());
    }
}

#[test]
fn what_only_means_the_same_is_refused() {
    let good = r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin":""}}"#;
    assert!(Exchange::parse(good).is_ok());
    for other in [
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin":"" }}"#,
        r#"{"command":{"name":"x","arguments":[["a","b"]],"stdin":""}}"#,
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin":"","more":1}}"#,
        r#"{"command":{"arguments":[["a","b"]],"name":"y","name":"x","stdin":""}}"#,
        r#"{"command":{"arguments":[["a","\u0062"]],"name":"x","stdin":""}}"#,
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin_hex":"61"}}"#,
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin_hex":"FF"}}"#,
        r#"{"command":{"arguments":[["a","b","c"]],"name":"x","stdin":""}}"#,
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin":""}} "#,
        r#"{"command":{"arguments":[["a","b"]],"name":"x","stdin":""},"http":{}}"#,
    ] {
        assert!(Exchange::parse(other).is_err(), "{other}");
    }
}

#[test]
fn the_run_is_named_wherever_a_value_may_differ() {
    let pair = || vec![(RUN.to_owned(), format!("a{RUN}b"))];
    let planned = Exchange::Http(HttpCall {
        endpoint: RUN.into(),
        method: RUN.into(),
        path_and_query: format!("/x?run={RUN}"),
        headers: pair(),
        body: [&[0xff], RUN.as_bytes(), RUN.as_bytes()].concat(),
    });
    let Exchange::Http(sent) = planned.filled("run_1").unwrap() else {
        panic!("it stays a request")
    };
    assert_eq!((sent.endpoint.as_str(), sent.method.as_str()), (RUN, RUN));
    assert_eq!(sent.path_and_query, "/x?run=run_1");
    assert_eq!(sent.headers, [(RUN.to_owned(), "arun_1b".to_owned())]);
    assert_eq!(sent.body, b"\xffrun_1run_1");
    for bad in ["", "-x", "a b", "a\"", "a/b", "ä", &"x".repeat(129)] {
        assert!(planned.filled(bad).is_err(), "{bad}");
    }
}
