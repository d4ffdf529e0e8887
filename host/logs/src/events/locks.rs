//! Lock waits and deadlocks, from the messages of `log_lock_waits` and of the deadlock detector.
//!
//! **In**: message and DETAIL. **Out**: who waited for what, and who held it, by process id. **Can fail**: another wording is
//! no lock wait.

use crate::bytes::{at, digits, from, line_end, slice};
use crate::evidence::{LockMode, LockTarget};

/// One line of `log_lock_waits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) mode: LockMode,
    pub(crate) target: LockTarget,
    pub(crate) waited_us: u64,
    pub(crate) acquired: bool,
    pub(crate) holders: Vec<i32>,
    pub(crate) queue: Vec<i32>,
}

/// One line `Process 1 waits for …` of a deadlock's DETAIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) waiter: i32,
    pub(crate) holder: i32,
    pub(crate) mode: LockMode,
    pub(crate) target: LockTarget,
    /// Where the waiter's statement stands in the DETAIL.
    pub(crate) statement: Option<(usize, usize)>,
}

/// Most processes listed in one DETAIL.
const MAX_PROCESSES: usize = 1_024;
/// Most holders of a lock and most waits of a cycle that are kept: who reads a report reads no more, and they are written by whoever raises them.
const MAX_LISTED: usize = 64;

/// Reads `process 7 still waiting for ShareLock on transaction 9 after 100.390 ms` or `process 7 acquired …`.
pub(crate) fn wait(message: &[u8], detail: &[u8]) -> Option<Wait> {
    let rest = message.strip_prefix(b"process ")?;
    let (_, end) = digits(rest, 0)?;
    let rest = from(rest, end);
    let (rest, acquired) = match rest.strip_prefix(b" still waiting for ") {
        Some(rest) => (rest, false),
        None => (rest.strip_prefix(b" acquired ")?, true),
    };
    let (mode, rest) = mode(rest)?;
    let rest = rest.strip_prefix(b" on ")?;
    let after = memchr::memmem::rfind(rest, b" after ")?;
    let (whole, dot) = digits(rest, after + 7)?;
    let (thousandths, end) = digits(rest, dot + 1)?;
    if end - dot != 4 || from(rest, end) != b" ms" {
        return None;
    }
    let (holders, queue) = holders_and_queue(detail);
    Some(Wait {
        mode,
        target: target(slice(rest, 0, after)),
        waited_us: whole.saturating_mul(1_000).saturating_add(thousandths),
        acquired,
        holders,
        queue,
    })
}

/// Reads `Process holding the lock: 1. Wait queue: 2, 3.`
fn holders_and_queue(detail: &[u8]) -> (Vec<i32>, Vec<i32>) {
    let list = |label: &[u8]| {
        memchr::memmem::find(detail, label)
            .map(|found| processes(from(detail, found + label.len())))
            .unwrap_or_default()
    };
    let mut holders = list(b" holding the lock: ");
    holders.truncate(MAX_LISTED);
    (holders, list(b"Wait queue: "))
}

fn processes(text: &[u8]) -> Vec<i32> {
    let mut found = Vec::new();
    let mut position = 0;
    while found.len() < MAX_PROCESSES {
        let Some((pid, end)) = digits(text, position) else {
            break;
        };
        found.extend(i32::try_from(pid).ok());
        if slice(text, end, end + 2) != b", " {
            break;
        }
        position = end + 2;
    }
    found
}

/// Reads the DETAIL of `deadlock detected`.
pub(crate) fn deadlock(detail: &[u8]) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let mut position = 0;
    // First the cycle, one line each.
    while edges.len() < MAX_LISTED {
        let end = line_end(detail, position);
        let Some(edge) = edge(slice(detail, position, end)) else {
            break;
        };
        edges.push(edge);
        position = end + 1;
    }
    // Then each process's statement, which may have further lines.
    let mut open: Option<(i32, usize)> = None;
    while position <= detail.len() {
        let end = line_end(detail, position);
        let heading = statement_heading(slice(detail, position, end), &edges);
        if heading.is_some() || end == detail.len() {
            let stop = if heading.is_some() {
                position.saturating_sub(1)
            } else {
                end
            };
            close(&mut edges, open.take(), stop);
        }
        if let Some((pid, length)) = heading {
            open = Some((pid, position + length));
            if end == detail.len() {
                close(&mut edges, open.take(), end);
            }
        }
        position = end + 1;
    }
    edges
}

fn close(edges: &mut [Edge], open: Option<(i32, usize)>, stop: usize) {
    if let Some((pid, start)) = open
        && let Some(edge) = edges
            .iter_mut()
            .find(|edge| edge.waiter == pid && edge.statement.is_none())
        && start < stop
    {
        edge.statement = Some((start, stop));
    }
}

