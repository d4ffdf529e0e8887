//! What the name of a log tells: its place below what was named, its stem, and the words in it that stay the same from one
//! rotation to the next.

use super::super::Source;

/// Names of months and weekdays, as rotations write them.
const CHANGING: [&str; 19] = [
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
    "oct", "nov", "dec",
];
/// Folders that hold a server's older logs, and words of those that hold a day's or an hour's.
const OF_THE_SAME_SERVER: [&str; 13] = [
    "archive", "archived", "archives", "day", "dt", "date", "hour", "month", "old", "olddir", "rotated", "year", "t",
];

/// A file's name in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'n> {
    /// Below what was named.
    pub(super) folder: &'n str,
    pub(super) file: &'n str,
}

impl<'n> Name<'n> {
    pub(super) fn of(source: &'n Source) -> Self {
        Self::below(&source.root, &source.name)
    }

    /// A path without the part that was named.
    pub(super) fn below(root: &str, path: &'n str) -> Self {
        let path = path.strip_prefix(root).unwrap_or(path);
        let path = path.strip_prefix('/').unwrap_or(path);
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        Self { folder, file }
    }

    /// What the destinations of one rotation have in common: `pg.log.1.gz` and `pg.csv.1` give `pg` and `1`.
    pub(super) fn stem(self) -> (&'n str, &'n str) {
        let mut name = self.file;
        for compression in [".gz", ".zst", ".xz", ".bz2", ".lz4", ".Z"] {
            name = name.strip_suffix(compression).unwrap_or(name);
        }
        // `.1` and `-20261123` are logrotate's.
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (before, rotation) = name.split_at_checked(name.len() - digits).unwrap_or((name, ""));
        let with_destination = before.strip_suffix(['.', '-']).unwrap_or(before);
        for destination in [".log", ".csv", ".json"] {
            if let Some(stem) = with_destination.strip_suffix(destination) {
                return (stem, rotation);
            }
        }
        (name, "")
    }

    /// The words of a name without what changes from one rotation to the next.
    pub(super) fn words(self) -> String {
        let stem = self.stem().0.to_lowercase();
        words(&stem)
            .filter(|word| !CHANGING.contains(word))
            .collect::<Vec<_>>()
            .join("-")
    }

    /// The folders that tell servers apart: `pod-1` and `pod-2` do, `2026-11-23`, `year=2026` and `archive` do not.
    pub(super) fn place(self) -> String {
        let changes = |word: &str| CHANGING.contains(&word) || OF_THE_SAME_SERVER.contains(&word);
        let tells = |folder: &&str| {
            let is_address = folder.parse::<std::net::IpAddr>().is_ok();
            is_address || !words(&folder.to_lowercase()).all(changes)
        };
        self.folder.split('/').filter(tells).collect::<Vec<_>>().join("/")
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_stem_and_their_words() {
        let stem = |name| Name::below("log", name).stem();
        assert_eq!(stem("log/pg-2026-11-23.log"), ("pg-2026-11-23", ""));
        assert_eq!(stem("pg.csv.12.gz"), ("pg", "12"));
        assert_eq!(stem("pg.log-20261123.xz"), ("pg", "20261123"));
        assert_eq!(stem("pg-2026-11-23"), ("pg-2026-11-23", ""));
        let words = |name| Name::below("", name).words();
        assert_eq!(words("postgresql-Mon.log"), words("postgresql-2026-11-23_000000.csv"));
        assert_ne!(words("nodeA-1.log"), words("nodeB-1.log"));
    }

    #[test]
    fn folders_of_days_do_not_tell_servers_apart() {
        let place = |path| Name::below("logs", path).place();
        for same in [
            "logs/pg.log",
            "logs/2026-11-23/pg.log",
            "logs/2026/Nov/23/05/pg.log",
            "logs/year=2026/month=11/day=23/pg.log",
            "logs/archive/old/pg.log.1.gz",
            "logs/2026-11-23T05/pg.log",
            "logs/./pg.log",
        ] {
            assert_eq!(place(same), "", "{same}");
        }
        assert_eq!(place("logs/pod-1/2026-11-23/pg.log"), "pod-1");
        assert_ne!(place("logs/pod-1/pg.log"), place("logs/pod-2/pg.log"));
        assert_ne!(place("logs/10.0.0.1/pg.log"), place("logs/db/10.0.0.1/pg.log"));
        assert_eq!(
            Name::below("/x/a.tar!", "/x/a.tar!log/pg.log"),
            Name::below("log", "log/log/pg.log")
        );
    }
}
