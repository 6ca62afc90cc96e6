//! What a host expects of its organisation and policies, as a table of text.

use super::action::Action;
use super::permission_string::check_is_no_context;
use crate::error::{Code, Error};
use crate::org::{Email, Slug};

/// The longest table, in bytes.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

const HEAD: [&str; 4] = ["who", "action", "where", "expected"];

/// One line of a table: somebody may, or may not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Story {
    /// The line, from 1.
    pub(crate) line: usize,
    pub(crate) who: Email,
    pub(crate) action: Action,
    pub(crate) place: StoryPlace,
    /// The place as it was written.
    pub(crate) place_text: String,
    pub(crate) expected: bool,
}

/// A place by its codes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StoryPlace {
    Platform,
    Project { project: Slug, module: Option<Slug>, environment: Option<Slug> },
}

/// Reads a table `who | action | where | expected`. Fails with the line that is wrong.
pub(crate) fn parse_stories(text: &str) -> Result<Vec<Story>, Error> {
    if text.len() > TEXT_BYTES_MAX {
        let bytes = text.len();
        let sentence = format!("stories have {TEXT_BYTES_MAX} bytes at most, not {bytes}");
        return Err(Error::new(Code::TooLarge, sentence).with_help("check them in parts"));
    }
    // Some editors begin a file with this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut stories = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        let written = without_comment(written).trim();
        let cells: Vec<&str> = written.split('|').map(str::trim).collect();
        if written.is_empty() || cells == HEAD {
            continue;
        }
        let [who, action, place, expected] = cells.as_slice() else {
            let count = cells.len();
            let noun = if count == 1 { "column" } else { "columns" };
            let source = Error::new(Code::InvalidInput, format!("{count} {noun} instead of 4"))
                .with_help("write `who | action | where | expected`");
            return Err(at_line(line, source));
        };
        let wrong = |source: Error| at_line(line, source);
        stories.push(Story {
            line,
            who: who.parse().map_err(wrong)?,
            action: action.parse().map_err(wrong)?,
            place: parse_place(place).map_err(wrong)?,
            place_text: (*place).to_owned(),
            expected: parse_expected(expected).map_err(wrong)?,
        });
    }
    Ok(stories)
}

/// The same error, which says the line.
pub(crate) fn at_line(line: usize, source: Error) -> Error {
    let error = Error::new(source.code(), format!("line {line}: {source}"));
    let help = source.help().unwrap_or("correct that line").to_owned();
    error.with_help(help).with_detail("line", line).with_source(source)
}

/// What stands before a `#` that begins a word: inside of one it may belong to an address.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        if letter == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or(line);
        }
        before = letter;
    }
    line
}

fn parse_expected(text: &str) -> Result<bool, Error> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => {
            let shown = crate::letters::shown(text);
            Err(Error::new(Code::InvalidInput, format!("`{shown}` is not an expected answer"))
                .with_help("write `yes` or `no`"))
        }
    }
}

fn parse_place(text: &str) -> Result<StoryPlace, Error> {
    if text == "platform" {
        return Ok(StoryPlace::Platform);
    }
    let open = |code: Option<&&str>| match code {
        None | Some(&("-" | "*")) => Ok(None),
        Some(code) => code.parse().map(Some),
    };
    let parts: Vec<&str> = text.split('/').collect();
    let (Some(project), true) = (parts.first(), parts.len() <= 3) else {
        let shown = crate::letters::shown(text);
        return Err(Error::new(Code::InvalidInput, format!("`{shown}` is not a place"))
            .with_help("write `platform`, or `project/module/environment` with `-` for none"));
    };
    let project: Slug = project.parse()?;
    check_is_no_context(&project)?;
    let (module, environment) = (open(parts.get(1))?, open(parts.get(2))?);
    Ok(StoryPlace::Project { project, module, environment })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_comments_and_its_head() {
        let text = "\u{feff}# Who may what.\r\n\
            who | action | where | expected\r\n\
            \r\n  ana#1@example.org|request | shop/pagos/prod |yes # she asks\n\
            bo@example.org | read | shop/-/prod | no\n\
            bo@example.org | manage | shop | no\n\
            bo@example.org | audit | platform | no";
        let stories = parse_stories(text).unwrap();
        let lines: Vec<_> = stories.iter().map(|story| (story.line, story.expected)).collect();
        assert_eq!(lines, [(4, true), (5, false), (6, false), (7, false)]);
        assert_eq!(stories[0].who.as_str(), "ana#1@example.org");
        let place = |module: Option<&str>, environment: Option<&str>| StoryPlace::Project {
            project: "shop".parse().unwrap(),
            module: module.map(|code| code.parse().unwrap()),
            environment: environment.map(|code| code.parse().unwrap()),
        };
        assert_eq!(stories[0].place, place(Some("pagos"), Some("prod")));
        assert_eq!(stories[1].place, place(None, Some("prod")));
        assert_eq!(stories[2].place, place(None, None));
        assert_eq!(stories[3].place, StoryPlace::Platform);
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        for (line, sentence) in [
            ("ana@example.org", "line 2: 1 column instead of 4"),
            ("a@b | read | shop | yes | no", "line 2: 5 columns instead of 4"),
            ("ana | read | shop | yes", "line 2: `ana` is not an e-mail address"),
            ("a@b | Read | shop | yes", "line 2: `Read` is not an action"),
            ("a@b | read | shop/a/b/c | yes", "line 2: `shop/a/b/c` is not a place"),
            ("a@b | read |  | yes", "line 2: `` is not a code"),
            ("a@b | read | shop//dev | yes", "line 2: `` is not a code"),
            (
                "a@b | read | project/-/dev | yes",
                "line 2: `project` cannot be the code of a project",
            ),
            ("a@b | read | platform/a | yes", "line 2: `platform` cannot be the code of a project"),
            ("a@b | read | shop | Yes", "line 2: `Yes` is not an expected answer"),
            ("a@b | read | shop | # yes", "line 2: `` is not an expected answer"),
        ] {
            let error = parse_stories(&format!("# a table\n{line}")).expect_err(line);
            assert_eq!((error.code(), error.to_string().as_str()), (Code::InvalidInput, sentence));
            assert_eq!(error.details()["line"], "2");
            assert!(error.help().is_some());
        }
        let long = "#".repeat(TEXT_BYTES_MAX + 1);
        assert_eq!(parse_stories(&long).unwrap_err().code(), Code::TooLarge);
    }
}
