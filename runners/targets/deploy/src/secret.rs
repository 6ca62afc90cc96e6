//! Values that nobody sees: not in a log, and not in an answer that repeats them.

use core::fmt;

use placet_core::error::{Code, Error};

use crate::spelling::Spelled;

/// What stands where a secret stood.
const MASK: &[u8] = b"[redacted]";

/// The shortest secret. A shorter one would be found in texts that have nothing to do with it.
const SECRET_BYTES_MIN: usize = 8;

/// A value that does not print.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is long enough to be recognised where it is repeated.
    pub(crate) fn check(&self) -> Result<(), Error> {
        // Without the space around it, as it is learned.
        if self.0.trim().len() < SECRET_BYTES_MIN {
            return Err(Error::new(Code::InvalidInput, "a secret is shorter than 8 bytes")
                .with_help(
                    "use a longer one: a short one cannot be told from other text in an answer",
                ));
        }
        Ok(())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Finds secrets in what a server or a command said.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    // A server may answer a header in other letters, and any text in another form.
    needles: Vec<Spelled>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.needles.len())
    }
}

impl Redactor {
    /// Knows `secret` from here on: as a whole, each of its lines, and in Base64.
    pub(crate) fn learn(&mut self, secret: &str) {
        // A key of several lines is shown indented, or one line at a time.
        for part in core::iter::once(secret).chain(secret.lines()) {
            self.add(part.trim());
        }
        // The last letters depend on what follows, such as a line break.
        let whole = secret.trim().as_bytes().chunks_exact(3).flatten().copied();
        self.add(&base64(&whole.collect::<Vec<u8>>()));
    }

    fn add(&mut self, text: &str) {
        let needle = Spelled::of(text);
        if text.len() >= SECRET_BYTES_MIN && !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }

    /// `bytes` without any secret. `is_cut` says that more followed: the end may then be the beginning of a secret.
    pub(crate) fn redact(&self, bytes: &[u8], is_cut: bool) -> Vec<u8> {
        let lower = bytes.to_ascii_lowercase();
        let mut is_secret = vec![false; bytes.len()];
        for needle in &self.needles {
            mark(&lower, needle, is_cut, &mut is_secret);
        }
        let mut clean = Vec::with_capacity(bytes.len());
        let mut was_secret = false;
        for (byte, hidden) in bytes.iter().zip(is_secret) {
            if !hidden {
                clean.push(*byte);
            } else if !was_secret {
                clean.extend_from_slice(MASK);
            }
            was_secret = hidden;
        }
        clean
    }

    /// Whether a secret is in it.
    pub(crate) fn finds_in(&self, bytes: &[u8]) -> bool {
        let mut is_secret = vec![false; bytes.len()];
        let lower = bytes.to_ascii_lowercase();
        self.needles.iter().for_each(|needle| mark(&lower, needle, false, &mut is_secret));
        is_secret.contains(&true)
    }
}

fn mark(lower: &[u8], needle: &Spelled, is_cut: bool, is_secret: &mut [bool]) {
    for at in 0..lower.len() {
        let Some(rest) = lower.get(at..) else { continue };
        if let Some(length) = needle.begins(rest, is_cut) {
            is_secret.iter_mut().skip(at).take(length).for_each(|hidden| *hidden = true);
        }
    }
}

/// As a URL and a form write it.
pub(crate) fn in_url(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let piece = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(piece).collect()
}