/// Reads `Process 1 waits for ShareLock on transaction 9; blocked by process 2.`
fn edge(line: &[u8]) -> Option<Edge> {
    let rest = line.strip_prefix(b"Process ")?;
    let (waiter, end) = digits(rest, 0)?;
    let (mode, rest) = mode(from(rest, end).strip_prefix(b" waits for ")?)?;
    let rest = rest.strip_prefix(b" on ")?;
    let blocked = memchr::memmem::rfind(rest, b"; blocked by process ")?;
    let (holder, end) = digits(rest, blocked + 21)?;
    if at(rest, end) != b'.' {
        return None;
    }
    Some(Edge {
        waiter: i32::try_from(waiter).ok()?,
        holder: i32::try_from(holder).ok()?,
        mode,
        target: target(slice(rest, 0, blocked)),
        statement: None,
    })
}

/// `Process 1: SELECT …` of a process of the cycle that has no statement yet.
fn statement_heading(line: &[u8], edges: &[Edge]) -> Option<(i32, usize)> {
    let rest = line.strip_prefix(b"Process ")?;
    let (pid, end) = digits(rest, 0)?;
    let pid = i32::try_from(pid).ok()?;
    let known = edges.iter().any(|edge| edge.waiter == pid && edge.statement.is_none());
    (known && slice(rest, end, end + 2) == b": ").then_some((pid, 8 + end + 2))
}

fn mode(text: &[u8]) -> Option<(LockMode, &[u8])> {
    let length = memchr::memchr(b' ', text)?;
    let mode = match slice(text, 0, length) {
        b"AccessShareLock" => LockMode::AccessShare,
        b"RowShareLock" => LockMode::RowShare,
        b"RowExclusiveLock" => LockMode::RowExclusive,
        b"ShareUpdateExclusiveLock" => LockMode::ShareUpdateExclusive,
        b"ShareLock" => LockMode::Share,
        b"ShareRowExclusiveLock" => LockMode::ShareRowExclusive,
        b"ExclusiveLock" => LockMode::Exclusive,
        b"AccessExclusiveLock" => LockMode::AccessExclusive,
        word if word.ends_with(b"Lock") || word == b"INVALID" => LockMode::Unknown,
        _ => return None,
    };
    Some((mode, from(text, length)))
}

fn target(text: &[u8]) -> LockTarget {
    if let Some(rest) = text.strip_prefix(b"transaction ") {
        return digits(rest, 0).map_or(LockTarget::Other, |(xid, _)| LockTarget::Transaction { xid });
    }
    let number = |label: &[u8]| -> Option<u32> {
        let found = memchr::memmem::find(text, label)?;
        let (value, _) = digits(text, found + label.len())?;
        u32::try_from(value).ok()
    };
    let Some((relation, database)) = number(b"relation ").zip(number(b" of database ")) else {
        return LockTarget::Other;
    };
    if text.starts_with(b"relation ") {
        LockTarget::Relation { relation, database }
    } else if text.starts_with(b"tuple ") || text.starts_with(b"page ") {
        LockTarget::Tuple { relation, database }
    } else {
        LockTarget::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_tells_mode_target_time_and_processes() {
        let found = wait(
            b"process 2411 still waiting for ExclusiveLock on tuple (0,10) of relation 16405 of database 16384 after 100.093 ms",
            b"Processes holding the lock: 2410, 7. Wait queue: 2411, 9.",
        );
        assert_eq!(
            found,
            Some(Wait {
                mode: LockMode::Exclusive,
                target: LockTarget::Tuple {
                    relation: 16405,
                    database: 16384
                },
                waited_us: 100_093,
                acquired: false,
                holders: vec![2410, 7],
                queue: vec![2411, 9],
            })
        );
        let found = wait(
            b"process 5 acquired ShareLock on transaction 2226 after 1900.000 ms",
            b"",
        )
        .unwrap();
        assert!(
            found.acquired && found.target == LockTarget::Transaction { xid: 2226 } && found.waited_us == 1_900_000
        );
        assert_eq!(wait(b"process 5 acquired taste on wine after 1900.000 ms", b""), None);
    }

    #[test]
    fn a_deadlock_tells_its_cycle_and_statements() {
        let detail = b"Process 1 waits for ShareLock on transaction 22; blocked by process 2.\n\
            Process 2 waits for AccessExclusiveLock on relation 5 of database 6; blocked by process 1.\n\
            Process 1: UPDATE a\n  SET b = 'Process 2: x'\nProcess 2: LOCK TABLE\nProcess 1: forged";
        let edges = deadlock(detail);
        let statement = |edge: &Edge| {
            edge.statement
                .map(|(from, to)| std::str::from_utf8(&detail[from..to]).unwrap())
        };
        assert_eq!(edges.len(), 2);
        assert_eq!((edges[0].waiter, edges[0].holder), (1, 2));
        assert_eq!(statement(&edges[0]), Some("UPDATE a\n  SET b = 'Process 2: x'"));
        assert_eq!(
            edges[1].target,
            LockTarget::Relation {
                relation: 5,
                database: 6
            }
        );
        assert_eq!(statement(&edges[1]), Some("LOCK TABLE\nProcess 1: forged"));
        assert!(deadlock(b"").is_empty());
    }
}
