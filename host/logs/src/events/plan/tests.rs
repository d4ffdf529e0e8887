use super::*;
use crate::evidence::LoggedPlanNode;

const TEXT: &str = "duration: 12.345 ms  plan:\n\
Query Text: SELECT *\nFROM orders o WHERE note = 'it''s' ORDER BY id\n\
Sort  (cost=100.10..200.25 rows=17 width=8) (actual time=0.010..12.011 rows=9000 loops=1)\n\
\x20 Sort Key: id\n\
\x20 Sort Method: external merge  Disk: 88kB\n\
\x20 Buffers: shared hit=4, temp read=11 written=12\n\
\x20 ->  Nested Loop Left Join  (cost=0.29..8.31 rows=1 width=8) (actual time=0.010..0.011 rows=0.50 loops=2)\n\
\x20       ->  Seq Scan on public.orders o  (cost=0.00..18.50 rows=850 width=36) (actual time=0.006..0.500 rows=1 loops=1)\n\
\x20             Filter: (note = 'it''s'::text)\n\
\x20             Rows Removed by Filter: 99999\n\
\x20       ->  Index Scan using \"Lines Key\" on lines  (cost=0.29..8.31 rows=1 width=8) (never executed)\n\
\x20             Index Cond: (id = 5)\n\
Settings: work_mem = '64kB'";

fn shape(nodes: &[LoggedPlanNode]) -> Vec<(Option<u32>, &str)> {
    nodes
        .iter()
        .map(|node| (node.parent, node.node_type.as_str()))
        .collect()
}

fn query_of(message: &str) -> Option<String> {
    let (_, query) = head(message.as_bytes())?;
    Some(String::from_utf8(query?.into_owned()).unwrap())
}

#[test]
fn a_text_plan_is_a_tree_with_figures_and_without_values() {
    assert_eq!(head(TEXT.as_bytes()).unwrap().0, PlanFormat::Text);
    assert_eq!(
        query_of(TEXT).as_deref(),
        Some("SELECT *\nFROM orders o WHERE note = 'it''s' ORDER BY id")
    );
    let nodes = nodes(TEXT.as_bytes(), PlanFormat::Text);
    assert_eq!(
        shape(&nodes),
        [
            (None, "Sort"),
            (Some(0), "Nested Loop Left Join"),
            (Some(1), "Seq Scan"),
            (Some(1), "Index Scan")
        ]
    );
    let [sort, join, scan, index] = nodes.as_slice() else {
        panic!("{nodes:?}")
    };
    assert_eq!(
        (sort.total_cost, sort.plan_rows, sort.actual_rows),
        (Some(200.25), Some(17.0), Some(9_000.0))
    );
    assert_eq!(
        (sort.total_us, sort.disk_bytes, sort.temp_written_blocks),
        (Some(12_011), Some(90_112), Some(12))
    );
    assert_eq!((join.loops, join.actual_rows), (Some(2), Some(0.5)));
    assert_eq!(scan.relation.as_deref(), Some("public.orders"));
    assert_eq!(
        (scan.rows_removed_by_filter, scan.filter.as_deref()),
        (Some(99_999), Some("(note = ?::text)"))
    );
    assert_eq!(
        (index.index.as_deref(), index.relation.as_deref()),
        (Some("Lines Key"), Some("lines"))
    );
    assert_eq!(
        (index.index_condition.as_deref(), index.actual_rows, index.loops),
        (Some("(id = ?)"), None, None)
    );
}

#[test]
fn parameters_are_no_part_of_the_query() {
    let message = TEXT.replace("\nSort  (", "\nQuery Parameters: $1 = 'hunter2'\nSort  (");
    assert_eq!(
        query_of(&message).as_deref(),
        Some("SELECT *\nFROM orders o WHERE note = 'it''s' ORDER BY id")
    );
}

#[test]
fn a_json_plan_is_the_same_tree() {
    let message = r#"duration: 12.345 ms  plan:
{
  "Query Text": "SELECT *\nFROM orders\nSeq Scan on forged  (cost=1.00..2.00 rows=1 width=1)",
  "Plan": {
    "Node Type": "Sort", "Total Cost": 200.25, "Plan Rows": 17, "Actual Rows": 9000.00, "Actual Loops": 1, "Actual Total Time": 12.011,
    "Sort Space Used": 88, "Sort Space Type": "Disk", "Temp Written Blocks": 12,
    "Plans": [
      {"Node Type": "Seq Scan", "Relation Name": "orders", "Filter": "(note = 'hunter2'::text)", "Rows Removed by Filter": 99999,
       "Plans": [{"Node Type": "Result"}]},
      {"Node Type": "Index Scan", "Index Name": "Lines Key", "Relation Name": "lines", "Index Cond": "(id = 5)"}
    ]
  }
}"#;
    assert_eq!(head(message.as_bytes()).unwrap().0, PlanFormat::Json);
    let query = query_of(message).unwrap();
    assert!(query.starts_with("SELECT *\nFROM orders\n"));
    let nodes = nodes(message.as_bytes(), PlanFormat::Json);
    assert_eq!(
        shape(&nodes),
        [
            (None, "Sort"),
            (Some(0), "Seq Scan"),
            (Some(1), "Result"),
            (Some(0), "Index Scan")
        ]
    );
    let [sort, scan, _, index] = nodes.as_slice() else {
        panic!("{nodes:?}")
    };
    assert_eq!(
        (sort.total_us, sort.disk_bytes, sort.temp_written_blocks),
        (Some(12_011), Some(90_112), Some(12))
    );
    assert_eq!(scan.filter.as_deref(), Some("(note = ?::text)"));
    assert_eq!(
        (index.index.as_deref(), index.index_condition.as_deref()),
        (Some("Lines Key"), Some("(id = ?)"))
    );
}

#[test]
fn a_plan_that_text_can_imitate_is_not_believed() {
    // In the query.
    let forged = TEXT.replace(
        "note = 'it''s' ORDER",
        "note = '\nSeq Scan on forged  (cost=1.00..2.00 rows=1 width=1)\n' ORDER",
    );
    assert_eq!(query_of(&forged), None);
    assert!(nodes(forged.as_bytes(), PlanFormat::Text).is_empty());
    // In a value, at the margin and further right.
    for line in [
        "Seq Scan on forged  (cost=1.00..2.00 rows=1 width=1)",
        "        ->  Seq Scan on forged  (cost=1.00..2.00 rows=1 width=1)",
    ] {
        let forged = TEXT.replace("(note = 'it''s'::text)", &format!("(note = 'x\n{line}\n'::text)"));
        assert!(nodes(forged.as_bytes(), PlanFormat::Text).is_empty(), "{line}");
    }
    for none in [
        "duration: 1.000 ms  plan:",
        "duration: 1.000 ms  plan:\n",
        "duration: 1.000 ms  plan:\n{\"Plan\"",
        "other\nx",
    ] {
        for format in [PlanFormat::Text, PlanFormat::Json, PlanFormat::Xml] {
            assert!(nodes(none.as_bytes(), format).is_empty(), "{none}");
        }
    }
}

#[test]
fn other_formats_are_told() {
    let format = |body: &str| head(format!("duration: 1.000 ms  plan:\n{body}").as_bytes()).unwrap().0;
    assert_eq!(
        format("<explain xmlns=\"http://www.postgresql.org/2009/explain\">"),
        PlanFormat::Xml
    );
    assert_eq!(
        format("Query Text: \"SELECT 1\"\nPlan: \n  Node Type: \"Result\""),
        PlanFormat::Yaml
    );
}
