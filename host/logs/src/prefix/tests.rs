use super::*;

fn read<'a>(prefix: &str, line: &'a str) -> Option<Matched<'a>> {
    Prefix::compile(prefix)
        .unwrap()
        .read(line.as_bytes(), &mut Memory::default())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_escape_of_postgresql_15_to_18_is_read() {
    let prefix = "%a|%u|%d|%r|%h|%L|%b|%p|%P|%t|%m|%n|%Q|%i|%e|%c|%l|%s|%v|%x|%q%%|";
    let line = "my app|bob|shop|10.0.0.1(5)|10.0.0.1|10.0.0.2|client backend|77|76|2026-11-23 05:04:31 UTC|\
        2026-11-23 05:04:31.054 UTC|1795410271.054|-42|SELECT|42P01|6b03c95f.4d|3|2026-11-23 05:04:31 UTC|3/17|0|%|ERROR:  x";
    let matched = read(prefix, line).unwrap();
    let fields = matched.fields;
    assert_eq!(
        (text(fields.application), text(fields.user), text(fields.database)),
        ("my app", "bob", "shop")
    );
    assert_eq!(
        (fields.pid, fields.query_id, fields.sqlstate),
        (Some(77), -42, Some(*b"42P01"))
    );
    assert_eq!(fields.start_us, Some(1_795_410_271_000_000));
    assert_eq!(fields.at.unwrap().at_us, 1_795_410_271_054_000);
    assert_eq!(matched.label, Label::Head(crate::severity::Severity::Error));
    assert_eq!(line.get(matched.text_start..), Some("x"));
}

#[test]
fn a_background_process_stops_at_q() {
    let matched = read(
        "%m [%p] %q%u@%d ",
        "2026-11-23 05:04:31.054 UTC [9] LOG:  checkpoint starting: time",
    )
    .unwrap();
    assert_eq!((matched.fields.user, matched.fields.pid), (&b""[..], Some(9)));
    let matched = read("%m [%p] %q%u@%d ", "2026-11-23 05:04:31.054 UTC [9] bob@shop LOG:  x").unwrap();
    assert_eq!(text(matched.fields.user), "bob");
}

#[test]
fn padding_is_no_part_of_a_value() {
    for line in ["bob       |   77|LOG:  x", "a_very_long_name|123456|LOG:  x"] {
        let fields = read("%-10u|%5p|", line).unwrap().fields;
        assert!(matches!(
            (text(fields.user), fields.pid),
            ("bob", Some(77)) | ("a_very_long_name", Some(123_456))
        ));
    }
    let fields = read("%-6p|%10u|", "77    |       bob|LOG:  x").unwrap().fields;
    assert_eq!((text(fields.user), fields.pid), ("bob", Some(77)));
}

#[test]
fn an_application_name_with_brackets_quotes_and_colons_is_one_name() {
    let line = r#"2026-11-23 05:04:31.054 UTC [9] o'brien@shop My App [v1.2]: "beta": LOG:  x"#;
    let fields = read("%m [%p] %u@%d %a: ", line).unwrap().fields;
    assert_eq!(text(fields.application), r#"My App [v1.2]: "beta""#);
    assert_eq!((text(fields.user), text(fields.database)), ("o'brien", "shop"));
}

#[test]
fn a_line_without_label_is_no_head() {
    for line in [
        "",
        "\t",
        "2026-11-23 05:04:31.054 UTC [9] bob@shop web: hello",
        "2026-11-23 05:04:31.054 UTC [x] bob@shop web: LOG:  x",
    ] {
        assert_eq!(read("%m [%p] %u@%d %a: ", line), None, "{line}");
    }
}

#[test]
fn a_hostile_line_is_given_up_soon() {
    let line = format!("{}LOG: ", "a @ ".repeat(2_000));
    assert_eq!(read("%u@%d@%a@%i@%b@", &line), None);
}

#[test]
fn a_prefix_that_cannot_be_one_is_refused() {
    assert!(Prefix::compile("a\nb").unwrap_err().to_string().contains("line end"));
    assert!(
        Prefix::compile(&"x".repeat(2_000))
            .unwrap_err()
            .to_string()
            .contains("1024")
    );
}

#[test]
fn prefixes_are_detected_from_what_they_print() {
    let stamp = "2026-11-23 05:04:31.054 UTC";
    let second = "2026-11-23 05:04:31 UTC";
    let cases = [
        (format!("{stamp} [7] LOG:  a\n"), "%m [%p] "),
        (
            format!("{stamp} [7] LOG:  a\n{stamp} [8] bob@shop LOG:  b\n"),
            "%m [%p] %q%u@%d ",
        ),
        (
            format!("{second}:10.0.0.1(53):bob@shop:[7]:LOG:  a\n"),
            "%t:%r:%u@%d:[%p]:",
        ),
        (
            format!(
                "{second} [7]: [3-1] user=bob,db=shop,app=web x,client=10.0.0.1 LOG:  a\n{second} [7]: [4-1] user=,db=,app=,client= LOG:  a\n"
            ),
            "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        ),
        (
            format!("{stamp} pid=7 qid=-5 code=00000 LOG:  a\n"),
            "%m pid=%p qid=%Q code=%e ",
        ),
        ("1795410271.054 6b03c95f.927 LOG:  a\n".to_owned(), "%n %c "),
        ("LOG:  a\nERROR:  b\n".to_owned(), ""),
    ];
    for (sample, expected) in cases {
        assert_eq!(
            detect(sample.as_bytes()).as_ref().map(Prefix::as_str),
            Some(expected),
            "{sample}"
        );
    }
}

#[test]
fn text_without_labels_has_no_prefix() {
    assert_eq!(detect(b"hello\nworld\n"), None);
    assert_eq!(detect(b"\x00\xff\xfe"), None);
    assert_eq!(detect(b""), None);
}
