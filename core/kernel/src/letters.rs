//! Letters that mislead whoever reads them.

/// Whether a letter makes a line look like something else than it is: control characters, and those that turn
/// the direction of what follows (Unicode TR 9 §2.1 to §2.4; CVE-2021-42574 shows what they do to a review).
pub(crate) fn misleads(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The beginning of what somebody wrote, for the sentence that refuses it: 80 letters, and a mark in the place of each
/// that misleads. A refusal is shown on the screen, in which it would do what it was refused for.
pub(crate) fn shown(text: &str) -> String {
    let mark = |letter| if misleads(letter) { char::REPLACEMENT_CHARACTER } else { letter };
    text.chars().take(80).map(mark).collect()
}
