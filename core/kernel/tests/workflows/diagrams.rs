//! Pictures of workflows.

use expect_test::expect;
use placet_core::workflow::{Definition, Transition};

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

/// A rectangle: left, top, right, bottom.
type Area = (i64, i64, i64, i64);

const fn overlap(one: Area, other: Area) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

/// The number of an attribute of a tag.
fn number(tag: &str, name: &str) -> i64 {
    let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

fn tags<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
    svg.split('<').filter(|tag| tag.starts_with(name)).collect()
}

fn boxes(svg: &str) -> Vec<Area> {
    let area = |tag: &&str| {
        let (x, y) = (number(tag, "x"), number(tag, "y"));
        (x, y, x + number(tag, "width"), y + number(tag, "height"))
    };
    tags(svg, "rect ").iter().map(area).collect()
}

/// Where words can be at most: capital letters of 10 px are at most 7 px wide on average, and of 12 px 9.
fn words(svg: &str) -> Vec<Area> {
    let area = |tag: &&str| {
        let (x, y) = (number(tag, "x"), number(tag, "y"));
        let is_small = tag.contains("class=\"c\"");
        let text = tag.split_once('>').unwrap().1.replace("&lt;", "<").replace("&gt;", ">");
        let letters = i64::try_from(text.chars().count()).unwrap();
        let (wide, high) = if is_small { (letters * 7, 10) } else { (letters * 9, 12) };
        let left = match tag.split("text-anchor=\"").nth(1).unwrap().split('"').next().unwrap() {
            "start" => x,
            "middle" => x - wide / 2,
            "end" => x - wide,
            other => panic!("{other}"),
        };
        (left, y - high, left + wide, y)
    };
    tags(svg, "text ").iter().map(area).collect()
}

/// The straight pieces of each arrow: out of a box, along its lane, and into a box.
fn pieces(svg: &str) -> Vec<[Area; 3]> {
    let arrow = |tag: &&str| {
        let way = tag.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let parts = way.split(|it: char| it.is_ascii_uppercase() || it == ' ');
        let at: Vec<i64> = parts.filter_map(|it| it.parse().ok()).collect();
        let [x1, y1, _, lane, ..] = at[..] else { panic!("{way}") };
        let [.., y2, x2] = at[..] else { panic!("{way}") };
        let line =
            |x1: i64, y1: i64, x2: i64, y2: i64| (x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2));
        [line(x1, y1, lane, y1), line(lane, y1, lane, y2), line(lane, y2, x2, y2)]
    };
    tags(svg, "path class=\"way\"").iter().map(arrow).collect()
}

