use super::*;

fn table(database: &str, schema: &str, table: &str) -> TableName {
    TableName {
        database: Some(database.to_owned()),
        schema: Some(schema.to_owned()),
        table: table.to_owned(),
    }
}

#[test]
fn a_vacuum_tells_its_figures_in_all_versions() {
    let ten = b"automatic vacuum of table \"shop.public.orders\": index scans: 1\n\
        pages: 3 removed, 443 remain, 0 skipped due to pins, 0 skipped frozen\n\
        tuples: 50000 removed, 50001 remain, 17 are dead but not yet removable, oldest xmin: 740\n\
        buffer usage: 1900 hits, 5 misses, 442 dirtied\n\
        avg read rate: 0.000 MB/s, avg write rate: 15.235 MB/s\n\
        system usage: CPU: user: 0.04 s, system: 0.01 s, elapsed: 1.22 s";
    let found = done(ten, 9).unwrap();
    assert_eq!(
        (found.table, found.kind),
        (table("shop", "public", "orders"), MaintenanceKind::Vacuum)
    );
    let expected = MaintenanceRun {
        elapsed_us: 1_220_000,
        at_us: 9,
        index_scans: Some(1),
        pages_removed: Some(3),
        pages_remaining: Some(443),
        tuples_removed: Some(50_000),
        tuples_remaining: Some(50_001),
        tuples_dead_not_removable: Some(17),
        buffers_hit: Some(1_900),
        buffers_missed: Some(5),
        buffers_dirtied: Some(442),
        user_us: Some(40_000),
        system_us: Some(10_000),
        ..MaintenanceRun::default()
    };
    assert_eq!(found.run, expected);
    let eighteen =
        b"automatic aggressive vacuum to prevent wraparound of table \"shop.public.orders\": index scans: 12\n\
        pages: 0 removed, 443 remain, 440 scanned (99.32% of total), 0 eagerly scanned\n\
        tuples: 1 removed, 2 remain, 3 are dead but not yet removable\n\
        removable cutoff: 740, which was 0 XIDs old when operation ended\n\
        index scan needed: 443 pages from table (100.00% of total) had 50000 dead item identifiers removed\n\
        index \"orders_pkey\": pages: 276 in total, 9 newly deleted, 8 currently deleted, 7 reusable\n\
        delay time: 12.500 ms\n\
        I/O timings: read: 0.000 ms, write: 0.000 ms\n\
        avg read rate: 0.000 MB/s, avg write rate: 15.235 MB/s\n\
        buffer usage: 19 hits, 6 reads, 4 dirtied\n\
        WAL usage: 1600 records, 443 full page images, 3700000 bytes, 0 buffers full\n\
        system usage: CPU: user: 0.04 s, system: 0.01 s, elapsed: 0.22 s";
    let run = done(eighteen, 0).unwrap().run;
    assert!(run.aggressive && run.to_prevent_wraparound);
    assert_eq!(
        (run.index_scans, run.pages_removed, run.pages_scanned),
        (Some(12), Some(0), Some(440))
    );
    assert_eq!(
        (run.buffers_hit, run.buffers_missed, run.buffers_dirtied),
        (Some(19), Some(6), Some(4))
    );
    assert_eq!(
        (run.wal_records, run.wal_full_page_images, run.wal_bytes),
        (Some(1_600), Some(443), Some(3_700_000))
    );
    assert_eq!(run.elapsed_us, 220_000);
}

#[test]
fn an_analyze_tells_its_figures_in_all_versions() {
    let ten = b"automatic analyze of table \"shop.public.orders\" system usage: CPU: user: 0.04 s, system: 0.00 s, elapsed: 0.25 s";
    let new = b"automatic analyze of table \"shop.public.orders\"\n\
        I/O timings: read: 0.000 ms, write: 0.000 ms\n\
        avg read rate: 1.000 MB/s, avg write rate: 0.000 MB/s\n\
        buffer usage: 56 hits, 7 misses, 8 dirtied\n\
        system usage: CPU: user: 0.04 s, system: 0.00 s, elapsed: 0.25 s";
    for message in [&ten[..], new] {
        let found = done(message, 0).unwrap();
        assert_eq!(
            (found.table, found.kind),
            (table("shop", "public", "orders"), MaintenanceKind::Analyze)
        );
        assert_eq!((found.run.elapsed_us, found.run.user_us), (250_000, Some(40_000)));
        assert_eq!((found.run.index_scans, found.run.tuples_removed), (None, None));
    }
    assert_eq!(done(new, 0).unwrap().run.buffers_hit, Some(56));
}

#[test]
fn names_are_hostile() {
    let tail = "index scans: 3\npages: 1 removed, 2 remain\ntuples: 1 removed, 2 remain\nsystem usage: CPU: user: 0.01 s, system: 0.00 s, elapsed: 0.02 s";
    for name in ["x", "a.b.c.d", "..", "a\nb.c.d"] {
        let message = format!("automatic vacuum of table \"{name}\": {tail}");
        let found = done(message.as_bytes(), 0).unwrap();
        let parts = [found.table.database, found.table.schema, Some(found.table.table)];
        assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>().join("."), name);
        assert_eq!((found.run.index_scans, found.run.elapsed_us), (Some(3), 20_000));
    }
    let forged = format!("automatic vacuum of table \"a.b\": index scans: 9\nelapsed: 9 s.c\": {tail}");
    for none in [
        forged.as_str(),
        "automatic vacuum of table \"a.b.c\"",
        "automatic something of table \"a.b.c\": index scans: 1\nelapsed: 1 s",
        "automatic vacuum of table \"a.b.c\": index scans: 1\nsystem usage: none",
    ] {
        assert_eq!(done(none.as_bytes(), 0), None, "{none}");
    }
}

#[test]
fn what_was_not_done_names_its_table() {
    let context =
        b"while scanning block 7 of relation \"public.orders\"\nautomatic vacuum of table \"shop.public.orders\"";
    assert_eq!(
        canceled(context),
        Some((table("shop", "public", "orders"), MaintenanceKind::Vacuum))
    );
    let context = b"automatic analyze of table \"shop.public.orders\"";
    assert_eq!(
        canceled(context),
        Some((table("shop", "public", "orders"), MaintenanceKind::Analyze))
    );
    assert_eq!(canceled(b"while something else"), None);
    assert_eq!(canceled(b""), None);
    let (found, kind) = skipped(b"skipping analyze of \"orders\" --- lock not available").unwrap();
    assert_eq!(
        (found.table.as_str(), found.schema, kind),
        ("orders", None, MaintenanceKind::Analyze)
    );
    assert_eq!(
        skipped(b"skipping vacuum of \"orders\" --- relation no longer exists"),
        None
    );
}
