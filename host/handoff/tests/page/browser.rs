//! In a real browser, headless: what it makes of the page, whether it finds its policy broken, and that there is something to see.

use pg_logstats_handoff::html;
use pg_logstats_test_browser::elements::{multiset, read};
use pg_logstats_test_browser::{Browser, breaks_policy};

use crate::packets::{bare, rich, with_outside};

#[test]
fn hostile_texts_make_no_element_in_a_browser_and_the_policy_holds() {
    let browser = Browser::start();
    let ours = multiset(&read(&html(&with_outside("x"))));
    for (i, text) in [
        "</script><img src=x onerror=\"document.title='owned'\"><svg onload=alert(1)>",
        "\"><script>document.body.remove()</script><style>*{display:none}</style>",
        "</title></style></pre></code></svg></details><iframe srcdoc='x'></iframe><!--",
    ]
    .into_iter()
    .enumerate()
    {
        let url = browser.write(&format!("{i}.html"), &html(&with_outside(text)));
        let (dom, log) = browser.run(&["--dump-dom"], &url);
        assert_eq!(multiset(&read(dom.trim_end())), ours, "{text}");
        assert!(!breaks_policy(&log), "{log}");
    }
    // That the browser would have said so: the same page with an attribute that the policy forbids.
    let broken = html(&rich()).replacen("<main>", "<main style=\"color:red\">", 1);
    let (_, log) = browser.run(&["--dump-dom"], &browser.write("broken.html", &broken));
    assert!(breaks_policy(&log), "a broken policy is not logged: {log}");
}

#[test]
fn there_is_something_to_see_on_a_telephone_and_on_a_screen_in_light_and_in_dark() {
    let browser = Browser::start();
    let empty = browser.write("empty.html", "<!doctype html><title>empty</title>");
    let blanks = [500, 1280].map(|width| browser.shot("empty.png", (width, 1600), false, &empty));
    for (name, packet) in [("rich", rich()), ("bare", bare())] {
        let page = browser.write(&format!("{name}.html"), &html(&packet));
        // A window is never narrower than 500 pixels; a frame is.
        let frame = format!(
            "<!doctype html><body style=\"margin:0\"><iframe src=\"{name}.html\" style=\"border:0;width:360px;height:1600px\"></iframe>"
        );
        let frame = browser.write(&format!("{name}-narrow.html"), &frame);
        for (url, width, size, blank) in [
            (&frame, 360, (500, 1600), &blanks[0]),
            (&page, 1280, (1280, 1600), &blanks[1]),
        ] {
            let [light, dark] =
                [false, true].map(|dark| browser.shot(&format!("{name}-{width}-{dark}.png"), size, dark, url));
            for picture in [&light, &dark] {
                assert_eq!(picture.width, size.0);
                assert!(
                    picture.bytes.len() > 5 * blank.bytes.len(),
                    "{name} at {width}: {} bytes, an empty page {}",
                    picture.bytes.len(),
                    blank.bytes.len()
                );
            }
            assert!(light != dark, "{name} at {width}: light and dark look alike");
        }
    }
}

#[test]
fn the_proofs_are_there_when_the_page_is_printed_although_they_are_folded_on_a_screen() {
    let browser = Browser::start();
    let pages = |name: &str, proof: &str| {
        let mut packet = rich();
        packet
            .records
            .iter_mut()
            .for_each(|record| proof.clone_into(&mut record.proof));
        let file = browser.folder().join(format!("{name}.pdf"));
        let url = browser.write(&format!("{name}.html"), &html(&packet));
        browser.run(&[&format!("--print-to-pdf={}", file.display())], &url);
        let printed = std::fs::read(file).unwrap();
        // One object of this type for each page; `/Type /Pages` is their tree.
        let all = printed.windows(11).filter(|window| window == b"/Type /Page").count();
        let trees = printed.windows(12).filter(|window| window == b"/Type /Pages").count();
        all - trees
    };
    let (short, long) = (
        pages("short", "a proof"),
        pages("long", &"a line of a proof\n".repeat(120)),
    );
    // Each of these proofs takes more than a page.
    assert!(
        short > 0 && long >= short + rich().records.len(),
        "{short} pages, and {long} with long proofs"
    );
}