/// Base64 (RFC 4648), for the one header that needs it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| {
        let at = usize::try_from(bits & 0x3f).unwrap_or_default();
        LETTERS.get(at).copied().map_or('=', char::from)
    };
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| three.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.push(letter(bits >> 18));
        text.push(letter(bits >> 12));
        text.push(if three.len() > 1 { letter(bits >> 6) } else { '=' });
        text.push(if three.len() > 2 { letter(bits) } else { '=' });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowing(secret: &str) -> Redactor {
        let mut redactor = Redactor::default();
        redactor.learn(secret);
        redactor
    }

    fn text(redactor: &Redactor, said: &str) -> String {
        String::from_utf8(redactor.redact(said.as_bytes(), false)).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let redactor = knowing("hunter2/\"+%x");
        for said in [
            "a hunter2/\"+%x b",
            "a HUNTER2/\"+%X b",
            "a hunter2/\\\"+%x b",
            "a hunter2\\/\\\"+%x b",
            "a hunter2%2F%22%2B%25x b",
            "a hunter2%2f%22%2b%25x b",
        ] {
            assert_eq!(text(&redactor, said), "a [redacted] b", "{said}");
            assert!(redactor.finds_in(said.as_bytes()));
        }
        assert_eq!(text(&redactor, "a hunter2 b"), "a hunter2 b");
    }

    #[test]
    fn a_secret_is_found_however_its_letters_are_written() {
        let redactor = knowing("p&q<\"r' s+t/\\ü\u{1f511}");
        for said in [
            r#"p&q<"r' s+t/\ü🔑"#,
            r"p\u0026q\u003c\u0022r\u0027 s\u002bt\/\\\u00fc\ud83d\udd11",
            "p&amp;q&lt;&quot;r&#39; s+t/\\&#252;&#x1F511;",
            "p&amp;q&lt;&#34;r&apos; s&#43;t&#x2f;&#92;ü🔑",
            "p&amp;q&lt;&quot;r&#039; s&#043;t&#047;&#092;ü🔑",
            "p%26q%3C%22r'+s%2Bt%2F%5C%C3%BC%F0%9F%94%91",
            "p%26q%3c%22r%27%20s%2bt/%5c%c3%bc%f0%9f%94%91",
            r#"p\&q\<\"r\' s+t/\\ü🔑"#,
        ] {
            assert_eq!(text(&redactor, &format!("a {said} b")), "a [redacted] b", "{said}");
        }
        for cut in [r#"p&q<"r"#, r"p\u0026q\u00", "p&amp;q&l", "p%26q%3", "p"] {
            let cut_off = redactor.redact(format!("a {cut}").as_bytes(), true);
            assert_eq!(cut_off, b"a [redacted]", "{cut}");
        }
        for other in ["p&amp;r", "p%26q%3d", r"p\u0026r", "q&amp;p"] {
            assert_eq!(text(&redactor, other), other);
        }
    }

    #[test]
    fn a_secret_that_is_taken_is_one_that_is_found() {
        for secret in ["1234567", " 1234567", "1234567\n", "\t 1234567 \r\n", "        ", ""] {
            assert!(Secret::new(secret).check().is_err(), "{secret:?}");
        }
        for secret in ["12345678", " 12345678\n"] {
            assert!(Secret::new(secret).check().is_ok(), "{secret:?}");
            assert_eq!(text(&knowing(secret), "a 12345678 b"), "a [redacted] b");
        }
    }

    #[test]
    fn a_secret_of_several_lines_is_found_whole_and_in_parts() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
        let redactor = knowing(key);
        for said in [
            key.to_owned(),
            key.replace('\n', "\\n"),
            key.replace('\n', "\r\n"),
            key.replace('\n', "\n    "),
            key.replace('\n', " "),
            "line 2: MIIEvQIBADANBg".to_owned(),
            base64(key.as_bytes()),
        ] {
            let shown = text(&redactor, &format!("a {said} b"));
            assert!(shown.contains("[redacted]"), "{said}");
            for part in ["MIIE", "kqhk", &base64(&key.as_bytes()[..9])] {
                assert!(!shown.contains(part), "{said}: {shown}");
            }
        }
    }

    #[test]
    fn overlapping_and_cut_secrets_leave_nothing() {
        let redactor = knowing("abcabcabc");
        assert_eq!(text(&redactor, "-abcabcabcabc-"), "-[redacted]-");
        assert_eq!(redactor.redact(b"x abcab", true), b"x [redacted]");
        assert_eq!(redactor.redact(b"x abcab", false), b"x abcab");
        assert_eq!(redactor.redact(b"x abd", true), b"x abd");
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
