//! Every limit on a runbook, with its name and its reason. A run that meets one becomes a sealed "runbook failed" report.

/// Instructions (wasmtime fuel) of one call. `query-families` on 100 families takes about a hundredth of it; an endless loop ends
/// after about a second, at the same instruction on every machine.
pub const FUEL: u64 = 2_000_000_000;

/// Processor time of one call, the backstop for host time that fuel does not count. Not time of the clock, which on a busy machine
/// would end a run that elsewhere its fuel ends.
pub const CALL_TIME_MS: u64 = 5_000;

/// Linear memory of one run, all its memories together: the largest evidence is about a tenth of it.
pub const MEMORY_BYTES: usize = 64 << 20;

/// Entries of one table; function tables of a Rust guest have some hundreds.
pub const TABLE_ELEMENTS: usize = 20_000;

/// Core instances that one component may make; a Rust component has three (itself and two adapters of the encoder).
pub const INSTANCES: usize = 16;

/// Linear memories of one component. [`MEMORY_BYTES`] holds for all of them together.
pub const MEMORIES: usize = 2;

/// Tables of one component.
pub const TABLES: usize = 8;

/// Stack of the guest: deep recursion traps before it can reach the host's.
pub const STACK_BYTES: usize = 512 << 10;

/// Bytes that one run may hand over: in its answer, and in all its requests together. A list may point at the same bytes again and
/// again, so the guest's memory does not bound this by itself.
pub const HOSTCALL_BYTES: usize = 16 << 20;

/// Size of a component file: the built-in ones have some tens of kilobytes, a JavaScript one some ten megabytes.
pub const COMPONENT_BYTES: u64 = 32 << 20;

/// Components within components. The encoders of Rust, JavaScript and Python make two levels at most.
pub const COMPONENT_DEPTH: usize = 8;

/// Types of components and instances that one section may have within others. The contract's own have one level.
pub const TYPE_NESTING: usize = 64;

/// Size of one function of a component: the largest of a JavaScript or Python engine, its interpreter's loop, has some hundred
/// kilobytes.
pub const FUNCTION_BYTES: usize = 1 << 20;

/// Branches, blocks and loops of one function. What a compiler takes grows with their square: 8,000 take it about a second, 32,000
/// twelve, and the 260,000 that fit into [`FUNCTION_BYTES`] more than ten minutes; 32,000 loops within each other 700 MB.
pub const FUNCTION_BRANCHES: u64 = 16_384;

/// The squares of [`FUNCTION_BRANCHES`] over all functions of a component: some of the largest, or any number of usual ones.
pub const BRANCH_SQUARES: u64 = 4 * FUNCTION_BRANCHES * FUNCTION_BRANCHES;

/// Requests that one run may make.
pub const REQUESTS: usize = 256;

/// Calls of `request` that one run may make, those past [`REQUESTS`] included. A call takes the host about a microsecond and the
/// guest hardly any fuel; without this the clock would end a runbook that asks for ever, at another place on each machine.
pub const HOST_CALLS: u64 = 100_000;

/// Findings in one assessment.
pub const FINDINGS: usize = 200;

/// Insights in one assessment.
pub const INSIGHTS: usize = 100;

/// Next actions in one assessment.
pub const NEXT_ACTIONS: usize = 200;

/// Limitations in one assessment, and evidence or reason codes of one finding.
pub const SMALL_LIST: usize = 64;

/// Message templates, actions, workflows, … in one descriptor, each.
pub const DESCRIPTOR_LIST: usize = 500;

/// Characters of one message template.
pub const TEMPLATE_CHARS: usize = 400;

/// Families, lock waits, … of each kind handed to a runbook.
pub const EVIDENCE_PER_KIND: usize = 100;
