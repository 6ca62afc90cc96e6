//! Text in a page: nothing that is told can become a part of the page, or turn around what is around it.

use core::fmt::Write as _;

use crate::letters::misleads;

/// `text` as it stands in a page, in an attribute or between tags. Letters that control a screen or turn the direction of
/// what follows are written out.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(letter),
            letter if misleads(letter) => safe.extend(letter.escape_unicode()),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A page that is written from top to bottom. Every text goes through [`escaped`].
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// One element with a text in it. `tag` is ours, and may have attributes.
    pub(super) fn element(&mut self, tag: &'static str, text: &str) -> &mut Self {
        let name = tag.split(' ').next().unwrap_or(tag);
        // Writing into a string cannot fail.
        let _infallible = writeln!(self.0, "<{tag}>{}</{name}>", escaped(text));
        self
    }

    /// A table of names and values.
    pub(super) fn facts(&mut self, facts: &[(&'static str, String)]) -> &mut Self {
        self.raw("<table class=\"facts\">\n");
        for (name, value) in facts {
            self.raw("<tr>").element("th scope=\"row\"", name).element("td", value).raw("</tr>\n");
        }
        self.raw("</table>\n")
    }

    /// A table with a head.
    pub(super) fn table<const N: usize>(
        &mut self,
        head: [&'static str; N],
        rows: &[[String; N]],
    ) -> &mut Self {
        self.raw("<table>\n<thead><tr>");
        for name in head {
            self.element("th scope=\"col\"", name);
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for value in row {
                self.element("td", value);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody></table>\n")
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out() {
        let mut page = Page::default();
        let hostile = "</td><script>alert('x')</script>\" onload=\"y\u{202e}\u{0}";
        page.element("td", hostile).facts(&[("a", hostile.to_owned())]);
        page.table(["b"], &[[hostile.to_owned()]]);
        let text = page.into_text();
        assert!(!text.contains("<script") && !text.contains("alert('"), "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\0') && text.contains("\\u{202e}"));
        assert_eq!(text.matches("&lt;script&gt;").count(), 3);
        // Between tags of ours there is no quote left that could end an attribute.
        let between = text.split('>').filter_map(|part| part.split('<').next());
        assert!(between.into_iter().all(|part| !part.contains('"')), "{text}");
    }
}
