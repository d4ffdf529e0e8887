//! `docs/catalogue.md`, written from the catalogue itself.

use std::fmt::Write as _;

use pg_logstats_gateway::catalogue::Catalogue;
use pg_logstats_gateway::catalogue::view::{self, ActionView};

const INTRODUCTION: &str = "\
<!-- Written from the catalogue's files by the tests (`PG_LOGSTATS_BLESS=1`, see tests/tests/contracts.rs). Change those, not this. -->

# The catalogue

All SQL that pg-logstats can send for an agent is in the files of
[`host/gateway/src/catalogue/actions/`](../host/gateway/src/catalogue/actions/), one for each action, compiled into the binary. This page says
what each reads. `pg-logstats catalog show ACTION` prints all of it: the SQL for each version of the server, the limits, the columns, and
the digest by which intent records name the file.

What holds for every action, and is tested for each on PostgreSQL 14 to 18:

- one SELECT, prepared, in a READ ONLY transaction that is rolled back; of `pg_catalog` and pg_stat_statements only, all names with their
  schema; ordered; one row more than the cap, so that a cut is seen and said;
- no value of user data and no statement text in a row: no most common values, histogram bounds, definitions of indexes or constraints, or
  values of sequences;
- no volatile function but those on a list with reasons (`host/gateway/src/db/actions.rs`);
- it works with the least role that `pg-logstats inspect` prints the script for, and with less than it needs it says
  `insufficient_privilege`, or what part is hidden, and never shows what is hidden as nothing.

**Risk.** `safe`: the cost is bounded by what is bound or by the server's own limits (its connections, its slots, its settings).
`bounded`: it grows with the number of tables, sequences or sessions, so that it runs under a `clear` verdict only, watched by a second
connection. *Essential* actions may run even when the database is saturated.

**Untrusted** columns hold text that somebody who can reach the database chose: names, mostly. All text of a row is marked untrusted in reports.

**Subjects.** A row about a session, a sequence, an index, a constraint, a replication slot or a prepared transaction has an id that a runbook can give
advice about (`row_session`, `row_sequence`, `row_object` in the action's file). The host writes the SQL of the advice, and quotes the names.

**Versions.** A column that a version does not have is NULL there. An action without SQL for a version is `unavailable` and says since when it is there.

**Parameters** are bound from subjects of the evidence, never typed:

| parameter | facet | subjects that can fill it | arguments of the SQL |
|---|---|---|---|
| `queryid`, `sample` | `query_id`, `sample` | a query family; a group of temporary files whose statement is known | `int8`; none |
| `pid` | `session` | a session of the log, or one that an earlier action found | pid `int4`, start `timestamptz` |
| `relation` | `relation` | a relation that a lock in the log is about, or that a plan reads; a column of a plan | oid `int8`, oid of its database `int8`; or schema `text`, name `text`; the others NULL |
| `database`, `user`, `application_name` | the same | anything that has dimensions, or the dimension itself | `text` |

A relation that a log names by its oid is one of a certain database: in another one the action finds nothing. Of an index the action takes the table.

";

/// The page.
pub fn page() -> String {
    let mut out = INTRODUCTION.to_owned();
    out.push_str("## All actions\n\n| action | reads | risk | binds |\n|---|---|---|---|\n");
    let catalogue = Catalogue::builtin().unwrap();
    let list = view::list(catalogue);
    for a in &list.actions {
        let essential = if a.essential { ", essential" } else { "" };
        let binds = a
            .parameters
            .iter()
            .map(|p| format!("`{p}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(
            out,
            "| [`{}`](#{}) | {} | {}{essential} | {binds} |",
            a.id,
            a.id.replace('.', ""),
            a.title,
            a.risk
        );
    }
    for a in &list.actions {
        section(&mut out, &view::show(catalogue, &a.id).unwrap());
    }
    out
}

fn section(out: &mut String, a: &ActionView) {
    let _ = write!(out, "\n## {}\n\n", a.id);
    for paragraph in a.description.lines() {
        let _ = write!(out, "{paragraph}\n\n");
    }
    let _ = writeln!(
        out,
        "- class `{}`; at most {} rows, {} ms",
        a.class, a.caps.max_rows, a.caps.statement_timeout_ms
    );
    let _ = writeln!(out, "- needs {}", needs(a));
    let first = a.statements.first().map_or(0, |s| s.min_version / 10_000);
    let versions: Vec<String> = a
        .statements
        .iter()
        .skip(1)
        .map(|s| (s.min_version / 10_000).to_string())
        .collect();
    match versions.as_slice() {
        [] => {
            let _ = writeln!(out, "- SQL from PostgreSQL {first}");
        }
        others => {
            let _ = writeln!(
                out,
                "- SQL from PostgreSQL {first}, another from {}",
                others.join(" and from ")
            );
        }
    }
    if !a.columns.is_empty() {
        let column = |c: &pg_logstats_gateway::catalogue::Column| {
            let untrusted = if c.untrusted { ", untrusted" } else { "" };
            format!("`{}` ({}{untrusted})", c.name, c.column_type)
        };
        let columns: Vec<String> = a.columns.iter().map(column).collect();
        let _ = writeln!(out, "- columns: {}", columns.join(", "));
    }
}

fn needs(a: &ActionView) -> String {
    let p = &a.privileges;
    let mut needs: Vec<String> = p.roles.iter().map(|role| format!("membership in `{role}`")).collect();
    needs.extend(p.extensions.iter().map(|e| format!("the extension `{e}`")));
    if p.select_on_relations {
        needs.push("SELECT on the relations that it is about".to_owned());
    }
    if p.select_on_sequences {
        needs.push("SELECT on sequences".to_owned());
    }
    if needs.is_empty() {
        "no privilege but CONNECT".to_owned()
    } else {
        needs.join(", ")
    }
}
