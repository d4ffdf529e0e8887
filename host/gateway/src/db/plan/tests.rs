use super::*;

const JOIN: &str = r#"[{"Plan": {"Node Type": "Nested Loop", "Total Cost": 20.5, "Plan Rows": 3, "Actual Rows": 2, "Actual Loops": 1,
  "Shared Hit Blocks": 12, "Plans": [
    {"Node Type": "Seq Scan", "Relation Name": "item", "Schema": "public", "Alias": "i", "Total Cost": 18.0, "Plan Rows": 1,
     "Output": ["i.id", "'secret output'::text"], "Filter": "((i.name = 'secret'::text) AND (i.id <> o.item) AND (i.price > $1))",
     "Actual Rows": 2, "Actual Loops": 3, "Rows Removed by Filter": 10},
    {"Node Type": "Sort", "Total Cost": 1.0, "Plan Rows": 1, "Sort Key": ["o.note", "(o.x + 17)"], "Sort Space Type": "Disk",
     "Sort Space Used": 100, "Workers": [{"Sort Space Type": "Disk", "Sort Space Used": 28}],
     "Plans": [{"Node Type": "Index Only Scan", "Relation Name": "orders", "Total Cost": 0.5, "Plan Rows": 1, "Heap Fetches": 7,
                "Index Cond": "(o.id = 4711)"}]}]},
  "Execution Time": 1.25}]"#;

#[test]
fn parents_come_before_children_and_figures_are_totals() {
    let plan = read(JOIN).unwrap();
    let shape: Vec<(Option<u32>, &str)> = plan.nodes.iter().map(|n| (n.parent, n.node_type.as_str())).collect();
    assert_eq!(
        shape,
        [
            (None, "Nested Loop"),
            (Some(0), "Seq Scan"),
            (Some(0), "Sort"),
            (Some(2), "Index Only Scan")
        ]
    );
    assert_eq!((plan.total_cost, plan.nodes[0].total_us), (20.5, Some(1_250)));
    let scan = &plan.nodes[1];
    assert_eq!(
        (scan.actual_rows, scan.loops, scan.rows_removed_by_filter),
        (Some(6.0), Some(3), Some(30))
    );
    assert_eq!(
        scan.relation,
        Some(RelationName {
            schema: Some("public".to_owned()),
            name: "item".to_owned()
        })
    );
    assert_eq!(plan.nodes[2].disk_bytes, Some(128 * 1024));
    assert_eq!(plan.nodes[3].heap_fetches, Some(7));
}

#[test]
fn no_value_of_the_data_is_left() {
    let plan = read(JOIN).unwrap();
    assert_eq!(plan.nodes[1].filter_columns, ["name", "price"]);
    assert!(plan.nodes[1].index_columns.is_empty());
    assert_eq!(
        plan.nodes[1].conditions,
        [(
            "Filter".to_owned(),
            "((i.name = ?::text) AND (i.id <> o.item) AND (i.price > ?))".to_owned()
        )]
    );
    assert_eq!(
        plan.nodes[2].conditions,
        [("Sort Key".to_owned(), "o.note, (o.x + ?)".to_owned())]
    );
    let shown = format!("{plan:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("4711") && !shown.contains("17)"),
        "{shown}"
    );
}

#[test]
fn what_is_no_plan_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "[{}]",
        r#"[{"Plan": []}]"#,
        r#"[{"Plan": {"Node Type": "<script>"}}]"#,
        r#"[{"Plan": {}}]"#,
    ] {
        assert_eq!(read(text), Err(PlanError::NotAPlan), "{text}");
    }
    let node = r#"{"Node Type": "Result", "Plans": ["#;
    let deep = format!(r#"[{{"Plan": {}{}}}]"#, node.repeat(500), "]}".repeat(500));
    assert_eq!(read(&deep), Err(PlanError::NotAPlan));
    let wide = format!(
        r#"[{{"Plan": {{"Node Type": "Append", "Plans": [{}]}}}}]"#,
        vec![r#"{"Node Type": "Result"}"#; 2_000].join(",")
    );
    assert_eq!(read(&wide), Err(PlanError::TooManyNodes));
}

#[test]
fn columns_of_an_index_condition_are_told_apart_from_those_of_the_filter() {
    let scan = r#"[{"Plan": {"Node Type": "Bitmap Heap Scan", "Relation Name": "sales", "Schema": "public", "Alias": "s", "Total Cost": 1.0,
      "Plan Rows": 1, "Recheck Cond": "((s.city = 17) AND (s.day = p.day))", "Filter": "((s.country = 3) AND (s.city > 1))", "Plans": [
        {"Node Type": "Bitmap Index Scan", "Index Name": "sales_city_idx", "Index Cond": "(s.city = 17)", "Total Cost": 1.0, "Plan Rows": 1}]}}]"#;
    let plan = read(scan).unwrap();
    let heap = &plan.nodes[0];
    assert_eq!(
        (&heap.filter_columns[..], &heap.index_columns[..]),
        (&["country".to_owned(), "city".to_owned()][..], &["city".to_owned()][..])
    );
    assert_eq!(heap.compared_columns().collect::<Vec<_>>(), ["country", "city"]);
    // The index is none of the table's nodes.
    assert!(plan.nodes[1].index_columns.is_empty());
}

#[test]
fn a_scan_for_each_row_outside_is_searched_by_what_it_has_of_that_row() {
    let with_scan = |node_type: &str| {
        let plan = format!(
            r#"[{{"Plan": {{"Node Type": "Seq Scan", "Relation Name": "customers", "Schema": "public", "Alias": "c", "Total Cost": 9.0, "Plan Rows": 9,
              "Filter": "(c.id <= 600)", "Plans": [{{"Node Type": "{node_type}", "Relation Name": "orders", "Schema": "public", "Alias": "o",
                "Total Cost": 5.0, "Plan Rows": 1, "Filter": "((o.customer_id = c.id) AND (o.open = true))"}}]}}}}]"#
        );
        read(&plan).unwrap().nodes[1].filter_columns.clone()
    };
    assert_eq!(with_scan("Seq Scan"), ["customer_id", "open"]);
    assert_eq!(with_scan("Parallel Seq Scan"), ["customer_id", "open"]);
    // A condition of a join may stand here, which is not the scan's own.
    assert_eq!(with_scan("Index Scan"), ["open"]);
}
