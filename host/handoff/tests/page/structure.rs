//! What holds of every page: its policy, its links, its headings, its drawings and its colours.

use std::collections::BTreeSet;

use base64::Engine as _;
use pg_logstats_handoff::{LockNode, Mark, Packet, PlanNode, html, markdown};
use sha2::{Digest as _, Sha256};

use crate::packets;
use pg_logstats_test_browser::elements::{self, Element};

/// The packets that every rule is held against: full, empty, too long, and with figures at their ends.
fn all() -> Vec<(&'static str, Packet)> {
    let mut long = packets::rich();
    let repeated = |n: usize| std::iter::repeat_n((), n);
    long.findings = repeated(300).flat_map(|()| long.findings.clone()).collect();
    long.insights = repeated(300).flat_map(|()| long.insights.clone()).collect();
    long.steps = repeated(300).flat_map(|()| long.steps.clone()).collect();
    long.next = repeated(300).flat_map(|()| long.next.clone()).collect();
    long.marks = repeated(300).flat_map(|()| long.marks.clone()).collect();
    long.latencies = repeated(30).flat_map(|()| long.latencies.clone()).collect();
    let session: LockNode = long.lock_tree[1].clone();
    long.lock_tree = (0..5_000_usize)
        .map(|i| LockNode {
            parent: i.checked_sub(1),
            ..session.clone()
        })
        .collect();
    let node: PlanNode = long.plan[3].clone();
    long.plan = (0..5_000_usize)
        .map(|i| PlanNode {
            parent: i.checked_sub(1),
            insights: vec![i],
            ..node.clone()
        })
        .collect();

    let mut odd = packets::rich();
    odd.window = None;
    odd.alert = None;
    odd.records.clear();
    let mark: Mark = odd.marks[0].clone();
    odd.marks = [(0, 0), (5, 1), (i64::MIN, i64::MAX), (i64::MAX, i64::MAX)]
        .map(|(from_us, to_us)| Mark {
            from_us,
            to_us,
            ..mark.clone()
        })
        .into();
    for (i, l) in odd.latencies.iter_mut().enumerate() {
        let us = if i == 0 { 0 } else { u64::MAX };
        (l.p50_us, l.p95_us, l.p99_us, l.max_us, l.total_us) = (us, us, us, us, u64::MAX);
        l.baseline_p95_us = Some(0);
    }
    for (i, n) in odd.plan.iter_mut().enumerate() {
        n.parent = Some(i + 1);
        n.total_us = None;
        n.total_cost = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300][i % 5];
        n.actual_rows = Some(f64::INFINITY);
        n.insights = vec![usize::MAX];
    }
    odd.lock_tree
        .iter_mut()
        .for_each(|n| (n.waited_us, n.parent) = (Some(0), Some(usize::MAX)));
    odd.findings.iter_mut().for_each(|f| f.record = usize::MAX);
    odd.next.iter_mut().for_each(|n| n.insight = Some(usize::MAX));
    odd.findings[0].metrics = [("a_us", f64::NAN), ("b_us", -1.0), ("c_bytes", 1e300)]
        .map(|(k, v)| (k.to_owned(), v))
        .into();

    let mut instant = packets::bare();
    instant.marks = vec![mark];
    instant.marks[0].to_us = instant.marks[0].from_us;
    vec![
        ("rich", packets::rich()),
        ("bare", packets::bare()),
        ("long", long),
        ("odd", odd),
        ("instant", instant),
    ]
}

fn pages() -> impl Iterator<Item = (&'static str, String, Vec<Element>)> {
    all().into_iter().map(|(name, packet)| {
        let page = html(&packet);
        let elements = elements::read(&page);
        (name, page, elements)
    })
}

#[test]
fn the_policy_allows_the_style_that_is_there_and_nothing_else() {
    for (name, page, elements) in pages() {
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
        let policy = elements
            .iter()
            .find(|e| e.attribute("http-equiv") == Some("Content-Security-Policy"))
            .and_then(|e| e.attribute("content"))
            .unwrap()
            .replace("&#39;", "'");
        assert_eq!(
            policy,
            format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"),
            "{name}"
        );
        assert!(
            !style.contains("url(") && !style.contains("@import"),
            "the style fetches something"
        );
    }
}

