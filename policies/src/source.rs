//! Policy texts, cut into single policies with their lines.
//!
//! Cedar itself names policies by their position and forgets their lines. Audit records and
//! explanations need both, so each policy is parsed by itself, from the place where it stands.

use placet_core::error::{Code, Error};

/// Longest text of one file, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Longest text of one policy, in bytes. Cedar's parser and validator recurse over long chains of
/// operators, and a host's thread may have little stack.
const POLICY_BYTES_MAX: usize = 8 << 10;
/// Deepest nesting of brackets, for the same reason.
const NESTING_MAX: usize = 32;

/// A named policy text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    /// File name and text.
    pub(crate) fn as_pair(&self) -> (&str, &str) {
        (&self.file, &self.text)
    }
}

/// One policy's part of a text, without what stands before its first token.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Piece<'_> {
    /// The line of the file that holds byte `offset` of this piece.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        let before = self.text.bytes().take(offset);
        self.line.saturating_add(before.filter(|byte| *byte == b'\n').count())
    }
}

/// Cuts `source` after each `;` that stands outside strings and comments.
pub(crate) fn pieces(source: &Source) -> Result<Vec<Piece<'_>>, Error> {
    let Source { file, text } = source;
    if text.len() > FILE_BYTES_MAX {
        return Err(Error::new(
            Code::TooLarge,
            format!("the policies in `{file}` are longer than {FILE_BYTES_MAX} bytes"),
        )
        .with_help("split them into several files"));
    }
    let mut scanner = Scanner { file, text, line: 1, start: None, nesting: 0, pieces: Vec::new() };
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => scanner.line = scanner.line.saturating_add(1),
            b' ' | b'\t' | b'\r' => {}
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                while bytes.next_if(|(_, next)| *next != b'\n').is_some() {}
            }
            b'"' => {
                scanner.begin(at);
                while let Some((_, inside)) = bytes.next() {
                    match inside {
                        b'"' => break,
                        b'\n' => scanner.line = scanner.line.saturating_add(1),
                        // A line break cannot be escaped, so this skips none.
                        b'\\' => drop(bytes.next_if(|(_, next)| *next != b'\n')),
                        _ => {}
                    }
                }
            }
            b';' => {
                scanner.begin(at);
                scanner.cut(at.saturating_add(1))?;
            }
            b'(' | b'[' | b'{' => {
                scanner.begin(at);
                scanner.open()?;
            }
            b')' | b']' | b'}' => {
                scanner.begin(at);
                scanner.nesting = scanner.nesting.saturating_sub(1);
            }
            _ => scanner.begin(at),
        }
    }
    scanner.cut(text.len())?;
    Ok(scanner.pieces)
}

struct Scanner<'a> {
    file: &'a str,
    text: &'a str,
    line: usize,
    start: Option<(usize, usize)>,
    nesting: usize,
    pieces: Vec<Piece<'a>>,
}

impl Scanner<'_> {
    fn begin(&mut self, at: usize) {
        self.start.get_or_insert((at, self.line));
    }

    fn open(&mut self) -> Result<(), Error> {
        self.nesting = self.nesting.saturating_add(1);
        if self.nesting <= NESTING_MAX {
            return Ok(());
        }
        let place = format!("{}:{}", self.file, self.line);
        Err(Error::new(
            Code::TooLarge,
            format!("the policy at `{place}` nests brackets more than {NESTING_MAX} deep"),
        )
        .with_help("split the condition over several `when` clauses")
        .with_detail("file", self.file)
        .with_detail("line", self.line))
    }

    fn cut(&mut self, end: usize) -> Result<(), Error> {
        self.nesting = 0;
        let Some((start, line)) = self.start.take() else { return Ok(()) };
        let Some(text) = self.text.get(start..end) else { return Ok(()) };
        if text.len() > POLICY_BYTES_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "the policy at `{}:{line}` is longer than {POLICY_BYTES_MAX} bytes",
                    self.file
                ),
            )
            .with_help("split it into several policies")
            .with_detail("file", self.file)
            .with_detail("line", line));
        }
        self.pieces.push(Piece { text, line });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, String)> {
        let source = Source { file: "a.cedar".to_owned(), text: text.to_owned() };
        let pieces = pieces(&source).unwrap();
        pieces.iter().map(|piece| (piece.line, piece.text.to_owned())).collect()
    }

    #[test]
    fn a_text_is_cut_after_semicolons_outside_strings_and_comments() {
        assert_eq!(
            cut("// a; b\n\n@id(\"x;\\\"y\")\n// c;\nforbid; permit;\n// end;\n"),
            [(3, "@id(\"x;\\\"y\")\n// c;\nforbid;".to_owned()), (5, "permit;".to_owned())]
        );
        assert_eq!(cut(" \n// nothing\n"), []);
        assert_eq!(cut("forbid\n\"open;"), [(1, "forbid\n\"open;".to_owned())]);
    }

    #[test]
    fn deep_nesting_and_long_texts_are_refused_with_their_place() {
        for text in ["\n".to_owned() + &"(".repeat(33), "\n".to_owned() + &"a".repeat(9_000)] {
            let source = Source { file: "a.cedar".to_owned(), text };
            let error = pieces(&source).unwrap_err();
            assert_eq!(error.code(), Code::TooLarge);
            assert!(error.to_string().contains("`a.cedar:2`"), "{error}");
        }
    }
}
