//! Pictures of workflows.

use expect_test::expect;
use placet_core::workflow::Definition;

#[test]
fn the_workflow_artifact_as_a_diagram() {
    expect![[r#"
        stateDiagram-v2
            [*] --> DRAFT
            state "Draft" as DRAFT
            state "In review" as PENDING_REVIEW
            state "Approved" as APPROVED
            state "Changes requested" as CHANGES_REQUESTED
            state "Rejected" as REJECTED
            state "Synced" as SYNCED
            state "Deleted" as DELETED
            DRAFT --> PENDING_REVIEW: SUBMIT (ADMIN, EDITOR)
            DRAFT --> DELETED: DELETE (ADMIN, EDITOR)
            PENDING_REVIEW --> APPROVED: APPROVE (ADMIN, REVIEWER)
            PENDING_REVIEW --> CHANGES_REQUESTED: REQUEST_CHANGES (ADMIN, REVIEWER)
            PENDING_REVIEW --> REJECTED: REJECT (ADMIN, REVIEWER)
            PENDING_REVIEW --> DRAFT: CANCEL_REVIEW (ADMIN, EDITOR)
            CHANGES_REQUESTED --> PENDING_REVIEW: RESUBMIT (ADMIN, EDITOR)
            CHANGES_REQUESTED --> DRAFT: EDIT (ADMIN, EDITOR)
            APPROVED --> SYNCED: SYNC (ADMIN, EDITOR)
            APPROVED --> DRAFT: REVERT (ADMIN)
            REJECTED --> DRAFT: RESTORE (ADMIN)
            SYNCED --> DRAFT: NEW_VERSION (ADMIN, EDITOR)
            REJECTED --> [*]
            SYNCED --> [*]
            DELETED --> [*]
    "#]]
    .assert_eq(&Definition::artifact().to_mermaid());
}

#[test]
fn no_label_breaks_out_of_a_picture() {
    let mut definition = Definition::change();
    definition.states[0].label =
        "a\"; <script>alert(1)</script> & #{x}: \u{5d0}🙂".parse().unwrap();
    definition.transitions[0].roles.insert("--> <b onclick='x'>".parse().unwrap());
    let (mermaid, svg) = (definition.to_mermaid(), definition.to_svg());
    assert!(!mermaid.contains("<script") && !mermaid.contains("\"; "), "{mermaid}");
    assert!(
        !svg.contains("<script") && !svg.contains("<b ") && svg.contains("&lt;script&gt;"),
        "{svg}"
    );
    // Each tag that opens is one of ours, and the picture is one piece of well-formed text.
    let ours = ["svg", "title", "style", "defs", "marker", "path", "rect", "text"];
    let tags = svg.split('<').skip(1).map(|tag| tag.trim_start_matches('/'));
    let names = tags.map(|tag| tag.split([' ', '>']).next().unwrap());
    for name in names {
        assert!(ours.contains(&name), "{name}");
    }
    for name in ["svg", "title", "style", "defs", "marker", "text"] {
        let (open, close) = (format!("<{name}"), format!("</{name}>"));
        assert_eq!(svg.matches(&open).count(), svg.matches(&close).count(), "{name}");
    }
}

#[test]
fn every_state_has_a_place_of_its_own() {
    for definition in [Definition::change(), Definition::artifact()] {
        let svg = definition.to_svg();
        let boxes: Vec<&str> = svg.lines().filter(|line| line.starts_with("<rect ")).collect();
        let places: std::collections::BTreeSet<&str> = boxes
            .iter()
            .map(|line| line.split_once(" x=").unwrap().1.split(" width").next().unwrap())
            .collect();
        assert_eq!((boxes.len(), places.len()), (definition.states.len(), definition.states.len()));
        // Whatever is drawn is within the picture.
        let size: Vec<u32> =
            svg.split('"').nth(3).unwrap().split(' ').map(|it| it.parse().unwrap()).collect();
        for place in places {
            let numbers: Vec<u32> = place.split('"').filter_map(|it| it.parse().ok()).collect();
            assert!(
                numbers[0] + 210 <= size[2] && numbers[1] + 46 <= size[3],
                "{place} in {size:?}"
            );
        }
    }
}