#[test]
fn nothing_runs_or_is_fetched_and_every_link_has_its_end() {
    for (name, _, elements) in pages() {
        let mut ids = BTreeSet::new();
        for element in &elements {
            assert!(
                !["script", "img", "iframe", "link", "object", "form", "base"].contains(&element.tag.as_str()),
                "{name}: {element:?}"
            );
            for (attribute, _) in &element.attributes {
                assert!(
                    attribute != "style" && !attribute.starts_with("on") && attribute != "src",
                    "{name}: {element:?}"
                );
            }
            if let Some(id) = element.attribute("id") {
                assert!(ids.insert(id), "{name}: the id {id} twice");
            }
        }
        let mut records = 0;
        for element in &elements {
            for attribute in ["href", "aria-labelledby"] {
                let Some(value) = element.attribute(attribute) else {
                    continue;
                };
                let id = if attribute == "href" {
                    value.strip_prefix('#').expect("a link out of the page")
                } else {
                    value
                };
                assert!(ids.contains(id), "{name}: nothing has the id {id}");
                records += usize::from(id.starts_with("record-"));
            }
        }
        assert_eq!(
            records > 20,
            ["rich", "long"].contains(&name),
            "{name} has {records} links to records"
        );
    }
}

/// The part of a page that is one item, by its id.
fn item<'p>(page: &'p str, id: &str, end: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("id=\"{id}\""))
        .unwrap_or_else(|| panic!("no {id}"));
    rest.split_once(end).unwrap().0
}

#[test]
fn whatever_is_said_names_its_record() {
    let packet = packets::rich();
    let page = html(&packet);
    let lists = [
        ("next", packet.next.len()),
        ("finding", packet.findings.len()),
        ("insight", packet.insights.len()),
        ("step", packet.steps.len()),
    ];
    for (kind, all) in lists {
        assert!(all > 1, "{kind}");
        for number in 1..=all {
            let id = format!("{kind}-{number}");
            let next = format!("id=\"{kind}-{}\"", number + 1);
            let end = if number < all { next.as_str() } else { "</section>" };
            assert!(item(&page, &id, end).contains("href=\"#record-"), "{id}");
        }
    }
    let limits = item(&page, "limits", "</section>");
    let named = packet.limitations.iter().filter(|it| it.record.is_some()).count();
    assert_eq!((named, limits.matches("href=\"#record-").count()), (1, 1));
    let (_, head) = page.split_once("<h1>").unwrap();
    assert!(head.split_once("</header>").unwrap().0.contains("href=\"#record-1\""));
}

#[test]
fn a_row_that_a_sentence_names_by_its_number_can_be_looked_up() {
    let packet = packets::rich();
    let step = packet.steps.iter().position(|step| step.result.is_some()).unwrap() + 1;
    let page = html(&packet);
    let rows = item(&page, &format!("step-{step}"), "</details>");
    assert_eq!(rows.matches("<tr>").count(), 4);
    assert!(
        rows.contains("<th scope=\"row\">3</th>") && rows.contains("NULL"),
        "{rows}"
    );
    assert!(rows.contains("Not shown: 14 rows more."));
    // From what stands on the same record.
    let (finding, insight) = (
        packet.findings.iter().position(|it| it.record == 2),
        packet.insights.iter().position(|it| it.record == 2),
    );
    let mut links = 0;
    for id in [
        finding.map(|it| format!("finding-{}", it + 1)),
        insight.map(|it| format!("insight-{}", it + 1)),
    ] {
        let Some(id) = id else { continue };
        links += 1;
        let shown = item(&page, &id, "<li id=");
        assert!(shown.contains(&format!("href=\"#step-{step}\"")), "{id}: {shown}");
    }
    assert!(links > 0, "nothing stands on the record of the rows");
    let text = markdown(&packet);
    assert!(
        text.contains("- Row 1: pid outside: `4711`; state outside: `idle in transaction`"),
        "{text}"
    );
    assert!(text.contains("query NULL"));
}