/// What is ugly in a picture: whatever lies over something else, and arrows that end nowhere.
fn faults(svg: &str) -> Vec<String> {
    let (boxes, words, arrows) = (boxes(svg), words(svg), pieces(svg));
    let (mut found, mut all) = (Vec::new(), Vec::new());
    all.extend(boxes.iter().map(|area| ("box", *area)));
    // Words in boxes are looked at by themselves.
    let (outside, inside): (Vec<Area>, Vec<Area>) =
        words.iter().partition(|word| !boxes.iter().any(|area| overlap(**word, *area)));
    all.extend(outside.iter().map(|area| ("words", *area)));
    for (number, (what, one)) in all.iter().enumerate() {
        for (other_what, other) in &all[number + 1..] {
            if overlap(*one, *other) {
                found.push(format!("{what} {one:?} lies over {other_what} {other:?}"));
            }
        }
    }
    for word in inside {
        let fits = |area: &&Area| {
            area.0 <= word.0 && area.1 <= word.1 && word.2 <= area.2 && word.3 <= area.3
        };
        if !boxes.iter().any(|area| fits(&area)) {
            found.push(format!("words {word:?} are partly in a box"));
        }
    }
    for (number, arrow) in arrows.iter().enumerate() {
        for piece in arrow {
            // A line is as thin as nothing: it is in something where it goes through its inner part.
            let through = (piece.0, piece.1, piece.2.max(piece.0 + 1), piece.3.max(piece.1 + 1));
            let crosses = all.iter().filter(|(_, area)| overlap(through, *area));
            found.extend(
                crosses.map(|(what, area)| format!("arrow {piece:?} through {what} {area:?}")),
            );
            for other in arrows[number + 1..].iter().flatten() {
                let is_along = (piece.0 == piece.2) == (other.0 == other.2);
                let (wide, high) = (
                    piece.2.min(other.2) - piece.0.max(other.0),
                    piece.3.min(other.3) - piece.1.max(other.1),
                );
                if is_along && wide >= 0 && high >= 0 {
                    found.push(format!("arrow {piece:?} along {other:?}"));
                }
            }
        }
        for (piece, ends) in [(arrow[0], "begins"), (arrow[2], "ends")] {
            let is_at = |area: &&Area| {
                (piece.0 == area.2 || piece.2 == area.0) && area.1 < piece.1 && piece.1 < area.3
            };
            if boxes.iter().filter(is_at).count() != 1 {
                found.push(format!("an arrow {ends} nowhere: {piece:?}"));
            }
        }
    }
    let size = (number_of_view(svg, 2), number_of_view(svg, 3));
    let drawn = boxes.iter().chain(&words).chain(arrows.iter().flatten());
    let is_out = |area: &&Area| area.0 < 0 || area.1 < 0 || area.2 > size.0 || area.3 > size.1;
    found.extend(drawn.filter(is_out).map(|area| format!("{area:?} is outside of {size:?}")));
    found
}

fn number_of_view(svg: &str, at: usize) -> i64 {
    let view = svg.split("viewBox=\"").nth(1).unwrap().split('"').next().unwrap();
    view.split(' ').nth(at).unwrap().parse().unwrap()
}

#[test]
fn nothing_lies_over_anything_else_whatever_the_workflow_is() {
    for definition in [Definition::change(), Definition::artifact()] {
        let svg = definition.to_svg();
        assert_eq!(boxes(&svg).len(), definition.states.len());
        assert!(pieces(&svg).len() >= 12, "{svg}");
        assert_eq!(faults(&svg), Vec::<String>::new(), "{}", definition.name);
        // In any order of the states, and with a way between any two of them.
        for turn in 1..definition.states.len() {
            let mut turned = definition.clone();
            turned.states.rotate_left(turn);
            assert_eq!(faults(&turned.to_svg()), Vec::<String>::new(), "turned by {turn}");
        }
        let mut full = definition.clone();
        let way = full.transitions[0].clone();
        let codes: Vec<_> = full.states.iter().map(|state| state.code.clone()).collect();
        for (from, to) in codes.iter().flat_map(|from| codes.iter().map(move |to| (from, to))) {
            full.transitions.push(Transition { from: from.clone(), to: to.clone(), ..way.clone() });
        }
        assert_eq!(faults(&full.to_svg()), Vec::<String>::new(), "all ways");
    }
}

#[test]
fn a_picture_in_which_something_is_moved_is_seen() {
    let svg = Definition::artifact().to_svg();
    let first = boxes(&svg)[0];
    for (what, from, to) in [
        ("a box", format!("y=\"{}\" width", boxes(&svg)[1].1), format!("y=\"{}\" width", first.1)),
        ("a word", "text-anchor=\"start\"".to_owned(), "text-anchor=\"end\"".to_owned()),
        ("a label", ">Draft<".to_owned(), format!(">{}<", "Draft".repeat(20))),
        ("a tip", format!("H{}\" marker", first.2), format!("H{}\" marker", first.2 + 20)),
        ("a lane", format!("M{} ", first.2), format!("M{} ", first.0)),
        ("the size", "viewBox=\"0 0 ".to_owned(), "viewBox=\"0 0 9 9 ".to_owned()),
    ] {
        assert!(svg.contains(&from), "{what}: {from}");
        assert_ne!(faults(&svg.replace(&from, &to)), Vec::<String>::new(), "{what} was moved");
    }
}
