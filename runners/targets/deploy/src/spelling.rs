//! How a text may be written in another: as it is, or as JSON, HTML, a URL, a form or a shell writes its letters.

/// Entities of HTML by their names.
const ENTITIES: [(char, &str); 5] =
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];

/// Letters that JSON writes with a letter of its own.
const ESCAPES: [(char, &str); 5] =
    [('\n', "\\n"), ('\r', "\\r"), ('\t', "\\t"), ('\u{8}', "\\b"), ('\u{c}', "\\f")];

/// A text in lower case, with all ways to write each of its letters.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Spelled {
    letters: Vec<Ways>,
    /// Which bytes it may begin with. Most places of a text are no beginning.
    starts: [bool; 256],
}

impl Spelled {
    pub(crate) fn of(text: &str) -> Self {
        let letters: Vec<Ways> = text.to_ascii_lowercase().chars().map(Ways::of).collect();
        let mut starts = [false; 256];
        let first = letters.first().into_iter().flat_map(|ways| &ways.0);
        for byte in first.filter_map(|way| way.first()) {
            if let Some(start) = starts.get_mut(usize::from(*byte)) {
                *start = true;
            }
        }
        Self { letters, starts }
    }

    /// How many bytes this is at the beginning of `text`, which is in lower case. `is_cut`: more followed, so that an end
    /// within it is one too.
    pub(crate) fn begins(&self, text: &[u8], is_cut: bool) -> Option<usize> {
        let first = text.first()?;
        self.starts.get(usize::from(*first)).filter(|is_start| **is_start)?;
        let mut end = 0_usize;
        for (at, ways) in self.letters.iter().enumerate() {
            let rest = text.get(end..).unwrap_or_default();
            if is_cut && ways.are_cut_by(rest) {
                return Some(text.len());
            }
            let mut lengths = ways.in_front_of(rest);
            let length = lengths.next()?;
            if lengths.next().is_some() {
                return goes_on(self.letters.get(at..).unwrap_or_default(), end, text, is_cut);
            }
            end = end.saturating_add(length);
        }
        Some(end)
    }
}

/// The same from `end` on, for these letters: a backslash may be a letter or begin one, and all ways are gone at once.
fn goes_on(letters: &[Ways], end: usize, text: &[u8], is_cut: bool) -> Option<usize> {
    let mut ends = vec![end];
    for ways in letters {
        let mut next = Vec::new();
        for end in ends {
            let rest = text.get(end..).unwrap_or_default();
            if is_cut && ways.are_cut_by(rest) {
                return Some(text.len());
            }
            next.extend(ways.in_front_of(rest).map(|length| end.saturating_add(length)));
        }
        next.sort_unstable();
        next.dedup();
        ends = next;
    }
    ends.last().copied()
}

/// All ways to write a letter.
#[derive(Clone, Eq, PartialEq)]
struct Ways(Vec<Vec<u8>>);

impl Ways {
    fn of(letter: char) -> Self {
        let mut buffer = [0; 4];
        let plain = letter.encode_utf8(&mut buffer);
        let mut units = [0; 2];
        let units = letter.encode_utf16(&mut units).iter();
        let number = u32::from(letter);
        let percent = |byte: u8| format!("%{byte:02x}");
        let unicode = |unit: &u16| format!("\\u{unit:04x}");
        let mut ways = vec![
            plain.to_owned(),
            plain.bytes().map(percent).collect(),
            units.map(unicode).collect(),
            format!("&#{number};"),
            // PHP writes an apostrophe so.
            format!("&#{number:03};"),
            format!("&#x{number:x};"),
            format!("&#x{number:02x};"),
        ];
        let named = |known: &[(char, &str)]| {
            known.iter().find(|(known, _)| *known == letter).map(|(_, way)| (*way).to_owned())
        };
        ways.extend(named(&ENTITIES));
        ways.extend(named(&ESCAPES));
        if letter == ' ' {
            ways.push("+".to_owned());
        }
        if !letter.is_alphanumeric() && !letter.is_control() {
            ways.push(format!("\\{letter}"));
        }
        ways.sort_unstable();
        ways.dedup();
        Self(ways.into_iter().map(String::into_bytes).collect())
    }

    /// How long those are that `rest` begins with.
    fn in_front_of(&self, rest: &[u8]) -> impl Iterator<Item = usize> {
        self.0.iter().filter(move |way| rest.starts_with(way)).map(Vec::len)
    }

    /// Whether one of them goes on where `rest` ends.
    fn are_cut_by(&self, rest: &[u8]) -> bool {
        self.0.iter().any(|way| way.len() > rest.len() && way.starts_with(rest))
    }
}
