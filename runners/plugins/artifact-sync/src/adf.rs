//! Texts in the Atlassian Document Format.
//!
//! <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Value, json};

/// A text as a document: paragraphs between blank lines, `# ` to `### ` for headings, `- ` for lists. `None`: there is
/// nothing in it.
pub(crate) fn document(text: &str) -> Option<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut open = Open::default();
    for line in text.lines().map(str::trim_end) {
        let heading = heading(line);
        if line.trim().is_empty() {
            open.close(&mut blocks);
        } else if let Some((level, words)) = heading {
            open.close(&mut blocks);
            blocks.push(
                json!({"type": "heading", "attrs": {"level": level}, "content": [words_of(words)]}),
            );
        } else if let Some(item) =
            line.trim_start().strip_prefix("- ").filter(|item| !item.trim().is_empty())
        {
            if !open.lines.is_empty() {
                open.close(&mut blocks);
            }
            open.items.push(clean(item.trim()));
        } else {
            if !open.items.is_empty() {
                open.close(&mut blocks);
            }
            open.lines.push(clean(line));
        }
    }
    open.close(&mut blocks);
    (!blocks.is_empty()).then(|| json!({"type": "doc", "version": 1, "content": blocks}))
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let starts = [(1, "# "), (2, "## "), (3, "### ")];
    let found =
        starts.into_iter().find_map(|(level, start)| Some((level, line.strip_prefix(start)?)));
    found.filter(|(_, words)| !words.trim().is_empty())
}

/// What is being collected.
#[derive(Default)]
struct Open {
    lines: Vec<String>,
    items: Vec<String>,
}

impl Open {
    fn close(&mut self, blocks: &mut Vec<Value>) {
        let items = core::mem::take(&mut self.items);
        if !items.is_empty() {
            let item = |item: &String| json!({"type": "listItem", "content": [paragraph(core::slice::from_ref(item))]});
            let items: Vec<Value> = items.iter().map(item).collect();
            blocks.push(json!({"type": "bulletList", "content": items}));
        }
        let lines = core::mem::take(&mut self.lines);
        if !lines.is_empty() {
            blocks.push(paragraph(&lines));
        }
    }
}

fn paragraph(lines: &[String]) -> Value {
    let mut content: Vec<Value> = Vec::new();
    for line in lines {
        if !content.is_empty() {
            content.push(json!({"type": "hardBreak"}));
        }
        content.push(words_of(line));
    }
    json!({"type": "paragraph", "content": content})
}

fn words_of(words: &str) -> Value {
    json!({"type": "text", "text": clean(words)})
}

fn clean(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::document;
    use serde_json::json;

    #[test]
    fn a_text_becomes_blocks() {
        let text = "# Title\nfirst\nsecond\n\n- a\n- b\nafter\n-not a list\n#";
        let words = |text| json!({"type": "text", "text": text});
        let paragraph = |content| json!({"type": "paragraph", "content": content});
        let item = |text| json!({"type": "listItem", "content": [paragraph(json!([words(text)]))]});
        let hard_break = json!({"type": "hardBreak"});
        assert_eq!(
            document(text).unwrap()["content"],
            json!([
                {"type": "heading", "attrs": {"level": 1}, "content": [words("Title")]},
                paragraph(json!([words("first"), hard_break, words("second")])),
                {"type": "bulletList", "content": [item("a"), item("b")]},
                paragraph(json!([words("after"), hard_break, words("-not a list"), hard_break, words("#")])),
            ])
        );
        assert!(document("").is_none() && document(" \n\n").is_none());
    }

    #[test]
    fn no_text_node_is_empty() {
        for text in ["#  ", "- ", "-  \n# ", "\u{0}", "\t- x"] {
            let written = document(text).unwrap_or_default().to_string();
            assert!(!written.contains(r#""text":"""#), "{text:?}: {written}");
        }
    }
}
