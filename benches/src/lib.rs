//! Logs to measure with, made without a server: the same entries in the three formats.
//!
//! Nothing here is random: the same size gives the same bytes. For numbers to quote, use logs of a real server
//! (`make_corpus.sh`) and whole processes (`compare.sh`).

use std::fmt::Write as _;

/// The format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With `log_line_prefix = '%m [%p] %u@%d %a: '`.
    Stderr,
    /// As csvlog of PostgreSQL 15.
    Csv,
    /// As jsonlog of PostgreSQL 15.
    Json,
}

/// Statements as applications send them: an object mapper, a report over several lines, the extended protocol, transactions.
#[must_use]
pub fn statement(number: u64) -> String {
    let id = number.wrapping_mul(2_654_435_761) % 100_000;
    match number % 8 {
        0 => format!(
            "SELECT \"customers\".\"id\", \"customers\".\"email\", \"customers\".\"name\" FROM \"customers\" WHERE \"customers\".\"id\" = {id} LIMIT 21;"
        ),
        1 => format!(
            "SELECT o.id, o.total /* app:web,action:show */ FROM orders o WHERE o.customer_id IN ({id}, {}, 17) AND NOT (o.status = 'it''s done') ORDER BY o.placed_at DESC LIMIT 25",
            id / 3
        ),
        2 => "BEGIN;".to_owned(),
        3 => format!("UPDATE orders SET status = 'paid', note = 'order #{id}' WHERE id = {id};"),
        4 => format!(
            "INSERT INTO events (kind, payload) VALUES ('order.paid', '{{\"order\": {id}, \"tags\": [\"a\"]}}') RETURNING id;"
        ),
        5 => "COMMIT;".to_owned(),
        6 => format!(
            "WITH recent AS (\n    SELECT id, customer_id, total\n      FROM orders\n     WHERE id BETWEEN {id} AND {id} + 9   -- window\n)\nSELECT customer_id, sum(total)\n  FROM recent\n GROUP BY 1"
        ),
        _ => "SELECT count(*) FROM orders WHERE customer_id = $1".to_owned(),
    }
}

/// A log of at least `bytes` bytes.
#[must_use]
pub fn log(format: Format, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 1024);
    let mut number = 0;
    while out.len() < bytes {
        entry(&mut out, format, number);
        number += 1;
    }
    out
}

fn entry(out: &mut String, format: Format, number: u64) {
    let second = number / 5_000;
    let time = format!(
        "2026-11-23 {:02}:{:02}:{:02}.{:03} UTC",
        second / 3_600 % 24,
        second / 60 % 60,
        second % 60,
        number / 5 % 1_000
    );
    let pid = 2_000 + number % 9;
    let extended = number % 8 == 7;
    let how = if extended { "execute P_1" } else { "statement" };
    let us = number.wrapping_mul(40_503) % 90_000;
    let message = format!(
        "duration: {}.{:03} ms  {how}: {}",
        us / 1_000,
        us % 1_000,
        statement(number)
    );
    let detail = if extended {
        format!("parameters: $1 = '{number}'")
    } else {
        String::new()
    };
    // Writing to a string does not fail.
    let _ = match format {
        Format::Stderr => {
            let head = format!("{time} [{pid}] app@shop web-1: ");
            let written = writeln!(out, "{head}LOG:  {}", message.replace('\n', "\n\t"));
            if extended {
                writeln!(out, "{head}DETAIL:  {detail}")
            } else {
                written
            }
        }
        Format::Csv => {
            let detail = if extended { format!("\"{detail}\"") } else { detail };
            writeln!(
                out,
                "{time},\"app\",\"shop\",{pid},\"[local]\",6b03c95f.{pid:x},{number},\"SELECT\",2026-11-23 05:04:31 UTC,3/{number},0,LOG,00000,\"{}\",{detail},,,,,,,,\"web-1\",\"client backend\",,-4711471147114711",
                message.replace('"', "\"\"")
            )
        }
        Format::Json => {
            let detail = if extended {
                format!(",\"detail\":\"{detail}\"")
            } else {
                detail
            };
            writeln!(
                out,
                "{{\"timestamp\":\"{time}\",\"user\":\"app\",\"dbname\":\"shop\",\"pid\":{pid},\"remote_host\":\"[local]\",\"session_id\":\"6b03c95f.{pid:x}\",\"line_num\":{number},\"ps\":\"SELECT\",\"session_start\":\"2026-11-23 05:04:31 UTC\",\"vxid\":\"3/{number}\",\"txid\":0,\"error_severity\":\"LOG\",\"message\":\"{}\"{detail},\"application_name\":\"web-1\",\"backend_type\":\"client backend\",\"query_id\":-4711471147114711}}",
                message.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
            )
        }
    };
}