#[test]
fn each_chart_stands_on_its_record_and_the_record_says_so() {
    let packet = packets::rich();
    let text = markdown(&packet);
    for (heading, record) in [
        ("## How long statements took", 1),
        ("## Who waited for whom", 3),
        ("## The plan that was looked at last", 5),
    ] {
        let (_, part) = text.split_once(heading).unwrap();
        assert!(
            part.trim_start().starts_with(&format!("Stands on record {record}.")),
            "{heading}"
        );
    }
    let page = html(&packet);
    for (chart, record) in [("chart-latency", 1), ("chart-locks", 3), ("chart-plan", 5)] {
        let (_, figure) = page.split_once(&format!("id=\"{chart}\"")).unwrap();
        let (figure, _) = figure.split_once("</figure>").unwrap();
        assert!(
            figure.contains(&format!("Stands on <a href=\"#record-{record}\">record {record}</a>")),
            "{chart}"
        );
        let (_, shown) = page.split_once(&format!("id=\"record-{record}\"")).unwrap();
        let (shown, _) = shown.split_once("Proof").unwrap();
        assert!(shown.contains(&format!("href=\"#{chart}\"")), "{chart}");
    }
}

#[test]
fn headings_drawings_and_tables_can_be_read_out() {
    for (name, _, elements) in pages() {
        let mut level = 0;
        for (i, element) in elements.iter().enumerate() {
            match element.tag.as_str() {
                tag @ ("h1" | "h2" | "h3") => {
                    let next: usize = tag[1..].parse().unwrap();
                    assert!(next <= level + 1, "{name}: {tag} after h{level}");
                    level = next;
                }
                "svg" if element.attribute("role") == Some("img") => {
                    assert_eq!(
                        (elements[i + 1].tag.as_str(), elements[i + 2].tag.as_str()),
                        ("title", "desc"),
                        "{name}"
                    );
                    assert!(!elements[i + 1].text.is_empty());
                }
                "svg" => {
                    assert!(element.attribute("aria-hidden").is_some() || element.within.contains(&"svg".to_owned()))
                }
                "th" => assert!(
                    ["col", "row"].map(Some).contains(&element.attribute("scope")),
                    "{name}: {element:?}"
                ),
                "rect" | "line" | "circle" => {
                    for (attribute, value) in &element.attributes {
                        if let Some(percent) = value.strip_suffix('%') {
                            let percent: f64 = percent.parse().unwrap();
                            assert!((0.0..=100.0).contains(&percent), "{name}: {attribute} {value}");
                        }
                    }
                }
                _ => {}
            }
        }
        for (tag, how_many) in [
            ("main", 1),
            ("nav", 1),
            ("h1", 1),
            ("header", 1),
            ("footer", 1),
            ("section", 7),
        ] {
            assert_eq!(
                elements.iter().filter(|e| e.tag == tag).count(),
                how_many,
                "{name}: {tag}"
            );
        }
        let charts = elements.iter().filter(|e| e.tag == "figure").count();
        assert_eq!(
            elements
                .iter()
                .filter(|e| e.tag == "table" && e.within.iter().any(|around| around == "figure"))
                .count(),
            charts,
            "{name}: each chart has a table"
        );
    }
}

#[test]
fn long_lists_stay_a_page_that_a_browser_can_show() {
    let (_, long) = all().swap_remove(2);
    assert!(html(&long).len() < 2_000_000, "{}", html(&long).len());
    assert!(
        html(&long).contains("4\u{202F}940 sessions more"),
        "says what is not shown"
    );
    assert!(markdown(&long).len() < 1_000_000);
    for (_, packet) in all() {
        assert!(markdown(&packet).starts_with("# "));
    }
}

/// WCAG 2: 4.5 to 1 for text.
#[test]
fn colours_can_be_told_from_their_ground_in_light_and_in_dark() {
    let style = include_str!("../../src/style.css");
    let (light, dark) = style.split_at(style.find("@media (prefers-color-scheme: dark)").unwrap());
    for part in [light, dark] {
        let of = |name: &str| {
            let (_, rest) = part.split_once(&format!("--{name}: #")).unwrap();
            let channel = |i: usize| {
                let value = f64::from(u8::from_str_radix(&rest[i..i + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
        };
        let contrast = |a: &str, b: &str| {
            let (a, b) = (of(a), of(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        for ground in ["ground", "card", "outside", "track"] {
            for ink in ["ink", "soft"] {
                assert!(
                    contrast(ink, ground) >= 4.5,
                    "{ink} on {ground}: {}",
                    contrast(ink, ground)
                );
            }
        }
        for ground in ["ground", "card"] {
            for ink in ["link", "critical", "high", "medium", "low", "bar"] {
                assert!(
                    contrast(ink, ground) >= 4.5,
                    "{ink} on {ground}: {}",
                    contrast(ink, ground)
                );
            }
        }
        assert!(contrast("on", "critical") >= 4.5);
    }
}
