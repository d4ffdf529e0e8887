//! Texts that would be markup: whatever they say, the page and the Markdown have the elements that they have with harmless texts.

use std::collections::BTreeMap;

use pg_logstats_handoff::{Packet, html, markdown};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::packets::{with_host, with_outside};
use pg_logstats_test_browser::elements::{multiset, read};

const HOSTILE: [&str; 22] = [
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></style></code></pre></q><b>",
    "<!--",
    "]]>",
    "--><script>",
    "&lt;script&gt;&#60;b&#62;",
    "`` ` ``` ```` ` x",
    "x\n```\n# heading\n<b>html</b>\n````````\n[a](javascript:alert(1))",
    "~~~\n![x](http://evil.example/p.png)\n~~~",
    "[x](javascript:alert(1)) <http://evil.example> www.evil.example https://evil.example",
    "| a | b |\n|---|---|\n| c | d |",
    "1. one\n2) two\n- three\n+ four\n* five\n> six\n---\n===",
    "*a* _b_ **c** ~~d~~ $e$ $$f$$ [^1] <div> \\",
    "\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}",
    "\0\u{1}\u{7f}\u{85}\u{2028}\u{2029}x",
    "`",
    "\\`",
    "a`",
    "```",
    "    indented",
];

/// How often each kind of element occurs in the Markdown, as GitHub reads it.
fn kinds(text: &str) -> BTreeMap<String, usize> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    let mut out = BTreeMap::new();
    for event in Parser::new_ext(text, options) {
        let kind = match event {
            Event::Text(_) | Event::SoftBreak | Event::End(_) => continue,
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)
            | Event::Html(_)
            | Event::InlineHtml(_) => {
                panic!("a link, an image or HTML: {event:?}")
            }
            Event::Start(tag) => format!("{tag:?}"),
            Event::Code(_) => "code".to_owned(),
            other => format!("{other:?}"),
        };
        *out.entry(kind).or_insert(0) += 1;
    }
    out
}

#[track_caller]
fn same(hostile: &Packet, harmless: &Packet, text: &str) {
    assert_eq!(
        multiset(&read(&html(hostile))),
        multiset(&read(&html(harmless))),
        "{text:?}"
    );
    assert_eq!(kinds(&markdown(hostile)), kinds(&markdown(harmless)), "{text:?}");
    for page in [html(hostile), markdown(hostile)] {
        let bad = |c: char| {
            (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}'
        };
        assert!(!page.contains(bad), "{text:?} comes out as it is");
    }
}

#[test]
fn texts_from_outside_stay_texts() {
    for text in HOSTILE {
        same(&with_outside(text), &with_outside("x"), text);
    }
}

#[test]
fn so_do_texts_of_the_host() {
    for text in HOSTILE {
        same(&with_host(text), &with_host("x"), text);
    }
}

#[test]
fn a_text_of_a_megabyte_is_cut_and_said_to_be() {
    let long = |pattern: &str| pattern.repeat(1_000_000 / pattern.chars().count());
    let harmless = with_outside(&"x".repeat(1_000_000));
    for pattern in ["<b>`", "\"'><i>&", "```\n", "é\u{202e}"] {
        let packet = with_outside(&long(pattern));
        same(&packet, &harmless, pattern);
        assert!(html(&packet).len() < 3_000_000);
        assert!(html(&packet).contains("more characters. Do not run it as it stands."));
    }
}

#[test]
fn what_was_written_can_be_read_again() {
    let page = html(&with_outside("a<b>&\"c\"'`"));
    assert!(page.contains("a&lt;b&gt;&amp;&quot;c&quot;&#39;&#96;"));
    assert!(markdown(&with_outside("a``b`")).contains("``` a``b` ```"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_gets_out(pieces in prop::collection::vec(
        prop_oneof![
            prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
            "\\PC{0,6}",
            "[`<>\"'&|\\[\\]()*_~#!\\\\ \n\r\t$:=+-]{1,8}",
        ],
        1..6,
    )) {
        let text = format!("x{}", pieces.concat());
        same(&with_outside(&text), &with_outside("x"), &text);
        same(&with_host(&text), &with_host("x"), &text);
    }
}
