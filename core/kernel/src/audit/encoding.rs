//! Base64 and decimal as the C2SP documents write them: one text for one value, anything else is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::error::{Code, Error};

/// The largest tree size or index. Other implementations keep them in a signed 64-bit integer.
pub(super) const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// Standard base64 with padding (RFC 4648, section 4).
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64. A second spelling of the same bytes is refused.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads one SHA-256 hash in base64.
pub(super) fn digest_from_base64(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = from_base64(text)?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// Reads an ASCII decimal without sign and without leading zeroes.
pub(super) fn from_decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits || leading_zero {
        return None;
    }
    text.parse().ok().filter(|number| *number <= NUMBER_MAX)
}

/// The start of `text`, short enough for a sentence.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// What a faulty text is answered with.
pub(super) fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::InvalidInput, sentence)
}

/// What a faulty text is answered with, and on which of its lines. They are counted from 1.
pub(super) fn malformed_at(line: usize, sentence: impl Into<String>) -> Error {
    malformed(sentence).with_detail("line", line)
}

/// The line on which `text` ends.
pub(super) fn last_line(text: &str) -> usize {
    text.split('\n').count()
}

/// The error of a part that begins after `before` lines: its line is that of the whole.
pub(super) fn moved_down(error: Error, before: usize) -> Error {
    let line = error.details().get("line").and_then(|line| line.parse::<usize>().ok());
    match line {
        Some(line) => error.with_detail("line", line.saturating_add(before)),
        None => error,
    }
}

/// Where an error says that something is, said again by one about the file that it is in.
pub(super) fn in_file(error: Error, cause: &Error) -> Error {
    let places = ["line", "column", "byte"].into_iter();
    let said = places.filter_map(|name| Some((name, cause.details().get(name)?)));
    said.fold(error, |error, (name, place)| error.with_detail(name, place))
}

/// The text of a file. Otherwise the error names the first byte, counted from 0, that is not UTF-8.
pub(super) fn text_of<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, Error> {
    core::str::from_utf8(bytes).map_err(|source| {
        malformed(format!("{what} is not UTF-8"))
            .with_detail("byte", source.valid_up_to())
            .with_source(source)
    })
}

/// What a failed check is answered with.
pub(super) fn tampered(sentence: impl Into<String>) -> Error {
    Error::new(Code::LogTampered, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(from_decimal("0"), Some(0));
        assert_eq!(from_decimal("20852163"), Some(20_852_163));
        assert_eq!(from_decimal("9223372036854775807"), Some(NUMBER_MAX));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "٣", "9223372036854775808"] {
            assert_eq!(from_decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(from_base64("/w=="), Some(vec![255]));
        for wrong in ["/w", "/w=", "/x==", "_w==", "/w==\n", " /w=="] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }
}
