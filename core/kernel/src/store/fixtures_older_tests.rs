//! Records of an older form, which no fixture has any more.

use super::fixtures_tests::kept;
use crate::digest::Digest;
use crate::error::Code;
use crate::request::{Request, Revision};
use crate::runner::Lock;

/// Plans were written before steps told their impact and findings whether a person is needed, and before a request noted
/// either. Such records are read, as the worst that they may have meant, and what they say is planned again.
#[test]
fn plans_of_an_older_form_are_read_as_the_worst() {
    let kept = kept();
    let body = |kind: &str, name: &str| {
        let bodies = kept[kind].iter().map(|fixture| fixture.json()["body"].take());
        let mut found = bodies.filter(|body| body[name].to_string().contains("pending"));
        found.next().unwrap()
    };
    let (mut request, mut revision) = (body("request", "header"), body("revision", "title"));
    let note = request["header"]["plan"].as_object_mut().unwrap();
    for name in ["settings_digest", "needs_person"] {
        assert!(note.remove(name).is_some(), "{name}");
    }
    assert!(revision["plan"]["steps"][0].as_object_mut().unwrap().remove("impact").is_some());
    assert!(revision["plan"].as_object_mut().unwrap().remove("basis").is_some());
    let found = r#"{"level":"info","code":"a.b","message":"so","step":null}"#;
    revision["plan"]["findings"] = serde_json::from_str(&format!("[{found}]")).unwrap();

    let header = serde_json::from_value::<Request>(request).unwrap().header;
    let revision = serde_json::from_value::<Revision>(revision).unwrap();
    let note = header.plan.unwrap();
    assert!(note.needs_person && header.needs_person());
    assert_eq!(note.settings_digest, Digest::of(b"{}"));
    let plan = revision.plan.as_ref().unwrap();
    assert!(plan.needs_person() && plan.basis.is_none());
    let impact = &plan.steps[0].impact;
    assert!(impact.lock == Lock::Exclusive && impact.rewrites && impact.objects.is_empty());
    // What was approved by then is not taken for this.
    let error = revision.check_digests(&header).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
}
