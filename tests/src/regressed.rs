//! Two logs of one workload, a day apart: between them an index was lost, and a release brought a new statement.

use std::fmt::Write as _;

use crate::Lab;

/// Executions of each statement in each log, over an hour.
const EXECUTIONS: u32 = 240;

/// Writes both; their paths, the older first.
pub fn logs(lab: &Lab) -> (String, String) {
    (
        lab.file("then.log", log("2026-11-22", 1, false)),
        lab.file("now.log", log("2026-11-23", 8, true)),
    )
}

/// The log of a day. What looks orders up takes `factor` times as long as on the first.
fn log(day: &str, factor: u32, is_released: bool) -> String {
    let mut log = String::new();
    let mut line = |second: u32, text: &str| {
        let (minute, second) = (second / 60, second % 60);
        // Writing to a string cannot fail.
        let _ = writeln!(
            log,
            "{day} 05:{minute:02}:{second:02}.000 UTC [4711] app@shop web 00000 0: {text}"
        );
    };
    let duration = |us: u32, statement: &str| {
        format!(
            "LOG:  duration: {}.{:03} ms  statement: {statement}",
            us / 1_000,
            us % 1_000
        )
    };
    for n in 0..EXECUTIONS {
        let second = n * 15;
        // Spread from half of the usual to one and a half of it, in no order.
        let spread = |us: u32| us / 2 + us * (n * 89 % EXECUTIONS) / EXECUTIONS;
        line(
            second,
            &duration(
                factor * spread(9_000),
                &format!("SELECT * FROM orders WHERE customer_id = {n}"),
            ),
        );
        line(
            second + 1,
            &duration(
                spread(30_000),
                &format!("UPDATE stock SET count = count - 1 WHERE item = {n}"),
            ),
        );
        if is_released {
            line(
                second + 2,
                &duration(spread(4_000), &format!("SELECT * FROM vouchers WHERE code = 'v{n}'")),
            );
        }
    }
    if is_released {
        line(
            3_599,
            "LOG:  process 4711 acquired ShareLock on transaction 900 after 1200.500 ms",
        );
        line(3_599, "STATEMENT:  SELECT * FROM orders WHERE customer_id = 1");
        line(3_599, &duration(9_000_000, "ALTER TABLE vouchers ADD COLUMN note text"));
    }
    log
}
