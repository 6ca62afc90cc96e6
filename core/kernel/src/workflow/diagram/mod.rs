//! Pictures of a workflow: Mermaid for texts, SVG for pages.

mod layout;
mod mermaid;
mod svg;

use super::code::StateCode;
use super::definition::{Definition, Transition};

/// What stands at an arrow: the action, who may take it, and what it takes besides.
fn caption(way: &Transition) -> String {
    let roles: Vec<&str> = way.roles.iter().map(crate::org::Name::as_str).collect();
    if roles.is_empty() {
        way.action.to_string()
    } else {
        format!("{} ({})", way.action, roles.join(", "))
    }
}

/// The arrows of a workflow, by the places of their states in its list; those of one pair and action once. An edit is
/// an arrow too, where it leads elsewhere.
fn arrows(definition: &Definition) -> Vec<(usize, usize, String)> {
    let place = |code: &StateCode| definition.states.iter().position(|state| state.code == *code);
    let mut arrows = Vec::new();
    for way in &definition.transitions {
        if let (Some(from), Some(to)) = (place(&way.from), place(&way.to)) {
            let arrow = (from, to, caption(way));
            if !arrows.contains(&arrow) {
                arrows.push(arrow);
            }
        }
    }
    for (from, state) in definition.states.iter().enumerate() {
        let to = state.edit_to.as_ref().and_then(place);
        arrows.extend(to.filter(|to| *to != from).map(|to| (from, to, "edit".to_owned())));
    }
    arrows
}
