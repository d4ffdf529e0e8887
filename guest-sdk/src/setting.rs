//! Rows about settings: what the catalogue's `*.pg_settings.relevant` actions return.

use crate::{Outcome, Record};

impl Outcome {
    /// The setting `name` as the server writes it; `None` when there is no such row.
    pub fn setting_text(&self, name: &str) -> Option<&str> {
        self.setting_row(name)?.text("setting")
    }

    /// The unit of the setting `name` as the server writes it (`kB`, `8kB`, `ms`); `None` when it has none or there is no such row.
    pub fn setting_unit(&self, name: &str) -> Option<&str> {
        self.setting_row(name)?.text("unit")
    }

    /// The setting `name` where it is a whole number that is not negative, in the server's own unit: for numbers without one, and for 0.
    pub fn setting_count(&self, name: &str) -> Option<u64> {
        self.setting_text(name)?.parse().ok()
    }

    /// What the setting `name` is, in the units of the contract: bytes, microseconds, a plain number, or 0 and 1 for off and on. Below
    /// zero it is one of the server's words for "no limit" or "as another setting". `None` when there is no such row, its value is a
    /// word, or its unit is unknown.
    pub fn setting(&self, name: &str) -> Option<f64> {
        let row = self.setting_row(name)?;
        let number = match row.text("setting")? {
            "on" => 1.0,
            "off" => 0.0,
            other => other.parse::<f64>().ok()?,
        };
        let unit = match row.text("unit") {
            None | Some("") | Some("B") => 1.0,
            Some("kB") => 1024.0,
            Some("8kB") => 8.0 * 1024.0,
            Some("MB") => 1024.0 * 1024.0,
            Some("us") => 1.0,
            Some("ms") => 1e3,
            Some("s") => 1e6,
            Some("min") => 60.0 * 1e6,
            Some(_) => return None,
        };
        Some(number * unit).filter(|value| value.is_finite())
    }

    fn setting_row(&self, name: &str) -> Option<Record<'_>> {
        self.records().find(|row| row.text("name") == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use crate::testkit::outcome;
    use crate::{Cell, Outcome};

    fn settings(rows: &[(&str, &str, Option<&str>)]) -> Outcome {
        let text = |text: &str| Cell::Text(text.to_owned());
        let made = rows
            .iter()
            .fold(outcome("x.pg_settings.relevant"), |made, (name, setting, unit)| {
                made.row(&[
                    ("name", text(name)),
                    ("setting", text(setting)),
                    ("unit", unit.map_or(Cell::Null, text)),
                ])
            });
        made.build()
    }

    #[test]
    fn values_are_in_the_units_of_the_contract() {
        let read = settings(&[
            ("autovacuum", "on", None),
            ("hot_standby_feedback", "off", None),
            ("autovacuum_freeze_max_age", "200000000", None),
            ("autovacuum_vacuum_cost_delay", "2", Some("ms")),
            ("checkpoint_timeout", "300", Some("s")),
            ("max_slot_wal_keep_size", "-1", Some("MB")),
            ("shared_buffers", "16", Some("8kB")),
        ]);
        let cases = [
            ("autovacuum", 1.0),
            ("hot_standby_feedback", 0.0),
            ("autovacuum_freeze_max_age", 2e8),
            ("autovacuum_vacuum_cost_delay", 2_000.0),
            ("checkpoint_timeout", 3e8),
            ("max_slot_wal_keep_size", -1_048_576.0),
            ("shared_buffers", 131_072.0),
        ];
        for (name, expected) in cases {
            assert_eq!(read.setting(name), Some(expected), "{name}");
        }
        assert_eq!(read.setting_text("autovacuum"), Some("on"));
        assert_eq!(read.setting_unit("checkpoint_timeout"), Some("s"));
        let counts = [
            "autovacuum_freeze_max_age",
            "checkpoint_timeout",
            "max_slot_wal_keep_size",
            "autovacuum",
        ];
        let counts = counts.map(|name| read.setting_count(name));
        assert_eq!(counts, [Some(200_000_000), Some(300), None, None]);
    }

    #[test]
    fn what_is_no_number_is_none() {
        let read = settings(&[
            ("wal_level", "replica", None),
            ("a", "1", Some("fortnights")),
            ("b", "inf", None),
        ]);
        for name in ["wal_level", "a", "b", "missing"] {
            assert_eq!(read.setting(name), None, "{name}");
        }
    }
}
