//! Makes inputs: random components, random modules in the shape of a runbook, and mutated runbooks.

use std::fmt;
use std::ops::Range;

use arbitrary::Unstructured;
use wasm_encoder::{Component, RawSection};
use wasmparser::{Parser, Payload};

/// Random bytes that one module or component is made of.
const RANDOM_BYTES: usize = 16 << 10;

/// How an input was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any component, valid.
    Component,
    /// Any core module, valid, in a component that does nothing with it.
    Module,
    /// A runbook whose code is random.
    Runbook,
    /// A runbook with flipped bytes.
    Flipped,
    /// A runbook with sections swapped, dropped, doubled or taken from another.
    Shuffled,
    /// A runbook that ends too early.
    Cut,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component => "component",
            Self::Module => "module",
            Self::Runbook => "runbook",
            Self::Flipped => "flipped",
            Self::Shuffled => "shuffled",
            Self::Cut => "cut",
        })
    }
}

/// An endless row of inputs, the same for the same seed.
pub(crate) struct Generator {
    state: u64,
    /// Valid components.
    seeds: Vec<Vec<u8>>,
    /// A runbook, and where its code lies in it.
    frame: (Vec<u8>, Range<usize>),
}

impl Generator {
    /// From a seed, the components to mutate, and the runbook whose code is replaced: one that asks for actions.
    pub(crate) fn new(seed: u64, seeds: Vec<Vec<u8>>, frame: Vec<u8>) -> Self {
        let code = code(&frame);
        Self {
            state: seed,
            seeds,
            frame: (frame, code),
        }
    }

    pub(crate) fn next(&mut self) -> (Kind, Vec<u8>) {
        loop {
            let kind = match self.below(12) {
                0 => Kind::Component,
                1 => Kind::Module,
                2..=5 => Kind::Runbook,
                6..=8 => Kind::Flipped,
                9 | 10 => Kind::Shuffled,
                _ => Kind::Cut,
            };
            let made = match kind {
                Kind::Component => self.component(),
                Kind::Module => self.module(None).map(|module| wrapped(&module)),
                Kind::Runbook => self.runbook(),
                Kind::Flipped => Some(self.flipped()),
                Kind::Shuffled => Some(self.shuffled()),
                Kind::Cut => Some(self.cut()),
            };
            if let Some(bytes) = made {
                return (kind, bytes);
            }
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.random() % limit.max(1) as u64) as usize
    }

    fn random_bytes(&mut self) -> Vec<u8> {
        let length = 256 + self.below(RANDOM_BYTES);
        std::iter::repeat_with(|| self.random().to_le_bytes())
            .flatten()
            .take(length)
            .collect()
    }

    fn component(&mut self) -> Option<Vec<u8>> {
        let bytes = self.random_bytes();
        let mut random = Unstructured::new(&bytes);
        let config = if self.below(2) == 0 { served() } else { config() };
        let component = wasm_smith::Component::new(config, &mut random).ok()?;
        Some(component.to_bytes())
    }

    /// A module; of the imports and exports of `shape`, if there is one.
    fn module(&mut self, shape: Option<&[u8]>) -> Option<Vec<u8>> {
        let bytes = self.random_bytes();
        let mut random = Unstructured::new(&bytes);
        // What is to run must load.
        let base = if shape.is_some() || self.below(2) == 0 {
            served()
        } else {
            config()
        };
        let config = wasm_smith::Config {
            module_shape: shape.map(<[u8]>::to_vec),
            ..base
        };
        Some(wasm_smith::Module::new(config, &mut random).ok()?.to_bytes())
    }

    /// A runbook whose code is random: everything that is around it loads, and what it says is nonsense.
    fn runbook(&mut self) -> Option<Vec<u8>> {
        let (frame, at) = self.frame.clone();
        let module = self.module(Some(&frame[at.clone()]))?;
        Some(replaced(&frame, &at, &module))
    }

    fn seed(&mut self) -> Vec<u8> {
        let index = self.below(self.seeds.len());
        self.seeds[index].clone()
    }

    fn flipped(&mut self) -> Vec<u8> {
        let mut bytes = self.seed();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            bytes[at] = match self.below(3) {
                0 => bytes[at] ^ (1 << self.below(8)),
                1 => self.random() as u8,
                _ => [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
            };
        }
        bytes
    }

    fn cut(&mut self) -> Vec<u8> {
        let mut bytes = self.seed();
        bytes.truncate(self.below(bytes.len()));
        bytes
    }

    fn shuffled(&mut self) -> Vec<u8> {
        let bytes = self.seed();
        let mut sections = sections(&bytes);
        for _ in 0..=self.below(4) {
            if sections.is_empty() {
                break;
            }
            let (one, other) = (self.below(sections.len()), self.below(sections.len()));
            match self.below(4) {
                0 => sections.swap(one, other),
                1 => drop(sections.remove(one)),
                2 => sections.insert(other, sections[one].clone()),
                _ => {
                    let foreign = self.seed();
                    let foreign = self::sections(&foreign);
                    if !foreign.is_empty() {
                        sections[one] = foreign[self.below(foreign.len())].clone();
                    }
                }
            }
        }
        let mut component = Component::new();
        for (id, content) in &sections {
            component.section(&RawSection { id: *id, data: content });
        }
        component.finish()
    }
}

/// Everything that wasm-smith can make, so also what this host does not serve; modules that would trap at once are of little use.
fn config() -> wasm_smith::Config {
    wasm_smith::Config {
        allow_start_export: true,
        max_memory32_bytes: 256 << 20,
        max_instructions: 300,
        ..wasm_smith::Config::default()
    }
}

/// What this host serves.
fn served() -> wasm_smith::Config {
    wasm_smith::Config {
        gc_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        compact_imports_enabled: false,
        wide_arithmetic_enabled: false,
        ..config()
    }
}

/// A component that is nothing but `module`.
fn wrapped(module: &[u8]) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&RawSection { id: 1, data: module });
    component.finish()
}

/// Id and content of the sections of a component; none of what is no component.
fn sections(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut sections = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return sections };
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            sections.push((id, bytes[positions(range)].to_vec()));
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            _ => {}
        }
    }
    sections
}

/// Where the module lies that exports `triage`.
fn code(component: &[u8]) -> Range<usize> {
    let mut module = None;
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a guest is a component") {
            Payload::ModuleSection { unchecked_range, .. } => module = Some(positions(unchecked_range)),
            Payload::ExportSection(exports) => {
                let is_runbook = exports.into_iter().flatten().any(|export| export.name == "triage");
                if let (true, Some(module)) = (is_runbook, &module) {
                    return module.clone();
                }
            }
            _ => {}
        }
    }
    panic!("a guest without code");
}

fn positions(range: Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// `component` with `module` in place of the module at `at`.
fn replaced(component: &[u8], at: &Range<usize>, module: &[u8]) -> Vec<u8> {
    let mut made = Component::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.expect("a guest is a component");
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            let range = positions(range);
            let data = if range == *at { module } else { &component[range] };
            made.section(&RawSection { id, data });
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            _ => {}
        }
    }
    made.finish()
}
