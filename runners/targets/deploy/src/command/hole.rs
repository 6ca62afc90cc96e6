//! What a plugin may fill into a command.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use placet_core::error::{Code, Error};

/// Which characters a text may be of.
///
/// ```
/// use placet_target_deploy::{Characters, Hole};
///
/// assert!(Hole::text(20, Characters::Word).accepts("v1.2-rc_1"));
/// assert!(!Hole::text(20, Characters::Word).accepts("feature/x"));
/// assert!(Hole::text(20, Characters::Reference).accepts("feature/x"));
/// assert!(!Hole::text(20, Characters::Line).accepts("two\nlines"));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Characters {
    /// `A` to `Z`, `a` to `z`, `0` to `9`, `.`, `_` and `-`, and not only dots.
    Word,
    /// Those, and `/`, `@`, `:` and `+`: branches, images, packages. It does not begin with `/`, and no part of it is only
    /// dots: behind the name of a folder it stays below that.
    Reference,
    /// Everything that prints on one line, spaces too. No control characters, and none that change the order of
    /// reading or show nothing.
    Line,
}

impl Characters {
    fn has(self, letter: char) -> bool {
        let is_word = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        match self {
            Self::Word => is_word,
            Self::Reference => is_word || "/@:+".contains(letter),
            Self::Line => {
                let is_unseen = matches!(letter,
                    '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
                !letter.is_control() && !is_unseen
            }
        }
    }
}

/// Whether a text goes nowhere else as a part of a path: host programs put it behind the names of folders.
fn stays(text: &str) -> bool {
    let is_dots = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'.');
    !text.starts_with('/') && !text.split(['/', '@', ':', '+']).any(is_dots)
}

/// A place in a command that a plugin fills, and what may stand there.
///
/// ```
/// use placet_target_deploy::Hole;
///
/// assert!(Hole::integer(1, 10).accepts("7") && !Hole::integer(1, 10).accepts("07"));
/// assert!(Hole::choice(["dev", "prod"]).accepts("prod"));
/// assert!(Hole::digest().accepts(&"0a".repeat(32)));
/// // What begins with `-` would be an option of the program, and no value.
/// assert!(!Hole::word(64).accepts("--force"));
/// ```
#[derive(Clone, Debug)]
pub struct Hole(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Text { chars_max: usize, characters: Characters },
    Integer { least: i64, most: i64 },
    Choice(BTreeSet<String>),
    Digest,
    Path { folder: PathBuf },
}

impl Hole {
    /// A text of 1 to `chars_max` characters.
    pub fn text(chars_max: usize, characters: Characters) -> Self {
        Self(Kind::Text { chars_max, characters })
    }

    /// A text of [`Characters::Word`].
    pub fn word(chars_max: usize) -> Self {
        Self::text(chars_max, Characters::Word)
    }

    /// A number from `least` to `most`, both included, in decimal digits without zeros before them.
    pub fn integer(least: i64, most: i64) -> Self {
        Self(Kind::Integer { least, most })
    }

    /// One of these words.
    pub fn choice(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Kind::Choice(words.into_iter().map(Into::into).collect()))
    }

    /// A SHA-256 digest: 64 lower-case hexadecimal digits.
    pub fn digest() -> Self {
        Self(Kind::Digest)
    }

    /// A file or folder that is below this folder, wherever links lead. The plugin gives what stands behind the
    /// folder, and the command gets the whole path, without links.
    pub fn path_below(folder: impl Into<PathBuf>) -> Self {
        Self(Kind::Path { folder: folder.into() })
    }

    /// Whether this value may stand in a position of its own.
    pub fn accepts(&self, value: &str) -> bool {
        self.fill(value, None).is_ok()
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        let wrong = |sentence: &str, help: &str| {
            Err(Error::new(Code::InvalidInput, sentence).with_help(help))
        };
        match &mut self.0 {
            Kind::Text { chars_max: 0, .. } => wrong("a hole takes no text", "let it take more"),
            Kind::Integer { least, most } if *least > *most => {
                wrong("a hole takes no number", "give the lower bound first")
            }
            Kind::Choice(words)
                if words.is_empty() || words.iter().any(|word| word.contains('\0')) =>
            {
                wrong("a hole takes no word", "name at least one, without zero bytes")
            }
            Kind::Path { folder } => match folder.canonicalize() {
                Ok(real) if folder.is_absolute() && real.is_dir() && real.to_str().is_some() => {
                    *folder = real;
                    Ok(())
                }
                _ => {
                    wrong("the folder of a hole is not there", "give the absolute path of a folder")
                }
            },
            Kind::Text { .. } | Kind::Integer { .. } | Kind::Choice(_) | Kind::Digest => Ok(()),
        }
    }

    /// The whole argument, with the literal text before it.
    pub(super) fn fill(&self, value: &str, before: Option<&str>) -> Result<String, &'static str> {
        if value.contains('\0') {
            return Err("has a zero byte");
        }
        let value = self.judged(value)?;
        match before {
            Some(before) => Ok(format!("{before}{value}")),
            None if value.starts_with('-') => Err("begins with `-`"),
            None => Ok(value),
        }
    }

    fn judged(&self, value: &str) -> Result<String, &'static str> {
        let fits = match &self.0 {
            Kind::Text { chars_max, characters } => {
                let length = value.chars().count();
                (1..=*chars_max).contains(&length)
                    && value.chars().all(|letter| characters.has(letter))
                    && (*characters == Characters::Line || stays(value))
            }
            Kind::Integer { least, most } => {
                let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
                number.is_some_and(|number| (*least..=*most).contains(&number))
            }
            Kind::Choice(words) => words.contains(value),
            Kind::Digest => {
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                value.len() == 64 && value.bytes().all(is_digit)
            }
            Kind::Path { folder } => return below(folder, value),
        };
        if fits { Ok(value.to_owned()) } else { Err("does not fit its hole") }
    }
}

/// The real path of what is at `value` below `folder`. Whether it is there is only told where it is below.
fn below(folder: &Path, value: &str) -> Result<String, &'static str> {
    const OUTSIDE: &str = "is not a path below its folder";
    let path = Path::new(value);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if value.is_empty() || value.len() > 4_096 || !is_plain || value.chars().any(char::is_control) {
        return Err(OUTSIDE);
    }
    let real = folder.join(path).canonicalize().map_err(|_cause| OUTSIDE)?;
    let text = real.to_str().ok_or(OUTSIDE)?;
    if real.starts_with(folder) && real != folder { Ok(text.to_owned()) } else { Err(OUTSIDE) }
}
