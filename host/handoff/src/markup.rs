//! A writer of HTML and SVG that escapes: every text and every attribute's value goes through it, and what was opened is closed.

use crate::text;

/// Attributes: names are ours, values anybody's.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Elements behind which a line does not end: within a text, a newline would be a space.
const IN_LINE: [&str; 9] = ["a", "code", "span", "strong", "q", "abbr", "time", "em", "tspan"];

/// Markup that is being written.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    out: String,
}

impl Markup {
    /// An element; what is in it is written by `inner`.
    pub(crate) fn el(&mut self, tag: &'static str, attributes: Attributes<'_>, inner: impl FnOnce(&mut Self)) {
        self.start(tag, attributes);
        inner(self);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
        if !IN_LINE.contains(&tag) {
            self.out.push('\n');
        }
    }

    /// An element that has nothing in it. SVG's and HTML's void elements can both be written so.
    pub(crate) fn void(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        // `<tag …>` becomes `<tag …/>`.
        self.out.pop();
        self.out.push_str("/>\n");
    }

    /// An element with a text.
    pub(crate) fn line(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.el(tag, attributes, |m| m.text(text));
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&text::visible(text), &mut self.out);
    }

    /// Text of this program that is no markup and must not be escaped: the document type, the style.
    pub(crate) fn verbatim(&mut self, text: &'static str) {
        self.out.push_str(text);
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&text::visible(value), &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let mut m = Markup::default();
        m.el("p", &[("title", "\"><script>'`")], |m| {
            m.text("</p><b>&amp;\u{202e}");
            m.void("br", &[]);
        });
        assert_eq!(
            m.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;&#39;&#96;\">&lt;/p&gt;&lt;b&gt;&amp;amp;\\u{202e}<br/>\n</p>\n"
        );
    }
}
